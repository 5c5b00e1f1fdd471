"""`sampan local` on real control planes: what it says, what listens, how simulated pods and nodes behave, what is left afterwards.

What must never live here: tests of the operator. The members here run without it.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from integration.support import (
    PATIENCE,
    Api,
    FederationUnderTest,
    batch_job,
    bring_node_back,
    handles,
    lose_node,
    pods_of,
    seconds_between,
    terminated,
    wait_for,
)
from listening import LOOPBACK, listeners
from sampan.cli.verbs.local import local
from sampan.local.binaries import Binaries
from sampan.local.federation import load_federation
from sampan.local.paths import federation_folder
from sampan.local.processes.lookup import gone, stop_process
from sampan.local.restarts import Restarts
from sampan.local.up import UpRequest, up
from servers import ending_with_us


@pytest.fixture(scope="module")
def member(unmanaged: FederationUnderTest) -> Api:
    """Its first member, as administrator."""
    return unmanaged.members["lingang"]


def test_status_tells_names_addresses_kubeconfigs_and_process_ids(unmanaged: FederationUnderTest) -> None:
    answer = CliRunner().invoke(local, ["status", "--name", unmanaged.name, "-o", "json"])
    assert answer.exit_code == 0, answer.output
    status = json.loads(answer.output)
    assert [cluster["name"] for cluster in status["members"]] == ["lingang", "pengcheng"]
    for cluster in [status["hub"], *status["members"]]:
        assert set(cluster["pids"]) == {"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok-controller"}
        assert len(set(cluster["pids"].values())) == 5
        assert cluster["memoryBytes"] > 50_000_000
        assert cluster["address"].startswith("https://127.0.0.1:")
        assert Path(cluster["kubeconfig"]).stat().st_mode & 0o777 == 0o600
    assert status["operator"]["running"] is False
    assert status["operator"]["pid"] is None
    assert status["operator"]["metricsAddress"].startswith("127.0.0.1:")


def test_nothing_of_ours_listens_beyond_loopback(unmanaged: FederationUnderTest) -> None:
    open_to_others, ports = [], set()
    for cluster in unmanaged.federation.clusters:
        for component, pid in cluster.pids().items():
            for address, port in listeners(pid):
                ports.add(port)
                if address not in LOOPBACK:
                    open_to_others.append((cluster.name, component, address, port))
    assert open_to_others == []
    # Six per cluster, all of them the recorded ones: what is asserted about is really there.
    assert ports == {port for cluster in unmanaged.federation.clusters for port in cluster.ports}


def test_kubeconfigs_hold_their_data_and_the_tenant_starts_in_its_namespace(unmanaged: FederationUnderTest) -> None:
    for path in (unmanaged.federation.folder / "kubeconfig").glob("*.yaml"):
        text = path.read_text()
        assert path.stat().st_mode & 0o777 == 0o600
        assert "client-key:" not in text
        assert "certificate-authority:" not in text
    told = CliRunner().invoke(local, ["kubeconfig", "tenant", "--name", unmanaged.name]).output.strip()
    assert Path(told) == unmanaged.tenant.kubeconfig
    assert unmanaged.tenant.kubectl("auth", "can-i", "create", "computejobs.sampan.dev").strip() == "yes"
    assert unmanaged.tenant.try_kubectl("auth", "can-i", "get", "secrets", "-n", "prov-lingang").stdout.strip() == "no"


def test_an_unknown_kubeconfig_or_federation_names_what_there_is(unmanaged: FederationUnderTest) -> None:
    answer = CliRunner().invoke(local, ["kubeconfig", "nobody", "--name", unmanaged.name])
    assert answer.exit_code != 0
    assert "lingang" in str(answer.exception)
    missing = CliRunner().invoke(local, ["status", "--name", "sampan-test-no-such"])
    assert "sampan local up" in str(missing.exception)


def test_up_of_a_running_federation_changes_nothing(unmanaged: FederationUnderTest) -> None:
    said: list[str] = []
    before = unmanaged.federation.status()
    up(UpRequest(name=unmanaged.name, scenario=unmanaged.federation.scenario, operator=False), said.append)
    assert any("is running" in line for line in said)
    after = load_federation(unmanaged.name).status()
    assert [cluster["pids"] for cluster in [after["hub"], *after["members"]]] == [
        cluster["pids"] for cluster in [before["hub"], *before["members"]]
    ]


@pytest.mark.faults
def test_a_component_that_has_ended_is_marked_and_started_again(unmanaged: FederationUnderTest) -> None:
    cluster, component = unmanaged.cluster("pengcheng"), "kube-controller-manager"
    before = cluster.pids()
    stop_process(before[component], grace=0.0)
    status = json.loads(CliRunner().invoke(local, ["status", "--name", unmanaged.name, "-o", "json"]).output)
    assert {member["name"]: member["ended"] for member in [status["hub"], *status["members"]]} == {
        "hub": [],
        "lingang": [],
        "pengcheng": [component],
    }
    said: list[str] = []
    restarts = Restarts(unmanaged.binaries, said.append, way_out="run it again")
    assert restarts.look_after(unmanaged.federation.clusters)
    assert [line.partition(":")[0] for line in said] == [f"{component} of pengcheng ended"]
    after = cluster.pids()
    assert after[component] != before[component]
    assert {**after, component: 0} == {**before, component: 0}, "the others were left alone"
    unmanaged.members["pengcheng"].apply(batch_job("after-the-end", ["sleep", "1"]))
    unmanaged.members["pengcheng"].kubectl("wait", "--for=condition=Complete", "job/after-the-end", f"--timeout={PATIENCE}s")


COMMANDS: dict[str, tuple[list[str], float, dict[str, Any]]] = {
    "sleeps-and-exits": (["sh", "-c", "sleep 4; exit 3"], 4, {"exitCode": 3, "reason": "Error"}),
    "says-why": (["sh", "-c", "echo start; sleep 2; echo boom >&2; exit 3"], 2, {"exitCode": 3, "message": "start\nboom"}),
    "plain": (["sleep", "3"], 3, {"exitCode": 0, "reason": "Completed"}),
    "minutes-and-sums": (["bash", "-c", "sleep 0.05m && sleep 1s"], 4, {"exitCode": 0}),
    "environment": (["sh", "-c", 'sleep "$T"; sleep ${T}; false'], 4, {"exitCode": 1}),
    "condition-false": (["sh", "-c", "[ a = b ] && exit 9; sleep 2; exit 4"], 2, {"exitCode": 4}),
    "condition-true": (["sh", "-c", "[ a = a ] && exit 9; sleep 20"], 1, {"exitCode": 9}),
    "python": (["python", "-c", "import time, sys; time.sleep(2); sys.exit(7)"], 2, {"exitCode": 7}),
    "anything-else": (["torchrun", "train.py"], 1, {"exitCode": 0, "reason": "Completed"}),
}
"""By job name: command, seconds it runs, how its container ends."""


@pytest.fixture(scope="module")
def commands(member: Api) -> Api:
    """All jobs of COMMANDS, started together."""
    environment = {"env": [{"name": "T", "value": "2"}]}
    member.apply(*(batch_job(name, command, container=environment) for name, (command, _, _) in COMMANDS.items()))
    return member


@pytest.mark.parametrize("name", COMMANDS)
def test_a_pod_runs_as_long_and_ends_as_its_command_says(commands: Api, name: str) -> None:
    _, want_seconds, want = COMMANDS[name]
    ended = wait_for(lambda: terminated(commands, name), f"end of {name}")
    # API timestamps are whole seconds: a run of 4 s may read as 3, and as more where the machine is busy.
    assert seconds_between(ended["startedAt"], ended["finishedAt"]) >= want_seconds - 1
    assert {key: ended.get(key) for key in want} == want
    condition = "Complete" if want["exitCode"] == 0 else "Failed"
    commands.kubectl("wait", f"--for=condition={condition}", f"job/{name}", f"--timeout={PATIENCE}s")


def test_a_terminating_pod_lives_until_its_grace_ends(member: Api) -> None:
    member.apply(batch_job("grace", ["sleep", "infinity"], terminationGracePeriodSeconds=12))
    wait_for(lambda: [pod for pod in pods_of(member, "grace") if pod["status"]["phase"] == "Running"] or None, "grace runs")
    started = time.monotonic()
    member.kubectl("delete", "job", "grace", "--cascade=foreground", "--wait=false")
    pod = wait_for(lambda: next(iter(pods_of(member, "grace")), None), "the pod is still there")
    assert pod["metadata"]["deletionGracePeriodSeconds"] == 12
    seen: list[str] = []

    def ended() -> bool:
        pods = pods_of(member, "grace")
        seen.extend(pod["status"]["phase"] for pod in pods)
        return not pods

    wait_for(ended, "the pod is gone")
    # deletionTimestamp is a whole second: up to one second less than asked for.
    assert time.monotonic() - started >= 11
    assert set(seen) <= {"Running", "Failed"}
    assert "Running" in seen


def test_a_terminating_pod_may_still_end_by_itself(member: Api) -> None:
    member.apply(batch_job("own-end", ["sh", "-c", "sleep 3; exit 0"], terminationGracePeriodSeconds=600))  # longer than anybody waits here
    wait_for(lambda: [pod for pod in pods_of(member, "own-end") if pod["status"]["phase"] == "Running"] or None, "own-end runs")
    member.kubectl("delete", "job", "own-end", "--cascade=foreground", "--wait=false")
    assert wait_for(lambda: not pods_of(member, "own-end"), "the pod is gone")


def test_an_image_that_does_not_exist_keeps_the_pod_waiting(member: Api) -> None:
    member.apply(batch_job("no-image", ["sleep", "1"], container={"image": "registry.example/does-not-exist:1"}))

    def reason() -> str | None:
        for pod in pods_of(member, "no-image"):
            for status in pod["status"].get("containerStatuses", []):
                waiting: str = status["state"]["waiting"]["reason"]
                return waiting
        return None

    assert wait_for(reason, "a reason to wait") in {"ErrImagePull", "ImagePullBackOff"}
    wait_for(lambda: reason() == "ImagePullBackOff", "back-off")
    assert pods_of(member, "no-image")[0]["status"]["phase"] == "Pending"
    member.kubectl("delete", "job", "no-image", "--cascade=foreground", f"--timeout={PATIENCE}s")
    assert pods_of(member, "no-image") == []


def test_a_node_added_with_kubectl_is_run(member: Api) -> None:
    node = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "added", "labels": {"kubernetes.io/arch": "arm64", "added": "yes"}},
        "status": {"capacity": {"cpu": "8", "memory": "64Gi", "pods": "20", "example.com/npu": "4"}},
    }
    member.apply(node)
    member.kubectl("wait", "--for=condition=Ready", "node/added", f"--timeout={PATIENCE}s")
    status = member.get("node", "added")["status"]
    assert status["allocatable"]["example.com/npu"] == "4"
    assert status["nodeInfo"]["architecture"] == "arm64"
    limits = {"resources": {"limits": {"example.com/npu": "3"}}}
    member.apply(batch_job("on-added", ["sleep", "1"], nodeSelector={"added": "yes"}, container=limits))
    member.kubectl("wait", "--for=condition=Complete", "job/on-added", f"--timeout={PATIENCE}s")
    assert pods_of(member, "on-added")[0]["spec"]["nodeName"] == "added"
    member.kubectl("delete", "node", "added")


@pytest.mark.faults
def test_a_lost_node_keeps_its_pods_until_it_is_back(member: Api) -> None:
    member.apply({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "losing"}})
    member.kubectl("wait", "--for=condition=Ready", "node/losing", f"--timeout={PATIENCE}s")
    member.apply(batch_job("stuck-on-lost", ["sleep", "infinity"], nodeName="losing"))
    wait_for(lambda: [p for p in pods_of(member, "stuck-on-lost") if p["status"]["phase"] == "Running"] or None, "stuck-on-lost runs")
    member.apply(batch_job("ends-on-lost", ["sleep", "30"], nodeName="losing"))
    wait_for(lambda: [p for p in pods_of(member, "ends-on-lost") if p["status"]["phase"] == "Running"] or None, "ends-on-lost runs")
    lose_node(member, "losing")
    member.kubectl("delete", "job", "stuck-on-lost", "--cascade=foreground", "--wait=false")
    # The node lifecycle controller needs its 40 s of silence; nothing on the node has moved in all that time, though 30 s are over.
    member.kubectl("wait", "--for=condition=Ready=Unknown", "node/losing", f"--timeout={PATIENCE}s")
    assert [pod["status"]["phase"] for pod in pods_of(member, "ends-on-lost")] == ["Running"]
    assert ["deletionTimestamp" in pod["metadata"] for pod in pods_of(member, "stuck-on-lost")] == [True]
    bring_node_back(member, "losing")
    wait_for(lambda: not pods_of(member, "stuck-on-lost"), "the terminating pod is reaped")
    member.kubectl("wait", "--for=condition=Complete", "job/ends-on-lost", f"--timeout={PATIENCE}s")
    member.kubectl("delete", "node", "losing")


def test_a_stopped_member_comes_back_as_it_was(unmanaged: FederationUnderTest) -> None:
    cluster, member = unmanaged.cluster("pengcheng"), unmanaged.members["pengcheng"]
    member.apply(batch_job("over-the-stop", ["sleep", "12"]))
    wait_for(lambda: [p for p in pods_of(member, "over-the-stop") if p["status"]["phase"] == "Running"] or None, "over-the-stop runs")
    cluster.stop(unmanaged.binaries)
    assert cluster.pids() == {}
    assert member.try_kubectl("get", "nodes", "--request-timeout=2s").returncode != 0
    cluster.start(unmanaged.binaries)
    member.kubectl("wait", "--for=condition=Complete", "job/over-the-stop", f"--timeout={PATIENCE}s")


def test_two_federations_side_by_side_and_down_leaves_nothing(unmanaged: FederationUnderTest, binaries: Binaries) -> None:
    name, home = f"sampan-test-two-{os.getpid()}", Path.home()
    before = {path: path.stat().st_mtime_ns for path in (home / ".kube", home / ".kube" / "config", home / ".kwok") if path.exists()}
    command = [sys.executable, "-m", "sampan", "local"]
    with ending_with_us(name):
        subprocess.run(
            [*command, "up", "--name", name, "--members", "1", "--no-operator"], check=True, timeout=4 * PATIENCE, capture_output=True
        )
        second = load_federation(name)
        assert set(second.ports).isdisjoint(unmanaged.federation.ports)
        assert all(len(cluster.pids()) == 5 for cluster in [*second.clusters, *unmanaged.federation.clusters])
        other = handles(second, binaries)
        assert other.hub.items("namespaces") != []
        uids = {api.get("namespace", "kube-system")["metadata"]["uid"] for api in (unmanaged.hub, *unmanaged.members.values(), other.hub)}
        assert len(uids) == 4
        pids = [pid for cluster in second.clusters for pid in cluster.pids().values()]
        subprocess.run([*command, "down", "--name", name], check=True, timeout=2 * PATIENCE, capture_output=True)
        assert all(gone(pid) for pid in pids)
        assert not federation_folder(name).exists()
        assert {
            path: path.stat().st_mtime_ns for path in (home / ".kube", home / ".kube" / "config", home / ".kwok") if path.exists()
        } == before
        assert all(len(cluster.pids()) == 5 for cluster in unmanaged.federation.clusters)
