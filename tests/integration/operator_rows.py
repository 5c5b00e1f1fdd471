"""Rows of the bad-input catalogue that the API server accepts: what the operator must say, or which admission policy must refuse.

`OPERATOR_ROWS` run against a federation with the operator, `POLICY_ROWS` against a hub with the chart installed. `NOT_APPLICABLE`
lists the rows without a field in this version, with the reason. No test lives here.
"""

from dataclasses import dataclass, field
from typing import Any

from integration.crd_objects import JOB, OFFER, Json, with_value


@dataclass(frozen=True, slots=True)
class Expected:
    """An object that is accepted, and the condition that the operator must set on it."""

    number: int
    title: str
    object: Json
    condition: str
    status: str
    reasons: tuple[str, ...]
    """Any of these; a reason may go on after a slash."""
    needs: str = ""
    """What must be there before, in words."""


@dataclass(frozen=True, slots=True)
class Denied:
    """An object that an admission policy of the hub chart must refuse to a tenant or provider."""

    number: int
    title: str
    object: Json
    values: Json = field(default_factory=dict)
    """Chart values that switch the policy on, where it is off by default."""


def _named(base: Json, name: str, path: str = "", value: Any = None) -> Json:
    out = with_value(base, "metadata.name", name)
    return with_value(out, path, value) if path else out


_LONG = [{"name": f"V{i}", "value": "x" * 8192} for i in range(16)]

OPERATOR_ROWS: list[Expected] = [
    Expected(44, "variables of 128 KiB together", _named(JOB, "long", "spec.template.env", _LONG), "Scheduled", "False", ("InvalidSpec",)),
    Expected(
        12,
        "memory above any offer",
        _named(JOB, "huge", "spec.template.resources.requests.memory", "900Pi"),
        "Scheduled",
        "False",
        ("TooLarge", "NoMatchingOffer", "InsufficientCapacity"),
    ),
    Expected(18, "name of 253 characters", _named(JOB, "a" * 253), "Scheduled", "True", ("Bound",), "free devices"),
    Expected(19, "twin with a dot", _named(JOB, "a.b"), "Scheduled", "True", ("Bound",), "free devices; another remote name than its twin"),
    Expected(
        19, "twin with a dash", _named(JOB, "a-b"), "Scheduled", "True", ("Bound",), "free devices; another remote name than its twin"
    ),
    Expected(
        27,
        "secret that is not shared",
        _named(JOB, "no-secret", "spec.template.volumes[0]", {"name": "cfg", "secret": {"secretName": "foreign"}}),
        "Scheduled",
        "False",
        ("SecretNotShared",),
        "the same text whether the Secret is absent or forbidden",
    ),
    Expected(
        29,
        "impossible combination",
        _named(JOB, "nowhere", "spec.placement.regions", ["atlantis"]),
        "Scheduled",
        "False",
        ("RegionExcluded", "NoMatchingOffer"),
    ),
    Expected(
        30,
        "selector that contradicts itself",
        _named(
            JOB,
            "contradiction",
            "spec.placement.offerSelector",
            {"matchExpressions": [{"key": "a", "operator": "Exists"}, {"key": "a", "operator": "DoesNotExist"}]},
        ),
        "Scheduled",
        "False",
        ("OfferSelectorMismatch", "NoMatchingOffer"),
    ),
    Expected(
        57,
        "capacity below what is used",
        _named(OFFER, "overcommitted", "spec.pools[0].maxDevices", 1),
        "Schedulable",
        "False",
        ("Overcommitted",),
        "a member with more than one device in use by our jobs in that offer",
    ),
    Expected(
        59,
        "cluster of another namespace",
        _named(OFFER, "duplicate"),
        "Connected",
        "False",
        ("DuplicateCluster",),
        "an older offer of another namespace with the same member; offers of one namespace may share it",
    ),
    Expected(
        62,
        "offer deleted while jobs run",
        _named(OFFER, "draining"),
        "Draining",
        "True",
        ("JobsBound", "Draining"),
        "a bound job, then a delete",
    ),
    Expected(
        63,
        "secret missing",
        _named(OFFER, "no-secret", "spec.kubeconfigSecretRef.name", "missing"),
        "Connected",
        "False",
        ("SecretNotFound",),
    ),
    Expected(
        63,
        "key missing",
        _named(OFFER, "no-key", "spec.kubeconfigSecretRef.key", "other"),
        "Connected",
        "False",
        ("KeyMissing",),
        "the Secret without that key",
    ),
]

_OWNER = {"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "00000000-0000-0000-0000-000000000000", "blockOwnerDeletion": True}

POLICY_ROWS: list[Denied] = [
    Denied(22, "image by tag", _named(JOB, "by-tag"), {"images": {"requireDigest": True}}),
    Denied(23, "image of another registry", _named(JOB, "other-registry"), {"images": {"allowedRegistries": ["trusted.example"]}}),
    Denied(
        28,
        "kubeconfig as a volume",
        _named(JOB, "steal", "spec.template.volumes[0]", {"name": "cfg", "secret": {"secretName": "lingang-kubeconfig"}}),
    ),
    Denied(11, "request above limit", _named(JOB, "above", "spec.template.resources.limits", {"memory": "1Gi"})),
    Denied(
        11,
        "request above limit in an alternative",
        _named(JOB, "above-too", "spec.alternatives[0].resources", {"requests": {"cpu": 1.5}, "limits": {"cpu": "1"}}),
    ),
    Denied(38, "finalizer of ours", _named(JOB, "finalizer", "metadata.finalizers", ["sampan.dev/other"])),
    Denied(39, "reserved label", _named(JOB, "label", "metadata.labels", {"sampan.dev/job-uid": "x"})),
    Denied(39, "reserved annotation", _named(JOB, "annotation", "metadata.annotations", {"sampan.dev/hub": "x"})),
    Denied(40, "foreign owner", _named(JOB, "owned", "metadata.ownerReferences", [_OWNER])),
    Denied(60, "10k labels", _named(OFFER, "labels", "metadata.labels", {f"k{i}": "v" for i in range(10_000)})),
]

NOT_APPLICABLE: dict[int, str] = {
    41: "no dependsOn in this version: an unknown field, pruned with a warning (in WARNED)",
    42: "no dependsOn in this version: an unknown field, pruned with a warning",
    43: "no dependsOn in this version: 1,000 of them are an unknown field (in WARNED)",
    55: "object count quotas are the cluster's own (ResourceQuota count/computejobs.sampan.dev); turns between tenants come with queues",
}
