"""What travels beside the Job: bodies, owners, and what must not travel."""

from dataclasses import replace

import pytest

from remote_content import content
from remote_specs import CASES, cpu_only, dra, gang, isolated_gang, one_gpu, remote_spec, volumes
from sampan.api.launch.dependents import RESOURCE_API, Payload, dependents, owned
from sampan.api.launch.manifest import job_manifest
from sampan.api.launch.travelling import DOCKER_CONFIG


def test_gang_gets_a_headless_service_that_resolves_before_ready() -> None:
    service = dependents(gang(), content(gang()))[0]
    assert (service.resource, service.name) == ("services", gang().service)
    assert service.body["spec"]["clusterIP"] == "None"
    assert service.body["spec"]["publishNotReadyAddresses"] is True


def test_service_selects_the_pods_of_this_attempt() -> None:
    c = gang()
    selector = dependents(c, content(c))[0].body["spec"]["selector"]
    assert selector.items() <= job_manifest(c)["spec"]["template"]["metadata"]["labels"].items()
    assert {"sampan.dev/job-uid", "sampan.dev/attempt"} <= set(selector)


def test_a_gang_opens_itself_to_its_own_pods_where_nobody_else_may_reach_them() -> None:
    c = isolated_gang()
    service, policy, *_ = dependents(c, content(c))
    own = {"podSelector": {"matchLabels": {"sampan.dev/hub": c.hub_id, "sampan.dev/job-uid": c.job_uid}}}
    assert (policy.resource, policy.name) == ("networkpolicies", service.name)
    assert policy.body["spec"] == {**own, "policyTypes": ["Ingress"], "ingress": [{"from": [own]}]}


def test_no_policy_is_made_where_there_is_nobody_to_reach_or_nothing_in_the_way() -> None:
    for c in (gang(), replace(one_gpu(), isolated=True)):
        assert "networkpolicies" not in {each.resource for each in dependents(c, content(c))}


def test_each_pod_claims_as_many_devices_as_a_replica_needs() -> None:
    (template,) = dependents(dra(), {})
    assert (template.resource, template.api_version, template.body["apiVersion"]) == ("resourceclaimtemplates", *[RESOURCE_API] * 2)
    (request,) = template.body["spec"]["spec"]["devices"]["requests"]
    assert request["exactly"]["count"] == 2
    assert request["exactly"]["deviceClassName"] == "gpu.nvidia.com"
    assert "H100" in request["exactly"]["selectors"][0]["cel"]["expression"]
    assert template.body["spec"]["metadata"]["labels"] == dra().labels, "the claims made from it are ours to see"


def test_content_travels_whole_and_cannot_change() -> None:
    config_map = next(d for d in dependents(gang(), content(gang())) if d.resource == "configmaps")
    assert config_map.body["data"] == {"train.yaml": "lr: 1e-4\n"}
    assert config_map.body["binaryData"] == {"vocab.bin": "AAEC"}
    assert config_map.body["immutable"] is True
    secret = next(d for d in dependents(volumes(), content(volumes())) if d.resource == "secrets")
    assert secret.body["data"] == {"token": "Y2FuYXJ5LXNlY3JldA=="}
    assert (secret.body["immutable"], secret.body["type"]) == (True, "Opaque")


@pytest.mark.parametrize("name", CASES)
def test_dependents_are_named_as_the_pods_call_them(name: str) -> None:
    c = CASES[name]
    made = {d.name for d in dependents(c, content(c))}
    spec = job_manifest(c)["spec"]["template"]["spec"]
    used = {v.get("configMap", {}).get("name") or v.get("secret", {}).get("secretName") for v in spec.get("volumes", ())} - {None}
    for container in (*spec["containers"], *spec.get("initContainers", ())):
        sources = [each["valueFrom"] for each in container["env"] if "valueFrom" in each] + container.get("envFrom", [])
        used |= {ref["name"] for each in sources for ref in each.values() if isinstance(ref, dict) and "name" in ref}
    used |= {each["name"] for each in spec.get("imagePullSecrets", ())} - set(c.image_pull_secrets)
    claimed = {claim["resourceClaimTemplateName"] for claim in spec.get("resourceClaims", ())}
    assert made == used | claimed | ({spec["subdomain"]} if "subdomain" in spec else set())
    assert bool(made) is c.has_dependents


def test_labels_are_the_jobs_and_nothing_of_the_tenant() -> None:
    for dependent in dependents(gang(), content(gang())):
        assert set(dependent.body["metadata"]) == {"name", "namespace", "labels"}
        assert dependent.body["metadata"]["labels"] == gang().labels


def test_owner_is_the_members_job_and_its_delete_waits() -> None:
    dependent = dependents(gang(), content(gang()))[0]
    (owner,) = owned(dependent, owner_name="sj-x", owner_uid="u-1")["metadata"]["ownerReferences"]
    assert owner == {"apiVersion": "batch/v1", "kind": "Job", "name": "sj-x", "uid": "u-1", "controller": True}
    assert "ownerReferences" not in dependent.body["metadata"]


def test_what_may_be_lacking_and_is_has_no_copy() -> None:
    assert [d.resource for d in dependents(gang(), {})] == ["services"]


def test_of_an_object_only_the_keys_travel_that_the_job_names() -> None:
    env = [{"name": "T", "valueFrom": {"secretKeyRef": {"name": "s", "key": "token"}}}]
    c = remote_spec({"template": {"image": "a:1", "env": env, "imagePullSecrets": [{"name": "r"}]}})
    login = {DOCKER_CONFIG: "e30="}
    given = {each: Payload(data={"token": "dA==", "other": "eA=="} if each.name == "s" else login) for each in c.travelling}
    token, registry = dependents(c, given)
    assert (token.body["data"], token.body["type"]) == ({"token": "dA=="}, "Opaque")
    assert (registry.body["data"], registry.body["type"]) == (login, "kubernetes.io/dockerconfigjson")


def test_nothing_for_a_job_that_needs_nothing() -> None:
    assert dependents(cpu_only(), content(gang())) == ()


def test_secret_content_shows_in_no_repr() -> None:
    canary = "Y2FuYXJ5LXNlY3JldA=="
    assert canary not in repr(dependents(volumes(), content(volumes())))
    assert canary not in repr(Payload(data={"token": canary}))
