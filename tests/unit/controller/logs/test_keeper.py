"""What an attempt printed last is kept before its copy goes, and nothing that a member does delays that for long."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import msgspec
import pytest
from sqlalchemy.exc import OperationalError

import jobs
from sampan.controller.logs import keeper as module
from sampan.controller.logs.keeper import OutputKeeper
from sampan.controller.state.record import JobRecord
from sampan.kube.objects.workloads import Pod, PodSpec
from sampan.kube.transport.client import Client
from sampan.kube.transport.limits import Limits
from sampan.store.outputs import Output, OutputLimits, OutputStore
from unit.controller.logs.world import ENDED, RUNNING, WAITING, ended, pod, stamped
from unit.kube.fake_api import FakeApi, Handler, credentials, replying, sending, serving, until

AMPLE = OutputLimits(retention=10**12, of_namespace=10**9, in_all=10**9)
PATIENT = Limits(timeout=60, connect_timeout=60)


def over(attempt: int = 1, **meta: str) -> JobRecord:
    """The job, whose attempt has ended."""
    return jobs.record("u1", status=ended(jobs.bound_status(jobs.binding(attempt=attempt), running=True)), **meta)


@pytest.fixture
def store() -> Iterator[OutputStore]:
    made = OutputStore("", AMPLE)
    yield made
    made.close()


def failed(one: Pod) -> Pod:
    """The same, failed."""
    return msgspec.structs.replace(one, status=msgspec.structs.replace(one.status, phase="Failed"))


def on_node(name: str, one: Pod) -> Pod:
    """The same, on a node."""
    return msgspec.structs.replace(one, spec=PodSpec(node_name=name))


@asynccontextmanager
async def member(*replies: Handler) -> AsyncIterator[tuple[FakeApi, Client]]:
    """A member that replies so to requests for logs."""
    async with serving() as api, Client(credentials(api), limits=PATIENT) as client:
        api.fail("GET", *replies)
        yield api, client


def keeping(store: OutputStore, *, tail: int = 1000, clock: Callable[[], int] = lambda: jobs.NOW) -> OutputKeeper:
    """A keeper that nobody runs."""
    return OutputKeeper(store, tail=tail, clock=clock)


async def test_what_was_printed_last_is_kept_and_read_before_it_is_stored(store: OutputStore) -> None:
    keeper = keeping(store)
    async with member(sending(stamped("one", "two"))) as (api, client):
        await keeper.keep(client, over(), [pod(0, ENDED)])
        assert "tailLines=20000" in api.requests[-1][1]
    assert (await keeper.get("u1", 1, 0), await keeper.ranks("u1", 1)) == (stamped("one", "two"), [0])
    assert store.get("u1", 1, 0) is None
    await keeper.flush()
    assert store.get("u1", 1, 0) == stamped("one", "two") == await keeper.get("u1", 1, 0)


async def test_only_the_last_whole_lines_are_kept(store: OutputStore) -> None:
    keeper = keeping(store, tail=200)
    lines = [f"line {number}" for number in range(500)]
    async with member(sending(*(stamped(line) for line in lines))) as (_, client):
        await keeper.keep(client, over(), [pod(0)])
    kept = await keeper.get("u1", 1, 0)
    assert kept is not None
    assert len(kept) <= 200
    assert kept == b"".join(stamped(line) for line in lines)[-len(kept) :]
    assert kept.startswith(b"2026-")


async def test_of_a_line_longer_than_all_that_is_kept_its_end_is(store: OutputStore) -> None:
    keeper = keeping(store, tail=200)
    async with member(sending(stamped("x" * 5000))) as (_, client):
        await keeper.keep(client, over(), [pod(0)])
    assert await keeper.get("u1", 1, 0) == b"x" * 199 + b"\n"


async def test_an_attempt_is_read_once(store: OutputStore) -> None:
    keeper = keeping(store)
    async with member(sending(stamped("one")), sending(stamped("two"))) as (api, client):
        for _ in range(3):
            await keeper.keep(client, over(), [pod(0)])
        assert api.count("GET") == 1
        await keeper.keep(client, over(2), [pod(0, attempt=2)])
        assert api.count("GET") == 2


async def test_of_many_ranks_those_that_failed_come_first(store: OutputStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_RANKS", 2)
    keeper = keeping(store)
    others = [pod(1, at=1), pod(1, at=2), pod(2), pod(3, WAITING), pod(0, namespace="kube-system")]
    async with member(*[sending(stamped("x"))] * 5) as (api, client):
        await keeper.keep(client, over(), [pod(0), *others, failed(pod(7))])
        asked = sorted(path.split("/")[6] for _, path, *_ in api.requests)
    assert asked == ["p1-0-0", "p1-7-0"]


@pytest.mark.parametrize("reply", [replying(404, "NotFound"), replying(403, "Forbidden"), sending(b"x", cut=True), sending(hang=True)])
async def test_a_log_that_cannot_be_had_is_let_be(store: OutputStore, monkeypatch: pytest.MonkeyPatch, reply: Handler) -> None:
    monkeypatch.setattr(module, "READ_TIMEOUT", 0.5)
    keeper = keeping(store)
    async with member(reply) as (_, client):
        await keeper.keep(client, over(), [pod(0)])
    assert (keeper.lost, await keeper.get("u1", 1, 0)) == (1, None)


async def test_a_node_that_does_not_answer_is_left_alone_for_a_while(store: OutputStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "READ_TIMEOUT", 0.5)
    keeper = keeping(store)
    async with member(sending(hang=True), sending(stamped("one")), sending(stamped("two"))) as (api, client):
        await keeper.keep(client, over(), [on_node("n1", pod(0))])
        await keeper.keep(client, over(2), [on_node("n1", pod(0, attempt=2)), on_node("n2", pod(1, attempt=2))])
        assert (api.count("GET"), keeper.lost, await keeper.ranks("u1", 2)) == (2, 2, [1])
        keeper._left_alone.clear()  # the while is over
        await keeper.keep(client, over(3), [on_node("n1", pod(0, attempt=3))])
    assert await keeper.get("u1", 3, 0) == stamped("two")


async def test_only_a_kubelet_that_was_asked_can_fail_to_answer(store: OutputStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "READ_TIMEOUT", 0.5)
    monkeypatch.setattr(module, "AT_ONCE", 1)
    keeper = keeping(store)
    async with member(sending(hang=True), sending(stamped("one"))) as (api, client):
        await keeper.keep(client, over(), [on_node("n1", pod(0)), on_node("n2", pod(1))])
        assert api.count("GET") == 1
        await keeper.keep(client, over(2), [on_node("n2", pod(1, attempt=2))])
    assert await keeper.get("u1", 2, 1) == stamped("one")


async def test_a_pod_that_never_ran_says_nothing_of_its_node(store: OutputStore) -> None:
    keeper = keeping(store)
    async with member(replying(400, "BadRequest"), sending(stamped("one"))) as (_, client):
        await keeper.keep(client, over(), [on_node("n1", failed(pod(0)))])
        await keeper.keep(client, over(2), [on_node("n1", pod(0, attempt=2))])
    assert await keeper.get("u1", 2, 0) == stamped("one")


async def test_nothing_is_read_of_a_job_that_is_deleted_or_where_nothing_is_to_be_kept(store: OutputStore) -> None:
    async with member() as (api, client):
        await keeping(store).keep(client, over(deletionTimestamp="2026-01-01T00:00:00Z"), [pod(0)])
        await keeping(store, tail=0).keep(client, over(), [pod(0)])
        await keeping(store).keep(client, jobs.record("u1"), [pod(0)])
        await keeping(store).keep(client, jobs.record("u1", status=jobs.bound_status(running=True)), [pod(0)])
        assert api.requests == []


async def test_what_is_kept_goes_with_its_job(store: OutputStore) -> None:
    keeper = keeping(store)
    store.put([Output(job_uid=uid, attempt=1, rank=0, namespace="n", at=jobs.NOW, text=b"x") for uid in ("u1", "u2", "u3")])
    async with member(sending(stamped("one"))) as (_, client):
        await keeper.keep(client, over(2), [pod(0, attempt=2)])
    keeper.forget("u1")
    assert await keeper.get("u1", 2, 0) is None
    await keeper.flush()
    assert store.jobs() == {"u2", "u3"}
    await keeper.forget_others({"u3"})
    assert store.jobs() == {"u3"}


async def test_while_the_store_is_away_it_waits_within_bounds_and_is_stored_afterwards(
    store: OutputStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "RETRY", 0.01)
    monkeypatch.setattr(module, "GATHER", 0.01)
    monkeypatch.setattr(module, "MAX_WAITING", 1000)
    away = True
    put = store.put

    def failing(outputs: object) -> None:
        if away:
            raise OperationalError("insert", {}, Exception("away"))
        put(outputs)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "put", failing)
    keeper = keeping(store)
    running = asyncio.create_task(keeper.run())
    async with member(sending(stamped("one")), sending(stamped("x" * 990))) as (_, client):
        await keeper.keep(client, over(), [pod(0)])
        await until(lambda: "output.store_failed" in caplog.text)
        await keeper.keep(client, over(2), [pod(0, attempt=2)])
    assert keeper.lost == 1
    away = False
    await until(lambda: store.get("u1", 1, 0) == stamped("one"))
    running.cancel()
    await asyncio.wait([running])


async def test_what_waits_is_stored_at_the_end_of_the_process(tmp_path_factory: pytest.TempPathFactory) -> None:
    url = f"sqlite:///{tmp_path_factory.mktemp('store') / 'use.db'}"
    keeper = keeping(OutputStore(url, AMPLE))
    async with member(sending(stamped("one"))) as (_, client):
        await keeper.keep(client, over(), [pod(0, RUNNING)])
    keeper.close()
    again = OutputStore(url, AMPLE)
    assert again.get("u1", 1, 0) == stamped("one")
    again.close()
