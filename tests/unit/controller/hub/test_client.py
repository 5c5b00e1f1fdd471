"""What the operator writes on the hub: a compare-and-set each, and never more than it changed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from jobs import body, bound_status
from sampan.api.status.manifest import to_manifest
from sampan.controller.hub.client import IDENTITY, HubClient, metadata
from sampan.controller.state.record import JobRecord, record_of
from sampan.kube.errors import Conflict, Forbidden, NotFound
from sampan.kube.transport.client import Client
from sampan.model.lifecycle import Outcome
from sampan.model.status.attempt import Ending
from sampan.model.status.reasons import MemberWord
from sampan.model.status.remote import PodCounts, RemoteStatus
from sampan.model.values.names import FINALIZER
from unit.controller.fake_cluster import FakeCluster, cluster
from unit.controller.fakes import JOBS
from unit.kube.fake_api import replying


@asynccontextmanager
async def hub() -> AsyncIterator[tuple[FakeCluster, HubClient]]:
    async with cluster() as api, Client(api.credentials) as client:
        yield api, HubClient(client)


def put(api: FakeCluster, **kwargs: object) -> JobRecord:
    """Put a ComputeJob there; its record."""
    return record_of(api.put(JOBS, body(**kwargs)), None)  # type: ignore[arg-type]


async def test_a_status_is_written_as_a_difference_on_the_version_it_was_decided_on() -> None:
    async with hub() as (api, client):
        record = put(api, status={"phase": "Pending", "restarts": 2})
        answer = await client.write_status(record, bound_status())
        (call,) = api.seen
        assert call.path.endswith("/computejobs/job-u1/status")
        assert call.body["metadata"] == {"resourceVersion": record.resource_version}
        assert call.body["status"]["restarts"] is None, "what went is taken out"
        assert call.body["status"]["observedGeneration"] == 1
        assert answer["status"]["phase"] == "Bound"
        assert "restarts" not in answer["status"]


async def test_everything_the_operator_writes_is_kept_by_the_schema() -> None:
    """A field that the CRD does not name is dropped without a word, and its reader finds nothing, ever."""
    async with hub() as (api, client):
        ending = Ending(outcome=Outcome.REJECTED, reason=MemberWord("Forbidden"), message="m", exit_code=3, ended_at=1_800_000_000_000)
        seen = RemoteStatus(counts=PodCounts(active=1), reason=MemberWord("X"), message="m")
        status = bound_status(running=True).seen(seen, "remote-1", at=1_800_000_000_000).attempt_ended(ending)
        answer = await client.write_status(put(api), status)
        written = to_manifest(status)
        conditions = [{**condition, "observedGeneration": 1} for condition in written["conditions"]]
        assert answer["status"] == {**written, "observedGeneration": 1, "conditions": conditions}


async def test_a_stale_decision_changes_nothing() -> None:
    async with hub() as (api, client):
        record = put(api)
        api.put(JOBS, {**api.get(JOBS, "job-u1")})
        for write in (client.write_status(record, bound_status()), client.add_finalizer(record), client.remove_finalizer(record)):
            with pytest.raises(Conflict):
                await write
        assert not api.get(JOBS, "job-u1")["status"]


async def test_finalizers_of_others_are_kept() -> None:
    async with hub() as (api, client):
        held = await client.add_finalizer(put(api, finalizers=["a/b"]))
        assert metadata(held)["finalizers"] == ["a/b", FINALIZER]
        freed = await client.remove_finalizer(record_of(held, None))
        assert metadata(freed)["finalizers"] == ["a/b"]


async def test_a_delete_is_of_this_very_object() -> None:
    async with hub() as (api, client):
        record = put(api)
        api.drop(JOBS, "job-u1")
        put(api, uid="u2", name="job-u1")
        with pytest.raises(Conflict):
            await client.delete(record)
        assert api.get(JOBS, "job-u1")["metadata"]["uid"] == "u2"


async def test_a_job_is_read_or_is_not_there() -> None:
    async with hub() as (api, client):
        put(api)
        found = await client.get_job("team-a", "job-u1")
        assert found is not None
        assert found["metadata"]["uid"] == "u1"
        assert await client.get_job("team-a", "nobody") is None


async def test_objects_are_counted_with_a_list_of_one() -> None:
    async with hub() as (api, client):
        assert await client.count("computejobs") == 0
        for number in range(7):
            api.put(JOBS, body(f"u{number}"))
        assert await client.count("computejobs") == 7
        assert {item.metadata.uid for item in await client.list_metadata("computejobs")} == {f"u{n}" for n in range(7)}


async def test_the_identity_is_created_once_and_kept_for_ever() -> None:
    async with hub() as (api, client):
        assert await client.ensure_identity("sampan-system", "first") == "first"
        assert await client.ensure_identity("sampan-system", "second") == "first"
        stored = api.get("v1/configmaps", IDENTITY, "sampan-system")
        assert (stored["data"], stored["immutable"]) == ({"hubID": "first"}, True)


async def test_of_two_that_start_together_one_gives_the_identity() -> None:
    async with hub() as (api, client):
        api.put("v1/configmaps", {"metadata": {"name": IDENTITY, "namespace": "sampan-system"}, "data": {"hubID": "theirs"}})
        api.fault("GET", IDENTITY, replying(404, "NotFound"))
        assert await client.ensure_identity("sampan-system", "ours") == "theirs"


async def test_what_is_not_there_or_not_ours_is_said_as_such() -> None:
    async with hub() as (api, client):
        with pytest.raises(NotFound):
            await client.get_config_map("team-a", "x")
        api.fault("GET", "/secrets", replying(403, "Forbidden"))
        with pytest.raises(Forbidden):
            await client.shared_secret("team-a", "x")
        api.put("v1/namespaces", {"metadata": {"name": "kube-system", "uid": "hub-uid"}})
        assert await client.cluster_uid() == "hub-uid"
