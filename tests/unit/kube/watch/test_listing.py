"""Whole lists, within bounds."""

import json

import pytest
from aiohttp import web

from sampan.kube.errors import BadReply, Gone, TooLarge
from sampan.kube.objects.meta import ConfigMap, PartialObject
from sampan.kube.transport.client import Client
from sampan.kube.transport.limits import Limits
from sampan.kube.transport.paths import resource_path
from sampan.kube.watch.listing import Bounds, Collection, list_all
from unit.kube.fake_api import FakeApi, credentials, sending

ALL = Collection(path=resource_path("v1", "configmaps", namespace="ns"), into=ConfigMap)


async def test_pages_become_one_list(api: FakeApi) -> None:
    for index in range(25):
        api.put(f"o{index:02}")
    async with Client(credentials(api)) as client:
        listing = await list_all(client, ALL, Bounds(page=10))
    assert len({item.metadata.uid for item in listing.items}) == 25
    assert listing.resource_version == str(api.version)
    assert api.count("GET") == 3


async def test_large_objects_come_in_smaller_pages(api: FakeApi) -> None:
    for index in range(20):
        api.put(f"o{index:02}", data={"x": "y" * 1000})
    async with Client(credentials(api), limits=Limits(max_body=5000)) as client:
        assert len((await list_all(client, ALL, Bounds(page=500))).items) == 20
        api.put("huge", data={"x": "y" * 6000})
        with pytest.raises(TooLarge):
            await list_all(client, ALL, Bounds(page=500))


async def test_an_expired_token_is_gone(api: FakeApi) -> None:
    for index in range(4):
        api.put(f"o{index}")

    async def then_compact(_: web.BaseRequest) -> web.Response:
        api.put("late")
        api.compact()
        items = [{"metadata": {"name": "o0"}}]
        return web.Response(text=json.dumps({"metadata": {"resourceVersion": "14", "continue": "14:1"}, "items": items}))

    api.fail("GET", then_compact)
    async with Client(credentials(api)) as client:
        with pytest.raises(Gone):
            await list_all(client, ALL, Bounds())


@pytest.mark.parametrize(
    ("bounds", "want"), [(Bounds(max_objects=5, page=3), "ListTooLarge"), (Bounds(max_bytes=300, page=1), "ListTooLarge")]
)
async def test_bounds(api: FakeApi, bounds: Bounds, want: str) -> None:
    for index in range(8):
        api.put(f"o{index}")
    async with Client(credentials(api)) as client:
        with pytest.raises(TooLarge, match=want):
            await list_all(client, ALL, bounds)
    assert api.count("GET") < 8


async def test_a_list_without_version_is_refused(api: FakeApi) -> None:
    api.fail("GET", sending(b'{"items":[]}'))
    async with Client(credentials(api)) as client:
        with pytest.raises(BadReply, match="NoResourceVersion"):
            await list_all(client, ALL, Bounds())


async def test_unreadable_objects_are_named(api: FakeApi) -> None:
    api.put("good")
    api.put("bad", data=[1])
    async with Client(credentials(api)) as client:
        listing = await list_all(client, ALL, Bounds())
        metadata = await list_all(client, Collection(path=ALL.path, into=PartialObject), Bounds())
    assert [item.metadata.name for item in listing.items] == ["good"]
    assert [item.key for item in listing.unreadable] == ["ns/bad"]
    assert len(metadata.items) == 2
