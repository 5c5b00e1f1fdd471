"""The server over real TLS: who is let in, what is served, and how refusals look."""

import asyncio
import io
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

import builders as b
import jobs
from sampan.controller.query.front_proxy import FrontProxy, server_context
from sampan.controller.query.rate_limit import Budget
from sampan.controller.query.server import QueryApi, serving
from sampan.controller.query.service import QueryService
from sampan.model.snapshot import Snapshot
from unit.controller.query.worlds import StillWorld
from unit.controller.streams.hub import Rights
from unit.kube.certs import Pair, authority, issue

ALICE = {"X-Remote-User": "alice"}
API = "/apis/query.sampan.dev/v1alpha1"
GPU = {"alternatives": [{"accelerator": {"class": b.H100, "count": 2}}]}
JOB = {"apiVersion": "sampan.dev/v1alpha1", "kind": "ComputeJob", "metadata": {"name": "new"}, "spec": jobs.body(spec=GPU)["spec"]}
POOLS = f"{API}/namespaces/team-a/pools"


@dataclass(frozen=True, slots=True)
class Server:
    """A running server and how to ask it."""

    port: int
    folder: Path

    async def get(
        self, path: str, *, pair: Pair | None = None, headers: dict[str, str] | None = None, post: bytes | None = None
    ) -> tuple[int, Any, Any]:
        """Return code, body and headers of an answer; `post`: send this."""
        context = ssl.create_default_context(cadata=authority().cert_pem)
        if pair is not None:
            file = self.folder / "client.pem"
            file.write_text(pair.cert_pem + pair.key_pem)
            context.load_cert_chain(file)
        async with (
            aiohttp.ClientSession() as session,
            session.request(
                "GET" if post is None else "POST",
                f"https://127.0.0.1:{self.port}{path}",
                ssl=context,
                headers=headers or {},
                data=io.BytesIO(post) if post else None,
            ) as answer,
        ):
            body = await (answer.json() if answer.content_type == "application/json" else answer.text())
            return answer.status, body, answer.headers


@asynccontextmanager
async def running(folder: Path, *, burst: int = 20, of_namespace: int = 40, broken: bool = False) -> AsyncIterator[Server]:
    """A server whose world has one offer."""
    own = issue(authority(), name="sampan-query", hosts=["127.0.0.1"])
    picture = b.snapshot(offers=[b.offer()], clusters=[b.cluster(*b.nodes("n", 1, b.H100))])

    world = StillWorld(picture, [jobs.record("u1", spec=GPU)], broken=broken)
    api = QueryApi(world, FrontProxy(frozenset({"front-proxy-client"})), Rights())
    api.budget = Budget(milliseconds=60_000, burst=burst)
    api.budget_of_namespaces = Budget(milliseconds=60_000, burst=of_namespace)
    tls = server_context(certificate=own.cert_pem, key=own.key_pem, client_ca=authority("front-proxy-ca").cert_pem)
    async with serving(api, ("127.0.0.1", 0), tls) as served:
        yield Server(served.port, folder)


def proxy(name: str = "front-proxy-client", ca: str = "front-proxy-ca") -> Pair:
    """A client certificate."""
    return issue(authority(ca), name=name)


async def test_the_front_proxy_gets_documents_and_answers(tmp_path: Path) -> None:
    async with running(tmp_path) as server:
        for path, kind in (("/apis", "APIGroupList"), ("/apis/query.sampan.dev", "APIGroup"), (API, "APIResourceList")):
            code, body, _ = await server.get(path, pair=proxy(), headers=ALICE)
            assert (code, body["kind"]) == (200, kind)
        code, body, _ = await server.get(POOLS, pair=proxy(), headers=ALICE)
        assert code == 200
        assert [(item["metadata"]["namespace"], item["free"]) for item in body["items"]] == [("team-a", 8)]


@pytest.mark.parametrize("pair", [None, proxy("kubelet")], ids=["no certificate", "another name"])
async def test_without_the_front_proxy_s_certificate_it_is_401_whatever_the_headers_say(tmp_path: Path, pair: Pair | None) -> None:
    async with running(tmp_path) as server:
        for path in (POOLS, API, "/openapi/v2", "/nowhere"):
            code, body, _ = await server.get(path, pair=pair, headers=ALICE)
            assert (code, body["kind"], body["reason"]) == (401, "Status", "Unauthorized")
        assert (await server.get("/healthz", pair=pair))[:2] == (200, "ok\n")


