"""What the API says of itself is what an aggregator and kubectl read."""

from sampan.controller.query import documents


def test_group_version_and_resources_agree() -> None:
    (listed,) = documents.group_list()["groups"]
    assert listed["name"] == documents.group()["name"] == "query.sampan.dev"
    assert documents.group()["preferredVersion"] in documents.group()["versions"]
    resources = documents.resource_list()
    assert resources["groupVersion"] == documents.group()["preferredVersion"]["groupVersion"] == "query.sampan.dev/v1alpha1"
    assert all(each["namespaced"] for each in resources["resources"])
    served = {each["name"]: (each["kind"], each["verbs"]) for each in resources["resources"]}
    assert served == {
        "computejobs/attach": ("PodAttachOptions", ["get", "create"]),
        "computejobs/exec": ("PodExecOptions", ["get", "create"]),
        "computejobs/log": ("ComputeJob", ["get"]),
        "computejobs/portforward": ("PodPortForwardOptions", ["get", "create"]),
        "explanations": ("Explanation", ["get"]),
        "pools": ("PoolAnswer", ["list"]),
        "quotes": ("Quote", ["create"]),
    }


def test_openapi_documents_are_of_their_versions() -> None:
    assert documents.openapi_v2()["swagger"] == "2.0"
    assert documents.openapi_v3() == {"paths": {}}


def test_a_failure_is_a_status() -> None:
    told = documents.failure(429, "slow down")
    assert (told["kind"], told["status"], told["reason"], told["code"]) == ("Status", "Failure", "TooManyRequests", 429)
