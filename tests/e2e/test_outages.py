"""API servers that hang or are down and an operator that was frozen: jobs stay where they are, none is doubled, all finish."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from e2e.checker import Checker
from e2e.life import JOB_UID, REMOTE
from e2e.load import STACKS, Feeder, Tenant, small_job, tenant_of
from integration.support import FederationUnderTest, finish_pods, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.faults]

HUB_OUTAGE, FREEZE = 60, 20
"""Seconds; these are the faults themselves, not waits for something."""
FOR_EVER = 86_400


@pytest.fixture
def tenant(federation: FederationUnderTest) -> Iterator[Tenant]:
    """The tenant; its jobs are gone afterwards."""
    with tenant_of(federation) as tenant:
        yield tenant


@pytest.fixture
def checker(federation: FederationUnderTest, tenant: Tenant) -> Iterator[Checker]:
    """A witness of the whole test."""
    members = {name: member.client() for name, member in federation.members.items()}
    with Checker(federation.hub.client(), members, namespace=tenant.namespace) as checker:
        yield checker


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """Freeze a process while the block runs: it answers nothing and closes nothing."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def connected(federation: FederationUnderTest) -> dict[str, str]:
    """The Connected condition of each offer, by the name of its member."""
    members = {offer.name: offer.member for offer in federation.federation.scenario.offers}
    offers = {offer["metadata"]["name"]: offer for offer in federation.hub.items("clusteroffers", "-A")}
    return {
        member: next((c["status"] for c in offers[name]["status"]["conditions"] if c["type"] == "Connected"), "")
        for name, member in members.items()
    }


def events(federation: FederationUnderTest, reason: str) -> list[dict[str, Any]]:
    """The operator's Events with this reason, as `kubectl describe` finds them."""
    return federation.hub.items("events", "-A", "--field-selector", f"reason={reason}")


def told_of(federation: FederationUnderTest, uid: str) -> list[str]:
    """The reasons of the Events about a job."""
    found = federation.hub.items("events", "-A", "--field-selector", f"involvedObject.uid={uid}")
    return [event["reason"] for event in found]


def all_started(checker: Checker, uids: list[str]) -> None:
    """Wait until the hub shows every one of these jobs as running, or as over already where they are short and the machine is slow."""
    wait_for(lambda: checker.history.count(uids, "Running", "Succeeded") == len(uids), "all jobs run")


def all_succeed(checker: Checker, uids: list[str]) -> None:
    """Wait until the hub shows every one of these jobs as succeeded."""
    wait_for(lambda: checker.history.count(uids, "Succeeded") == len(uids), "every job has succeeded", every=0.5)


def nothing_wrong(checker: Checker, tenant: Tenant) -> None:
    """Every accepted job is there, was bound once and had one copy in all."""
    assert not checker.history.violations(tenant.uids())
    assert not checker.history.not_exactly_once(tenant.uids())


def submit(tenant: Tenant, prefix: str, *, stack: int, count: int, seconds: int) -> list[str]:
    """Submit jobs that only one member can run; with FOR_EVER they end when they are told."""
    return tenant.submit_all([small_job(f"{prefix}-{n}", seconds=seconds, accelerator=STACKS[stack]) for n in range(count)])


def finish(federation: FederationUnderTest, member: str, uids: list[str]) -> None:
    """End jobs on their member, as their pods' own command would."""
    finish_pods(federation.members[member], f"{JOB_UID} in ({','.join(uids)})", namespace=REMOTE)


