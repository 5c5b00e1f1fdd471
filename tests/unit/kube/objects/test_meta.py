"""Shared parts of objects, as servers write them."""

import msgspec
import pytest

from sampan.kube.objects.meta import ConfigMap, ListMeta, ObjectMeta, PartialObject, Secret, SelfSubjectAccessReview, Status, Version
from sampan.kube.transport.wire import decode


def test_reads_metadata() -> None:
    raw = b"""{"kind":"ConfigMap","metadata":{"name":"n","namespace":"a","uid":"u","resourceVersion":"7","generation":2,
      "labels":{"l":"v"},"finalizers":["f"],"creationTimestamp":"2026-01-01T00:00:00Z","managedFields":[{"x":1}],
      "ownerReferences":[{"apiVersion":"batch/v1","kind":"Job","name":"j","uid":"k","controller":true}]},"data":{"a":"b"}}"""
    got = decode(raw, ConfigMap)
    assert got.metadata.key == "a/n"
    assert (got.metadata.resource_version, got.metadata.generation, got.metadata.labels) == ("7", 2, {"l": "v"})
    assert (got.metadata.owner_references[0].uid, got.metadata.owner_references[0].kind) == ("k", "Job")
    assert got.metadata.deletion_timestamp is None
    assert decode(raw, PartialObject).metadata == got.metadata


@pytest.mark.parametrize("kind", [ConfigMap, PartialObject, Secret, SelfSubjectAccessReview, Status, Version, ListMeta, ObjectMeta])
def test_nothing_is_required(kind: type[object]) -> None:
    assert decode(b"{}", kind) == kind()
    assert decode(b'{"unheardOf": {"a": [1]}}', kind) == kind()


def test_null_times_are_none() -> None:
    assert decode(b'{"metadata":{"creationTimestamp":null}}', PartialObject).metadata.creation_timestamp is None


def test_cluster_scoped_keys_are_names() -> None:
    assert ObjectMeta(name="n").key == "n"


def test_secrets_do_not_show_and_objects_do_not_change() -> None:
    secret = decode(b'{"metadata":{"name":"n"},"data":{"kubeconfig":"Y2FuYXJ5"}}', Secret)
    assert "Y2FuYXJ5" not in f"{secret} {secret!r}"
    with pytest.raises(AttributeError):
        secret.type = "x"  # type: ignore[misc]
    assert msgspec.json.decode(msgspec.json.encode(ListMeta(continue_="t"))) == {
        "resourceVersion": "",
        "continue": "t",
        "remainingItemCount": None,
    }
