"""The calls of an uninstall against a client that remembers them: pages, precise patches, and which errors are only a matter of time."""

from typing import Any
from unittest.mock import MagicMock

import pytest
from kubernetes.client.exceptions import ApiException

from sampan.cli.uninstall.teardown import JOBS, OFFERS, POLICIES, Teardown

FINALIZER = "sampan.dev/remote-cleanup"


def item(name: str, *, finalizers: list[str] | None = None, **spec: Any) -> dict[str, Any]:
    metadata = {"namespace": "team-a", "name": name, "resourceVersion": "7", "finalizers": finalizers or []}
    return {"metadata": metadata, "spec": spec, "status": {}}


def running(name: str, **spec: Any) -> dict[str, Any]:
    return item(name, **spec) | {"status": {"phase": "Running", "binding": {"clusterUID": "c"}}}


class Fake:
    """Lists by kind; records patches and deletes; raises what it is told to."""

    def __init__(self, **lists: list[dict[str, Any]]) -> None:
        self.lists, self.patches, self.deletes = lists, [], []  # type: ignore[var-annotated]
        self.error: ApiException | None = None
        self.missing: set[tuple[str, str]] = set()

    def list_cluster_custom_object(self, _group: str, _version: str, plural: str, *, limit: int, _continue: str = "", **_: Any) -> Any:
        """One object a page, whatever the limit."""
        assert limit > 0
        number = int(_continue or 0)
        left = self.lists.get(plural, [])[number:]
        return {"items": left[:1], "metadata": {"continue": str(number + 1) if len(left) > 1 else ""}}

    def patch_namespaced_custom_object(self, _g: str, _v: str, namespace: str, plural: str, name: str, body: Any, **options: Any) -> Any:
        """Record, or raise."""
        assert options["_content_type"] == "application/merge-patch+json"
        if self.error:
            raise self.error
        self.patches.append((plural, namespace, name, body))

    def delete_cluster_custom_object(self, _group: str, version: str, plural: str, name: str, **_: Any) -> Any:
        """Record, or 404."""
        if (version, plural) in self.missing:
            raise ApiException(status=404)
        self.deletes.append((version, plural, name))


def teardown(fake: Fake) -> Teardown:
    made = Teardown(MagicMock())
    made._custom = fake
    return made


def test_all_pages_are_read() -> None:
    fake = Fake(computejobs=[item("a"), item("b"), item("c")])
    assert [found["metadata"]["name"] for found in teardown(fake).objects(JOBS)] == ["a", "b", "c"]


def test_only_accepting_offers_are_closed() -> None:
    fake = Fake(clusteroffers=[item("open"), item("closed", accepting=False), item("said", accepting=True)])
    assert len(teardown(fake).close_offers()) == 2
    assert [patch[2:] for patch in fake.patches] == [
        ("open", {"spec": {"accepting": False}}),
        ("said", {"spec": {"accepting": False}}),
    ]


def test_only_what_runs_is_suspended() -> None:
    jobs = [running("run"), running("stopped", suspend=True), item("queued")]
    dying = running("dying")
    dying["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    fake = Fake()
    assert [found["metadata"]["name"] for found in teardown(fake).suspend_bound([*jobs, dying])] == ["run"]
    assert fake.patches == [(JOBS, "team-a", "run", {"spec": {"suspend": True}})]


def test_release_takes_only_our_finalizer_and_only_from_what_was_read() -> None:
    fake = Fake(computejobs=[item("a", finalizers=["other/one", FINALIZER])], clusteroffers=[item("o", finalizers=["other/one"])])
    assert teardown(fake).release() == 1
    assert fake.patches == [(JOBS, "team-a", "a", {"metadata": {"finalizers": ["other/one"], "resourceVersion": "7"}})]
    assert teardown(Fake(computejobs=[item("a")])).release() == 0


@pytest.mark.parametrize(
    "error",
    [
        ApiException(status=404),
        ApiException(status=409),
        ApiException(status=403, body="denied by ValidatingAdmissionPolicy 'metadata.sampan.dev'"),
    ],
    ids=["gone", "somebody was faster", "the policy is still remembered"],
)
def test_what_time_heals_is_seen_again_next_round(error: ApiException) -> None:
    fake = Fake(clusteroffers=[item("o", finalizers=[FINALIZER])])
    fake.error = error
    assert teardown(fake).release() == 1
    assert teardown(fake).close_offers() == []


def test_a_missing_right_is_told() -> None:
    fake = Fake(clusteroffers=[item("o", finalizers=[FINALIZER])])
    fake.error = ApiException(status=403)
    with pytest.raises(ApiException):
        teardown(fake).release()


def test_policies_go_bindings_first_and_in_whichever_version() -> None:
    fake = Fake()
    fake.missing = {("v1", "mutatingadmissionpolicies"), ("v1", "validatingadmissionpolicies"), ("v1beta1", "validatingadmissionpolicies")}
    assert teardown(fake).remove_policies() == [f"{plural}/{name}" for plural, name in POLICIES[:3]]
    assert [plural for _, plural, _ in fake.deletes] == [
        "mutatingadmissionpolicybindings",
        "mutatingadmissionpolicies",
        "validatingadmissionpolicybindings",
    ]


def test_the_operators_deployment_is_scaled_down_and_waited_for() -> None:
    made, apps = Teardown(MagicMock()), MagicMock()
    made._apps = apps
    deployment = apps.read_namespaced_deployment.return_value
    deployment.spec.replicas, deployment.status.replicas = 1, 1
    assert made.stop_operator("sampan-system") is False
    assert apps.patch_namespaced_deployment_scale.call_args.args[2] == {"spec": {"replicas": 0}}
    deployment.spec.replicas = 0
    assert made.stop_operator("sampan-system") is False, "a pod still ends"
    deployment.status.replicas = None
    assert made.stop_operator("sampan-system") is True
    apps.read_namespaced_deployment.side_effect = ApiException(status=404)
    assert made.stop_operator("sampan-system") is None


def test_a_hub_without_our_kinds_has_nothing() -> None:
    made = teardown(Fake())
    made._custom = MagicMock()
    made._custom.list_cluster_custom_object.side_effect = ApiException(status=404)
    assert list(made.objects(OFFERS)) == []
