"""Tests of sampan.local.cluster, without any control plane; tests/integration/test_local.py has the real ones."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from integration.support import wait_for
from places import ROOT
from sampan.local.binaries import PROGRAMS, Binaries
from sampan.local.cluster import COMPONENTS, Cluster
from sampan.local.paths import LocalError
from sampan.local.processes.lookup import gone

from .conftest import MakeProgram

STAGES = ROOT / "operator" / "sampan" / "local" / "stages"


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    """A cluster that does not exist."""
    return Cluster("m1", tmp_path / "federation", (1, 2, 3, 4, 5, 6))


def failing(program: MakeProgram) -> Binaries:
    """Programs of which kwokctl fails, but not before it has a log to show."""
    log = '"$KWOK_WORKDIR/clusters/m1/logs'
    kwokctl = program("kwokctl", f'mkdir -p {log}"; echo "bind: in use" > {log}/etcd.log"; echo "no luck" >&2; exit 1')
    return Binaries({name: kwokctl if name == "kwokctl" else Path("/nowhere") / name for name in PROGRAMS})


def plan_of(cluster: Cluster, program: MakeProgram) -> list[dict[str, Any]]:
    """What is handed to kwokctl."""
    with pytest.raises(LocalError):
        cluster.create(failing(program))
    return list(yaml.safe_load_all((cluster.folder / "kwok" / "m1.yaml").read_text()))


def test_a_failure_shows_kwokctl_s_words_and_the_logs(cluster: Cluster, program: MakeProgram) -> None:
    with pytest.raises(LocalError, match=r"(?s)cluster m1 failed.*no luck.*etcd.log.*bind: in use"):
        cluster.create(failing(program))


def test_everything_is_told_its_port_and_to_stay_on_loopback(cluster: Cluster, program: MakeProgram) -> None:
    options = plan_of(cluster, program)[0]["options"]
    assert options["bindAddress"] == "127.0.0.1"
    assert options["runtime"] == "binary"
    assert options["disableQPSLimits"] is True
    assert sorted(value for key, value in options.items() if key.endswith("Port")) == [1, 2, 3, 4, 5, 6]
    assert options["kubeApiserverPort"] == 3
    assert options["kubeApiserverCertSANs"] == ["10.96.0.1", "10.77.0.1"], "as pods of real nodes reach it"
    assert cluster.address == "https://127.0.0.1:3"
    assert options["components"] == list(COMPONENTS)


def test_all_stages_go_along(cluster: Cluster, program: MakeProgram) -> None:
    stages = [document for document in plan_of(cluster, program) if document["kind"] == "Stage"]
    on_disk = [stage for file in STAGES.glob("*.yaml") for stage in yaml.safe_load_all(file.read_text())]
    names = [stage["metadata"]["name"] for stage in stages]
    assert sorted(names) == sorted(stage["metadata"]["name"] for stage in on_disk)
    assert len(set(names)) == len(names)
    # Giving any pod stage drops kwok's own for pods, node stages likewise: both kinds must be complete.
    assert {stage["spec"]["resourceRef"]["kind"] for stage in stages} == {"Node", "Pod"}
    assert {"node-initialize", "node-heartbeat", "pod-start", "pod-complete", "pod-killed", "pod-reap"} <= set(names)


def test_no_stage_reads_a_field_of_the_product() -> None:
    assert [file.name for file in STAGES.glob("*.yaml") if "sampan.dev/" in file.read_text().replace("local.sampan.dev/lost", "")] == []


def test_what_is_stopped_is_gone_though_kwokctl_waits_for_nothing(cluster: Cluster, program: MakeProgram) -> None:
    """A process that is about to end holds its port still, and the one that is to follow it would find that in use."""
    binaries = Binaries({name: program("kwokctl", "exit 0") if name == "kwokctl" else Path("/nowhere") / name for name in PROGRAMS})
    apiserver = cluster.home / "bin" / "kube-apiserver"
    apiserver.parent.mkdir(parents=True)
    apiserver.symlink_to("/bin/sleep")
    with subprocess.Popen([str(apiserver), "600"]) as process:
        wait_for(lambda: cluster.pids() == {"kube-apiserver": process.pid}, "it runs", every=0.01)
        cluster.stop(binaries)
        assert gone(process.pid)
    assert cluster.pids() == {}


def test_what_gave_up_before_its_api_server_answered_is_started_again(cluster: Cluster, program: MakeProgram) -> None:
    (cluster.home / "bin").mkdir(parents=True)
    for component in COMPONENTS:
        (cluster.home / "bin" / component).symlink_to("/bin/sleep")
    one_more = f'cd "$KWOK_WORKDIR/clusters/m1/bin"; for each in {" ".join(COMPONENTS)}; do [ -e "$each.on" ] || break; done'
    one_more += '; touch "$each.on"; "$PWD/$each" 60 &'
    programs = {"kwokctl": program("kwokctl", f"exec >/dev/null 2>&1; {one_more}"), "kubectl": program("kubectl", "echo '{\"items\": []}'")}
    try:
        cluster.start(Binaries({name: programs.get(name, Path("/nowhere") / name) for name in PROGRAMS}))
        assert cluster.pids().keys() == set(COMPONENTS)
        assert not cluster.start_ended(failing(program)), "kwokctl is asked for nothing where all run"
    finally:
        cluster.delete()


def test_a_cluster_that_is_not_there_has_no_processes_and_can_be_deleted(cluster: Cluster) -> None:
    assert cluster.pids() == {}
    cluster.delete()
    assert not cluster.home.exists()
