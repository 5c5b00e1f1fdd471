"""The rights Sampan asks for are those of the member chart, and what is missing is named."""

import re
from collections.abc import Iterable
from typing import Any, cast

import msgspec
import pytest
import yaml

from places import ROOT
from sampan.controller.members.connection.access import (
    AccessReview,
    OptionalResources,
    optional_access,
    optional_resources,
    required_access,
    review,
    summary_access,
)
from sampan.kube.access import Access
from sampan.kube.errors import NotFound
from sampan.kube.objects.meta import ApiResource, ApiResourceList
from sampan.kube.objects.quotas import ApiGroup, ApiGroups, GroupVersion
from sampan.kube.transport.client import Client
from sampan.kube.transport.paths import API_GROUPS, ResourcePath

CHART = ROOT / "helm" / "sampan-member" / "templates" / "rbac.yaml"


class Answers:
    """A client that allows all but what is denied, of a server with these group versions; Kueue's have both queues, but for v1alpha1."""

    def __init__(self, *denied: str, serves: Iterable[str] = ()) -> None:
        self.denied, self.serves = denied, tuple(serves)
        self.namespace: dict[str, str] | None = {"name": "sampan-jobs"}

    async def get(self, path: ResourcePath, *, into: type[Any]) -> Any:
        if path == API_GROUPS:
            named = {version.partition("/")[0] for version in self.serves}
            return ApiGroups(groups=[ApiGroup(name=name, versions=self._versions(name)) for name in sorted(named)])
        if path.name is not None:
            if self.namespace is None:
                raise NotFound(404, "NotFound", "")
            return msgspec.convert({"metadata": self.namespace}, into)
        kinds = [] if path.url.endswith("v1alpha1") else ["clusterqueues", "localqueues"]
        return ApiResourceList(resources=[ApiResource(name=kind) for kind in kinds])

    def _versions(self, group: str) -> list[GroupVersion]:
        return [GroupVersion(group_version=version) for version in self.serves if version.startswith(f"{group}/")]

    async def review(self, accesses: Iterable[Access]) -> dict[Access, bool]:
        return {access: str(access) not in self.denied for access in accesses}


async def reviewed(*denied: str) -> AccessReview:
    return await review(cast(Client, Answers(*denied)), ["sampan-jobs"])


async def test_what_is_missing_is_named_as_people_write_it() -> None:
    found = await reviewed("create jobs.batch in sampan-jobs", "get namespaces kube-system", "* *.*")
    assert found == AccessReview(missing=("get namespaces kube-system", "create jobs.batch in sampan-jobs"))


async def test_a_credential_that_may_do_anything_is_over_privileged() -> None:
    assert await reviewed() == AccessReview(over_privileged=True)


def test_each_namespace_is_asked_about_once() -> None:
    wanted = required_access(["b", "a"])
    assert len(wanted) == len(set(wanted))
    assert {access.namespace for access in wanted} == {"", "a", "b"}


def _place(resource: str, name: str, *, narrow: bool) -> str:
    """The namespace that a right is asked for in; that of the jobs' namespace itself is, though it must outlive what is in it."""
    return "sampan-jobs" if narrow or (resource, name) == ("namespaces", "sampan-jobs") else ""


