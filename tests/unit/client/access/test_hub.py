"""Which hub and which namespace the options mean, and the four calls on the official client."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes.client.exceptions import ApiException

from sampan.client.access import hub
from sampan.client.access.connection import client_for
from sampan.client.access.target import Target
from sampan.client.errors import ClientError
from unit.cli.fakes import FakeApi, a_job


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    """Two contexts, one with a namespace; nobody listens at the address."""
    path = tmp_path / "config"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [
            {"name": "plain", "context": {"cluster": "c", "user": "u"}},
            {"name": "team", "context": {"cluster": "c", "user": "u", "namespace": "team-a"}},
        ],
        "current-context": "team",
    }
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("options", "want", "want_default"),
    [
        ({}, "team-a", "team-a"),
        ({"context": "plain"}, "default", "default"),
        ({"namespace": "other"}, "other", "other"),
        ({"all_namespaces": True}, None, "team-a"),
    ],
    ids=["the context's", "none in the context", "-n", "-A"],
)
def test_namespace(kubeconfig: Path, options: dict[str, Any], want: str | None, want_default: str) -> None:
    connected = hub.connect(Target(kubeconfig=kubeconfig, **options))
    assert (connected.namespace, connected.default_namespace) == (want, want_default)


def test_items_come_in_order_and_an_unknown_namespace_is_told() -> None:
    api = FakeApi()
    api.objects["computejobs"] = [a_job("b"), a_job("a"), a_job("z", namespace="team-0")]
    everything = hub.Hub(api, namespace=None, default_namespace="team-a").items(hub.JOBS)
    assert [item["metadata"]["name"] for item in everything] == ["z", "a", "b"]
    api.missing = {"nowhere"}
    assert hub.Hub(api, namespace="somewhere", default_namespace="").items(hub.JOBS) == []
    with pytest.raises(ClientError, match="namespace nowhere does not exist"):
        hub.Hub(api, namespace="nowhere", default_namespace="").items(hub.JOBS)


class Recorder:
    """Stands in for a client API class: remembers calls, answers from a table."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
        self._answers = answers

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls.append((name, args, kwargs))
            answer = self._answers[name]
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


@pytest.fixture
def kubernetes_api(kubeconfig: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[hub.KubernetesApi, Recorder]:
    """`KubernetesApi` over recorders."""
    client, _ = client_for(Target(kubeconfig=kubeconfig))
    api = hub.KubernetesApi(client)
    recorder = Recorder(
        {
            "list_cluster_custom_object": {"items": [1]},
            "list_namespaced_custom_object": {"items": [2]},
            "create_namespaced_custom_object": {"made": True},
            "get_namespaced_custom_object": {"got": True},
            "read_namespace": ApiException(status=404),
        }
    )
    api._custom = recorder
    monkeypatch.setattr("kubernetes.client.CoreV1Api", lambda _: recorder)
    return api, recorder


def test_calls_name_group_version_and_plural(kubernetes_api: tuple[hub.KubernetesApi, Recorder]) -> None:
    api, recorder = kubernetes_api
    assert api.list("computejobs", None) == {"items": [1]}
    assert api.list("computejobs", "team-a") == {"items": [2]}
    assert api.create("computejobs", "team-a", {"kind": "ComputeJob"}) == {"made": True}
    assert [call[1] for call in recorder.calls] == [
        ("sampan.dev", "v1alpha1", "computejobs"),
        ("sampan.dev", "v1alpha1", "team-a", "computejobs"),
        ("sampan.dev", "v1alpha1", "team-a", "computejobs", {"kind": "ComputeJob"}),
    ]
    assert recorder.calls[2][2]["field_validation"] == "Strict"
    assert all("_request_timeout" in call[2] for call in recorder.calls)


def test_questions_go_to_the_query_api(kubernetes_api: tuple[hub.KubernetesApi, Recorder]) -> None:
    api, recorder = kubernetes_api
    assert api.explanation("team-a", "train") == {"got": True}
    assert api.quote("team-a", {"kind": "Quote"}) == {"made": True}
    assert [call[1] for call in recorder.calls] == [
        ("query.sampan.dev", "v1alpha1", "team-a", "explanations", "train"),
        ("query.sampan.dev", "v1alpha1", "team-a", "quotes", {"kind": "Quote"}),
    ]


@pytest.mark.parametrize(("status", "want"), [(404, True), (403, False)])
def test_only_a_404_says_that_a_namespace_is_missing(kubernetes_api: tuple[hub.KubernetesApi, Recorder], status: int, want: bool) -> None:
    api, recorder = kubernetes_api
    recorder._answers["read_namespace"] = ApiException(status=status)
    assert api.namespace_missing("x") is want


def test_an_operator_that_is_down_is_not_taken_for_an_api_server_in_trouble(
    kubernetes_api: tuple[hub.KubernetesApi, Recorder],
) -> None:
    api, recorder = kubernetes_api
    down = ApiException(status=503, reason="Service Unavailable")
    down.body = "service unavailable\n"
    recorder._answers |= {"get_namespaced_custom_object": down, "create_namespaced_custom_object": down}
    with pytest.raises(ClientError, match="the operator does not answer questions"):
        api.explanation("team-a", "train")
    with pytest.raises(ClientError, match="the operator does not answer questions"):
        api.quote("team-a", {"kind": "Quote"})
    with pytest.raises(ApiException):
        api.create("computejobs", "team-a", {"kind": "ComputeJob"})
    recorder._answers["get_namespaced_custom_object"] = ApiException(status=404)
    with pytest.raises(ApiException):
        api.explanation("team-a", "train")
