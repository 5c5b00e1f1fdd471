"""Jobs as real containers: a kubelet, containerd and runc for each of two nodes of a member, beside a simulated one.

Skipped where the machine cannot have such nodes, for the reason that the fixture gives.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from e2e.life import H100, REMOTE, TEAM, World, condition, job, outcomes
from integration.support import PATIENCE, FederationUnderTest, wait_for
from sampan.local.binaries import CONTAINERD_VERSION
from sampan.local.nodes.machine import Parts

A10 = "nvidia-a10-24gb"
MEMBER = "east"
SMALL = {"resources": {"requests": {"cpu": "100m", "memory": "32Mi"}, "limits": {"memory": "64Mi"}}}
RENDEZVOUS = """
if [ "$RANK" = 0 ]; then echo "rank 0 of $WORLD_SIZE" | nc -l -p "$MASTER_PORT"; exit; fi
until said=$(nc -w 5 "$MASTER_ADDR" "$MASTER_PORT") && [ -n "$said" ]; do sleep 0.2; done
echo "heard: $said"
"""


@pytest.fixture(scope="module")
def world(real_nodes: FederationUnderTest) -> Iterator[World]:
    """Hub, a member with real nodes, and the operator; every job is gone when the module ends."""
    made = World(real_nodes)
    yield made
    made.clear()


def real_job(name: str, script: str, **spec: Any) -> dict[str, Any]:
    """A job for the real nodes, which alone have A10 cards."""
    template = {**SMALL, **spec.pop("template", {})}
    return job(name, script, device=(A10, spec.pop("count", 1)), template=template, **spec)


def nodes_of(world: World, name: str) -> set[str]:
    """Where the job's pods are."""
    return {pod["spec"]["nodeName"] for pod in world.pods(name)}


def logs(world: World, pod: str) -> str:
    """What a pod's container has written, by way of API server and kubelet."""
    return world.member(MEMBER).kubectl("logs", "-n", REMOTE, pod)


def test_real_nodes_stand_beside_simulated_ones_and_have_their_devices(world: World) -> None:
    shown = {node["metadata"]["name"]: node["status"] for node in world.member(MEMBER).items("nodes")}
    assert set(shown) == {"h100-1", "a10-1", "a10-2"}
    for name in ("a10-1", "a10-2"):
        assert shown[name]["nodeInfo"]["containerRuntimeVersion"] == "containerd://" + CONTAINERD_VERSION.removeprefix("v")
        assert shown[name]["allocatable"]["nvidia.com/gpu"] == "2"
    assert shown["h100-1"]["nodeInfo"]["containerRuntimeVersion"].startswith("kwok://")
    pools = {pool["acceleratorClass"]: pool["devices"] for pool in world.offer("prov-east", "east-ondemand")["status"]["pools"]}
    assert (pools[A10], pools[H100]) == (4, 8)


def test_a_job_runs_as_a_real_container_and_its_output_can_be_read(world: World) -> None:
    world.submit(real_job("hello", 'echo "I am $(id -u), process $$"; hostname; sleep 1'), job("simulated", "sleep 1", device=(H100, 1)))
    status = world.reaches("hello", "Succeeded")
    assert outcomes(status) == [(1, "Succeeded")]
    (pod,) = world.pods("hello")
    assert pod["spec"]["nodeName"] in {"a10-1", "a10-2"}
    assert pod["status"]["containerStatuses"][0]["containerID"].startswith("containerd://")
    who, host = logs(world, pod["metadata"]["name"]).splitlines()
    assert who == "I am 1000, process 1"
    assert host == pod["metadata"]["name"] or pod["spec"].get("hostname") == host
    world.reaches("simulated", "Succeeded")
    assert nodes_of(world, "simulated") == {"h100-1"}


def test_exit_code_and_last_words_of_a_real_process_come_back(world: World) -> None:
    world.submit(real_job("fails", "echo beginning; echo loss is NaN; exit 3"))
    (attempt,) = world.reaches("fails", "Failed")["attempts"]
    assert (attempt["outcome"], attempt["exitCode"]) == ("AppFailed", 3)
    assert "loss is NaN" in attempt["message"]


def test_a_process_that_eats_more_memory_than_its_limit_is_told_as_oomkilled(world: World) -> None:
    world.submit(real_job("eats", "tail /dev/zero"))
    (attempt,) = world.reaches("eats", "Failed")["attempts"]
    assert (attempt["outcome"], attempt["reason"], attempt["exitCode"]) == ("AppFailed", "OOMKilled", 137)


FETCH = 'echo "fetched with $TOKEN by $SAMPAN_JOB_NAME" >/shared/fetched'
BEAT = "while true; do date >/shared/beat; sleep 0.2; done"
BESIDE = """
until [ -s /shared/beat ]; do sleep 0.2; done
echo "$TOKEN $(cat /files/sub/token) $ALL_token $(cat /shared/fetched)"
"""