def test_what_is_asked_for_is_exactly_what_the_member_chart_grants() -> None:
    granted: set[str] = set()
    control = ("{{- if", "{{- range", "{{- with", "{{- end", "{{- $")
    template = "\n".join(line for line in CHART.read_text().splitlines() if not line.strip().startswith(control))
    plain = re.sub(r"{{ (\$place|\.Values\.namespace)?\.name(space)? }}", "sampan-jobs", template)
    plain = plain.replace('[{{ join ", " . }}]', "[pods/streams]")
    for document in plain.split("\n---\n"):
        rules = document.partition("\nrules:\n")[2].partition("\n---")[0]
        narrow = "\nkind: Role\n" in document
        for rule in cast(list[dict[str, Any]], yaml.safe_load(rules) or []):
            names = rule.get("resourceNames", [""])
            granted |= {
                str(Access(verb=v, resource=r, group=g, name=n, namespace=_place(r, n, narrow=narrow)))
                for g in rule["apiGroups"]
                for r in rule["resources"]
                for v in rule["verbs"]
                for n in names
            }
    assert granted
    looks = (("resource.k8s.io", "resourceslices"), ("resource.k8s.io", "resourceclaims"), ("", "resourcequotas"), ("", "namespaces"))
    limits = (("", "limitranges"), ("scheduling.k8s.io", "priorityclasses"))
    queues = (("kueue.x-k8s.io", "clusterqueues"), ("kueue.x-k8s.io", "localqueues"))
    network = ("networking.k8s.io", "networkpolicies")
    runtimes = ("node.k8s.io", "runtimeclasses")
    asked = (*looks, *limits, *queues, network, runtimes)
    resources = {str(access) for group, resource in asked for access in optional_access(group, resource, ["sampan-jobs"])}
    resources.add(str(Access(verb="list", resource="events", namespace="sampan-jobs")))
    resources.add("create serviceaccounts/token sampan-hub in sampan-jobs")  # asked for when the hub's token is about to end
    resources.add("get pods/log in sampan-jobs")  # asked for when somebody reads a log: jobs run without it
    resources |= {str(access) for access in summary_access("sampan-jobs") if access.verb != "get"}  # any ConfigMap may be got there
    resources |= {f"{verb} pods/streams in sampan-jobs" for verb in ("get", "create")}  # exec and the like, only by values.pods
    resources |= {f"{verb} configmaps sampan-tenants in sampan-jobs" for verb in ("list", "watch")}
    assert {str(access) for access in required_access(["sampan-jobs"])} | resources == granted


DIRECT = ("list nodes", "watch nodes", "list pods", "watch pods")


async def test_a_summary_stands_for_nodes_and_pods_that_may_not_be_read() -> None:
    assert await reviewed(*DIRECT, "* *.*") == AccessReview(published="sampan-jobs")


async def test_a_member_that_may_be_looked_at_is_looked_at() -> None:
    assert (await reviewed("* *.*")).published == ""


async def test_without_either_the_rights_on_nodes_and_pods_are_what_is_missing() -> None:
    found = await reviewed(*DIRECT, "watch configmaps sampan-capacity in sampan-jobs", "* *.*")
    assert found == AccessReview(missing=DIRECT)


async def more(*denied: str, serves: Iterable[str] = ("scheduling.k8s.io/v1",)) -> OptionalResources:
    return await optional_resources(cast(Client, Answers(*denied, serves=serves)), ["sampan-jobs"])


async def test_what_limits_pods_and_may_not_be_looked_at_is_told() -> None:
    found = await more("watch limitranges in sampan-jobs", "list priorityclasses.scheduling.k8s.io")
    assert found.resources == {"resourcequotas", "namespaces"}
    assert found.unseen == ("limitranges", "priorityclasses")
    assert (await more()).unseen == ()
    assert (await more(serves=())).unseen == (), "what is not served is not missed"


@pytest.mark.parametrize(
    ("versions", "want"),
    [
        (("v1beta1",), "v1beta1"),
        (("v1beta2",), "v1beta2"),
        (("v1beta1", "v1beta2", "v1alpha1"), "v1beta2"),
        (("v1beta2", "v1"), "v1"),
        (("v1alpha1",), ""),
        ((), ""),
    ],
)
async def test_kueue_is_read_in_the_newest_version_that_has_queues(versions: tuple[str, ...], want: str) -> None:
    found = await more(serves=[f"kueue.x-k8s.io/{version}" for version in versions])
    assert found.kueue == (f"kueue.x-k8s.io/{want}" if want else "")
    assert ({"clusterqueues", "localqueues"} <= found.resources) is bool(want)


async def test_a_namespace_that_is_missing_or_goes_is_told() -> None:
    answers = Answers("* *.*")
    assert (await review(cast(Client, answers), ["sampan-jobs"])).absent == ()
    answers.namespace = None
    ((name, gone),) = (await review(cast(Client, answers), ["sampan-jobs"])).absent
    assert name == "sampan-jobs"
    assert gone.startswith("namespace sampan-jobs does not exist on the member")
    answers.namespace = {"name": "sampan-jobs", "deletionTimestamp": "2026-01-01T00:00:00Z"}
    ((_, going),) = (await review(cast(Client, answers), ["sampan-jobs"])).absent
    assert "is being deleted since 2026-01-01T00:00:00Z" in going
