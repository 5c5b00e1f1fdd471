"""The hub is told once by which certificate the operator can be believed, and nothing else of the APIService is touched."""

import base64

import pytest

from sampan.controller.query.registration import register
from sampan.kube.errors import NotFound
from sampan.kube.transport.client import Client
from unit.controller.fake_cluster import FakeCluster, cluster

SERVICES = "apiregistration.k8s.io/v1/apiservices"
NAME = "v1alpha1.query.sampan.dev"
SPEC = {"group": "query.sampan.dev", "version": "v1alpha1", "service": {"name": "sampan-query", "namespace": "sampan-system", "port": 8443}}


def registered(api: FakeCluster) -> None:
    api.put(SERVICES, {"metadata": {"name": NAME}, "spec": dict(SPEC)})


async def test_the_certificate_is_put_into_the_api_service_once() -> None:
    async with cluster() as api, Client(api.credentials) as client:
        registered(api)
        assert await register(client, "PEM")
        assert not await register(client, "PEM")
        assert api.get(SERVICES, NAME, "")["spec"] == {**SPEC, "caBundle": base64.b64encode(b"PEM").decode()}
        (call,) = api.calls("PATCH")
        assert set(call.body["spec"]) == {"caBundle"}
        assert "resourceVersion" in api.get(SERVICES, NAME, "")["metadata"]


async def test_whoever_takes_it_out_is_answered_the_next_time() -> None:
    async with cluster() as api, Client(api.credentials) as client:
        registered(api)
        await register(client, "PEM")
        registered(api)
        assert await register(client, "PEM")


async def test_without_an_api_service_nobody_is_told() -> None:
    async with cluster() as api, Client(api.credentials) as client:
        with pytest.raises(NotFound):
            await register(client, "PEM")
