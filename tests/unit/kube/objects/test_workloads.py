"""Nodes, pods and Jobs, as members write them."""

import pytest

from sampan.kube.errors import BadReply
from sampan.kube.objects.workloads import Job, Node, Pod
from sampan.kube.transport.wire import decode


def test_reads_a_node() -> None:
    got = decode(
        b"""{"metadata":{"name":"n1"},"spec":{"unschedulable":true,"taints":[{"key":"k","effect":"NoSchedule"}]},
        "status":{"allocatable":{"cpu":"8","nvidia.com/gpu":"8"},"conditions":[{"type":"Ready","status":"True","lastHeartbeatTime":null}],
        "nodeInfo":{"architecture":"amd64"}}}""",
        Node,
    )
    assert got.spec.unschedulable
    assert (got.spec.taints[0].effect, got.status.allocatable["nvidia.com/gpu"]) == ("NoSchedule", "8")
    assert (got.status.node_info.architecture, got.status.conditions[0].status) == ("amd64", "True")


def test_reads_a_pod() -> None:
    got = decode(
        b"""{"spec":{"nodeName":"n1","overhead":{"cpu":"1"},"resources":{"requests":{"cpu":"2"}},
        "containers":[{"name":"m","resources":{"requests":{"cpu":"1"}}}],
        "initContainers":[{"name":"i","restartPolicy":"Always"}]},
        "status":{"phase":"Failed","reason":"Evicted","containerStatuses":[{"name":"m","restartCount":1,
          "state":{"terminated":{"exitCode":3,"reason":"Error","message":"boom"}},"lastState":{"waiting":{"reason":"x"}}}]}}""",
        Pod,
    )
    ended = got.status.container_statuses[0].state.terminated
    assert ended is not None
    assert (ended.exit_code, ended.message) == (3, "boom")
    assert got.spec.resources is not None
    assert (got.spec.init_containers[0].restart_policy, got.spec.resources.requests) == ("Always", {"cpu": "2"})


def test_reads_a_job() -> None:
    got = decode(
        b"""{"spec":{"parallelism":4,"completions":4,"suspend":true,"template":{"spec":{"affinity":{"nodeAffinity":{
        "preferredDuringSchedulingIgnoredDuringExecution":[{"weight":1,"preference":{"matchExpressions":[
        {"key":"kubernetes.io/hostname","operator":"In","values":["n1"]}]}}]}}}}},
        "status":{"active":1,"ready":0,"failedIndexes":"0-3","startTime":"t","conditions":[{"type":"Failed","status":"True"}]}}""",
        Job,
    )
    assert got.spec.template.spec.affinity.node_affinity.preferred[0].preference.match_expressions[0].values == ["n1"]
    assert (got.spec.parallelism, got.spec.suspend, got.spec.backoff_limit_per_index) == (4, True, None)
    assert (got.status.active, got.status.failed_indexes, got.status.completion_time) == (1, "0-3", None)


@pytest.mark.parametrize("kind", [Node, Pod, Job])
def test_nothing_is_required(kind: type[object]) -> None:
    assert decode(b'{"spec":{},"status":{}}', kind) == kind()


@pytest.mark.parametrize("status", [b'{"active":-1}', b'{"active":"1"}', b'{"failed":99999999999}', b'{"ready":1.5}', b"[]"])
def test_nonsense_is_unreadable_and_not_quoted(status: bytes) -> None:
    with pytest.raises(BadReply, match=r"\$\.status") as caught:
        decode(b'{"status":' + status + b"}", Job)
    assert "99999999999" not in str(caught.value)
