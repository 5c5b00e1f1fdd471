"""Names cannot leave their segment of a URL."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.kube.transport.paths import VERSION, discovery_path, resource_path


def test_shapes() -> None:
    assert resource_path("v1", "nodes").url == "/api/v1/nodes"
    assert resource_path("batch/v1", "jobs", namespace="a").url == "/apis/batch/v1/namespaces/a/jobs"
    one = resource_path("sampan.dev/v1alpha1", "computejobs", namespace="a", name="x.y", subresource="status")
    assert one.url == "/apis/sampan.dev/v1alpha1/namespaces/a/computejobs/x.y/status"
    assert one.resource == "computejobs/status"
    assert str(one) == "computejobs/status/a/x.y"
    assert resource_path("rbac.authorization.k8s.io/v1", "clusterroles", name="system:a").url.endswith("/clusterroles/system%3Aa")
    assert discovery_path("batch/v1").url == "/apis/batch/v1"
    assert VERSION.url == "/version"


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "%2e%2e", "a?b", "a#b", "a b", "a\n", "abc\n", "é", "x" * 254, "a\x00"])
def test_refuses_names_that_climb_or_inject(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        resource_path("v1", "pods", namespace="a", name=name)


@pytest.mark.parametrize("namespace", ["", "..", "A", "a/b", "a.b", "-a", "a-", "a\n", "x" * 64])
def test_refuses_namespaces(namespace: str) -> None:
    with pytest.raises(ValueError, match="namespace"):
        resource_path("v1", "pods", namespace=namespace)


@pytest.mark.parametrize("group_version", ["", "v2", "batch", "../v1", "a/b/v1", "batch/v1\n", "batch/latest", "/v1x"])
def test_refuses_group_versions(group_version: str) -> None:
    with pytest.raises(ValueError, match=r"version|group"):
        resource_path(group_version, "jobs")


def test_a_subresource_needs_a_name() -> None:
    with pytest.raises(ValueError, match="subresource"):
        resource_path("v1", "pods", namespace="a", subresource="log")


@given(st.text())
def test_a_name_is_one_segment_or_refused(name: str) -> None:
    try:
        path = resource_path("v1", "nodes", name=name)
    except ValueError:
        return
    assert path.url.count("/") == 4
    assert not set(path.url) & set("?#\\ ")
    assert path.url.rpartition("/")[2] not in {"", ".", ".."}
