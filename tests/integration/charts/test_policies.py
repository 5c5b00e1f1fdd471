"""The hub's admission policies on a real API server: the finalizer stays until the operator takes it off, metadata and content are guarded.

Each case is tried with the token of the identity that would try it. Rows named are those of the bad-input catalogue.
"""

import json
from typing import Any

import pytest
from kubernetes import client
from kubernetes.client.exceptions import ApiException

from integration.charts.conftest import install_hub
from integration.charts.support import (
    FINALIZER,
    GROUP,
    PROVIDER_NS,
    TENANT_NS,
    VERSION,
    Hub,
    create,
    custom,
    job,
    offer,
    patch,
    patch_status,
)
from integration.support import wait_for

pytestmark = pytest.mark.integration


def refusal(call: Any, *arguments: Any) -> str:
    """The server's words for a refused call; fails when it is allowed."""
    with pytest.raises(ApiException) as refused:
        call(*arguments)
    assert refused.value.status in (403, 422), refused.value.body
    return str(refused.value.body)


def allowed(call: Any, *arguments: Any) -> bool:
    """Tell whether the server carries the call out."""
    try:
        call(*arguments)
    except ApiException:
        return False
    return True


def finalizers(hub: Hub, body: dict[str, Any]) -> list[str]:
    plural, meta = f"{body['kind'].lower()}s", body["metadata"]
    found = custom(hub.admin).get_namespaced_custom_object(GROUP, VERSION, meta["namespace"], plural, meta["name"])
    return list(found["metadata"].get("finalizers", []))


def test_policies_have_no_type_errors(hub: Hub) -> None:
    for policy in client.AdmissionregistrationV1Api(hub.admin).list_validating_admission_policy().items:
        if policy.metadata.name.endswith("sampan.dev"):
            checked = policy.status.type_checking if policy.status else None
            assert not (checked and checked.expression_warnings), policy.metadata.name


@pytest.mark.parametrize("body", [job("fin-job"), offer("fin-offer")], ids=["ComputeJob", "ClusterOffer"])
def test_a_living_object_never_loses_its_finalizer(hub: Hub, body: dict[str, Any]) -> None:
    api, plural, meta = hub.admin, f"{body['kind'].lower()}s", body["metadata"]
    create(api, body)
    assert finalizers(hub, body) == [FINALIZER]
    patch(api, body, {"metadata": {"finalizers": None}})
    assert finalizers(hub, body) == [FINALIZER], "after a patch"
    found = custom(api).get_namespaced_custom_object(GROUP, VERSION, meta["namespace"], plural, meta["name"])
    found["metadata"]["finalizers"] = []
    custom(api).replace_namespaced_custom_object(GROUP, VERSION, meta["namespace"], plural, meta["name"], found)
    assert finalizers(hub, body) == [FINALIZER], "after kubectl replace"
    patch(api, body, {"metadata": {"labels": {"tier": "gold"}}})
    assert finalizers(hub, body) == [FINALIZER], "never twice"


def notes(hub: Hub, name: str) -> list[dict[str, str]]:
    """Who is noted as a writer of a job's fields."""
    found = custom(hub.admin).get_namespaced_custom_object(GROUP, VERSION, TENANT_NS, "computejobs", name)
    return [{"manager": each["manager"], "operation": each["operation"]} for each in found["metadata"].get("managedFields", [])]


def applied(hub: Hub, body: dict[str, Any], *flags: str) -> None:
    """Have a file applied by the server, as a pipeline does."""
    hub.api.kubectl("apply", "--server-side", "--field-manager=pipeline", *flags, "-f", "-", input=json.dumps(body))


def test_nobody_is_noted_as_writer_of_a_jobs_fields(hub: Hub) -> None:
    body = job("unnoted")
    create(hub.tenant(), body)
    patch_status(hub.operator(), body, {"phase": "Bound"})
    patch(hub.tenant(), body, {"spec": {"priority": 3}})
    assert notes(hub, "unnoted") == []
    body["spec"]["priority"] = 4
    applied(hub, body, "--force-conflicts")
    assert {"manager": "pipeline", "operation": "Apply"} in notes(hub, "unnoted"), "whoever applies later is noted from then on"


