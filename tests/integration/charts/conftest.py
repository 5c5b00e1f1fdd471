"""One API server with both charts installed, as fixtures for the chart tests. It is shared: each test names its own objects.

What must never live here: assertions.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes import client
from kubernetes.client.exceptions import ApiException

from integration.charts.support import (
    HUB_CHART,
    HUB_VALUES,
    JOBS_NS,
    MEMBER_CHART,
    MEMBER_VALUES,
    OTHER_NS,
    PROVIDER_NS,
    SYSTEM,
    TENANT_NS,
    Helm,
    Hub,
)
from integration.support import Api, wait_for
from sampan.local.binaries import Binaries
from servers import bare_server


@pytest.fixture(scope="session")
def offline_helm(binaries: Binaries, tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """helm without any cluster."""
    return Helm(binary=binaries["helm"], cache=tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="session")
def chart_api(binaries: Binaries) -> Iterator[Api]:
    """A server of its own: the charts' policies would meet the other tests' objects."""
    with bare_server(binaries, "charts") as api:
        yield api


@pytest.fixture(scope="session")
def hub(chart_api: Api, offline_helm: Helm) -> Hub:
    """Both charts on one server: the hub in sampan-system, the member's side in sampan-jobs; people bound to the charts' roles."""
    hub = Hub(api=chart_api, helm=Helm(binary=offline_helm.binary, cache=chart_api.cache, kubeconfig=chart_api.kubeconfig))
    core = client.CoreV1Api(hub.admin)
    for namespace in (PROVIDER_NS, TENANT_NS, OTHER_NS):
        _ensure(core.create_namespace, client.V1Namespace(metadata={"name": namespace}))
    install_hub(hub)
    hub.helm.run("upgrade", "--install", "sampan-member", str(MEMBER_CHART), "-n", "default", *Helm.values(MEMBER_VALUES))
    people = {
        "tenant": (TENANT_NS, "sampan-tenant"),
        "viewer": (TENANT_NS, "sampan-view"),
        "provider": (PROVIDER_NS, "sampan-provider"),
        "overseer": (TENANT_NS, "sampan-overseer"),
        "nobody": (TENANT_NS, ""),
    }
    for name, (namespace, role) in people.items():
        _ensure(core.create_namespaced_service_account, namespace, client.V1ServiceAccount(metadata={"name": name}))
        if role:
            _bind(hub, name, namespace, role)
    wait_for(lambda: _guards(hub), "the guard of the member", every=0.2)
    return hub  # the server goes with all that is on it


def install_hub(hub: Hub, **values: Any) -> None:
    """Install or upgrade the hub chart; CRDs that are on the server already are taken over."""
    arguments = Helm.values(HUB_VALUES | values)
    hub.helm.run("upgrade", "--install", "sampan", str(HUB_CHART), "-n", SYSTEM, "--create-namespace", "--take-ownership", *arguments)


def release_all(hub: Hub) -> None:
    """Delete what tests left, finalizers or not."""
    from sampan.cli.uninstall.teardown import Teardown

    teardown = Teardown(hub.admin)
    teardown.remove_policies()
    for plural in ("computejobs", "clusteroffers"):
        for namespace in (TENANT_NS, PROVIDER_NS):
            client.CustomObjectsApi(hub.admin).delete_collection_namespaced_custom_object("sampan.dev", "v1alpha1", namespace, plural)
    while teardown.release():
        pass


def _guards(hub: Hub) -> bool:
    """Tell whether the API server obeys the member's policies already: it takes a moment to see new ones."""
    try:
        client.CoreV1Api(hub.member_hub()).create_namespaced_config_map(JOBS_NS, {"metadata": {"name": "probe"}}, dry_run="All")
    except ApiException as error:
        return "member.sampan.dev" in str(error.body)
    return False


def _bind(hub: Hub, name: str, namespace: str, role: str) -> None:
    """Bind a ServiceAccount to a ClusterRole: the overseer everywhere, everybody else in the own namespace."""
    rbac = client.RbacAuthorizationV1Api(hub.admin)
    body = {
        "metadata": {"name": f"hc-{name}"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": namespace}],
    }
    if name == "overseer":
        _ensure(rbac.create_cluster_role_binding, body)
    else:
        _ensure(rbac.create_namespaced_role_binding, namespace, body)


def _ensure(call: Any, *arguments: Any) -> None:
    """Create; what exists from an earlier run is fine."""
    try:
        call(*arguments)
    except ApiException as error:
        if error.status != 409:
            raise
