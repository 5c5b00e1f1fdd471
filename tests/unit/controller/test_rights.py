"""The rights Sampan asks for are those of the member chart, and what is missing is named."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import yaml

from sampan.controller.rights import Rights, needed, of_events, of_summary, optional, review
from sampan.kube.access import Access
from sampan.kube.client import Client

CHART = Path(__file__).parents[3] / "helm" / "sampan-member" / "templates" / "rbac.yaml"


class Answers:
    """A client that allows all but what is denied."""

    def __init__(self, *denied: str) -> None:
        self.denied = denied

    async def review(self, accesses: Iterable[Access]) -> dict[Access, bool]:
        return {access: str(access) not in self.denied for access in accesses}


async def reviewed(*denied: str) -> Rights:
    return await review(cast(Client, Answers(*denied)), ["sampan-jobs"])


async def test_what_is_missing_is_named_as_people_write_it() -> None:
    found = await reviewed("create jobs.batch in sampan-jobs", "get namespaces kube-system", "* *.*")
    assert found == Rights(missing=("get namespaces kube-system", "create jobs.batch in sampan-jobs"))


async def test_a_credential_that_may_do_anything_is_over_privileged() -> None:
    assert await reviewed() == Rights(over_privileged=True)


def test_each_namespace_is_asked_about_once() -> None:
    wanted = needed(["b", "a"])
    assert len(wanted) == len(set(wanted))
    assert {access.namespace for access in wanted} == {"", "a", "b"}


def _place(resource: str, name: str, *, narrow: bool) -> str:
    """The namespace that a right is asked for in; that of the jobs' namespace itself is, though it must outlive what is in it."""
    return "sampan-jobs" if narrow or (resource, name) == ("namespaces", "sampan-jobs") else ""


def test_what_is_asked_for_is_exactly_what_the_member_chart_grants() -> None:
    granted: set[str] = set()
    plain = "\n".join(line for line in CHART.read_text().splitlines() if not line.startswith("{{- if") and line != "{{- end }}")
    plain = plain.replace("{{ .Values.namespace.name }}", "sampan-jobs")
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
    queues = (("kueue.x-k8s.io", "clusterqueues"), ("kueue.x-k8s.io", "localqueues"))
    runtimes = ("node.k8s.io", "runtimeclasses")
    more = {str(access) for group, resource in (*looks, *queues, runtimes) for access in optional(group, resource, ["sampan-jobs"])}
    more.add(str(of_events("sampan-jobs")))
    more |= {str(access) for access in of_summary("sampan-jobs") if access.verb != "get"}  # any ConfigMap may be got there
    assert {str(access) for access in needed(["sampan-jobs"])} | more == granted


DIRECT = ("list nodes", "watch nodes", "list pods", "watch pods")


async def test_a_summary_stands_for_nodes_and_pods_that_may_not_be_read() -> None:
    assert await reviewed(*DIRECT, "* *.*") == Rights(published="sampan-jobs")


async def test_a_member_that_may_be_looked_at_is_looked_at() -> None:
    assert (await reviewed("* *.*")).published == ""


async def test_without_either_the_rights_on_nodes_and_pods_are_what_is_missing() -> None:
    found = await reviewed(*DIRECT, "watch configmaps sampan-capacity in sampan-jobs", "* *.*")
    assert found == Rights(missing=DIRECT)
