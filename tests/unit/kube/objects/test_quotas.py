"""Kueue, quotas and claims on the wire: what is not read is passed over, and absent parts have defaults."""

import msgspec

from sampan.kube.objects.quotas import ApiGroups, ClusterQueue, LocalQueue, ResourceClaim


def test_a_cluster_queue_of_either_spelling_of_the_cohort() -> None:
    body = {"metadata": {"name": "q"}, "spec": {"cohortName": "city", "queueingStrategy": "BestEffortFIFO", "resourceGroups": []}}
    queue = msgspec.convert(body, ClusterQueue)
    assert (queue.spec.cohort_name, queue.spec.cohort, queue.spec.stop_policy) == ("city", "", "None")


def test_absent_parts_have_defaults() -> None:
    assert msgspec.convert({"metadata": {"name": "q"}}, LocalQueue).spec.cluster_queue == ""
    assert msgspec.convert({"metadata": {"name": "c"}, "status": {}}, ResourceClaim).status.allocation is None


def test_group_names_are_read_from_discovery() -> None:
    found = msgspec.convert({"kind": "APIGroupList", "groups": [{"name": "apps", "versions": []}]}, ApiGroups)
    assert [group.name for group in found.groups] == ["apps"]
