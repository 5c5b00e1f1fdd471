"""Each pod of a member comes by exactly one watch, and what one watch lists takes nothing from another's."""

from dataclasses import dataclass

import pytest

from member_objects import HUB, JOB, as_node, as_pod, node_body, pod_body
from sampan.controller.members.job_copies import JobCopies
from sampan.controller.members.published import PublishedCapacity
from sampan.controller.members.watching.core_watches import namespace_pods_watch, pods_watch
from sampan.controller.members.watching.sink import PlannedWatch
from sampan.inventory.member import Inventory
from sampan.kube.objects.workloads import Pod
from sampan.model.values.names import LABEL_HUB

OURS = ("jobs-a", "jobs-b")


@dataclass
class Member:
    """What its watches fill."""

    inventory: Inventory
    copies: JobCopies

    @property
    def watches(self) -> list[PlannedWatch]:
        apart = [namespace_pods_watch(self.copies, name, print, inventory=self.inventory, published=None) for name in OURS]
        return [pods_watch(self.inventory, OURS, print), *apart]


@pytest.fixture
def member() -> Member:
    made = Member(Inventory(HUB, lambda nodes: None), JobCopies(HUB, lambda uid: None))
    made.inventory.put_node(as_node(node_body()))
    return made


def shows(watch: PlannedWatch, pod: Pod) -> bool:
    """Tell whether an API server sends a pod by a watch."""
    _, what, _ = watch
    wanted = dict(part.split("=") for part in what.label_selector.split(",") if part)
    kept_out = dict.fromkeys(part.removeprefix("metadata.namespace!=") for part in what.field_selector.split(",") if "namespace" in part)
    covered = what.path.namespace in (None, pod.metadata.namespace) and pod.metadata.namespace not in kept_out
    return covered and wanted.items() <= pod.metadata.labels.items()


@pytest.mark.parametrize("namespace", [*OURS, "elsewhere"])
@pytest.mark.parametrize("ours", [JOB, ""])
def test_a_pod_is_sent_and_decoded_once(member: Member, namespace: str, ours: str) -> None:
    pod = as_pod(pod_body(namespace=namespace, ours=ours))
    (watch,) = (watch for watch in member.watches if shows(watch, pod))
    _, _, sink = watch
    sink.on_event("ADDED", pod)
    assert list(member.inventory.pods) == [pod.metadata.uid], "it uses its node, whoever it belongs to"
    assert list(member.copies.pods.by_job) == ([JOB] if ours and namespace in OURS else [])
    sink.on_event("DELETED", pod)
    assert not member.inventory.pods
    assert not member.copies.pods.by_job


def test_a_full_list_of_one_watch_leaves_the_pods_of_the_others(member: Member) -> None:
    pods = {name: as_pod(pod_body(name, namespace=name, ours=JOB)) for name in (*OURS, "elsewhere")}
    for pod in pods.values():
        for _, _, sink in (watch for watch in member.watches if shows(watch, pod)):
            sink.on_replace([pod], [])
    uids = {name: pod.metadata.uid for name, pod in pods.items()}
    assert set(member.inventory.pods) == set(uids.values())
    for number, name in enumerate(("elsewhere", *OURS), 1):
        _, _, sink = member.watches[number - 1]
        sink.on_replace([], [])
        del uids[name]
        assert set(member.inventory.pods) == set(uids.values())


def test_foreign_pods_that_wait_for_a_node_are_kept_by_namespace_too(member: Member) -> None:
    everywhere, first, _ = (sink for _, _, sink in member.watches)
    body = pod_body("waits", namespace="jobs-a")
    body["spec"].pop("nodeName")
    first.on_replace([as_pod(body)], [])
    everywhere.on_replace([], [])
    assert list(member.inventory.waiting) == [as_pod(body).metadata.uid]
    first.on_replace([], [])
    assert not member.inventory.waiting


def test_a_member_that_publishes_its_capacity_is_asked_for_our_pods_alone(member: Member) -> None:
    published = PublishedCapacity(member.inventory, hub_id=HUB, namespace="jobs-a", clock=lambda: 0.0)
    _, what, _ = namespace_pods_watch(member.copies, "jobs-a", print, inventory=member.inventory, published=published)
    assert what.label_selector == f"{LABEL_HUB}={HUB}"
