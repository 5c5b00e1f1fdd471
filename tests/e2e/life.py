"""How end-to-end tests speak: submit as the tenant, look at hub and members as their administrators, wait with a deadline.

What must never live here: any code of the operator: names and labels are written out, so that a change of theirs is noticed.
"""

import http.client
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from kubernetes import client
from kubernetes.client.exceptions import ApiException

from integration.support import PATIENCE, Api, FederationUnderTest, finish_pods, wait_for

TEAM = "team-a"
REMOTE = "sampan-jobs"
JOB_UID = "sampan.dev/job-uid"
ATTEMPT = "sampan.dev/attempt"
Json = dict[str, Any]
H100 = "nvidia-h100-sxm-80gb"
ASCEND = "huawei-910b3-64gb"
HYGON = "hygon-k100-ai-64gb"
UNTIL_TOLD = "sleep infinity"
"""What a job runs that must not have ended before one has looked, however slow the machine is: `World.finish` ends it."""


def job(name: str, script: str = "sleep 2", **spec: Any) -> Json:
    """A ComputeJob whose pods run `script`; `template` is merged into the pod, `device=(class, count)` is its one alternative."""
    template = {
        "image": "registry.example/tool:1",
        "command": ["sh", "-c", script],
        "resources": {"requests": {"cpu": "1", "memory": "1Gi"}},
        "terminationGracePeriodSeconds": 1,
        **spec.pop("template", {}),
    }
    device = spec.pop("device", None)
    if device is not None:
        spec["alternatives"] = [{"accelerator": {"class": device[0], "count": device[1]}}]
    return {
        "apiVersion": "sampan.dev/v1alpha1",
        "kind": "ComputeJob",
        "metadata": {"name": name, "namespace": TEAM},
        "spec": {"template": template, **spec},
    }


@dataclass(frozen=True, slots=True)
class Copy:
    """A Job on a member that carries a ComputeJob's UID, as the member's own API server shows it."""

    member: str
    body: Json

    @property
    def name(self) -> str:
        """Its name on the member."""
        return str(self.body["metadata"]["name"])

    @property
    def uid(self) -> str:
        """Its UID on the member."""
        return str(self.body["metadata"]["uid"])

    @property
    def attempt(self) -> int:
        """The attempt it belongs to."""
        return int(self.body["metadata"]["labels"][ATTEMPT])


