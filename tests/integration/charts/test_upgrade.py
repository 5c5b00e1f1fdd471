"""`helm upgrade` with a changed CRD: the new field works at once, the objects survive."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes.client.exceptions import ApiException

from integration.charts.conftest import install_hub
from integration.charts.support import GROUP, HUB_CHART, HUB_VALUES, SYSTEM, TENANT_NS, VERSION, Helm, Hub, create, custom, job, patch
from integration.support import wait_for

pytestmark = pytest.mark.integration


def next_version(folder: Path) -> Path:
    """A chart whose ComputeJobs have a field more."""
    chart = folder / "sampan"
    shutil.copytree(HUB_CHART, chart)
    path = chart / "crds-generated" / "sampan.dev_computejobs.yaml"
    crd = yaml.safe_load(path.read_text(encoding="utf-8"))
    spec = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    spec["properties"]["addedField"] = {"type": "string", "maxLength": 8}
    path.write_text(yaml.safe_dump(crd), encoding="utf-8")
    return chart


def test_an_added_field_works_after_an_upgrade(hub: Hub, tmp_path: Path) -> None:
    install_hub(hub)
    before = create(hub.tenant(), job("survivor"))
    chart = next_version(tmp_path)
    change = {"spec": {"addedField": "new"}}
    assert "addedField" not in patch(hub.tenant(), job("survivor"), change)["spec"], "pruned before the upgrade"
    try:
        hub.helm.run("upgrade", "sampan", str(chart), "-n", SYSTEM, *Helm.values(HUB_VALUES))
        after = wait_for(lambda: _with_field(hub, change), "the new schema is served", every=0.2)
    finally:
        install_hub(hub)
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["spec"]["template"] == before["spec"]["template"]


def test_a_rollback_takes_the_kinds_back_and_keeps_every_object(hub: Hub, tmp_path: Path) -> None:
    hub.helm.run("uninstall", "sampan", "-n", SYSTEM)
    install_hub(hub)
    made = create(hub.tenant(), job("older"))
    hub.helm.run("upgrade", "sampan", str(next_version(tmp_path)), "-n", SYSTEM, *Helm.values(HUB_VALUES))
    newer = {**job("newer"), "spec": {**job("newer")["spec"], "addedField": "new"}}
    wait_for(lambda: created_with_field(hub, newer), "the new schema is served", every=0.2)
    hub.helm.run("rollback", "sampan", "1", "-n", SYSTEM)
    change = {"spec": {"priority": 1, "addedField": "again"}}
    wait_for(lambda: "addedField" not in patch(hub.tenant(), newer, change)["spec"], "the schema before is served", every=0.2)
    kept = {
        name: custom(hub.admin).get_namespaced_custom_object(GROUP, VERSION, TENANT_NS, "computejobs", name) for name in ("older", "newer")
    }
    assert kept["older"]["metadata"]["uid"] == made["metadata"]["uid"]
    assert kept["newer"]["spec"]["template"] == newer["spec"]["template"] | kept["newer"]["spec"]["template"]
    hub.helm.run("upgrade", "sampan", str(HUB_CHART), "-n", SYSTEM, *Helm.values(HUB_VALUES))


def created_with_field(hub: Hub, body: dict[str, Any]) -> bool:
    """Create it anew until the API server keeps the new field."""
    if "addedField" in create(hub.tenant(), body)["spec"]:
        return True
    custom(hub.tenant()).delete_namespaced_custom_object(GROUP, VERSION, TENANT_NS, "computejobs", body["metadata"]["name"])
    return False


def _with_field(hub: Hub, change: dict[str, dict[str, str]]) -> dict[str, dict[str, str]] | None:
    patched = patch(hub.tenant(), job("survivor"), change)
    return patched if patched["spec"].get("addedField") == "new" else None


def test_uninstall_and_install_keep_kinds_and_objects(hub: Hub) -> None:
    made = create(hub.tenant(), job("kept"))
    hub.helm.run("uninstall", "sampan", "-n", SYSTEM)
    install_hub(hub)
    kept = custom(hub.admin).get_namespaced_custom_object(GROUP, VERSION, TENANT_NS, "computejobs", "kept")
    assert kept["metadata"]["uid"] == made["metadata"]["uid"]
    with pytest.raises(ApiException) as refused:
        wait_for(lambda: create(hub.tenant(), job("x", labels={"sampan.dev/hub": "x"})) and None, "the policies are back", every=0.2)
    assert refused.value.status in (403, 409)