def test_who_applies_a_job_stays_noted_and_may_change_it(hub: Hub) -> None:
    body = job("noted")
    applied(hub, body)
    body["spec"]["priority"] = 4
    applied(hub, body)
    assert notes(hub, "noted") == [{"manager": "pipeline", "operation": "Apply"}]
    created = offer("noted-offer")
    assert create(hub.admin, created)["metadata"]["managedFields"], "offers keep theirs"


def test_a_dying_job_waits_for_the_operator_and_nobody_else(hub: Hub) -> None:
    body = job("dying")
    tenant, operator = hub.tenant(), hub.operator()
    create(tenant, body)
    custom(tenant).delete_namespaced_custom_object(GROUP, VERSION, TENANT_NS, "computejobs", "dying")
    for who in (tenant, hub.admin):
        assert "only the operator takes" in refusal(patch, who, body, {"metadata": {"finalizers": None}})
    force = client.V1DeleteOptions(grace_period_seconds=0, propagation_policy="Background")
    custom(tenant).delete_namespaced_custom_object(GROUP, VERSION, TENANT_NS, "computejobs", "dying", body=force)
    assert finalizers(hub, body) == [FINALIZER], "after a forced delete"
    patch(tenant, body, {"metadata": {"annotations": {"note": "still editable"}}})
    patch_status(operator, body, {"phase": "Failed"})
    patch(operator, body, {"metadata": {"finalizers": None}})
    with pytest.raises(ApiException) as gone:
        custom(tenant).get_namespaced_custom_object(GROUP, VERSION, TENANT_NS, "computejobs", "dying")
    assert gone.value.status == 404


def test_row_37_a_status_sent_at_create_is_ignored(hub: Hub) -> None:
    made = create(hub.tenant(), job("forged") | {"status": {"phase": "Succeeded"}})
    assert made.get("status", {}).get("phase") != "Succeeded"
    assert "cannot patch resource" in refusal(patch_status, hub.tenant(), job("forged"), {"phase": "Succeeded"})


