"""The kind configurations that we keep are well-formed: checked against the fields of kind's v1alpha4, for machines without Docker."""

from pathlib import Path
from typing import Annotated, Literal

import pytest
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from places import ROOT

FOLDER = ROOT / "operator" / "sampan" / "local" / "kind"
FILES = sorted(FOLDER.glob("*.yaml"))
Port = Annotated[int, Field(strict=True, ge=-1, le=65535)]


class Strict(BaseModel):
    """kind decodes strictly: a field it does not know is an error."""

    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel)


class Mount(Strict):
    """A bind mount of a node."""

    host_path: str
    container_path: str
    read_only: bool = False
    selinux_relabel: bool = False
    propagation: Literal["None", "HostToContainer", "Bidirectional"] = "None"


class PortMapping(Strict):
    """A published port of a node."""

    container_port: Port
    host_port: Port = 0
    listen_address: str = ""
    protocol: Literal["TCP", "UDP", "SCTP"] = "TCP"


class Patch(Strict):
    """A JSON 6902 patch of kubeadm's configuration."""

    group: str
    version: str
    kind: str
    patch: str


class Node(Strict):
    """One node."""

    role: Literal["control-plane", "worker"]
    image: str = ""
    labels: dict[str, str] = {}
    extra_mounts: list[Mount] = []
    extra_port_mappings: list[PortMapping] = []
    kubeadm_config_patches: list[str] = []
    json_patches: list[Patch] = Field(default=[], alias="kubeadmConfigPatchesJSON6902")


class Networking(Strict):
    """Networks of the cluster."""

    ip_family: Literal["ipv4", "ipv6", "dual"] = "ipv4"
    api_server_port: Port = 0
    api_server_address: Literal["127.0.0.1"]
    pod_subnet: str = ""
    service_subnet: str = ""
    disable_default_cni: bool = Field(default=False, alias="disableDefaultCNI")
    kube_proxy_mode: Literal["iptables", "nftables", "ipvs", "none"] = "iptables"
    dns_search: list[str] = []


class Cluster(Strict):
    """kind.x-k8s.io/v1alpha4, but for what lets others in: the API server's address must be loopback."""

    kind: Literal["Cluster"]
    api_version: Literal["kind.x-k8s.io/v1alpha4"]
    name: Annotated[str, Field(pattern="^[a-z0-9.-]+$")] = ""
    nodes: list[Node]
    networking: Networking
    feature_gates: dict[str, bool] = {}
    runtime_config: dict[str, str] = {}
    kubeadm_config_patches: list[str] = []
    json_patches: list[Patch] = Field(default=[], alias="kubeadmConfigPatchesJSON6902")
    containerd_config_patches: list[str] = []
    containerd_json_patches: list[str] = Field(default=[], alias="containerdConfigPatchesJSON6902")


def test_there_is_one_for_the_hub_and_one_for_a_member() -> None:
    assert [file.name for file in FILES] == ["hub.yaml", "member.yaml"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_kept_configuration_is_well_formed(file: Path) -> None:
    config = Cluster.model_validate(yaml.safe_load(file.read_text()))
    assert [node.role for node in config.nodes].count("control-plane") == 1
    for patch in config.kubeadm_config_patches:
        assert yaml.safe_load(patch)["kind"] in {"ClusterConfiguration", "InitConfiguration", "JoinConfiguration", "KubeletConfiguration"}


@pytest.mark.parametrize(
    "change", [{"apiServerPort": 1}, {"networking": {"apiServerAddress": "0.0.0.0"}}, {"nodes": [{"role": "master"}]}, {"kind": "cluster"}]
)
def test_the_check_finds_mistakes(change: dict[str, object]) -> None:
    good = yaml.safe_load(FILES[0].read_text())
    with pytest.raises(ValidationError):
        Cluster.model_validate({**good, **change})