def test_secrets_init_containers_and_sidecars_work_in_real_containers(world: World) -> None:
    """A sidecar would run for ever: the job ends with its main container. The kubelet finds the pull secret that the pod names."""
    tenant, shared = world.fed.tenant, {"sampan.dev/share-with-jobs": "true"}
    logins = {".dockerconfigjson": '{"auths": {"registry.example": {"username": "u", "password": "p"}}}'}
    kinds = {"words": ("Opaque", {"token": "s3cr3t"}), "login": ("kubernetes.io/dockerconfigjson", logins)}
    for name, (kind, data) in kinds.items():
        metadata = {"name": name, "namespace": TEAM, "labels": shared}
        tenant.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": kind, "stringData": data})
    by_name = {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "words", "key": "token"}}}
    mounts = [{"name": "shared", "mountPath": "/shared"}, {"name": "files", "mountPath": "/files"}]
    image = {"image": "registry.example/tool:1", "volumeMounts": mounts}
    fetch = {
        **image,
        "name": "fetch",
        "env": [by_name],
        "command": ["sh", "-c", 'echo "fetched with $TOKEN by $SAMPAN_JOB_NAME" >/shared/fetched'],
    }
    beat = {
        **image,
        "name": "beat",
        "restartPolicy": "Always",
        "command": ["sh", "-c", "while true; do date >/shared/beat; sleep 0.2; done"],
    }
    template = {
        "env": [by_name],
        "envFrom": [{"prefix": "ALL_", "secretRef": {"name": "words"}}],
        "volumes": [
            {"name": "shared", "emptyDir": {}},
            {"name": "files", "secret": {"secretName": "words", "items": [{"key": "token", "path": "sub/token", "mode": 0o440}]}},
        ],
        "volumeMounts": mounts,
        "imagePullSecrets": [{"name": "login"}],
        "initContainers": [fetch, beat],
    }
    fails = {"initContainers": [{**image, "name": "check", "volumeMounts": [], "command": ["sh", "-c", "echo no data; exit 4"]}]}
    try:
        world.submit(real_job("beside", BESIDE, template=template), real_job("unready", "echo never", template=fails))
        assert outcomes(world.reaches("beside", "Succeeded")) == [(1, "Succeeded")]
        (pod,) = world.pods("beside")
        assert logs(world, pod["metadata"]["name"]).strip() == "s3cr3t s3cr3t s3cr3t fetched with s3cr3t by beside"
        (login,) = pod["spec"]["imagePullSecrets"]
        assert world.member(MEMBER).get("secret", login["name"], "-n", REMOTE)["type"] == "kubernetes.io/dockerconfigjson"
        said = world.member(MEMBER).items("events", "-n", REMOTE, "--field-selector", f"involvedObject.uid={pod['metadata']['uid']}")
        assert "Started" in {each["reason"] for each in said}
        assert "FailedToRetrieveImagePullSecret" not in {each["reason"] for each in said}
        (attempt,) = world.reaches("unready", "Failed")["attempts"]
        assert (attempt["outcome"], attempt["exitCode"]) == ("AppFailed", 4)
        assert attempt["message"] == "init container check: no data"
    finally:
        tenant.kubectl("delete", "secret", *kinds, "-n", TEAM)


def test_a_job_runs_as_the_user_that_the_offer_lets_and_not_as_root_where_pods_are_restricted(world: World) -> None:
    def runs_as(name: str, user: int) -> dict[str, Any]:
        return real_job(name, "id -u", template={"securityContext": {"runAsUser": user}})

    def let(users: str) -> None:
        patch = f'{{"spec": {{"launch": {{"runAsUser": {users}}}}}}}'
        world.fed.hub.kubectl("patch", "clusteroffer", "east-ondemand", "-n", "prov-east", "--type=merge", "-p", patch)

    world.submit(runs_as("early", 2000))
    assert "user" in world.waits_because("early", "UserNotAllowed")["message"]
    let('{"min": 0, "max": 65535}')
    try:
        world.reaches("early", "Succeeded")
        (pod,) = world.pods("early")
        assert logs(world, pod["metadata"]["name"]).strip() == "2000"
        world.submit(runs_as("root", 0))
        assert "Pod Security" in world.waits_because("root", "PodSecurityViolated")["message"]
    finally:
        let("null")
        world.delete_gone("root")


def test_a_gang_on_two_nodes_finds_itself_by_name(world: World) -> None:
    world.submit(real_job("gang", RENDEZVOUS, count=2, replicas=2))
    status = world.reaches("gang", "Succeeded")
    assert status["remote"]["succeeded"] == 2
    assert nodes_of(world, "gang") == {"a10-1", "a10-2"}
    second = next(pod for pod in world.pods("gang") if pod["metadata"]["labels"]["batch.kubernetes.io/job-completion-index"] == "1")
    # A name that is not known yet is asked for again: the first pod's record may come after the second pod has begun.
    assert logs(world, second["metadata"]["name"]).splitlines()[-1] == "heard: rank 0 of 2"


def test_power_cut_of_a_node_is_told_and_when_it_is_back_the_job_runs_again(world: World, real_parts: Parts) -> None:
    """A shell in the job's container first: it runs, and the API server reaches into it."""
    world.submit(real_job("cut", "echo up; sleep 100000 & wait"))
    world.reaches("cut", "Running")
    (pod,) = world.pods("cut")
    inside = world.member(MEMBER).kubectl("exec", "-n", REMOTE, pod["metadata"]["name"], "--", "sh", "-c", "tr '\\0' ' ' < /proc/1/cmdline")
    assert "sleep 100000" in inside
    (nodes,) = world.fed.federation.real_nodes
    node = next(each for each in nodes.nodes if each.name == pod["spec"]["nodeName"])
    node.cut_power()
    assert node.pid is None
    status = world.until("cut", lambda now: condition(now, "Degraded").get("status") == "True", "it says that its node is lost")
    told = condition(status, "Degraded")
    assert told["reason"] == "NodeUnreachable"
    assert node.name in told["message"]
    assert outcomes(status) == [], "whether it runs nobody knows"
    nodes.start(real_parts, world.fed.federation.kubectl(world.fed.binaries, MEMBER), lambda _: None)
    status = world.until("cut", outcomes, "its first attempt has ended")
    assert outcomes(status) == [(1, "Disrupted")]
    world.until("cut", lambda now: now["phase"] == "Running" and now.get("binding", {}).get("attempt") == 2, "its second attempt runs")
    world.delete_gone("cut")
    wait_for(lambda: not world.pods_of(pod["metadata"]["uid"]), "its pods are gone", seconds=PATIENCE)
