"""A job's output, read on a member that may do anything."""

import asyncio
from collections.abc import AsyncIterator
from itertools import islice

import pytest

import jobs
from sampan.controller.logs import follow
from sampan.controller.logs.follow import NoOutputError
from sampan.kube.transport.client import Client
from sampan.kube.transport.limits import Limits
from sampan.model.lifecycle import Event, Outcome
from sampan.model.status.attempt import Ending
from unit.controller.logs.world import ENDED, RUNNING, WAITING, World, by_pod, ended, pod, read, stamped, then
from unit.kube.fake_api import FakeApi, credentials, replying, sending, serving

PATIENT = Limits(timeout=60, connect_timeout=60)


@pytest.fixture
async def api() -> AsyncIterator[FakeApi]:
    async with serving() as fake:
        yield fake


@pytest.fixture
async def client(api: FakeApi) -> AsyncIterator[Client]:
    async with Client(credentials(api), limits=PATIENT) as made:
        yield made


async def test_the_first_rank_s_output_is_passed_on_as_it_is(api: FakeApi, client: Client) -> None:
    api.fail("GET", sending(stamped("one", "", "two")))
    assert await read(World(client, pod(0), pod(1))) == "one\n\ntwo\n"
    path, _, query = api.requests[-1][1].partition("?")
    assert (path, query) == ("/api/v1/namespaces/sampan-jobs/pods/p1-0-0/log", "container=main&timestamps=true")


async def test_times_are_shown_where_they_are_asked_for(api: FakeApi, client: Client) -> None:
    api.fail("GET", sending(stamped("one")))
    assert await read(World(client, pod(0)), timestamps=True, tail=1) == "2026-01-01T00:00:00.000Z one\n"
    assert "tailLines=1" in api.requests[-1][1]


async def test_all_ranks_come_one_after_the_other_with_their_rank_before_each_line(api: FakeApi, client: Client) -> None:
    said = {"p1-0-0": stamped("a", "b"), "p1-1-0": stamped("c"), "p1-10-0": stamped("d")}
    api.fail("GET", *islice(by_pod(said), 3))
    assert await read(World(client, pod(10), pod(1), pod(0)), rank=None) == "[0] a\n[0] b\n[1] c\n[10] d\n"


async def test_of_a_rank_the_newest_pod_counts_and_before_it_the_previous_one(api: FakeApi, client: Client) -> None:
    said = {"p1-0-1": stamped("first try"), "p1-0-2": stamped("second try")}
    api.fail("GET", *islice(by_pod(said), 2))
    world = World(client, pod(0, at=2), pod(0, at=1))
    assert await read(world) == "second try\n"
    assert await read(world, previous=True) == "first try\n"


async def test_pods_elsewhere_and_of_other_attempts_are_none_of_the_job_s(api: FakeApi, client: Client) -> None:
    world = World(client, pod(0, namespace="kube-system"), pod(0, attempt=2))
    with pytest.raises(NoOutputError, match="rank 0 of attempt 1 on offer prov-a/lingang has no pod; ranks are counted from 0") as caught:
        await read(world)
    assert (caught.value.code, api.requests) == (404, [])


async def test_why_there_is_no_output_is_told(client: Client) -> None:
    with pytest.raises(NoOutputError, match=r"rank 0 of attempt 1 .* has not started: ContainerCreating; follow waits for it") as caught:
        await read(World(client, pod(0, WAITING)))
    assert caught.value.code == 400
    with pytest.raises(NoOutputError, match="computejob team-a/job-u1 has had no attempt on a member yet"):
        await read(World(client, status=jobs.record("u1").status))
    with pytest.raises(NoOutputError, match="has had no attempt, and no pod of this rank, before the one it has"):
        await read(World(client, pod(0)), previous=True)
    silent = World(None)
    with pytest.raises(NoOutputError, match="the member of attempt 1 on offer prov-a/lingang does not answer") as caught:
        await read(silent)
    assert caught.value.code == 503


async def test_a_right_that_the_member_did_not_give_is_named(api: FakeApi, client: Client) -> None:
    api.fail("GET", replying(403, "Forbidden", "no"))
    with pytest.raises(NoOutputError, match="of offer prov-a/lingang does not let the hub read logs: its provider grants get on pods/log"):
        await read(World(client, pod(0)))


async def test_what_breaks_off_without_follow_is_told_after_what_came(api: FakeApi, client: Client) -> None:
    api.fail("GET", sending(stamped("one"), cut=True))
    world = World(client, pod(0))
    with pytest.raises(NoOutputError, match="the log of rank 0 cannot be read; the member of offer prov-a/lingang"):
        await read(world)


async def test_a_followed_job_is_waited_for_and_read_to_its_end(api: FakeApi, client: Client) -> None:
    world = World(client, pod(0, WAITING))
    api.fail("GET", then(lambda: world.show(pod(0), status=ended(jobs.bound_status())), stamped("one")))
    reading = asyncio.create_task(read(world, follow=True))
    await asyncio.sleep(0)
    world.show(pod(0, RUNNING), status=jobs.bound_status(running=True))
    assert await reading == "one\n"
    assert "follow=true" in api.requests[-1][1]


