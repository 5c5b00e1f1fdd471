"""A member as the scheduler sees it: equal to a picture made from nothing, whatever came in which order."""

import json
from collections.abc import Iterable

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from member_objects import HUB, JOB, MEMBER, as_node, as_pod, node_body, pod_body
from sampan.catalog import load
from sampan.inventory.cluster import ClusterView
from sampan.inventory.in_flight import Created, InFlight, usage_of
from sampan.inventory.member import Inventory
from sampan.inventory.namespace_rules import NamespaceRules
from sampan.kube.objects.quotas import ResourceQuota
from sampan.model.members.admission import JOBS
from sampan.model.values.vector import Vector
from sampan.scheduling.capacity.quota_usage import QuotaUse

FLIGHT = InFlight(job_uid=JOB, nodes=(("n1", 2),), per_replica=Vector.of({"nvidia.com/gpu": 4, "pods": 1}))


def flights(cluster: str) -> Iterable[InFlight]:
    return (FLIGHT,) if cluster == MEMBER else ()


def viewed() -> tuple[Inventory, ClusterView]:
    inventory = Inventory(HUB, lambda nodes: view.mark_changed(nodes))  # noqa: PLW0108  there is no view yet
    view = ClusterView(MEMBER, inventory, load())
    return inventory, view


def test_a_flight_and_its_pods_count_once() -> None:
    inventory, view = viewed()
    inventory.put_node(as_node(node_body()))
    assert view.cluster(flights).free("n1")["nvidia.com/gpu"] == 0
    inventory.put_pod(as_pod(pod_body(gpus=4, ours=JOB)))
    assert view.cluster(flights).free("n1")["nvidia.com/gpu"] == 0
    inventory.put_pod(as_pod(pod_body("foreign", gpus=1)))
    assert view.cluster(flights).free("n1")["nvidia.com/gpu"] == -1


def test_flights_are_asked_for_again_only_when_they_changed() -> None:
    asked: list[str] = []

    def none(cluster: str) -> Iterable[InFlight]:
        asked.append(cluster)
        return ()

    inventory, view = viewed()
    inventory.put_node(as_node(node_body()))
    first = view.cluster(none)
    assert view.cluster(none) is first
    assert asked == [MEMBER]
    view.in_flight_changed()
    assert view.cluster(none).nodes is first.nodes
    assert len(asked) == 2


def test_generation_moves_with_nodes_and_not_with_pods() -> None:
    inventory, view = viewed()
    inventory.put_node(as_node(node_body()))
    view.nodes()
    before = view.generation
    inventory.put_pod(as_pod(pod_body()))
    view.nodes()
    assert view.generation == before
    inventory.put_node(as_node(node_body(unschedulable=True)))
    view.nodes()
    assert view.generation == before + 1


def test_an_earlier_picture_never_changes() -> None:
    inventory, view = viewed()
    inventory.put_node(as_node(node_body()))
    before = view.cluster(lambda _: ())
    inventory.drop_node("n1")
    inventory.put_node(as_node(node_body("n2")))
    assert list(before.nodes) == ["n1"]
    assert list(view.cluster(lambda _: ()).nodes) == ["n2"]


def test_another_catalogue_is_taken_for_every_node() -> None:
    inventory, view = viewed()
    inventory.put_node(as_node(node_body()))
    assert view.nodes().devices["n1"][0].accelerator_class == "nvidia-h100-sxm-80gb"
    view.set_catalog(load().__class__())
    assert all(group.accelerator_class is None for group in view.nodes().devices["n1"])


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["node", "gone", "pod", "end", "plan", "over"]),
        st.sampled_from(["n1", "n2"]),
        st.integers(1, 4),
        st.sampled_from(["", JOB]),
    ),
    max_size=20,
)
QUOTA = {
    "metadata": {"name": "q", "namespace": "jobs"},
    "spec": {"hard": {"pods": "9", "count/jobs.batch": "5"}, "scopes": []},
    "status": {"hard": {"pods": "9", "count/jobs.batch": "5"}, "used": {"pods": "1", "count/jobs.batch": "0"}},
}


def planned(job: str, node: str, number: int) -> InFlight:
    """An attempt of which some pods are made; every second one asks for neither CPU nor memory."""
    use = QuotaUse(each={"pods": 1}, once={JOBS: 1}, best_effort=number % 2 == 0)
    return InFlight(
        job_uid=job,
        nodes=((node, number),),
        per_replica=Vector.of({"nvidia.com/gpu": 2, "pods": 1}),
        replicas=number,
        namespace="jobs",
        use=use,
        created=Created(job=True, active=number - 1),
    )


@given(STEPS)
def test_the_kept_picture_equals_one_made_from_nothing(steps: list[tuple[str, str, int, str]]) -> None:
    inventory, view = viewed()
    inventory.quotas.rules.put_quota(msgspec.convert(QUOTA, ResourceQuota))
    attempts = {JOB: FLIGHT}
    for what, node, number, ours in steps:
        match what:
            case "node":
                inventory.put_node(as_node(node_body(node, gpus=number)))
            case "gone":
                inventory.drop_node(node)
            case "pod":
                inventory.put_pod(as_pod(pod_body(f"p{number}", node=node, gpus=number, ours=ours)))
            case "plan":
                attempts[ours or "another"] = planned(ours or "another", node, number)
                view.in_flight_changed()
            case "over":
                attempts.pop(ours or "another", None)
                view.in_flight_changed()
            case _:
                inventory.drop_pod(f"uid-p{number}")
        view.cluster(lambda _: attempts.values())
    kept = view.cluster(lambda _: attempts.values())
    quotas = inventory.quotas.rules
    inventory.quotas.rules = NamespaceRules(lambda: None)
    inventory.quotas.rules.put_quota(msgspec.convert(QUOTA, ResourceQuota))
    fresh = ClusterView(MEMBER, inventory, load()).cluster(lambda _: attempts.values())
    assert (dict(kept.nodes), dict(kept.devices), dict(kept.used)) == (dict(fresh.nodes), dict(fresh.devices), dict(fresh.used))
    assert kept.quotas == fresh.quotas == quotas.quotas(attempts.values())
    assert dict(kept.used) == usage_of(inventory.pods.values(), attempts.values())


def test_layers_of_the_member_are_told_and_hami_by_what_it_publishes() -> None:
    inventory, view = viewed()
    inventory.put_node(as_node(node_body()))
    inventory.quotas.found(["batch.volcano.sh"])
    before = view.generation
    assert view.nodes().queueing == ("Volcano",)
    assert view.generation > before, "launch recipes may depend on it"
    body = node_body()
    cards = [{"id": "GPU-1", "count": 10, "devmem": 24576, "devcore": 100, "type": "NVIDIA-A10", "health": True}]
    body["metadata"]["annotations"] = {"hami.io/node-nvidia-register": json.dumps(cards), "hami.io/node-handshake": "Reported"}
    inventory.put_node(as_node(body))
    assert view.nodes().queueing == ("HAMi", "Volcano")
    assert view.nodes().queueing == ("HAMi", "Volcano")