OWNER = {"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "11111111-2222-3333-4444-555555555555"}
METADATA = {
    "row 38, foreign finalizer": ({"finalizers": ["evil.example/wedge"]}, "only sampan.dev/remote-cleanup may be here"),
    "row 38, forged finalizer of ours": ({"finalizers": ["sampan.dev/other"]}, "only sampan.dev/remote-cleanup may be here"),
    "row 39, label": ({"labels": {"sampan.dev/job-uid": "x"}}, "the prefix sampan.dev/ is reserved"),
    "row 39, label of a sub-domain": ({"labels": {"local.sampan.dev/lost": "true"}}, "the prefix sampan.dev/ is reserved"),
    "row 39, annotation": ({"annotations": {"sampan.dev/job": "x"}}, "the prefix sampan.dev/ is reserved"),
    "row 40, owner": ({"ownerReferences": [OWNER]}, "metadata.ownerReferences"),
}


@pytest.mark.parametrize(("metadata", "want"), METADATA.values(), ids=METADATA.keys())
@pytest.mark.parametrize("verb", ["create", "update"])
def test_guarded_metadata(hub: Hub, verb: str, metadata: dict[str, Any], want: str) -> None:
    if verb == "create":
        assert want in refusal(create, hub.tenant(), job("guarded", **metadata))
        assert want in refusal(create, hub.admin, offer("guarded", **metadata))
        return
    body = job("guarded-update")
    if not custom(hub.admin).list_namespaced_custom_object(
        GROUP, VERSION, TENANT_NS, "computejobs", field_selector="metadata.name=guarded-update"
    )["items"]:
        create(hub.tenant(), body)
    assert want in refusal(patch, hub.tenant(), body, {"metadata": metadata})


def test_metadata_of_ones_own_is_free(hub: Hub) -> None:
    body = job("free", labels={"notsampan.dev/x": "y", "app": "z"}, annotations={"example.org/sampan.dev": "x"}, finalizers=[FINALIZER])
    create(hub.tenant(), body)
    patch(hub.operator(), body, {"metadata": {"labels": {"sampan.dev/attempt": "1"}}})
    patch(hub.tenant(), body, {"metadata": {"labels": {"app": "y"}}})
    for change in ({"sampan.dev/attempt": None}, {"sampan.dev/attempt": "2"}):
        assert "reserved" in refusal(patch, hub.tenant(), body, {"metadata": {"labels": change}})


def ways_to_carry(secret: str) -> list[dict[str, Any]]:
    """Every place of a spec that can name a Secret."""
    variable = {"env": [{"name": "S", "valueFrom": {"secretKeyRef": {"name": secret, "key": "k"}}}]}
    whole = {"envFrom": [{"configMapRef": {"name": "harmless"}}, {"secretRef": {"name": secret}}]}
    init = {"name": "first", "image": "registry.example/first:1"}
    way = {"accelerator": {"stack": "cuda", "count": 1}}
    templates: list[dict[str, Any]] = [
        {"volumes": [{"name": "s", "secret": {"secretName": secret}}]},
        {"imagePullSecrets": [{"name": secret}]},
        variable,
        whole,
        {"initContainers": [{**init, **variable}]},
        {"initContainers": [{**init, **whole}]},
    ]
    return [{"template": template} for template in templates] + [{"template": {}, "alternatives": [way, {**way, **variable}]}]


def with_secret(name: str, namespace: str, carried: dict[str, Any]) -> dict[str, Any]:
    body = job(name)
    body["metadata"]["namespace"] = namespace
    body["spec"] = {**body["spec"], **carried, "template": {**body["spec"]["template"], **carried["template"]}}
    return body


def test_row_28_no_job_carries_a_kubeconfig_secret(hub: Hub) -> None:
    for secret in ("kubeconfig", "lingang-kubeconfig", "a.kubeconfig"):
        for carried in ways_to_carry(secret):
            assert "kubeconfig Secret" in refusal(create, hub.tenant(), with_secret("thief", TENANT_NS, carried))
    for number, carried in enumerate(ways_to_carry("harmless")):
        assert "provider's namespace" in refusal(create, hub.admin, with_secret("thief", PROVIDER_NS, carried))
        create(hub.tenant(), with_secret(f"honest-{number}", TENANT_NS, carried))


def test_rows_22_and_23_images(hub: Hub) -> None:
    old, tagged, foreign = job("old-image"), job("tagged"), job("foreign")
    old["spec"]["template"]["image"] = tagged["spec"]["template"]["image"] = "registry.example/sleep:latest"
    foreign["spec"]["template"]["image"] = "registry.examples/sleep@sha256:" + "0" * 64
    sneaky = job("sneaky")
    sneaky["spec"]["alternatives"] = [{"accelerator": {"stack": "cuda", "count": 1}, "image": "registry.example/sleep:latest"}]
    create(hub.tenant(), old)
    install_hub(hub, **{"images.requireDigest": True, "images.allowedRegistries": ["registry.example"]})
    try:
        wait_refused(hub, tagged, "by digest")
        assert "must come from registry.example" in refusal(create, hub.tenant(), foreign)
        assert "by digest" in refusal(create, hub.tenant(), sneaky)
        create(hub.tenant(), job("by-digest"))
        patch(hub.tenant(), old, {"spec": {"suspend": True}})
    finally:
        install_hub(hub)


def wait_refused(hub: Hub, body: dict[str, Any], want: str) -> None:
    """An API server takes a moment to see a changed policy: try until it refuses."""

    def refused() -> bool:
        body["metadata"]["name"] += "x"
        return not allowed(create, hub.tenant(), body)

    wait_for(refused, "the changed policy", every=0.2)
    assert want in refusal(create, hub.tenant(), body)


def test_a_trusted_controller_may_own_jobs(hub: Hub) -> None:
    install_hub(hub, **{"policies.trustedUsers": [f"system:serviceaccount:{TENANT_NS}:tenant"]})
    try:
        wait_for(lambda: allowed(create, hub.tenant(), job("owned", finalizers=["workflow.example/owned"])), "the trusted user", every=0.2)
        assert sorted(finalizers(hub, job("owned"))) == [FINALIZER, "workflow.example/owned"]
    finally:
        patch(hub.tenant(), job("owned"), {"metadata": {"finalizers": [FINALIZER]}})
        install_hub(hub)
