"""The verbs, as the server sees them, and canaries that must not get out."""

import json
import logging
import traceback
from collections.abc import AsyncIterator

import pytest

from sampan.kube import errors
from sampan.kube.access import Access
from sampan.kube.objects.meta import ConfigMap, PartialObject
from sampan.kube.transport.client import Client, ListOptions, PatchType
from sampan.kube.transport.limits import Limits
from sampan.kube.transport.paths import resource_path
from unit.kube.fake_api import FakeApi, credentials, replying, sending

ALL = resource_path("v1", "configmaps", namespace="ns")
ONE = resource_path("v1", "configmaps", namespace="ns", name="x")
CANARY = "canary-7f3a"


@pytest.fixture
async def client(api: FakeApi) -> AsyncIterator[Client]:
    """A client of the fake."""
    async with Client(credentials(api), limits=Limits(qps=1000, timeout=30)) as one:
        yield one


async def test_get(api: FakeApi, client: Client) -> None:
    api.put("x", data={"a": "b"})
    assert (await client.get(ONE, into=ConfigMap)).data == {"a": "b"}
    assert json.loads(await client.get(ONE, into=bytes))["data"] == {"a": "b"}
    assert (await client.get(ONE, into=PartialObject)).metadata.name == "x"
    assert "PartialObjectMetadata" in api.requests[-1][2]["Accept"]
    with pytest.raises(errors.NotFound):
        await client.get(resource_path("v1", "configmaps", namespace="ns", name="y"), into=ConfigMap)


async def test_list_page(api: FakeApi, client: Client) -> None:
    for name in "abc":
        api.put(name)
    page = await client.list_page(ALL, ListOptions(limit=2, label_selector="a=b"), into=ConfigMap)
    assert [item.metadata.name for item in page.items] == ["a", "b"]
    assert page.remaining == 1
    rest = await client.list_page(ALL, ListOptions(limit=2, continue_token=page.continue_token), into=ConfigMap)
    assert (rest.items[0].metadata.name, rest.continue_token) == ("c", "")
    assert "labelSelector=a%3Db" in api.requests[0][1]


async def test_create(api: FakeApi, client: Client) -> None:
    await client.create(ALL, {"metadata": {"name": "x"}}, into=PartialObject)
    method, path, headers, body = api.requests[-1]
    assert (method, path, headers["Content-Type"], json.loads(body)) == ("POST", ALL.url, "application/json", {"metadata": {"name": "x"}})
    api.fail("POST", replying(409, "AlreadyExists"))
    with pytest.raises(errors.AlreadyExists):
        await client.create(ALL, {}, into=PartialObject)


async def test_a_created_object_that_cannot_be_read_is_unknown(api: FakeApi, client: Client) -> None:
    api.fail("POST", sending(b"not json"))
    with pytest.raises(errors.BadReply) as caught:
        await client.create(ALL, {}, into=PartialObject)
    assert caught.value.outcome_unknown


async def test_patches(api: FakeApi, client: Client) -> None:
    api.fail("PATCH", replying(409, "Conflict"))
    with pytest.raises(errors.Conflict):
        await client.patch(ONE, {"metadata": {"resourceVersion": "1"}}, into=PartialObject)
    await client.patch(ONE, [{"op": "add"}], into=PartialObject, content_type=PatchType.JSON)
    kinds = [headers["Content-Type"] for _, _, headers, _ in api.requests]
    assert kinds == ["application/merge-patch+json", "application/json-patch+json"]


async def test_a_compare_and_set_is_not_repeated_after_503(api: FakeApi, client: Client) -> None:
    api.fail("PATCH", replying(503, "", Retry_After="0"))
    with pytest.raises(errors.ServerError) as caught:
        await client.patch(ONE, {}, into=PartialObject)
    assert caught.value.outcome_unknown
    assert api.count("PATCH") == 1


async def test_delete_is_foreground_with_preconditions(api: FakeApi, client: Client) -> None:
    await client.delete(ONE, uid="u", resource_version="7", grace=5)
    assert json.loads(api.requests[-1][3]) == {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "propagationPolicy": "Foreground",
        "preconditions": {"uid": "u", "resourceVersion": "7"},
        "gracePeriodSeconds": 5,
    }


async def test_delete_collection_needs_a_selector(api: FakeApi, client: Client) -> None:
    await client.delete_collection(ALL, "a=b")
    assert api.requests[-1][1].endswith("?labelSelector=a%3Db")
    for path, selector in ((ALL, ""), (ALL, " "), (ONE, "a=b")):
        with pytest.raises(ValueError, match="selector"):
            await client.delete_collection(path, selector)
    assert api.count("DELETE") == 1


async def test_review(api: FakeApi, client: Client) -> None:
    api.fail("POST", sending(b'{"status":{"allowed":true}}'), sending(b'{"status":{"allowed":true,"denied":true}}'), sending(b"{}"))
    wanted = [Access(verb="create", resource="jobs", group="batch", namespace=name) for name in ("a", "b", "c")]
    answers = await client.review(wanted)
    assert sorted(answers.values()) == [False, False, True]
    api.fail("POST", replying(403, "Forbidden"), replying(403, "Forbidden"))
    with pytest.raises(errors.Forbidden):
        await client.review(wanted[:2])


async def test_no_secret_gets_out(api: FakeApi, caplog: pytest.LogCaptureFixture) -> None:
    """The token and the data of a Secret, through every way a call can fail."""
    caplog.set_level(logging.DEBUG)
    api.tokens = {CANARY}
    secrets = resource_path("v1", "secrets", namespace="ns")
    api.fail("POST", replying(403, "Forbidden", f"denied {CANARY}"), replying(422, "Invalid", f'Invalid value: "{CANARY}"'))
    api.fail("POST", replying(500, "X", CANARY), sending(b"HTTP", cut=True), sending(f'{{"metadata":"{CANARY}"}}'.encode()))
    api.fail("POST", sending(b"\xff" + CANARY.encode()), sending(hang=True))
    given = credentials(api, token=CANARY)
    shown = [repr(given)]
    async with Client(given, limits=Limits(timeout=2.0)) as client:
        for _ in range(7):
            with pytest.raises(errors.KubeError) as caught:
                await client.create(secrets, {"data": {"kubeconfig": CANARY}}, into=PartialObject)
            shown += traceback.format_exception(caught.value)
            shown += [repr(caught.value), repr(vars(caught.value)), repr(caught.value.__context__)]
        shown.append(repr(client))
    text = "\n".join([*shown, caplog.text])
    assert api.count("POST") == 7
    assert CANARY not in text
