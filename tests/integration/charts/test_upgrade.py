"""`helm upgrade` with a changed CRD: the new field works at once, the objects survive."""

import shutil
from pathlib import Path

import pytest
import yaml
from kubernetes.client.exceptions import ApiException

from integration.charts.conftest import install_hub
from integration.charts.support import GROUP, HUB_CHART, HUB_VALUES, SYSTEM, TENANT_NS, VERSION, Helm, Hub, create, custom, job, patch
from integration.support import wait_for

pytestmark = pytest.mark.integration


def test_an_added_field_works_after_an_upgrade(hub: Hub, tmp_path: Path) -> None:
    install_hub(hub)
    before = create(hub.tenant(), job("survivor"))
    chart = tmp_path / "sampan"
    shutil.copytree(HUB_CHART, chart)
    path = chart / "crds-generated" / "sampan.dev_computejobs.yaml"
    crd = yaml.safe_load(path.read_text(encoding="utf-8"))
    spec = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    spec["properties"]["addedField"] = {"type": "string", "maxLength": 8}
    path.write_text(yaml.safe_dump(crd), encoding="utf-8")

    change = {"spec": {"addedField": "new"}}
    assert "addedField" not in patch(hub.tenant(), job("survivor"), change)["spec"], "pruned before the upgrade"
    try:
        hub.helm.run("upgrade", "sampan", str(chart), "-n", SYSTEM, *Helm.values(HUB_VALUES))
        after = wait_for(lambda: _with_field(hub, change), "the new schema is served", every=0.2)
    finally:
        install_hub(hub)
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["spec"]["template"] == before["spec"]["template"]


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
