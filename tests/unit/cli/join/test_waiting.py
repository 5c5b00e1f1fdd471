"""What is said of an offer that is not ready, and when it is."""

from typing import Any

import pytest

from sampan.cli.join.waiting import NOT_SEEN, standing_of

PRINT = "0123456789abcdef"
GOOD = ("Approved", "Connected", "PermissionsSufficient", "Schedulable")


def offer(*conditions: tuple[str, str, str, str], fingerprint: str = PRINT[:12], generation: int = 1, **status: Any) -> dict[str, Any]:
    told = {kind: {"type": kind, "status": "True", "reason": kind, "message": ""} for kind in GOOD}
    told |= {kind: {"type": kind, "status": value, "reason": reason, "message": words} for kind, value, reason, words in conditions}
    found = {"observedGeneration": 1, "kubeconfigFingerprint": fingerprint, "conditions": list(told.values()), **status}
    return {"metadata": {"name": "a", "generation": generation}, "status": found}


def test_ready_says_what_was_found() -> None:
    told = standing_of(offer(kubernetesVersion="v1.36.3", pools=[{"devices": 8}, {"devices": 2}]), fingerprint=PRINT)
    assert (told.missing, told.seen) == ("", "Kubernetes v1.36.3, 2 pools with 10 devices")


@pytest.mark.parametrize(
    ("given", "want"),
    [
        ({"metadata": {"name": "a", "generation": 1}}, NOT_SEEN),
        (offer(generation=2), NOT_SEEN),
        (
            offer(("Approved", "False", "RegionNotGranted", "spec.region is not granted")),
            "Approved is False (RegionNotGranted): spec.region is not granted [the hub's platform team can mend that]",
        ),
        (
            offer(("Connected", "False", "SecretNotReadable", "no Role")),
            "Connected is False (SecretNotReadable): no Role [the hub's platform team can mend that]",
        ),
        (offer(("Connected", "False", "Unreachable", "Timeout")), "Connected is False (Unreachable): Timeout [you can mend that]"),
        (offer(("Connected", "False", "Syncing", "reading what is there")), "Connected is False (Syncing): reading what is there"),
        (
            offer(("PermissionsSufficient", "False", "MissingPermissions", "create jobs.batch")),
            "PermissionsSufficient is False (MissingPermissions): create jobs.batch [you can mend that]",
        ),
        (
            offer(("Schedulable", "False", "NoPools", "no ready node")),
            "Schedulable is False (NoPools): no ready node [you can mend that]",
        ),
        (
            offer(("Connected", "True", "Unauthorized", "the new kubeconfig is not used"), fingerprint="f" * 12),
            "the hub still uses the kubeconfig that it had: the new kubeconfig is not used",
        ),
    ],
)
def test_what_is_missing(given: dict[str, Any], want: str) -> None:
    assert standing_of(given, fingerprint=PRINT).missing == want


def test_the_first_thing_in_the_way_is_named() -> None:
    told = standing_of(
        offer(("Connected", "False", "Unreachable", "x"), ("Schedulable", "False", "NotConnected", "x"), fingerprint=""), fingerprint=PRINT
    )
    assert told.missing.startswith("Connected is False")
