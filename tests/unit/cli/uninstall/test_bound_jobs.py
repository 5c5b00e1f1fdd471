"""What counts as bound, leaving, settling and held."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sampan.cli.uninstall.bound_jobs import SETTLING, BoundCopy, copies, has_finalizer, is_bound, is_busy, is_leaving, is_settling

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
BINDING = {
    "offer": {"namespace": "prov-a", "name": "lingang"},
    "clusterUID": "c-1",
    "remote": {"namespace": "sampan-jobs", "name": "sj-1"},
}


def job(name: str = "x", *, status: dict[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:
    return {"metadata": {"namespace": "team-a", "name": name, "uid": f"uid-{name}", **metadata}, "spec": {}, "status": status or {}}


def ended(seconds_ago: float, phase: str = "Succeeded") -> dict[str, Any]:
    at = (NOW - timedelta(seconds=seconds_ago)).isoformat().replace("+00:00", "Z")
    return {"phase": phase, "binding": BINDING, "finishedAt": at}


@pytest.mark.parametrize("phase", ["Bound", "Running", "Suspended", "Pending"])
def test_a_job_with_a_binding_is_bound_until_it_ends(phase: str) -> None:
    assert is_bound(job(status={"phase": phase, "binding": BINDING}))
    assert not is_bound(job(status={"phase": phase}))


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_an_ended_job_is_not_bound(phase: str) -> None:
    assert not is_bound(job(status={"phase": phase, "binding": BINDING}))


def test_a_job_nobody_has_looked_at_holds_nothing() -> None:
    fresh = {"metadata": {"namespace": "a", "name": "b"}, "spec": {}}
    assert not is_bound(fresh)
    assert not is_busy(fresh, NOW)


def test_an_ended_job_settles_for_a_minute() -> None:
    assert is_settling(job(status=ended(1)), NOW)
    assert not is_settling(job(status=ended(SETTLING.total_seconds())), NOW)
    assert not is_settling(job(status=ended(1) | {"binding": None}), NOW)
    assert not is_settling(job(status=ended(1) | {"finishedAt": "yesterday"}), NOW), "a broken time delays nobody"


def test_leaving_needs_both_a_delete_and_our_finalizer() -> None:
    deleted: dict[str, Any] = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
    assert is_leaving(job(**deleted, finalizers=["sampan.dev/remote-cleanup"]))
    assert not is_leaving(job(**deleted, finalizers=["other/one"]))
    assert not is_leaving(job(finalizers=["sampan.dev/remote-cleanup"]))
    assert has_finalizer(job(finalizers=["other/one", "sampan.dev/remote-cleanup"]))
    assert not has_finalizer(job(finalizers=None))


def test_copies_are_listed_by_name_and_name_everything_a_person_needs() -> None:
    jobs = [job("b", status=ended(1)), job("a", status={"phase": "Running", "binding": BINDING}), job("c", status=ended(999)), job("d")]
    found = copies(jobs, NOW)
    assert [copy.job for copy in found] == ["team-a/a", "team-a/b"]
    assert found[0] == BoundCopy(
        job="team-a/a",
        job_uid="uid-a",
        phase="Running",
        offer="prov-a/lingang",
        cluster_uid="c-1",
        namespace="sampan-jobs",
        name="sj-1",
    )
    assert found[0].line() == (
        "team-a/a (Running): cluster c-1 (offer prov-a/lingang), namespace sampan-jobs, Job sj-1, label sampan.dev/job-uid=uid-a"
    )


def test_a_half_written_binding_is_listed_too() -> None:
    [copy] = copies([job(status={"phase": "Bound", "binding": {"clusterUID": "c-1"}})], NOW)
    assert (copy.offer, copy.namespace, copy.name) == ("?/?", "?", "?")
