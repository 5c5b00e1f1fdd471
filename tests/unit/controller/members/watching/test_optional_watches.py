"""Optional watches: only those that are allowed, each into its own part of the inventory."""

import msgspec

from sampan.controller.members.watching.optional_watches import cluster_scoped_watches, namespaced_watches
from sampan.inventory.member import Inventory
from sampan.kube.objects import dra, quotas

ALL = frozenset({"resourceslices", "resourceclaims", "clusterqueues", "resourcequotas", "limitranges", "priorityclasses", "localqueues"})


def test_nothing_is_watched_that_is_not_allowed() -> None:
    inventory = Inventory("hub", lambda _: None)
    assert list(cluster_scoped_watches(inventory, frozenset(), lambda _: None)) == []
    assert [name for name, _, _ in namespaced_watches(inventory, {"resourcequotas"}, "jobs", listed=lambda _: None)] == [
        "resourcequotas/jobs"
    ]


def test_every_watch_lists_its_kind_in_its_place() -> None:
    inventory = Inventory("hub", lambda _: None)
    inventory.quotas.found([], kueue="kueue.x-k8s.io/v1beta2")
    feeds = [*cluster_scoped_watches(inventory, ALL, lambda _: None), *namespaced_watches(inventory, ALL, "jobs", listed=lambda _: None)]
    assert {name: what.path.url for name, what, _ in feeds} == {
        "resourceslices": "/apis/resource.k8s.io/v1/resourceslices",
        "resourceclaims": "/apis/resource.k8s.io/v1/resourceclaims",
        "clusterqueues": "/apis/kueue.x-k8s.io/v1beta2/clusterqueues",
        "priorityclasses": "/apis/scheduling.k8s.io/v1/priorityclasses",
        "limitranges/jobs": "/api/v1/namespaces/jobs/limitranges",
        "resourcequotas/jobs": "/api/v1/namespaces/jobs/resourcequotas",
        "localqueues/jobs": "/apis/kueue.x-k8s.io/v1beta2/namespaces/jobs/localqueues",
    }


def test_what_is_heard_lands_in_the_inventory() -> None:
    told: list[frozenset[str]] = []
    inventory = Inventory("hub", told.append)
    inventory.quotas.found([], kueue="kueue.x-k8s.io/v1beta1")
    wide, narrow = cluster_scoped_watches(inventory, ALL, lambda _: None), namespaced_watches(inventory, ALL, "jobs", listed=lambda _: None)
    sinks = {name: sink for name, _, sink in (*wide, *narrow)}
    quota = {"metadata": {"name": "q", "namespace": "jobs"}, "status": {"hard": {"pods": "5"}, "used": {"pods": "2"}}}
    sinks["resourcequotas/jobs"].on_replace([msgspec.convert(quota, quotas.ResourceQuota)], [])
    assert [dict(each.left) for each in inventory.quotas.rules.quotas(())["jobs"]] == [{"pods": 3}]
    piece = {"metadata": {"name": "s"}, "spec": {"driver": "d", "nodeName": "n1", "pool": {"name": "n1"}}}
    sinks["resourceslices"].on_event("ADDED", msgspec.convert(piece, dra.ResourceSlice))
    sinks["resourceslices"].on_event("DELETED", msgspec.convert(piece, dra.ResourceSlice))
    assert told[-1] == frozenset(), "there is no such node yet"
