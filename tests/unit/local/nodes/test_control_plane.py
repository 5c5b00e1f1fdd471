"""Tests of sampan.local.nodes.control_plane."""

from pathlib import Path
from typing import Any

from sampan.local.nodes.control_plane import api_server_flags, egress_selection, leave_room


def test_kwok_leaves_real_nodes_alone() -> None:
    before: list[dict[str, Any]] = [
        {"options": {"runtime": "binary"}, "componentsPatches": [{"name": "etcd", "extraArgs": []}]},
        {"kind": "Stage"},
    ]
    told, stage = leave_room(before)
    assert stage == {"kind": "Stage"}
    assert told["options"] == {"runtime": "binary"}
    etcd, kwok = told["componentsPatches"]
    assert etcd["name"] == "etcd"
    flags = {each["key"]: (each["value"], each.get("override", False)) for each in kwok["extraArgs"]}
    assert flags == {"manage-all-nodes": ("false", True), "manage-nodes-with-label-selector": ("!local.sampan.dev/real", False)}
    assert [each["name"] for each in before[0]["componentsPatches"]] == ["etcd"]


def test_the_api_server_reaches_the_cluster_through_the_socket() -> None:
    flags = dict(api_server_flags(Path("/state/kwok/clusters/east"), Path("/state/nodes/east/egress.yaml")))
    assert flags["egress-selector-config-file"] == "/state/nodes/east/egress.yaml"
    assert flags["kubelet-certificate-authority"] == "/state/kwok/clusters/east/pki/ca.crt"
    (selection,) = egress_selection(Path("/state/egress.sock"))["egressSelections"]
    assert selection["name"] == "cluster"
    assert selection["connection"]["transport"]["uds"]["udsName"] == "/state/egress.sock"
