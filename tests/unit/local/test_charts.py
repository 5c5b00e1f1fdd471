"""Tests of sampan.local.charts, with a helm that only pretends."""

import json
from pathlib import Path

import pytest

from sampan.local.charts import Helm
from sampan.local.paths import LocalError

from .conftest import MakeProgram


def helm(program: MakeProgram, tmp_path: Path, body: str) -> Helm:
    """A helm with that behaviour."""
    return Helm(binary=str(program("helm", body)), kubeconfig=tmp_path / "hub.yaml", cache=tmp_path / "cache")


def test_the_hub_gets_its_own_chart_for_an_operator_outside(program: MakeProgram, tmp_path: Path) -> None:
    one = helm(program, tmp_path, f'echo "$@" > {tmp_path}/arguments; cat > {tmp_path}/values')
    one.install_hub(provider_namespaces=["prov-a"], tenant_namespaces=["team-a"])
    values = json.loads((tmp_path / "values").read_text())
    assert values["operator"]["enabled"] is False
    assert values["providerNamespaces"] == ["prov-a"]
    assert values["tenantNamespaces"] == ["team-a"]
    assert values["catalogueReaderGroups"] == values["offerReaderGroups"] == ["system:serviceaccounts:team-a"]
    arguments = (tmp_path / "arguments").read_text().split()
    assert "sampan-system" in arguments
    assert [argument for argument in arguments if argument.endswith("helm/sampan")]


def test_the_hub_is_told_where_the_query_api_is(program: MakeProgram, tmp_path: Path) -> None:
    one = helm(program, tmp_path, f"cat > {tmp_path}/values")
    one.install_hub(provider_namespaces=[], tenant_namespaces=[], query=(7, "PEM"))
    assert json.loads((tmp_path / "values").read_text())["query"] == {"externalName": "localhost", "port": 7, "caBundle": "PEM"}


def test_a_failure_carries_helm_s_words_and_the_cluster(program: MakeProgram, tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="sampan-member on hub: no such chart"):
        helm(program, tmp_path, "echo no such chart >&2; exit 1").install_member({})
