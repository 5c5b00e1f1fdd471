"""Quotas and LimitRanges of a member: a job goes there only if its pods would be admitted, and what to set is said."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from e2e.life import H100, REMOTE, World, job
from e2e.test_query import quoted
from integration.support import wait_for

MEMBER = "lingang"
LIMITS = {"limits.cpu": "400", "limits.memory": "8Ti"}
HIGH = {"matchExpressions": [{"operator": "In", "scopeName": "PriorityClass", "values": ["high"]}]}
LOW_DEFAULT = {"type": "Container", "default": {"memory": "512Mi"}, "defaultRequest": {"memory": "256Mi"}}
HELPFUL = {"type": "Container", "default": {"cpu": "4", "memory": "8Gi"}}
Json = dict[str, Any]


@contextmanager
def rules(world: World, kind: str, spec: Json) -> Iterator[None]:
    """A ResourceQuota or a LimitRange in the namespace of our jobs for a while; a quota once it counts."""
    member = world.member(MEMBER)
    member.apply({"apiVersion": "v1", "kind": kind, "metadata": {"name": "rules", "namespace": REMOTE}, "spec": spec})
    try:
        if kind == "ResourceQuota":
            wait_for(lambda: member.get("resourcequota", "rules", "-n", REMOTE).get("status", {}).get("used"), "the quota counts")
        yield
    finally:
        member.kubectl("delete", kind.lower(), "rules", "-n", REMOTE)


def asking(name: str, limits: Json | None = None, **spec: Any) -> Json:
    resources = {"requests": {"cpu": "1", "memory": "4Gi"}, **({"limits": limits} if limits else {})}
    return job(name, "sleep 1", device=(H100, 1), template={"resources": resources}, **spec)


def foreseen(world: World, body: Json, reason: str) -> None:
    """Wait until the operator has heard of the member's rules: it would refuse such a job for this reason."""
    wait_for(lambda: f'"{reason}"' in json.dumps(quoted(world, body)), f"the operator foresees {reason}", every=0.5)


def refused(world: World, name: str, reason: str) -> str:
    """Wait until a job is told why it waits; it was bound nowhere. Returns the words."""
    told = world.waits_because(name, reason)
    status = world.status(name)
    assert "binding" not in status
    assert not status.get("attempts")
    return str(told["message"])


def test_limits_that_a_quota_asks_for_are_named_or_the_job_waits(world: World) -> None:
    with rules(world, "ResourceQuota", {"hard": LIMITS}):
        foreseen(world, asking("no-limits"), "ResourcesNotNamed")
        world.submit(asking("no-limits"), asking("with-limits", {"cpu": "2", "memory": "8Gi"}))
        world.reaches("with-limits", "Succeeded")
        assert "quota" in refused(world, "no-limits", "ResourcesNotNamed")
        with rules(world, "LimitRange", {"limits": [HELPFUL]}):
            world.reaches("no-limits", "Succeeded")


@pytest.mark.parametrize("hard", ["0", "1"])
def test_a_quota_of_other_pods_is_not_ours(world: World, hard: str) -> None:
    with rules(world, "ResourceQuota", {"hard": {"pods": hard, "requests.nvidia.com/gpu": hard}, "scopeSelector": HIGH}):
        world.submit(asking(f"first-{hard}"), asking(f"second-{hard}"))
        for name in (f"first-{hard}", f"second-{hard}"):
            world.reaches(name, "Succeeded")


def test_a_quota_of_nothing_lets_nothing_through(world: World) -> None:
    with rules(world, "ResourceQuota", {"hard": {"requests.nvidia.com/gpu": "0"}}):
        foreseen(world, asking("nothing-left"), "QuotaExhausted")
        world.submit(asking("nothing-left"))
        refused(world, "nothing-left", "QuotaExhausted")
    world.reaches("nothing-left", "Succeeded")


def test_a_default_limit_below_the_request_keeps_the_job_away(world: World) -> None:
    with rules(world, "LimitRange", {"limits": [LOW_DEFAULT]}):
        foreseen(world, asking("too-large"), "LimitRangeViolated")
        world.submit(asking("too-large"), asking("own-limit", {"memory": "4Gi"}))
        world.reaches("own-limit", "Succeeded")
        assert "LimitRange" in refused(world, "too-large", "LimitRangeViolated")
    world.reaches("too-large", "Succeeded")


def test_no_more_jobs_are_bound_at_once_than_a_quota_has_room_for(world: World) -> None:
    with rules(world, "ResourceQuota", {"hard": {"requests.nvidia.com/gpu": "2"}}):
        foreseen(world, job("burst", device=(H100, 4)), "QuotaExhausted")
        names = [f"burst-{number}" for number in range(4)]
        world.submit(*(asking(name) for name in names))
        for name in names:
            world.reaches(name, "Succeeded")
        assert all(len(world.status(name)["attempts"]) == 1 for name in names), "none was bound in vain"
        assert not [
            event
            for event in world.member(MEMBER).items("events", "-n", REMOTE)
            if "exceeded quota" in event.get("message", "")
            and any(event["involvedObject"]["name"] in {copy.name for copy in world.copies(name)} for name in names)
        ]
