"""The objects that make a cluster ready to be a member: what the chart sampan-member renders, for those who install no chart.

The files in `rendered` are that chart's own output for its default values, with NAMESPACE and IMAGE where names go in; a test renders it
again and compares. With values of one's own, helm renders the chart that is shipped. What must never live here: a rule, a policy or a
name that the chart does not have, and a call to a server.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sampan.cli.lib.errors import CliError
from sampan.cli.lib.objects import REJECTED

Object = dict[str, Any]
RENDERED: Final = Path(__file__).parent / "rendered"
NAMESPACE: Final = "zz-namespace-of-jobs"
"""Stands in the rendered files where the namespace of jobs goes."""
IMAGE: Final = "zz-image:zz-tag"
RELEASE_NAMESPACE: Final = "sampan-member"
ACCOUNT: Final = "sampan-hub"
"""The ServiceAccount that the hub acts as."""
MANAGER: Final = "sampan-join"
_BY: Final = "app.kubernetes.io/managed-by"
_OF_HELM: Final = ("helm.sh/chart", "app.kubernetes.io/instance")
_CLUSTER_WIDE: Final = frozenset({
    "ClusterRole", "ClusterRoleBinding", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding",
})  # fmt: skip
POLICIES: Final = frozenset({"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"})


@dataclass(frozen=True, kw_only=True, slots=True)
class MemberPlan:
    """What the provider decides: where jobs run, how capacity is told, and values of the chart for all else."""

    namespace: str
    capacity: str = "direct"
    image: str = ""
    values: Path | None = None


def member_objects(plan: MemberPlan) -> list[Object]:
    """The objects in the order in which they are made. Raises `CliError` where they cannot be rendered."""
    documents = _by_helm(plan) if plan.values is not None else _shipped(plan)
    needs_namespace = plan.capacity == "published" and not any(_is_namespace(each, RELEASE_NAMESPACE) for each in documents)
    own = [_namespace(RELEASE_NAMESPACE)] if needs_namespace else []
    return [_renamed(each, plan.namespace) for each in (*own, *documents)]


def _shipped(plan: MemberPlan) -> list[Object]:
    """The chart's output for its default values."""
    text = (RENDERED / f"{plan.capacity}.yaml").read_text(encoding="utf-8").replace(NAMESPACE, plan.namespace)
    if plan.capacity == "published" and not plan.image:
        told = "--publisher-image is missing: with --capacity published a Deployment of the publisher runs in your cluster"
        raise CliError(told, "give the image of Sampan that your cluster can pull", exit_code=REJECTED)
    return list(_documents(text.replace(IMAGE, plan.image)))


def _by_helm(plan: MemberPlan) -> list[Object]:
    """The chart's output for the provider's values."""
    from sampan.local.paths import shipped

    helm = shutil.which("helm")
    if helm is None:
        raise CliError("--values needs helm, which is not on PATH", "install helm, or join without --values", exit_code=REJECTED)
    chart = shipped("helm") / "sampan-member"
    mine: Object = {"namespace": {"name": plan.namespace}, "capacity": plan.capacity}
    if plan.image:
        repository, _, version = plan.image.partition("@") if "@" in plan.image else plan.image.rpartition(":")
        mine["publisher"] = {"image": {"repository": repository, "digest" if "@" in plan.image else "tag": version}}
    command = [helm, "template", "sampan-member", str(chart), "-n", RELEASE_NAMESPACE, "--values", str(plan.values), "--values", "-"]
    command += [f"--api-versions=admissionregistration.k8s.io/v1/{kind}" for kind in sorted(POLICIES)]
    done = subprocess.run(command, input=json.dumps(mine), capture_output=True, text=True, check=False, timeout=60)
    if done.returncode != 0:
        raise CliError(f"{plan.values}: helm says: {done.stderr.strip()[-600:]}", "correct the values", exit_code=REJECTED)
    return list(_documents(done.stdout))


def _documents(text: str) -> Iterator[Object]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    yield from (each for each in yaml.load_all(text, Loader=loader) if each)


def _is_namespace(each: Object, name: str) -> bool:
    return bool(each["kind"] == "Namespace" and each["metadata"]["name"] == name)


def _namespace(name: str) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {"app.kubernetes.io/name": "sampan-member"}}}


def _renamed(each: Object, namespace: str) -> Object:
    """The same as ours, not Helm's; what is cluster-wide carries the namespace in its name, so that a cluster can join several hubs."""
    metadata = dict(each["metadata"])
    labels = {key: value for key, value in metadata.get("labels", {}).items() if key not in _OF_HELM}
    metadata["labels"] = {**labels, _BY: MANAGER}
    annotations = {key: value for key, value in metadata.pop("annotations", {}).items() if not key.startswith("helm.sh/")}
    if annotations:
        metadata["annotations"] = annotations
    made = {**each, "metadata": metadata}
    if each["kind"] in _CLUSTER_WIDE:
        metadata["name"] += f"-{namespace}"
    if (each.get("roleRef") or {}).get("kind") == "ClusterRole":
        made["roleRef"] = {**each["roleRef"], "name": f"{each['roleRef']['name']}-{namespace}"}
    if each["kind"] == "ValidatingAdmissionPolicyBinding":
        made["spec"] = {**each["spec"], "policyName": f"{each['spec']['policyName']}-{namespace}"}
    return made