async def test_a_broken_stream_goes_on_where_it_was(api: FakeApi, client: Client) -> None:
    world = World(client, pod(0, RUNNING), status=jobs.bound_status(running=True))
    over = lambda: world.show(pod(0), status=ended(jobs.bound_status()))  # noqa: E731
    api.fail("GET", sending(stamped("one", "two"), cut=True), replying(503, "ServiceUnavailable"))
    api.fail("GET", then(over, stamped("one", "two", "three"), stamped("four", second=1)))
    assert await read(world, follow=True, tail=2) == "one\ntwo\nthree\nfour\n"
    assert "tailLines" not in api.requests[-1][1]
    assert "sinceTime=2026-01-01T00%3A00%3A00Z" in api.requests[-1][1]


async def test_a_stream_that_is_silent_is_opened_anew(api: FakeApi, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "SILENCE", 0.2)
    monkeypatch.setattr(follow, "GIVE_UP_AFTER", 0.2)
    world = World(client, pod(0, RUNNING), status=jobs.bound_status(running=True))
    over = lambda: world.show(pod(0), status=ended(jobs.bound_status()))  # noqa: E731
    api.fail("GET", sending(stamped("one"), hang=True), then(over, stamped("one", "two")))
    assert await read(world, follow=True) == "one\ntwo\n"


async def test_a_followed_log_that_could_not_be_read_is_not_taken_for_an_empty_one(api: FakeApi, client: Client) -> None:
    world = World(client, pod(0), status=ended(jobs.bound_status()))
    api.fail("GET", *[replying(500, "InternalError", "dial tcp: lookup n1")] * 2)  # it is read once more
    with pytest.raises(NoOutputError, match=r"the log of rank 0 cannot be read; .*: InternalError: dial tcp"):
        await read(world, follow=True)


async def test_what_broke_off_as_the_container_ended_is_read_once_more(api: FakeApi, client: Client) -> None:
    world = World(client, pod(0, RUNNING), status=jobs.bound_status(running=True))
    over = lambda: world.show(pod(0), status=ended(jobs.bound_status()))  # noqa: E731
    api.fail("GET", then(over, stamped("one"), cut=True), sending(stamped("one", "two")))
    assert await read(world, follow=True) == "one\ntwo\n"


async def test_an_attempt_that_printed_nothing_does_not_end_the_output(api: FakeApi, client: Client) -> None:
    rejected = jobs.bound_status().attempt_ended(Ending(outcome=Outcome.REJECTED, reason=Outcome.REJECTED, ended_at=jobs.NOW))
    world = World(client, status=rejected.released(Event.REQUEUED, reason=Outcome.REJECTED, message="", at=jobs.NOW))
    second = jobs.bound_status(jobs.binding(attempt=2), running=True)
    api.fail("GET", then(lambda: world.show(pod(0, attempt=2), status=ended(second)), stamped("again")))
    reading = asyncio.create_task(read(world, follow=True))
    await asyncio.sleep(0)
    world.show(pod(0, RUNNING, attempt=2), status=second)
    assert (await reading).endswith("again\n")


async def test_the_next_attempt_is_followed_too(api: FakeApi, client: Client) -> None:
    world = World(client, pod(0, RUNNING), status=jobs.bound_status(running=True))
    second = jobs.bound_status(jobs.binding(attempt=2), running=True)
    api.fail("GET", then(lambda: world.show(pod(0, RUNNING, attempt=2), status=second), stamped("one")))
    api.fail("GET", then(lambda: world.show(pod(0, attempt=2), status=ended(second)), stamped("again")))
    assert await read(world, follow=True, tail=5) == "one\n--- attempt 2 ---\nagain\n"
    assert "tailLines" not in api.requests[-1][1], "a new attempt is read from its beginning"


async def test_a_job_that_goes_ends_the_output(api: FakeApi, client: Client) -> None:
    world = World(client, pod(0, RUNNING), status=jobs.bound_status(running=True))

    def gone() -> None:
        world.record = None

    api.fail("GET", then(gone, stamped("one")))
    assert await read(world, follow=True) == "one\n"


async def test_all_ranks_are_followed_those_too_that_come_later(api: FakeApi, client: Client) -> None:
    running = jobs.bound_status(running=True)
    world = World(client, pod(0, RUNNING), status=running)
    api.fail("GET", then(lambda: world.show(pod(0), pod(1, RUNNING)), stamped("a")))
    api.fail("GET", then(lambda: world.show(pod(0), pod(1), status=ended(running)), stamped("b")))
    assert await read(world, follow=True, rank=None) == "[0] a\n[1] b\n"


async def test_a_long_line_of_one_rank_does_not_run_into_another_s(api: FakeApi, client: Client) -> None:
    running = jobs.bound_status(running=True)
    world = World(client, pod(0, RUNNING), status=running)
    api.fail("GET", then(lambda: world.show(pod(0), status=ended(running)), stamped("x" * 50_000)))
    lines = (await read(world, follow=True, rank=None)).splitlines()
    assert len(lines) > 2
    assert all(line.startswith("[0] ") for line in lines)
    assert "".join(line[4:] for line in lines) == "x" * 50_000


async def test_a_fault_of_ours_is_not_taken_for_an_end(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> bool:
        raise LookupError("broken")

    monkeypatch.setattr(follow, "has_started", broken)
    with pytest.raises(LookupError):
        await read(World(client, pod(0, ENDED), status=jobs.bound_status(running=True)), follow=True, rank=None)
