"""Kubeconfig Secrets: kept only where an offer names them; one namespace that refuses us hurts no other."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from sampan.api.convert.offers import SecretRef
from sampan.controller.members.kubeconfig_secrets import SecretProblem, SecretWatch
from sampan.kube.credentials import kubeconfig
from sampan.kube.credentials.addresses import AddressPolicy
from sampan.kube.transport.client import Client
from sampan.kube.watch.reflector import Tuning
from unit.controller.fake_server import FakeServer, fake_server, until

A, B = "/api/v1/namespaces/prov-a/secrets", "/api/v1/namespaces/prov-b/secrets"
ONE, TWO = SecretRef("prov-a", "one", "kubeconfig"), SecretRef("prov-b", "two", "kubeconfig")
TUNING = Tuning(backoff_base=0.01, backoff_cap=0.05, forbidden_wait=0.1)


def secret(name: str, namespace: str = "prov-a", **data: str) -> dict[str, Any]:
    encoded = {key: base64.b64encode(text.encode()).decode() for key, text in data.items()}
    return {"metadata": {"name": name, "namespace": namespace, "uid": name}, "data": encoded}


@pytest.fixture
async def server() -> AsyncIterator[FakeServer]:
    async with fake_server() as fake:
        fake.put(A, secret("one", kubeconfig="first"))
        fake.put(B, secret("two", "prov-b", kubeconfig="second"))
        yield fake


@asynccontextmanager
async def watching(server: FakeServer, *wanted: SecretRef) -> AsyncIterator[tuple[SecretWatch, list[SecretRef]]]:
    told: list[SecretRef] = []
    async with Client(kubeconfig.parse(server.kubeconfig(), policy=AddressPolicy(allow_loopback=True))) as client:
        watch = SecretWatch(client, ["prov-a", "prov-b"], changed=told.append, tuning=TUNING)
        watch.set_wanted(wanted)
        task = asyncio.create_task(watch.run())
        try:
            yield watch, told
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_a_named_key_is_read_and_followed(server: FakeServer) -> None:
    async with watching(server, ONE) as (watch, told):
        assert watch.read(ONE) is SecretProblem.PENDING
        await until(lambda: watch.read(ONE) == b"first", "read")
        server.put(A, secret("one", kubeconfig="changed"))
        await until(lambda: watch.read(ONE) == b"changed", "followed")
        server.put(A, secret("one", other="x"))
        await until(lambda: watch.read(ONE) is SecretProblem.KEY_MISSING, "no such key")
        server.drop(A, "one")
        await until(lambda: watch.read(ONE) is SecretProblem.NOT_FOUND, "gone")
        assert set(told) == {ONE}


async def test_what_nobody_names_is_not_kept_and_read_when_somebody_does(server: FakeServer) -> None:
    server.put(A, secret("later", kubeconfig="late"))
    later = SecretRef("prov-a", "later", "kubeconfig")
    async with watching(server, ONE) as (watch, told):
        await until(lambda: watch.read(ONE) == b"first", "listed")
        assert watch.read(later) is SecretProblem.NOT_FOUND, "not kept"
        watch.set_wanted([later])
        assert watch.read(later) is SecretProblem.PENDING
        await until(lambda: watch.read(later) == b"late", "read by itself")
        assert watch.read(ONE) is SecretProblem.NOT_FOUND
        assert later in told


async def test_a_namespace_that_refuses_us_hurts_no_other_and_heals(server: FakeServer) -> None:
    server.forbidden = {A, f"{A}/one"}
    async with watching(server, ONE, TWO) as (watch, _):
        await until(lambda: watch.read(TWO) == b"second", "the other namespace")
        await until(lambda: watch.read(ONE) is SecretProblem.NOT_READABLE, "refused")
        server.forbidden = set()
        await until(lambda: watch.read(ONE) == b"first", "granted")


async def test_a_namespace_that_is_not_listed_is_never_asked_for(server: FakeServer) -> None:
    foreign = SecretRef("kube-system", "x", "kubeconfig")
    async with watching(server, foreign, ONE) as (watch, _):
        await until(lambda: watch.read(ONE) == b"first", "listed")
        assert watch.read(foreign) is SecretProblem.NOT_READABLE
        assert "providerNamespaces" in SecretProblem.NOT_READABLE.message(foreign)
        assert not [path for _, path in server.seen if "kube-system" in path]


async def test_a_reload_reads_at_once(server: FakeServer) -> None:
    async with watching(server, ONE) as (watch, told):
        await until(lambda: watch.read(ONE) == b"first", "listed")
        before, asked = len(told), server.count("GET", f"{A}/one")
        watch.reload(ONE)
        await until(lambda: server.count("GET", f"{A}/one") > asked and len(told) > before, "read again")
        assert watch.read(ONE) == b"first"


@pytest.mark.parametrize("problem", list(SecretProblem))
def test_each_problem_has_a_reason_and_names_the_secret(problem: SecretProblem) -> None:
    assert problem.reason.isalpha()
    assert ONE.namespace in problem.message(ONE)


async def test_text_that_is_no_base64_counts_as_a_missing_key(server: FakeServer) -> None:
    server.put(A, {**secret("one"), "data": {"kubeconfig": "***"}})
    async with watching(server, ONE) as (watch, _):
        await until(lambda: watch.read(ONE) is SecretProblem.KEY_MISSING, "unusable")
