"""The bad-input catalogue as data: what a user may send by mistake or on purpose, and what the API server must answer.

Numbers are the rows of the catalogue. Answers: S refused with 422 by schema or CEL, naming the field; W an unknown field, which
the API server prunes with a warning and kubectl refuses. No test lives here.
"""

from dataclasses import dataclass
from typing import Any

from integration.crd_objects import GOOD, OFFER, Json, with_value


@dataclass(frozen=True, slots=True)
class Row:
    """One wrong thing in an otherwise good object: `path` gets `value`, and the answer names `field` (the path itself if empty)."""

    number: int
    title: str
    base: str
    path: str
    value: Any
    field: str = ""

    @property
    def id(self) -> str:
        """Return the name of the case."""
        return f"{self.number:02d}-{self.title}".replace(" ", "-")

    def build(self) -> Json:
        """Return the object with the mistake in it."""
        return with_value(GOOD[self.base], self.path, self.value)


def _each(number: int, title: str, base: str, path: str, *values: Any, field: str = "") -> list[Row]:
    many = len(values) > 1
    return [Row(number, f"{title} {i}" if many else title, base, path, value, field) for i, value in enumerate(values)]


_COUNT = "spec.alternatives[0].accelerator.count"
_MEMORY = "spec.template.resources.requests.memory"
_IMAGE = "spec.template.image"
_PRICE = "spec.prices[0].price"
_SPOT_KEY = {"tolerations": [{"key": "cloud.google.com/gke-spot", "operator": "Exists"}]}
_PROMQL = '"} or up{x="'