def test_half_open_member_touches_nobody_else(federation: FederationUnderTest, tenant: Tenant, checker: Checker) -> None:
    """A member that accepts connections and answers nothing: its offer says so, its jobs stay, others' jobs go on."""
    history = checker.history
    theirs = submit(tenant, "mute", stack=1, count=6, seconds=FOR_EVER)
    others = submit(tenant, "fine", stack=0, count=6, seconds=30) + submit(tenant, "good", stack=2, count=6, seconds=30)
    uids = theirs + others
    all_started(checker, uids)
    with stopped(federation.cluster("pengcheng").pids()["kube-apiserver"]):
        began = time.monotonic()
        late = submit(tenant, "late", stack=0, count=2, seconds=1)
        unlucky = submit(tenant, "unlucky", stack=1, count=2, seconds=1)
        wait_for(lambda: connected(federation)["pengcheng"] != "True", "the offer says that its member is not connected")
        print(f"half-open member seen after {time.monotonic() - began:.1f} s")  # noqa: T201
        all_succeed(checker, others + late)
        told = wait_for(lambda: events(federation, "MemberAway") or None, "an Event tells that the member is away")
        assert {event["involvedObject"]["kind"] for event in told} <= {"ClusterOffer", "ComputeJob"}
        said = connected(federation)
        assert {member for member, status in said.items() if status == "True"} == {"lingang", "kunshan"}
        assert history.count(theirs, "Running") == len(theirs), "the member's jobs were given up"
    wait_for(lambda: connected(federation)["pengcheng"] == "True", "the member is back")
    wait_for(lambda: events(federation, "MemberBack") or None, "an Event tells that it is back")
    finish(federation, "pengcheng", theirs)
    all_succeed(checker, tenant.uids())
    ordinary = wait_for(lambda: told_of(federation, late[0]) if len(told_of(federation, late[0])) >= 3 else None, "a job's life is told")
    assert sorted(ordinary) == ["Bound", "Completed", "Started"]
    assert history.count(unlucky, "Succeeded") == len(unlucky)
    nothing_wrong(checker, tenant)


def test_restarted_member_keeps_its_jobs(federation: FederationUnderTest, tenant: Tenant, checker: Checker) -> None:
    """A member's control plane ends with all its watches and comes back: what ran there runs on, once."""
    member = federation.cluster("lingang")
    uids = submit(tenant, "stay", stack=0, count=6, seconds=FOR_EVER)
    all_started(checker, uids)
    member.stop(federation.binaries)
    stayed, uids = uids, uids + submit(tenant, "came", stack=0, count=4, seconds=1)
    member.start(federation.binaries)
    finish(federation, "lingang", stayed)
    all_succeed(checker, uids)
    nothing_wrong(checker, tenant)


def test_hub_outage_is_caught_up(federation: FederationUnderTest, tenant: Tenant, checker: Checker) -> None:
    """The hub is away for a minute: running jobs run on, their ends are told afterwards, new jobs are taken."""
    history, pid = checker.history, federation.operator.pid
    short, long = submit(tenant, "short", stack=0, count=6, seconds=FOR_EVER), submit(tenant, "long", stack=1, count=6, seconds=FOR_EVER)
    uids = short + long
    all_started(checker, uids)
    hub = federation.cluster("hub")
    hub.stop(federation.binaries)
    try:
        finish(federation, "lingang", short)
        time.sleep(HUB_OUTAGE)
        alive = [uid for uid in long if any(copy.live for copy in history.copies_of(uid))]
        assert sorted(alive) == sorted(long), "running jobs must not notice"
    finally:
        hub.start(federation.binaries)
    all_succeed(checker, short)
    finish(federation, "pengcheng", long)
    submit(tenant, "after", stack=2, count=2, seconds=1)
    all_succeed(checker, tenant.uids())
    nothing_wrong(checker, tenant)
    assert federation.operator.pid == pid, "the operator must not need a restart"


def test_frozen_operator_doubles_nothing(federation: FederationUnderTest, tenant: Tenant, checker: Checker) -> None:
    """The operator stops in its tracks in the midst of its work and goes on with what it believed 20 s ago."""
    history, pid = checker.history, federation.operator.pid
    assert pid is not None
    with Feeder(tenant, history, prefix="frozen", level=60, seconds=(3, 12)) as feeder:
        wait_for(lambda: history.count(tenant.uids(), "Succeeded") >= 10, "the load is under way")
        with stopped(pid):
            time.sleep(FREEZE)
        before = history.bindings_seen
        wait_for(lambda: history.bindings_seen >= before + 20, "the operator goes on")
    assert not feeder.problems
    all_succeed(checker, tenant.uids())
    nothing_wrong(checker, tenant)
    assert federation.operator.pid == pid
