"""What travels with a job is read on the hub before it is bound: what is lacking, or is not what the job needs, is said by name."""

from typing import Any

import pytest

from jobs import record
from sampan.controller.reconcile.job_specs import MAX_CONTENT, CopyRejected
from sampan.model.values.names import LABEL_SHARED
from unit.controller.fakes import World, world

TOKEN = {"name": "T", "valueFrom": {"secretKeyRef": {"name": "s", "key": "token"}}}
OPTIONAL = {"name": "T", "valueFrom": {"secretKeyRef": {"name": "s", "key": "token", "optional": True}}}
LOGIN = {"imagePullSecrets": [{"name": "s"}]}


def put(w: World, *, kind: str = "Opaque", label: str | None = "true", **data: str) -> None:
    """A Secret `s` of the tenant."""
    labels = {} if label is None else {LABEL_SHARED: label}
    w.hub.put("v1/secrets", {"metadata": {"name": "s", "namespace": "team-a", "labels": labels}, "type": kind, "data": data})


async def checked(w: World, template: dict[str, Any]) -> str:
    """The reason and the words with which a job is refused; empty where it may be bound."""
    try:
        await w.reconciler.steps.member.creator.specs.check_dependencies(record(spec={"template": {"image": "a:1", **template}}), None)
    except CopyRejected as refused:
        return f"{refused.reason}: {refused.message}"
    return ""


@pytest.mark.parametrize("label", [None, "false", "True"])
async def test_only_the_label_shares_and_its_absence_is_not_told_from_that_of_the_secret(label: str | None) -> None:
    async with world() as w:
        absent = await checked(w, {"env": [TOKEN]})
        put(w, label=label, token="dA==")
        assert await checked(w, {"env": [TOKEN]}) == absent
        assert absent.startswith("SecretNotShared: no Secret s is shared with jobs")
        assert "kubectl label secret -n team-a s sampan.dev/share-with-jobs=true" in absent
        put(w, token="dA==")
        assert not await checked(w, {"env": [TOKEN]})


async def test_the_operator_asks_by_label_and_name_and_reads_no_secret() -> None:
    async with world() as w:
        put(w, token="dA==")
        await checked(w, {"env": [TOKEN]})
        (call,) = w.hub.calls("GET", "/secrets")
        assert "labelSelector=sampan.dev/share-with-jobs%3Dtrue" in call.path.replace("%2F", "/")
        assert "fieldSelector=metadata.name%3Ds" in call.path


async def test_a_key_that_is_not_there_is_named() -> None:
    async with world() as w:
        put(w, other="dA==")
        told = await checked(w, {"env": [TOKEN]})
        assert told == "KeyNotFound: Secret s of namespace team-a has no key token, which the job names: add the key to it."
        assert not await checked(w, {"env": [OPTIONAL]})


async def test_what_is_optional_may_lack_whole() -> None:
    async with world() as w:
        assert not await checked(w, {"env": [OPTIONAL], "envFrom": [{"secretRef": {"name": "s", "optional": True}}]})
        assert await checked(w, {"env": [OPTIONAL, {**TOKEN, "name": "U"}]})


async def test_images_are_pulled_with_registry_credentials_only() -> None:
    async with world() as w:
        put(w, **{".dockerconfigjson": "e30="})
        told = await checked(w, LOGIN)
        assert told.startswith("SecretTypeNotAllowed: Secret s of namespace team-a is of type Opaque")
        assert "kubernetes.io/dockerconfigjson" in told
        put(w, kind="kubernetes.io/dockerconfigjson", **{".dockerconfigjson": "e30="})
        assert not await checked(w, LOGIN)


@pytest.mark.parametrize("kind", ["kubernetes.io/service-account-token", "bootstrap.kubernetes.io/token"])
async def test_tokens_of_the_hub_itself_never_travel_even_if_somebody_labels_them(kind: str) -> None:
    async with world() as w:
        put(w, kind=kind, token="dA==")
        assert "Secrets of that type never travel" in await checked(w, {"env": [TOKEN]})


async def test_what_travels_is_bounded() -> None:
    async with world() as w:
        put(w, token="x" * (MAX_CONTENT + 1))
        told = await checked(w, {"env": [TOKEN]})
        assert told.startswith("ContentTooLarge")
        assert str(MAX_CONTENT) in told
