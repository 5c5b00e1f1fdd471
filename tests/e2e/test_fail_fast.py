"""What cannot start ends after its grace, with the member's own words; here the operator has a grace of seconds."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from e2e.life import ASCEND, H100, REMOTE, TEAM, World, condition, job, outcomes
from integration.support import wait_for

POLICY = "no-such-pods"
WORDS = "images of registry.denied are not for this cluster"


def denying() -> tuple[dict[str, Any], dict[str, Any]]:
    """A policy that refuses pods, not Jobs, with an image of one registry."""
    group = "admissionregistration.k8s.io/v1"
    spec = {
        "failurePolicy": "Fail",
        "matchConstraints": {
            "resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]
        },
        "validations": [{"expression": "object.spec.containers.all(c, !c.image.startsWith('registry.denied/'))", "message": WORDS}],
    }
    return (
        {"apiVersion": group, "kind": "ValidatingAdmissionPolicy", "metadata": {"name": POLICY}, "spec": spec},
        {
            "apiVersion": group,
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": POLICY},
            "spec": {"policyName": POLICY, "validationActions": ["Deny"]},
        },
    )


@pytest.fixture(scope="module")
def hasty(world: World) -> Iterator[World]:
    """The operator with a grace of five seconds, and members that deny some pods; afterwards all is as it was."""
    operator, names = world.fed.operator, sorted(world.fed.members)
    for name in names:
        world.member(name).apply(*denying())
    operator.stop()
    operator.start({"SAMPAN_START_GRACE": "5", "SAMPAN_COOLDOWN": "1"})
    operator.wait_ready()
    yield world
    world.clear()
    for name in names:
        world.member(name).kubectl("delete", "validatingadmissionpolicy,validatingadmissionpolicybinding", POLICY)
    operator.stop()
    operator.start()
    operator.wait_ready()


def test_what_cannot_start_anywhere_ends_the_job_and_frees_its_devices(hasty: World) -> None:
    missing, denied = {"image": "registry.example/does-not-exist:1"}, {"image": "registry.denied/tool:1"}
    hasty.submit(
        job("no-image", template=missing, device=(ASCEND, 8), retry={"maxRejected": 2}),
        job("no-pods", template=denied, device=(H100, 1), retry={"maxRejected": 1}),
        job("too-wide", device=(H100, 512), onNeverFits="Fail"),
        job("kept-waiting", device=(H100, 512)),
        job("overdue", device=(H100, 512), maxWaitSeconds=1),
    )
    hasty.until("no-pods", lambda s: WORDS in json.dumps(s), "the member's own words are told")
    path = f"/apis/query.sampan.dev/v1alpha1/namespaces/{TEAM}/explanations/no-pods"
    wait_for(lambda: WORDS in hasty.fed.tenant.kubectl("get", "--raw", path), "and so says explain")
    status = hasty.reaches("no-pods", "Failed")
    assert (status["reason"], outcomes(status)) == ("AdmissionDenied", [(1, "Rejected")])
    assert WORDS in status["message"]
    assert hasty.reaches("too-wide", "Failed")["reason"] == "NeverFits"
    assert hasty.reaches("overdue", "Failed")["reason"] == "MaxWaitExceeded"
    waits = hasty.until("kept-waiting", lambda s: condition(s, "NeverFits").get("status") == "True", "is told that it waits in vain")
    assert (waits["phase"], condition(waits, "Scheduled")["reason"]) == ("Pending", "TooLarge")
    status = hasty.reaches("no-image", "Failed")
    assert (status["reason"], outcomes(status)) == ("ImageCannotBePulled", [(1, "Rejected"), (2, "Rejected")])
    assert "does-not-exist" in status["attempts"][1]["message"]
    wait_for(lambda: not hasty.copies("no-image"), "its devices are free again")
    for member in sorted(hasty.fed.members):
        assert not [pod for pod in hasty.member(member).items("pods", "-n", REMOTE) if "does-not-exist" in json.dumps(pod["spec"])]
