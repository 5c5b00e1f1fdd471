"""The shipped objects under a provider's own names."""

import pytest

from sampan.cli.join.objects import IMAGE, NAMESPACE, MemberPlan, Object, member_objects
from sampan.cli.join.server import path_of
from sampan.cli.lib.errors import CliError


def objects(namespace: str = "jobs-of-a", capacity: str = "direct", image: str = "") -> list[Object]:
    return member_objects(MemberPlan(namespace=namespace, capacity=capacity, image=image))


@pytest.mark.parametrize(("capacity", "image"), [("direct", ""), ("published", "registry.example/sampan@sha256:0a")])
def test_no_placeholder_and_nothing_of_helm_is_left(capacity: str, image: str) -> None:
    made = objects(capacity=capacity, image=image)
    text = str(made)
    assert NAMESPACE not in text
    assert IMAGE not in text
    assert "helm.sh" not in text
    assert "'Helm'" not in text
    assert {each["metadata"]["labels"]["app.kubernetes.io/managed-by"] for each in made} == {"sampan-join"}
    if image:
        (deployment,) = (each for each in made if each["kind"] == "Deployment")
        assert deployment["spec"]["template"]["spec"]["containers"][0]["image"] == image
        assert made[0]["metadata"]["name"] == "sampan-member", "the publisher's namespace comes first"


def test_two_namespaces_of_one_cluster_share_no_object() -> None:
    first, second = ({path_of(each) for each in objects(name)} for name in ("jobs-of-a", "jobs-of-b"))
    assert not first & second


def test_what_is_bound_is_there() -> None:
    made = objects()
    there = {(each["kind"], each["metadata"]["name"]) for each in made}
    for each in made:
        if "roleRef" in each:
            assert (each["roleRef"]["kind"], each["roleRef"]["name"]) in there
        if each["kind"] == "ValidatingAdmissionPolicyBinding":
            assert ("ValidatingAdmissionPolicy", each["spec"]["policyName"]) in there


def test_each_namespace_that_is_written_to_is_made_first() -> None:
    for made in (objects(), objects(capacity="published", image="i:1")):
        seen = set()
        for each in made:
            if each["kind"] == "Namespace":
                seen.add(each["metadata"]["name"])
            assert each["metadata"].get("namespace") in (None, *seen)


def test_published_capacity_needs_an_image() -> None:
    with pytest.raises(CliError, match="--publisher-image is missing") as caught:
        objects(capacity="published")
    assert caught.value.exit_code == 2
