"""A RuntimeClass as an API server gives it: with overhead and scheduling, or without."""

import msgspec

from sampan.kube.objects.runtime_class import RuntimeClass

KATA = {
    "apiVersion": "node.k8s.io/v1",
    "kind": "RuntimeClass",
    "metadata": {"name": "kata", "uid": "u"},
    "handler": "kata",
    "overhead": {"podFixed": {"cpu": "250m", "memory": "2Gi"}},
    "scheduling": {"nodeSelector": {"kata": "yes"}, "tolerations": [{"key": "kata", "operator": "Exists", "effect": "NoSchedule"}]},
}


def test_what_it_adds_and_selects_is_read() -> None:
    kata = msgspec.convert(KATA, RuntimeClass)
    assert (kata.metadata.name, kata.overhead.pod_fixed["memory"]) == ("kata", "2Gi")
    assert (kata.scheduling.node_selector, kata.scheduling.tolerations[0].operator) == ({"kata": "yes"}, "Exists")


def test_one_that_adds_nothing() -> None:
    plain = msgspec.convert({"metadata": {"name": "nvidia"}, "handler": "nvidia"}, RuntimeClass)
    assert (plain.overhead.pod_fixed, plain.scheduling.node_selector) == ({}, {})
