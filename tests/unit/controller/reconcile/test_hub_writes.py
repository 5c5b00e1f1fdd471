"""Replies and refusals of the hub about jobs that are gone: what the watch said first holds, and nothing is written about them for ever."""

import pytest

from jobs import OFFER
from sampan.controller.reconcile.actions import Expire, HubAction, Patch, Refresh, Release
from sampan.kube.errors import NotFound
from unit.controller.fakes import H100_JOB, JOBS, world


async def test_a_job_that_ends_while_it_is_read_again_stays_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    async with world() as w:
        w.add(spec=H100_JOB)
        writer, entry = w.reconciler.steps.hub, w.state.table["u1"]
        read = writer.client.get_job

        async def ends_meanwhile(namespace: str, name: str) -> dict[str, object] | None:
            found = await read(namespace, name)
            w.hub.drop(JOBS, name)
            w.state.remove_job("u1")
            return found

        monkeypatch.setattr(writer.client, "get_job", ends_meanwhile)
        assert await writer.execute(entry, entry.record, Refresh())
        assert "u1" not in w.state.jobs


@pytest.mark.parametrize("name", ["Patch", "Release", "Expire"])
async def test_a_job_that_a_write_does_not_find_is_forgotten(name: str) -> None:
    async with world() as w:
        w.add(spec=H100_JOB)
        entry = w.state.table["u1"]
        actions: dict[str, HubAction] = {"Patch": Patch(entry.record.status.suspended(at=w.now)), "Release": Release(), "Expire": Expire()}
        w.hub.drop(JOBS, "job-u1")
        with pytest.raises(NotFound):
            await w.reconciler.steps.hub.execute(entry, entry.record, actions[name])
        assert not w.state.jobs
        assert not w.state.waiting


async def test_a_job_that_is_gone_is_bound_once_and_no_more() -> None:
    async with world() as w:
        w.add(spec=H100_JOB)
        w.hub.drop(JOBS, "job-u1")
        await w.bind()
        await w.pass_time(60_000)
        assert not w.state.jobs
        assert len(w.hub.calls("PATCH")) == 1


async def test_a_job_is_bound_into_its_tenants_namespace_and_made_there() -> None:
    async with world() as w:
        w.members.targets[OFFER] = "jobs-team-a"
        w.add(spec=H100_JOB)
        await w.bind()
        assert w.status()["binding"]["remote"]["namespace"] == "jobs-team-a"
        (made,) = w.member.calls("POST", "/jobs")
        assert made.path.startswith("/apis/batch/v1/namespaces/jobs-team-a/")


async def test_a_job_whose_tenant_lost_its_namespace_since_it_was_planned_is_not_bound() -> None:
    async with world() as w:
        w.members.targets[OFFER] = None
        w.add(spec=H100_JOB)
        await w.bind()
        assert not w.member.seen
        assert "binding" not in w.status()
