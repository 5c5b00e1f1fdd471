"""Tests of sampan.local.objects."""

import base64
from pathlib import Path

from sampan.local import objects
from sampan.local.scenario import load

DEMO = load("demo")


def test_nodes_carry_labels_taints_and_capacity_as_told() -> None:
    nodes = objects.nodes(next(member for member in DEMO.members if member.name == "pengcheng"))
    assert [node["metadata"]["name"] for node in nodes[:4]] == [f"npu-910b3-{number}" for number in (1, 2, 3, 4)]
    first = nodes[0]
    assert first["metadata"]["labels"]["kubernetes.io/arch"] == "arm64"
    assert first["metadata"]["labels"]["kubernetes.io/hostname"] == "npu-910b3-1"
    assert first["status"]["capacity"] == first["status"]["allocatable"]
    assert first["status"]["capacity"]["huawei.com/Ascend910"] == "8"


def test_each_namespace_is_made_once() -> None:
    names = [namespace["metadata"]["name"] for namespace in objects.namespaces(DEMO)]
    assert names == ["prov-lingang", "prov-pengcheng", "prov-kunshan", "team-a"]


def test_a_tenant_edits_its_namespace_and_a_provider_has_only_its_role() -> None:
    bindings = {item["metadata"]["namespace"]: item for item in objects.identities(DEMO) if item["kind"] == "RoleBinding"}
    assert bindings["team-a"]["roleRef"]["name"] == "edit"
    assert bindings["prov-kunshan"]["roleRef"]["name"] == "sampan-provider"
    for namespace, binding in bindings.items():
        assert [subject["namespace"] for subject in binding["subjects"]] == [namespace]


def test_a_provider_is_granted_its_own_namespace_only() -> None:
    providers = {item["metadata"]["name"]: item["spec"] for item in objects.platform(DEMO) if item["kind"] == "Provider"}
    assert {name: spec["namespaces"] for name, spec in providers.items()} == {
        "lingang": ["prov-lingang"],
        "pengcheng": ["prov-pengcheng"],
        "kunshan": ["prov-kunshan"],
    }


def test_an_offer_names_the_secret_that_comes_with_it() -> None:
    offer = DEMO.offers[0]
    secret, made = objects.offer_objects(offer, namespace="prov-lingang", kubeconfig="text")
    reference = made["spec"]["kubeconfigSecretRef"]
    assert reference["name"] == secret["metadata"]["name"] == "lingang-ondemand-kubeconfig"
    assert base64.b64decode(secret["data"][reference["key"]]) == b"text"
    assert {item["metadata"]["namespace"] for item in (secret, made)} == {"prov-lingang"}
    assert made["metadata"]["labels"] == offer.labels


def test_a_node_s_volume_is_a_folder_of_that_node_and_of_the_default_class() -> None:
    kind, volume = objects.volumes({"hub-1": Path("/state/hub-1/volume")})
    assert kind["metadata"]["annotations"]["storageclass.kubernetes.io/is-default-class"] == "true"
    assert volume["spec"]["storageClassName"] == kind["metadata"]["name"]
    assert volume["spec"]["local"] == {"path": "/state/hub-1/volume"}
    (term,) = volume["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"]
    assert term["matchExpressions"][0]["values"] == ["hub-1"]
