"""`sampan inspect` from end to end: stdin or a file in, a table or rows out, no hub."""

import json
from pathlib import Path

import yaml
from click.testing import CliRunner

from sampan.cli.verbs.inspect_cluster import inspect

OBJECTS = """
kind: List
items:
- kind: Node
  metadata: {name: n1, labels: {nvidia.com/gpu.product: Tesla-T4}}
  status:
    allocatable: {cpu: "8", pods: "10", nvidia.com/gpu: "2"}
    conditions: [{type: Ready, status: "True"}]
- kind: Pod
  metadata: {name: p, uid: u}
  spec: {nodeName: n1, containers: [{resources: {requests: {nvidia.com/gpu: 1}}}]}
- kind: ConfigMap
---
kind: ResourceSlice
metadata: {name: s}
spec:
  driver: gpu.nvidia.com
  nodeName: n1
  pool: {name: n1, generation: 1, resourceSliceCount: 1}
  devices: [{name: a, attributes: {type: {string: gpu}, productName: {string: Tesla T4}}}]
"""
KEYS = ["node", "vendor", "family", "acceleratorClass", "devices", "cards", "free", "schedulable", "memoryPerDevice", "sharing"]
KEYS += ["evidence", "ignored"]


def test_rows_have_exactly_their_keys() -> None:
    done = CliRunner().invoke(inspect, ["-f", "-", "-o", "json"], input=OBJECTS)
    (row,) = json.loads(done.stdout)
    assert yaml.safe_load(CliRunner().invoke(inspect, ["-f", "-", "-o", "yaml"], input=OBJECTS).stdout) == [row]
    assert list(row) == KEYS
    assert (row["acceleratorClass"], row["devices"], row["free"]) == ("nvidia-t4-16gb", 2, 1)
    assert any("SecondPublisher" in each for each in row["ignored"])


def test_the_table_shows_nodes_and_pools(tmp_path: Path) -> None:
    (tmp_path / "in.yaml").write_text(OBJECTS, encoding="utf-8")
    done = CliRunner().invoke(inspect, ["-f", str(tmp_path / "in.yaml")])
    assert done.exit_code == 0, done.output
    assert "nvidia-t4-16gb" in done.stdout
    assert "t4-16gb-x2" in done.stdout


def test_what_cannot_be_told_of_free_devices_is_said() -> None:
    listed, published = OBJECTS.split("---")
    node, pod = listed.split("- kind: Pod")
    assert "No pod is among the objects" in CliRunner().invoke(inspect, ["-f", "-"], input=node).output
    claimed = node.replace(', nvidia.com/gpu: "2"', "")
    bare = f"{claimed}- kind: Pod{pod}---{published}"
    assert "FREE is ?" in CliRunner().invoke(inspect, ["-f", "-"], input=bare).output
    assert "FREE is ?" not in CliRunner().invoke(inspect, ["-f", "-"], input=OBJECTS).output


def test_without_slices_a_node_that_looks_like_one_of_cpus_alone_may_not_be() -> None:
    warning = "No ResourceSlice is among the objects, so devices that are had by claim alone cannot be told"
    listed, published = OBJECTS.split("---")
    bare = listed.replace(', nvidia.com/gpu: "2"', "").replace("requests: {nvidia.com/gpu: 1}", "")
    told = CliRunner().invoke(inspect, ["-f", "-"], input=bare)
    assert warning in told.stderr
    assert warning not in CliRunner().invoke(inspect, ["-f", "-"], input=f"{bare}---{published}").output
    assert warning not in CliRunner().invoke(inspect, ["-f", "-"], input=listed).output, "every node has devices"


def test_a_wrong_file_is_told() -> None:
    done = CliRunner().invoke(inspect, ["-f", "-"], input="kind: Node\nmetadata: {labels: 7}\n")
    assert done.exit_code == 2
    assert "-, document 1, Node" in done.output
    assert "metadata.labels" in done.output


def test_slices_of_no_given_node_are_told() -> None:
    foreign = "kind: ResourceSlice\nmetadata: {{name: s}}\nspec: {{driver: d, {where}, devices: [{{name: a}}]}}\n"
    lost = CliRunner().invoke(inspect, ["-f", "-", "-o", "json"], input=foreign.format(where="nodeName: ghost"))
    assert (json.loads(lost.stdout), lost.exit_code) == ([], 0)
    assert "of node ghost, which was not given: its 1 devices are not counted" in lost.stderr
    wide = CliRunner().invoke(inspect, ["-f", "-", "-o", "json"], input=foreign.format(where="allNodes: true"))
    assert "of no single node: its 1 devices are not counted" in wide.stderr


MIXED = """
kind: List
items:
- kind: Node
  metadata: {name: win-1, labels: {kubernetes.io/os: windows, nvidia.com/gpu.product: Tesla-T4}}
  status: {allocatable: {cpu: "32", pods: "10", nvidia.com/gpu: "1"}, conditions: [{type: Ready, status: "True"}]}
- kind: Node
  metadata: {name: win-2}
  status: {allocatable: {cpu: "32", pods: "10"}, conditions: [{type: Ready, status: "True"}], nodeInfo: {operatingSystem: windows}}
- kind: Node
  metadata: {name: lin-1}
  status: {allocatable: {cpu: "4", pods: "10"}, conditions: [{type: Ready, status: "True"}]}
"""


def test_nodes_of_another_system_are_in_no_pool_and_told() -> None:
    shown = CliRunner().invoke(inspect, ["-f", "-"], input=MIXED).stdout
    pools, _, out = shown.partition("In no pool:")
    (pool,) = [line.split() for line in pools.splitlines() if line.startswith("cpu ")]
    assert pool[:4] == ["cpu", "-", "1", "0"]
    assert [line.split() for line in out.strip().splitlines()[1:]] == [
        ["NotLinux", "1", "1", "win-1", "kubernetes.io/os=windows"],
        ["NotLinux", "1", "0", "win-2", "nodeInfo.operatingSystem=windows"],
    ]
    (row,) = json.loads(CliRunner().invoke(inspect, ["-f", "-", "-o", "json"], input=MIXED).stdout)
    assert (row["free"], row["evidence"][0]) == (0, "NotLinux: kubernetes.io/os=windows")
