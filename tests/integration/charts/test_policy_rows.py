"""The rows of the bad-input catalogue that an admission policy answers, each tried as whoever would try it."""

from typing import Any

import pytest
from kubernetes.client.exceptions import ApiException

from integration.charts.conftest import install_hub
from integration.charts.support import PROVIDER_NS, TENANT_NS, Hub, custom, job
from integration.charts.test_policies import wait_refused
from integration.crd_objects import with_value
from integration.operator_rows import POLICY_ROWS, Denied
from sampan.model.values.names import GROUP, VERSION

pytestmark = pytest.mark.integration


def flat(values: dict[str, Any]) -> dict[str, Any]:
    """Return nested chart values as dotted names."""
    return {f"{outer}.{inner}": value for outer, rest in values.items() for inner, value in rest.items()}


@pytest.mark.parametrize("row", POLICY_ROWS, ids=lambda row: f"{row.number} {row.title}")
def test_the_row_is_refused(hub: Hub, row: Denied) -> None:
    tenant = row.object["kind"] == "ComputeJob"
    body = {**row.object, "metadata": {**row.object["metadata"], "namespace": TENANT_NS if tenant else PROVIDER_NS}}
    if row.values:
        install_hub(hub, **flat(row.values))
    try:
        if tenant:
            wait_refused(hub, body, "ValidatingAdmissionPolicy")
        else:
            with pytest.raises(ApiException) as refused:
                custom(hub.account(PROVIDER_NS, "provider")).create_namespaced_custom_object(
                    GROUP, VERSION, PROVIDER_NS, "clusteroffers", body
                )
            assert "at most 64" in str(refused.value.body)
    finally:
        if row.values:
            install_hub(hub)


def test_amounts_that_are_within_their_limits_pass_with_quotes_or_without(hub: Hub) -> None:
    amounts = {"requests": {"cpu": 0.5, "memory": 1e9, "ephemeral-storage": ".5Gi"}, "limits": {"cpu": "500m", "memory": "1G"}}
    body = with_value(job("within"), "spec.template.resources", amounts)
    custom(hub.tenant()).create_namespaced_custom_object(GROUP, VERSION, TENANT_NS, "computejobs", body, dry_run="All")
