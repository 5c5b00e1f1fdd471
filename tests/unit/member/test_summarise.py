"""Pods added up hold what they held one by one, and tell nothing of whose they are."""

from hypothesis import given
from hypothesis import strategies as st

from member_objects import HUB, JOB, as_node, as_pod, node_body, pod_body
from sampan.inventory.member import to_node
from sampan.kube.objects.requests import request_of
from sampan.kube.objects.workloads import Pod
from sampan.member.publisher import PublisherSettings
from sampan.member.summarise import summarise_pods, trim_node, trim_pod
from sampan.model.values.names import LABEL_HUB
from sampan.model.values.vector import Vector

PODS = st.lists(
    st.builds(
        lambda node, gpus, phase, place, ours: (node, gpus, phase, place, ours),
        st.sampled_from(["n1", "n2", ""]),
        st.integers(0, 4),
        st.sampled_from(["Running", "Running", "Pending", "Succeeded", "Failed"]),
        st.sampled_from(["default", "sampan-jobs"]),
        st.booleans(),
    ),
    max_size=12,
)


def made(rows: list[tuple[str, int, str, str, bool]]) -> list[Pod]:
    return [
        as_pod(pod_body(f"p{i}", node=node, gpus=gpus, phase=phase, namespace=place, ours=JOB if ours else ""))
        for i, (node, gpus, phase, place, ours) in enumerate(rows)
    ]


@given(PODS)
def test_nothing_is_lost_and_nothing_added_on_any_node(rows: list[tuple[str, int, str, str, bool]]) -> None:
    pods = made(rows)
    live = [pod for pod in pods if pod.status.phase not in ("Succeeded", "Failed")]
    told = summarise_pods(pods, namespaces=["sampan-jobs"])
    for node in ("n1", "n2", ""):
        for hub in (HUB, ""):
            here = [
                p
                for p in live
                if p.spec.node_name == node
                and (p.metadata.labels.get(LABEL_HUB, "") if p.metadata.namespace == "sampan-jobs" else "") == hub
            ]
            want = Vector.total(request_of(p) for p in here)
            got = [p for p in told if p.spec.node_name == node and p.metadata.labels.get(LABEL_HUB, "") == hub]
            assert Vector.total(request_of(p) for p in got) == want


@given(PODS)
def test_a_summary_names_no_pod(rows: list[tuple[str, int, str, str, bool]]) -> None:
    for pod in summarise_pods(made(rows), namespaces=["sampan-jobs"]):
        assert (pod.metadata.name, pod.metadata.namespace) == ("", "")
        assert set(pod.metadata.labels) <= {LABEL_HUB}


def test_a_label_alone_makes_no_pod_a_hubs() -> None:
    pod = as_pod(pod_body(ours=JOB, namespace="elsewhere"))
    assert [p.metadata.labels for p in summarise_pods([pod], namespaces=["sampan-jobs"])] == [{}]


def test_pods_in_a_tenants_namespace_are_the_hubs_like_those_in_the_shared_one() -> None:
    settings = PublisherSettings(namespace="sampan-jobs", tenant_namespaces=("sampan-jobs-team-a",))
    pod = as_pod(pod_body(ours=JOB, namespace="sampan-jobs-team-a"))
    assert [p.metadata.labels for p in summarise_pods([pod], namespaces=settings.job_namespaces)] == [{LABEL_HUB: HUB}]


def test_pods_whose_cards_are_told_stay_single() -> None:
    bodies = [pod_body(name) for name in ("a", "b", "c")]
    for body in bodies[:2]:
        body["metadata"]["annotations"] = {"huawei.com/AscendReal": "Ascend910-1", "note": "private"}
    told = summarise_pods([as_pod(body) for body in bodies], namespaces=["sampan-jobs"])
    assert [pod.metadata.uid for pod in told] == ["uid-a", "uid-b", "fold/n1/"]
    assert told[0].metadata.annotations == {"huawei.com/AscendReal": "Ascend910-1"}


def test_a_node_keeps_what_tells_its_devices_only() -> None:
    body = node_body(unschedulable=True)
    body["metadata"]["annotations"] = {"hami.io/node-nvidia-register": "[]", "kubectl.kubernetes.io/last-applied-configuration": "{}"}
    body["status"]["conditions"].append({"type": "MemoryPressure", "status": "False", "message": "fine"})
    node = trim_node(as_node(body))
    assert list(node.metadata.annotations) == ["hami.io/node-nvidia-register"]
    assert (node.spec.unschedulable, [c.type for c in node.status.conditions], node.metadata.uid) == (True, ["Ready"], "")


def test_a_node_of_a_summary_is_told_as_the_node_itself() -> None:
    """A node whose devices are all held back is no CPU node for a hub that reads only summaries either."""
    body = node_body()
    body["status"] |= {"allocatable": {"cpu": "8", "nvidia.com/gpu": "0"}, "capacity": {"cpu": "8", "nvidia.com/gpu": "8"}}
    whole, bare = to_node(as_node(body)), to_node(trim_node(as_node(body)))
    assert bare.capacity == whole.capacity == Vector.of({"nvidia.com/gpu": 8})


def test_what_a_resized_container_holds_is_told() -> None:
    body = pod_body(gpus=0)
    body["status"]["containerStatuses"] = [
        {"name": body["spec"]["containers"][0].setdefault("name", "c"), "ready": True, "allocatedResources": {"cpu": "40"}}
    ]
    pod = as_pod(body)
    assert request_of(trim_pod(pod))["cpu"] == request_of(pod)["cpu"] == 40000
    assert not trim_pod(pod).status.container_statuses[0].ready