REFUSED: list[Row] = [
    Row(1, "empty spec", "job", "spec", {}, "spec.template"),
    Row(2, "count as string", "job", _COUNT, "8"),
    Row(3, "count as bool", "job", _COUNT, True),
    Row(4, "count zero", "job", _COUNT, 0),
    Row(5, "count negative", "job", _COUNT, -1),
    *_each(6, "count huge", "job", _COUNT, 2**31, 2**63 - 1, 10**30),
    Row(7, "count with a fraction", "job", _COUNT, 1.5),
    *_each(9, "quantity bomb", "job", _MEMORY, "1e1000000", "1e-2147483647", "9" * 40),
    Row(10, "full-width digits", "job", _MEMORY, "\uff11\uff12"),
    *_each(11, "quantity", "job", _MEMORY, "-5Gi", "5 Gi", "5gi", "5GB", "5GiB", -1, True, "", {}, []),
    *_each(11, "cpu", "job", "spec.template.resources.requests.cpu", "-4", "4 cores", "1e100", "0x10", -0.5, False),
    *_each(11, "nothing", "job", "spec.template.shmSize", "0", "0.0Gi", 0),
    *_each(13, "duration", "job", "spec.activeDeadlineSeconds", "-1h", "1h1", 10**12, 0, -1),
    Row(
        14,
        "deadline before the expected end",
        "job",
        "spec.activeDeadlineSeconds",
        50,
        "spec: Invalid value: expectedSeconds must not",
    ),
    *_each(
        15,
        "money",
        "job",
        "spec.placement.maxPricePerDeviceHour",
        "-0.01",
        "1e-30",
        "0." + "1" * 19,
        "NaN",
        -12.5,
        "1.0000001",
        "12,5",
        "12 CNY",
    ),
    *_each(61, "share or partition of many", "shared", "spec.alternatives[0].accelerator.count", 2, field="count 1"),
    Row(61, "share and partition", "shared", "spec.alternatives[0].accelerator.partition", {"profile": "1g.10gb"}, "exclude each other"),
    *_each(61, "share of nothing", "shared", "spec.alternatives[0].accelerator.share.computePercent", -1, 101),
    Row(61, "empty capability", "shared", "spec.alternatives[2].accelerator.capability", {}, "at least one figure"),
    *_each(61, "driver", "shared", "spec.alternatives[2].accelerator.capability.minDriver", "v550", "550.", "", 550),
    Row(61, "interconnect", "shared", "spec.placement.interconnect", "Near"),
    Row(61, "domestic without devices", "sweep", "spec.placement", {"domestic": "Required"}, "placement.domestic is about"),
    Row(61, "price of no devices", "sweep", "spec.placement", {"maxPricePerDeviceHour": "15"}, "maxPricePerDeviceHour is about"),
    Row(61, "fabric of a sweep", "sweep", "spec.placement", {"interconnect": "SameDomain"}, "SameDomain needs gang: true"),
    Row(61, "wait before the first", "job", "spec.alternatives[0].waitSeconds", 5, "alternatives[0].waitSeconds means nothing"),
    *_each(62, "queue weight", "queue", "spec.weight", "-1", -1, "1e3", "0", 0, "0.0", field="weight"),
    *_each(62, "reference price", "policy", "spec.references.pricePerDeviceHour", "-1", "0", 0, field="pricePerDeviceHour"),
    *_each(62, "queue priority", "queue", "spec.highestPriority", 1001, "5"),
    *_each(63, "renewable share", "offer", "spec.energy.renewableShare", "1.1", "42", 1.1, -0.5, field="renewableShare"),
    *_each(63, "host path", "offer", "spec.launch.hostPaths[0].path", "relative", "/a:/b", "/"),
    Row(63, "native resource as extra", "offer", "spec.launch.extraResources", {"memory": 1}, "extended resource"),
    Row(63, "our own label", "offer", "spec.launch.podLabels", {"sampan.dev/job-uid": "x"}, "podLabels must lie outside"),
    *_each(
        63,
        "toleration of a node's life",
        "offer",
        "spec.launch.tolerations",
        [{"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute"}],
        [{"key": "node.kubernetes.io/not-ready"}],
        [{"key": "node.cloudprovider.kubernetes.io/shutdown", "operator": "Exists"}],
        [{"key": "ToBeDeletedByClusterAutoscaler", "operator": "Exists"}],
        [{"key": "karpenter.sh/disrupted"}],
        field="comes, goes or is ill",
    ),
    *_each(63, "toleration of everything", "offer", "spec.launch.tolerations", [{"operator": "Exists"}], field="key"),
    *_each(63, "toleration key", "offer", "spec.launch.tolerations", [{"key": ""}], [{"key": "*"}], field="key"),
    Row(63, "toleration time", "offer", "spec.launch.tolerations", [{"key": "a", "operator": "Gt"}], "operator"),
    Row(63, "toleration effect", "offer", "spec.launch.tolerations", [{"key": "a", "effect": "PreferNoSchedule"}], "effect"),
    Row(63, "toleration value", "offer", "spec.launch.tolerations", [{"key": "a", "operator": "Exists", "value": "b"}], "value must be"),
    *_each(63, "toleration set", "offer", "spec.launch.tolerationSets", ["All"], ["Spot", "Spot"], field="tolerationSets"),
    *_each(63, "spot on demand", "offer", "spec.launch", {"tolerationSets": ["Spot"]}, _SPOT_KEY, field="must be Interruptible"),
    Row(63, "root group", "offer", "spec.launch.supplementalGroups", [0]),
    Row(63, "run limit", "offer", "spec.limits.maxRunSeconds", 0),
    *_each(16, "currency", "offer", "spec.prices[0].currency", "usd", "US$", ""),
    *_each(17, "priority", "job", "spec.priority", 1001, -1001),
    *_each(21, "image", "job", _IMAGE, "", "a b", ":", "a" * 4096, "x@sha256:12", "http://x/y", "x\n", "../x"),
    *_each(
        27,
        "secret of another place",
        "job",
        "spec.template.volumes[0]",
        *({"name": "cfg", "secret": {"secretName": n}} for n in ("a/b", "..", "A")),
        field="spec.template.volumes[0].secret.secretName",
    ),
    *_each(31, "parallelism", "sweep", "spec.parallelism", 0, 10**6, 9, field="parallelism"),
    Row(31, "completions fewer", "sweep", "spec.completions", 1, "parallelism needs completions"),
    Row(31, "completions of a gang", "job", "spec.completions", 2, "completions and parallelism need gang: false"),
    Row(31, "replicas of a sweep", "sweep", "spec.replicas", 2, "replicas cannot be given with gang: false"),
    Row(31, "replicas too many", "job", "spec.replicas", 4097),
    *_each(32, "retries", "job", "spec.retry.maxRestarts", -1, 10**9),
    *_each(32, "backoff", "job", "spec.retry.backoffSeconds", 0, 3601),
    Row(32, "backoff of a sweep", "sweep", "spec.retry", {"backoffSeconds": 5}, "retry.backoffSeconds cannot be changed with gang: false"),
    *_each(32, "rejections", "job", "spec.retry.maxRejected", 0, 101, "3"),
    Row(44, "500 variables", "job", "spec.template.env", [{"name": f"V{i}"} for i in range(500)]),
    Row(44, "variable of 1 MiB", "job", "spec.template.env[0].value", "x" * 2**20),
    Row(45, "variable twice", "job", "spec.template.env", [{"name": "A"}, {"name": "A"}], "spec.template.env[1]"),
    *_each(46, "argument with controls", "job", "spec.template.args[0]", "a\x00b", "a\r\nb", "\x1b[31m", "\x7f"),
    Row(47, "command as string", "job", "spec.template.command", "sleep 5"),
    Row(50, "spec of 1.4 MiB", "job", "spec.template.args[0]", "x" * 1_400_000),
    *_each(
        52, "display text", "provider", "spec.displayName", "a\u202eb", "zero\u200bwidth", "\u0430cme", "a\u0007", "\uff46ull", "x" * 257
    ),
    *_each(56, "price", "offer", _PRICE, "-1", "NaN", "1000000000", "1e3", -12.5, 10**10, "", True),
    *_each(57, "capacity", "offer", "spec.pools[0].maxDevices", 0, -1, 10**7),
    Row(
        58,
        "window ends before it begins",
        "offer",
        "spec.validity.until",
        "2025-01-01T00:00:00Z",
        "until must be later",
    ),
    *_each(58, "time", "offer", "spec.validity.until", "2026-02-30T00:00:00Z", "2027-01-01", "2027-01-01T00:00:00+08:00", 5, "now"),
    Row(60, "region too long", "offer", "spec.region", "r" * 64),
    Row(60, "10k labels", "offer", "spec.pools[0].nodeSelector.matchLabels", {f"k{i}": "v" for i in range(10_000)}),
    Row(60, "10k prices", "offer", "spec.prices", [OFFER["spec"]["prices"][0] | {"id": f"p{i}"} for i in range(2000)]),
    Row(63, "secret of another namespace", "offer", "spec.kubeconfigSecretRef.name", "other/secret"),
    Row(64, "PromQL as region", "offer", "spec.region", _PROMQL),
    Row(64, "PromQL as label value", "job", "spec.placement.offerSelector", {"matchLabels": {"a": _PROMQL}}, "matchLabels"),
    Row(64, "PromQL as label key", "job", "spec.placement.offerSelector", {"matchLabels": {_PROMQL: "a"}}, "matchLabels"),
    Row(64, "PromQL as policy", "job", "spec.policy", _PROMQL),
    # Rules of ours that the catalogue does not list.
    Row(
        0,
        "capability without a stack",
        "job",
        "spec.alternatives[0].accelerator",
        {"count": 1, "capability": {"fp16TFLOPS": "9"}},
        "spec.alternatives[0].accelerator",
    ),
    Row(0, "empty capability", "job", "spec.alternatives[0].accelerator.capability", {}),
    Row(0, "nine alternatives", "job", "spec.alternatives", [{"accelerator": {"stack": "cuda", "count": 1}}] * 9),
    Row(0, "value and source", "job", "spec.template.env[1].value", "x", "spec.template.env[1]"),
    Row(0, "source of no kind", "job", "spec.template.env[1].valueFrom", {}, "spec.template.env[1].valueFrom"),
    Row(0, "sources of two kinds", "job", "spec.template.env[1].valueFrom.configMapKeyRef", {"name": "a", "key": "b"}, "valueFrom"),
    Row(0, "variables from two kinds", "job", "spec.template.envFrom[0].configMapRef", {"name": "a"}, "spec.template.envFrom[0]"),
    Row(0, "init container named main", "job", "spec.template.initContainers[0].name", "main", "cannot be named main"),
    Row(0, "init mount of no volume", "job", "spec.template.initContainers[0].volumeMounts[0].name", "no", "of an init container"),
    Row(0, "init container that is restarted", "job", "spec.template.initContainers[0].restartPolicy", "OnFailure", "restartPolicy"),
    Row(0, "mode of a file", "job", "spec.template.volumes[0].configMap.defaultMode", 4096, "defaultMode"),
    Row(0, "user below zero", "job", "spec.template.securityContext.runAsUser", -1, "runAsUser"),
    Row(0, "users in no order", "offer", "spec.launch.runAsUser", {"min": 2, "max": 1}, "spec.launch.runAsUser"),
    Row(0, "two sources", "job", "spec.template.volumes[0].emptyDir", {}, "spec.template.volumes[0]"),
    Row(0, "no source", "job", "spec.template.volumes[0].configMap", None, "spec.template.volumes[0]"),
    Row(
        0,
        "reserved volume name",
        "job",
        "spec.template.volumes[1]",
        {"name": "sampan-shm", "emptyDir": {}},
        "spec.template.volumes[1]: Invalid value: volume names that begin with sampan- are reserved",
    ),
    Row(
        0,
        "mount of no volume",
        "job",
        "spec.template.volumeMounts[0].name",
        "other",
        "every volumeMount must name",
    ),
    Row(
        0,
        "shm mounted twice",
        "job",
        "spec.template",
        {
            "image": "x",
            "shmSize": "1Gi",
            "volumes": [{"name": "s", "emptyDir": {}}],
            "volumeMounts": [{"name": "s", "mountPath": "/dev/shm"}],
        },
        "spec.template: Invalid value: shmSize already mounts /dev/shm",
    ),
    Row(
        0,
        "subPath upwards",
        "job",
        "spec.template.volumeMounts[0].subPath",
        "a/../../b",
        "volumeMounts[0]: Invalid value: subPath",
    ),
    Row(
        0,
        "Exists with values",
        "job",
        "spec.placement.offerSelector",
        {"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["b"]}]},
        "matchExpressions[0]",
    ),
    Row(
        0,
        "In without values",
        "job",
        "spec.placement.offerSelector",
        {"matchExpressions": [{"key": "a", "operator": "In"}]},
        "matchExpressions[0]",
    ),
    Row(0, "weights of 90", "policy", "spec.weights.cost", 70, "spec.weights"),
    Row(0, "label key of a provider", "provider", "spec.offerLabels", {"a b": ["x"]}),
    Row(0, "dots in a class name", "accel", "metadata.name", "a.b", "DNS label"),
    *_each(0, "throughput", "accel", "spec.fp16TFLOPS", "0", "0.0", "-1", "1e3", 0, -989),
    Row(0, "allowed count that is no multiple", "accel", "spec.countRule", {"allowed": [2, 3], "multipleOf": 2}, "multiple of multipleOf"),
    Row(0, "no group to stay in", "accel", "spec.countRule", {"span": "Never"}, "span Never needs groupSize"),
    *_each(0, "share rate", "accel", "spec.shareRateMilli", 0, 1_000_001),
    Row(0, "our own label by class", "accel", "spec.launch.podLabels", {"sampan.dev/job-uid": "x"}, "podLabels must lie outside"),
]

WARNED: list[Row] = [
    Row(24, "privileged", "job", "spec.template.securityContext.privileged", True),
    Row(24, "capabilities", "job", "spec.template.capabilities", {"add": ["SYS_ADMIN"]}),
    Row(24, "hostPath", "job", "spec.template.volumes[0].hostPath", {"path": "/"}),
    *(Row(24, name, "job", f"spec.template.{name}", True) for name in ("hostNetwork", "hostPID", "hostIPC")),
    *(Row(25, name, "job", f"spec.template.{name}", "x") for name in ("serviceAccountName", "nodeName")),
    Row(25, "tolerations", "job", "spec.template.tolerations", [{"operator": "Exists"}]),
    *(Row(26, name, "job", f"spec.template.{name}", "x") for name in ("runtimeClassName", "priorityClassName")),
    *_each(41, "dependsOn", "job", "spec.dependsOn", ["good"], [f"j{i}" for i in range(1000)]),
    Row(53, "typo", "job", "spec.accelerator", {"count": 8}),
    Row(53, "typo deep", "job", "spec.template.resources.request", {"cpu": "1"}),
    Row(53, "extended resource by hand", "job", "spec.template.resources.requests.nvidia", "8"),
    Row(53, "fabric of a later version", "job", "spec.fabric", "NVLink"),
    Row(63, "secret namespace", "offer", "spec.kubeconfigSecretRef.namespace", "kube-system"),
]