async def test_a_certificate_of_another_ca_is_no_connection_at_all(tmp_path: Path) -> None:
    async with running(tmp_path) as server:
        with pytest.raises(aiohttp.ClientError):
            await server.get(POOLS, pair=proxy(ca="test-ca"), headers=ALICE)


async def test_what_is_not_there_is_a_status(tmp_path: Path) -> None:
    async with running(tmp_path) as server:
        code, body, _ = await server.get(f"{API}/namespaces/team-a/secrets", pair=proxy(), headers=ALICE)
        assert (code, body["kind"], body["reason"]) == (404, "Status", "NotFound")


async def test_too_many_questions_of_one_user_wait(tmp_path: Path) -> None:
    async with running(tmp_path, burst=1) as server:
        assert (await server.get(POOLS, pair=proxy(), headers=ALICE))[0] == 200
        code, body, headers = await server.get(POOLS, pair=proxy(), headers=ALICE)
        assert (code, body["reason"]) == (429, "TooManyRequests")
        assert int(headers["Retry-After"]) >= 1
        assert (await server.get(POOLS, pair=proxy(), headers={"X-Remote-User": "bob"}))[0] == 200


async def test_many_users_of_one_namespace_share_its_budget(tmp_path: Path) -> None:
    async with running(tmp_path, of_namespace=2) as server:
        codes = [(await server.get(POOLS, pair=proxy(), headers={"X-Remote-User": f"robot-{number}"}))[0] for number in range(3)]
        assert codes == [200, 200, 429]
        assert (await server.get(POOLS.replace("team-a", "team-b"), pair=proxy(), headers=ALICE))[0] == 200


async def test_trouble_of_ours_tells_nothing_of_the_inside(tmp_path: Path) -> None:
    async with running(tmp_path, broken=True) as server:
        code, body, _ = await server.get(POOLS, pair=proxy(), headers=ALICE)
        assert (code, body["kind"]) == (500, "Status")
        assert "secret words" not in str(body)


async def test_a_waiting_job_is_explained_and_one_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    async with running(tmp_path) as server:
        code, body, _ = await server.get(f"{API}/namespaces/team-a/explanations/job-u1", pair=proxy(), headers=ALICE)
        assert (code, body["kind"], body["status"]["phase"]) == (200, "Explanation", "Pending")
        assert body["status"]["pools"][0]["score"] > 0
        code, body, _ = await server.get(f"{API}/namespaces/team-b/explanations/job-u1", pair=proxy(), headers=ALICE)
        assert (code, body["reason"]) == (404, "NotFound")


async def test_what_questions_need_is_prepared_again_and_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also after a failure."""
    seen: list[int] = []
    enough, loop = asyncio.Event(), asyncio.get_running_loop()

    def prepare(answers: QueryService, picture: Snapshot) -> None:
        seen.append(len(picture.offers))
        if len(seen) == 1:
            raise RuntimeError("the first goes wrong")
        if len(seen) == 3:
            loop.call_soon_threadsafe(enough.set)

    monkeypatch.setattr(QueryService, "prepare", prepare)
    monkeypatch.setattr("sampan.controller.query.server.PREPARE_EVERY", 0.001)
    async with running(tmp_path), asyncio.timeout(60):
        await enough.wait()
    assert set(seen) == {1}


async def test_a_job_is_quoted_without_being_there(tmp_path: Path) -> None:
    async with running(tmp_path) as server:
        code, body, _ = await server.get(f"{API}/namespaces/team-a/quotes", pair=proxy(), headers=ALICE, post=json.dumps(JOB).encode())
        assert (code, body["kind"]) == (201, "Quote")
        assert body["status"]["now"]["pools"][0]["pricePerHour"] == "24.00"


@pytest.mark.parametrize(
    ("post", "code", "reason"),
    [
        (b"{", 400, "BadRequest"),
        (json.dumps({**JOB, "spec": {}}).encode(), 422, "Invalid"),
        (b" " * 1_048_577, 413, "RequestEntityTooLarge"),
    ],
    ids=["no JSON", "no template", "too long"],
)
async def test_a_bad_question_is_told_as_a_status(tmp_path: Path, post: bytes, code: int, reason: str) -> None:
    async with running(tmp_path) as server:
        told, body, _ = await server.get(f"{API}/namespaces/team-a/quotes", pair=proxy(), headers=ALICE, post=post)
        assert (told, body["kind"], body["reason"]) == (code, "Status", reason)


async def test_only_so_many_questions_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sampan.controller.query.throttle.MAX_WAITING", 0)
    async with running(tmp_path) as server:
        assert (await server.get(POOLS, pair=proxy(), headers=ALICE))[0] == 429