@dataclass(frozen=True)
class World:
    """The federation as tests see it."""

    fed: FederationUnderTest
    submitted: set[str] = field(default_factory=set)

    # --- the tenant -----------------------------------------------------------------------------------------------

    def submit(self, *jobs: Json) -> dict[str, str]:
        """Create ComputeJobs as the tenant; returns their UIDs by name."""
        uids: dict[str, str] = {}
        for each in jobs:
            name = each["metadata"]["name"]
            self.submitted.add(name)
            uids[name] = self._jobs(self.fed.tenant).create_namespaced_custom_object(*_KIND, each)["metadata"]["uid"]
        return uids

    def get(self, name: str) -> Json | None:
        """A ComputeJob; None where there is none."""
        try:
            found: Json = self._jobs(self.fed.tenant).get_namespaced_custom_object(*_KIND, name)
        except ApiException as error:
            if error.status == 404:
                return None
            raise
        return found

    def must(self, name: str) -> Json:
        """A ComputeJob that must be there."""
        found = self.get(name)
        assert found is not None, f"ComputeJob {name} is gone"
        return found

    def status(self, name: str) -> Json:
        """Its status; empty before there is one."""
        found: Json = self.must(name).get("status") or {}
        return found

    def change(self, name: str, **spec: Any) -> None:
        """Change fields of its spec, as the tenant."""
        self._jobs(self.fed.tenant).patch_namespaced_custom_object(*_KIND, name, {"spec": spec})

    def delete(self, name: str) -> None:
        """Ask for its deletion, as the tenant."""
        self._jobs(self.fed.tenant).delete_namespaced_custom_object(*_KIND, name)

    def delete_gone(self, name: str, *, seconds: float = PATIENCE) -> None:
        """Delete it and wait until the hub has it no more."""
        self.delete(name)
        wait_for(lambda: self.get(name) is None, f"{name} is gone", seconds=seconds)

    def reaches(self, name: str, *phases: str, seconds: float = PATIENCE) -> Json:
        """Wait for one of these phases; returns the status. A job that ended otherwise fails at once."""

        def look() -> Json | None:
            status = self.status(name)
            now = status.get("phase", "Pending")
            assert now in phases or now not in ENDED, f"{name} is {now}, wanted {phases}: {status}"
            return status if now in phases else None

        return wait_for(look, f"{name} is {' or '.join(phases)}", seconds=seconds)

    def until(self, name: str, holds: Callable[[Json], Any], what: str, *, seconds: float = PATIENCE) -> Json:
        """Wait until the status fulfils `holds`; returns the status."""
        last: list[Json] = [{}]

        def look() -> Json | None:
            last[0] = self.status(name)
            return last[0] if holds(last[0]) else None

        try:
            return wait_for(look, f"{name}: {what}", seconds=seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; status: {last[0]}") from None

    def waits_because(self, name: str, *reasons: str, seconds: float = PATIENCE) -> Json:
        """Wait until condition Scheduled is False for one of these reasons; returns the condition."""
        status = self.until(name, lambda s: condition(s, "Scheduled").get("reason") in reasons, f"waits: {reasons}", seconds=seconds)
        found = condition(status, "Scheduled")
        assert found["status"] == "False", found
        return found

    # --- the members ----------------------------------------------------------------------------------------------

    def copies(self, name: str) -> list[Copy]:
        """The Jobs on all members that carry this ComputeJob's UID."""
        return self.copies_of(self.must(name)["metadata"]["uid"])

    def copies_of(self, uid: str) -> list[Copy]:
        """The Jobs on all members that carry a UID."""
        return [
            Copy(member, api.client().sanitize_for_serialization(found))
            for member, api in self.fed.members.items()
            for found in client.BatchV1Api(api.client()).list_job_for_all_namespaces(label_selector=f"{JOB_UID}={uid}").items
        ]

    def copy(self, name: str, *, attempt: int | None = None, seconds: float = PATIENCE) -> Copy:
        """Wait for its one copy (of an attempt)."""

        def look() -> Copy | None:
            found = self.copies(name)
            assert len(found) <= 1, f"{name} has two copies: {found}"
            return found[0] if found and attempt in (None, found[0].attempt) else None

        return wait_for(look, f"{name} has a copy", seconds=seconds)

    def member(self, name: str) -> Api:
        """A member, as its administrator."""
        return self.fed.members[name]

    def left(self, uid: str) -> list[str]:
        """Everything on all members that carries a job's UID: `member/kind/name`."""
        kinds = "jobs.batch,pods,services,configmaps,secrets"
        return [
            f"{member}/{item['kind']}/{item['metadata']['name']}"
            for member, api in self.fed.members.items()
            for item in api.items(kinds, "--all-namespaces", "-l", f"{JOB_UID}={uid}")
        ]

    def pods(self, name: str) -> list[Json]:
        """The pods of its copies."""
        return self.pods_of(self.must(name)["metadata"]["uid"])

    def pods_of(self, uid: str) -> list[Json]:
        """The pods on all members that carry a UID."""
        return [
            {**api.client().sanitize_for_serialization(pod), "member": member}
            for member, api in self.fed.members.items()
            for pod in client.CoreV1Api(api.client()).list_namespaced_pod(REMOTE, label_selector=f"{JOB_UID}={uid}").items
        ]

    def finish(self, name: str) -> None:
        """End a job that runs until it is told: all its pods that run now, with exit code 0."""
        uid = self.must(name)["metadata"]["uid"]
        for api in self.fed.members.values():
            finish_pods(api, f"{JOB_UID}={uid}", namespace=REMOTE)

    # --- the operator ---------------------------------------------------------------------------------------------

    def offer(self, namespace: str, name: str) -> Json:
        """A ClusterOffer, as administrator."""
        found: Json = self.fed.hub.get("clusteroffer", "-n", namespace, name)
        return found

    def metrics(self) -> str:
        """What the operator's /metrics says."""
        host, port = self.fed.operator.metrics_address.split(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=60)
        try:
            connection.request("GET", "/metrics")
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def metric(self, name: str) -> float:
        """The sum of a metric's samples."""
        lines = (line for line in self.metrics().splitlines() if line.startswith((f"{name} ", f"{name}{{")))
        return sum(float(line.rpartition(" ")[2]) for line in lines)

    def clear(self) -> None:
        """Delete every job that was submitted and wait until all are gone."""
        there = [name for name in sorted(self.submitted) if self.get(name) is not None]
        for name in there:
            self.delete(name)
        for name in there:
            wait_for(lambda name=name: self.get(name) is None, f"{name} is gone")  # type: ignore[misc]
        self.submitted.clear()

    @staticmethod
    def _jobs(api: Api) -> Any:
        return client.CustomObjectsApi(api.client())


_KIND = ("sampan.dev", "v1alpha1", TEAM, "computejobs")
ENDED = {"Succeeded", "Failed"}


def condition(status: Mapping[str, Any], kind: str) -> Json:
    """A condition of a status; empty where there is none."""
    return next((dict(c) for c in status.get("conditions") or () if c["type"] == kind), {})


def outcomes(status: Mapping[str, Any]) -> list[tuple[int, str]]:
    """Number and outcome of each recorded attempt."""
    return [(attempt["number"], attempt["outcome"]) for attempt in status.get("attempts") or ()]


def written(world: World) -> list[str]:
    """The operator's own count of its writes to ComputeJobs."""
    lines = [line for line in world.metrics().splitlines() if line.startswith("sampan_api_calls_total{")]
    return [line for line in lines if 'resource="computejobs' in line and 'verb="patch"' in line]


def settled(world: World) -> list[str]:
    """The same, once two looks some seconds apart agree: what was to come has come, and a write shows on the hub before it is counted."""
    looks = [written(world)]

    def look() -> list[str] | None:
        looks.append(written(world))
        return looks[-1] if looks[-1] == looks[-2] else None

    return wait_for(look, "an operator that writes nothing", every=3)


@contextmanager
def changed(api: Api, undo: Mapping[str, Any], *objects: Mapping[str, Any]) -> Iterator[None]:
    """Objects applied for a while, `undo` applied afterwards."""
    api.apply(*objects)
    try:
        yield
    finally:
        api.apply(undo)
