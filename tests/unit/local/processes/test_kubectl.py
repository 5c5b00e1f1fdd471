"""Tests of sampan.local.processes.kubectl, with a kubectl that only pretends."""

import json
import os
from pathlib import Path

import pytest

from sampan.local.processes.kubectl import Kubectl, KubectlError, tool_environment
from unit.local.conftest import MakeProgram


def kubectl(program: MakeProgram, tmp_path: Path, body: str) -> Kubectl:
    """A kubectl with that behaviour."""
    return Kubectl(binary=str(program("kubectl", body)), kubeconfig=tmp_path / "hub.yaml", cache=tmp_path / "cache")


def test_it_uses_its_own_kubeconfig_and_leaves_the_home_alone(program: MakeProgram, tmp_path: Path) -> None:
    told = kubectl(program, tmp_path, 'echo "$1|$2|$KUBECONFIG|$KUBECACHEDIR"').run("version")
    assert told.strip() == f"--kubeconfig={tmp_path}/hub.yaml|version|{os.devnull}|{tmp_path}/cache/kube"


def test_a_no_carries_kubectl_s_words_and_whom_it_asked(program: MakeProgram, tmp_path: Path) -> None:
    with pytest.raises(KubectlError, match=r"get nodes \(hub\): Forbidden"):
        kubectl(program, tmp_path, "echo Forbidden >&2; exit 1").run("get", "nodes")


def test_objects_are_applied_as_one_list_with_strict_validation(program: MakeProgram, tmp_path: Path) -> None:
    one = kubectl(program, tmp_path, f'echo "$@" > {tmp_path}/arguments; cat > {tmp_path}/body')
    one.apply([{"kind": "A"}, {"kind": "B"}])
    assert [item["kind"] for item in json.loads((tmp_path / "body").read_text())["items"]] == ["A", "B"]
    assert {"--server-side", "--validate=strict"} <= set((tmp_path / "arguments").read_text().split())


def test_nothing_to_apply_asks_nobody(program: MakeProgram, tmp_path: Path) -> None:
    one = kubectl(program, tmp_path, f"touch {tmp_path}/asked")
    one.apply([])
    one.create_nodes([])
    assert not (tmp_path / "asked").exists()


def test_kinds_that_are_not_served_yet_are_waited_for(program: MakeProgram, tmp_path: Path) -> None:
    body = (
        f'[ -e {tmp_path}/second ] && exit 0; touch {tmp_path}/second; echo "Error (ServiceUnavailable): There can be a delay" >&2; exit 1'
    )
    kubectl(program, tmp_path, body).apply([{"kind": "A"}], patience=5)
    assert (tmp_path / "second").exists()


def test_any_other_no_is_final(program: MakeProgram, tmp_path: Path) -> None:
    body = f"echo x >> {tmp_path}/asked; echo Forbidden >&2; exit 1"
    with pytest.raises(KubectlError, match="Forbidden"):
        kubectl(program, tmp_path, body).apply([{"kind": "A"}], patience=5)
    assert (tmp_path / "asked").read_text() == "x\n"


def test_get_decodes_json(program: MakeProgram, tmp_path: Path) -> None:
    assert kubectl(program, tmp_path, """echo '{"items": []}'""").get("nodes") == {"items": []}


def test_loopback_never_goes_through_a_proxy(tmp_path: Path) -> None:
    assert "127.0.0.1" in tool_environment(tmp_path)["NO_PROXY"]
