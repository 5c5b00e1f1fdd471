"""Every copy of a job that a member ever had while we looked on: a finished one is removed after a while, perhaps before anybody asks.

What must never live here: anything of the operator's own code, and what the copies should be (check.py).
"""

import contextlib
import time
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from sampan.cli.demo.check import MemberJob
from sampan.cli.lib.errors import CliError
from sampan.client.access.events import REQUEST_TIMEOUT, Events, OpenedEvents, stream
from sampan.client.access.hub import Object
from sampan.client.access.watch import ObjectWatch, Watchable

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

JOB_UID_LABEL = "sampan.dev/job-uid"
ATTEMPT_LABEL = "sampan.dev/attempt"
FIRST_LIST_SECONDS = 180.0
_JOBS = "jobs"


class LabelledJobs:
    """The batch/v1 Jobs of one member that carry our label, by the official client."""

    def __init__(self, client: "ApiClient") -> None:
        from kubernetes.client import BatchV1Api

        self._client = client
        self._batch = BatchV1Api(client)

    def list(self, plural: str, namespace: str | None) -> Object:
        """See `Watchable.list`: of all namespaces."""
        found = self._batch.list_job_for_all_namespaces(label_selector=JOB_UID_LABEL, _request_timeout=REQUEST_TIMEOUT)
        return dict(self._client.sanitize_for_serialization(found))

    def watch(self, plural: str, namespace: str | None, *, resource_version: str, seconds: int) -> Events:
        """See `Watchable.watch`."""
        version = {"resourceVersion": resource_version, "timeoutSeconds": str(seconds)}
        params = {"watch": "true", "labelSelector": JOB_UID_LABEL, **version}
        return OpenedEvents(partial(stream, self._client, "/apis/batch/v1/jobs", params, silence=seconds + 10))


class _Member:
    """One member: its Jobs as last seen, those that are gone among them."""

    def __init__(self, name: str, cluster_uid: str, api: Watchable) -> None:
        self._name, self._cluster_uid, self._api = name, cluster_uid, api
        self._seen: dict[str, Object] = {}
        self.watch = ObjectWatch(api, _JOBS, None)

    def wait_listed(self, deadline: float) -> None:
        """Return once its Jobs have been listed; raises what keeps them from it."""
        while not self.watch.listed.wait(0.1):
            self._take_in()
            if time.monotonic() > deadline:
                raise CliError(f"{self._name} did not list its Jobs within {FIRST_LIST_SECONDS:.0f} s", "look at sampan local status")

    def _take_in(self) -> None:
        while (change := self.watch.next(0.0)) is not None:
            self._seen[change.object["metadata"]["uid"]] = change.object

    def copies(self) -> Iterator[tuple[str, MemberJob]]:
        """(job UID, copy) of everything seen; what there is now is asked for anew, so that nothing waits for a late watch."""
        self._take_in()
        there = {item["metadata"]["uid"]: item for item in self._api.list(_JOBS, None)["items"]}
        for uid, job in {**self._seen, **there}.items():
            copy = _member_job(job, member=self._name, cluster_uid=self._cluster_uid, gone=uid not in there)
            yield job["metadata"]["labels"][JOB_UID_LABEL], copy


class CopyWatch(contextlib.ExitStack):
    """Looks on at the members while the block runs."""

    def __init__(self, members: Iterable[tuple[str, str, Watchable]]) -> None:
        """`members` are (name, UID of the cluster, its Jobs)."""
        super().__init__()
        self._members = [_Member(*member) for member in members]

    def __enter__(self) -> Self:
        """Return once every member has told what is there: from now on nothing can come and go unseen."""
        super().__enter__()
        deadline = time.monotonic() + FIRST_LIST_SECONDS
        for member in self._members:
            self.enter_context(member.watch)
        for member in self._members:
            member.wait_listed(deadline)
        return self

    def seen(self) -> dict[str, list[MemberJob]]:
        """Every labelled Job that a member has or had, by the job UID it carries."""
        found: dict[str, list[MemberJob]] = {}
        for member in self._members:
            for job_uid, copy in member.copies():
                found.setdefault(job_uid, []).append(copy)
        return found


@contextlib.contextmanager
def watch_copies(members: Iterable[Mapping[str, Any]]) -> Iterator[CopyWatch]:
    """A `CopyWatch` of real members, as `sampan local status -o json` tells them."""
    from kubernetes import client, config

    with contextlib.ExitStack() as opened:
        found: list[tuple[str, str, Watchable]] = []
        for member in members:
            api = opened.enter_context(config.new_client_from_config(config_file=str(member["kubeconfig"])))
            cluster_uid = client.CoreV1Api(api).read_namespace("kube-system", _request_timeout=REQUEST_TIMEOUT).metadata.uid
            found.append((str(member["name"]), cluster_uid, LabelledJobs(api)))
        yield opened.enter_context(CopyWatch(found))


def _member_job(job: Object, *, member: str, cluster_uid: str, gone: bool) -> MemberJob:
    status = job.get("status") or {}
    true = {condition["type"] for condition in status.get("conditions") or [] if condition["status"] == "True"}
    return MemberJob(
        member=member,
        cluster_uid=cluster_uid,
        succeeded=status.get("succeeded") or 0,
        failed=status.get("failed") or 0,
        outcome=next((kind for kind in ("Complete", "Failed") if kind in true), "Open"),
        attempt=int(job["metadata"]["labels"].get(ATTEMPT_LABEL) or 0),
        gone=gone,
    )
