"""An independent witness of what happened to jobs: watches the hub and the members directly and keeps the whole history.

It uses the official Kubernetes client only and shares no code with the operator: what the operator believes must not decide whether the
operator is right. What must never live here: anything that changes a cluster, and any import of `sampan`.
"""

import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import urllib3
from kubernetes import client, watch

JOB_UID, ATTEMPT = "sampan.dev/job-uid", "sampan.dev/attempt"
ENDED = ("Succeeded", "Failed")
SKEW = 1.0
"""Seconds by which what two watches say may lie apart although it happened at once: less is not called an overlap."""

Body = dict[str, Any]


@dataclass
class Copy:
    """One Job on one member, with the pods that are its own."""

    member: str
    uid: str
    job_uid: str
    attempt: int = 0
    open: bool = True
    pods: set[str] = field(default_factory=set)
    """UIDs of its pods that neither ended nor are gone."""

    @property
    def live(self) -> bool:
        """Tell whether it runs or may still start something."""
        return self.open or bool(self.pods)


@dataclass
class Overlap:
    """A time in which a job had more than one live copy; open while `until` is None."""

    since: float
    copies: tuple[str, ...]
    until: float | None = None


class History:
    """Everything that was seen, and the invariants over it. Times are of the monotonic clock."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        self.lock = threading.RLock()
        self.jobs: dict[str, Body] = {}
        """ComputeJobs as last seen on the hub, by UID."""
        self.vanished: dict[str, Body] = {}
        """ComputeJobs that are gone from the hub, as they were last seen."""
        self.copies: dict[str, Copy] = {}
        self._by_job: dict[str, list[Copy]] = defaultdict(list)
        """The same by job. Nothing here may grow with all that was ever seen: a witness that falls behind sees a federation that idles."""
        self.bindings: dict[str, set[tuple[int, str]]] = defaultdict(set)
        """(attempt, cluster UID) of every binding ever seen of a job."""
        self._bindings_seen = 0
        self.overlaps: dict[str, list[Overlap]] = defaultdict(list)

    def hub_job(self, body: Body, *, gone: bool) -> None:
        """Take in one ComputeJob."""
        uid = body["metadata"]["uid"]
        with self.lock:
            if gone:
                self.jobs.pop(uid, None)
                self.vanished[uid] = body
                return
            self.jobs[uid] = body
            binding = body.get("status", {}).get("binding")
            if binding and (found := (binding["attempt"], binding["clusterUID"])) not in self.bindings[uid]:
                self.bindings[uid].add(found)
                self._bindings_seen += 1

    def member_job(self, member: str, body: Body, *, gone: bool) -> None:
        """Take in one Job of a member."""
        meta = body["metadata"]
        with self.lock:
            copy = self._copy(member, meta["uid"], meta["labels"])
            copy.attempt = int(meta["labels"].get(ATTEMPT, "0"))
            conditions = body.get("status", {}).get("conditions", ())
            copy.open = not gone and not any(c["type"] in ("Complete", "Failed") and c["status"] == "True" for c in conditions)
            self._weigh(copy.job_uid)

    def member_pod(self, member: str, body: Body, *, gone: bool) -> None:
        """Take in one pod of a member."""
        meta = body["metadata"]
        owner = next((o["uid"] for o in meta.get("ownerReferences", ()) if o.get("controller")), meta["uid"])
        with self.lock:
            copy = self._copy(member, owner, meta["labels"])
            over = gone or body.get("status", {}).get("phase") in ("Succeeded", "Failed")
            (copy.pods.discard if over else copy.pods.add)(meta["uid"])
            self._weigh(copy.job_uid)

    def _copy(self, member: str, uid: str, labels: Mapping[str, str]) -> Copy:
        if uid not in self.copies:
            made = Copy(member=member, uid=uid, job_uid=labels[JOB_UID], attempt=int(labels.get(ATTEMPT, "0")))
            self.copies[uid] = made
            self._by_job[made.job_uid].append(made)
        return self.copies[uid]

    def _weigh(self, job_uid: str) -> None:
        """Open or close an overlap."""
        live = tuple(sorted(f"{c.member}/{c.uid}" for c in self.copies_of(job_uid) if c.live))
        known = self.overlaps[job_uid]
        if len(live) > 1 and not (known and known[-1].until is None):
            known.append(Overlap(time.monotonic(), live))
        elif len(live) <= 1 and known and known[-1].until is None:
            known[-1].until = time.monotonic()

    def copies_of(self, job_uid: str) -> list[Copy]:
        """Return every copy ever seen of a job."""
        return self._by_job.get(job_uid, [])

    @property
    def bindings_seen(self) -> int:
        """Return how many different bindings were seen so far."""
        return self._bindings_seen

    # --- what is asked while it runs ------------------------------------------------------------------------------------

    def phase(self, uid: str) -> str:
        """Return the phase the hub shows, empty where none is written or the job is not there."""
        with self.lock:
            return str(self.jobs.get(uid, {}).get("status", {}).get("phase", ""))

    def count(self, uids: Iterable[str], *phases: str) -> int:
        """Return how many of these jobs are in one of the phases."""
        with self.lock:
            return sum(self.jobs.get(uid, {}).get("status", {}).get("phase", "") in phases for uid in uids)

    # --- what must hold -------------------------------------------------------------------------------------------------

    def violations(self, accepted: Iterable[str]) -> list[str]:
        """Return what must never happen and did, for the jobs the hub accepted: I1, I3, I4."""
        with self.lock:
            told = [f"I1: job {uid} is gone from the hub" for uid in accepted if uid not in self.jobs]
            for job_uid, overlaps in self.overlaps.items():
                for overlap in overlaps:
                    lasted = (overlap.until or time.monotonic()) - overlap.since
                    if lasted > SKEW:
                        told.append(f"I3: job {job_uid} had the live copies {overlap.copies} for {lasted:.1f} s")
            attempts: dict[tuple[str, int], set[str]] = defaultdict(set)
            for copy in self.copies.values():
                attempts[copy.job_uid, copy.attempt].add(copy.uid)
            told += [f"I4: attempt {key} was created {len(uids)} times: {sorted(uids)}" for key, uids in attempts.items() if len(uids) > 1]
        return told

    def not_exactly_once(self, accepted: Iterable[str]) -> list[str]:
        """Return jobs that did not have exactly one binding and one copy in all, where nothing asked for a second attempt."""
        with self.lock:
            return [
                f"job {uid}: {len(self.copies_of(uid))} copies, bindings {sorted(self.bindings.get(uid, ()))}"
                for uid in accepted
                if len(self.copies_of(uid)) != 1 or len(self.bindings.get(uid, ())) != 1
            ]


Listing = Callable[..., Any]
Take = Callable[..., None]


class Stream(threading.Thread):
    """Lists, then watches one kind on one API server, again and again, until stopped; server outages are waited out."""

    def __init__(self, name: str, listing: Listing, take: Take) -> None:
        """`listing` is a list function of the official client; `take(body, gone=…)` hears every object and its end."""
        super().__init__(name=name, daemon=True)
        self._listing, self._take = listing, take
        self._stop_asked = threading.Event()
        self._known: dict[str, Body] = {}
        self.synced = threading.Event()

    def stop(self) -> None:
        """Ask it to end; it does within some seconds."""
        self._stop_asked.set()

    def run(self) -> None:
        """Follow until stopped."""
        while not self._stop_asked.is_set():
            try:
                version = self._list()
                self.synced.set()
                while not self._stop_asked.is_set():
                    version = self._follow(version)
            except (client.ApiException, urllib3.exceptions.HTTPError, OSError, ValueError):
                self._stop_asked.wait(0.3)  # the server is down, or it forgot our place: list again

    def _list(self) -> str:
        page = json.loads(self._listing(_preload_content=False, _request_timeout=15).data)
        there = {item["metadata"]["uid"]: item for item in page["items"]}
        for uid in self._known.keys() - there.keys():
            self._take(self._known.pop(uid), gone=True)
        for uid, item in there.items():
            self._known[uid] = item
            self._take(item, gone=False)
        return str(page["metadata"]["resourceVersion"])

    def _follow(self, version: str) -> str:
        events = watch.Watch().stream(
            self._listing, resource_version=version, timeout_seconds=5, _request_timeout=10, allow_watch_bookmarks=True, deserialize=False
        )
        for event in events:
            body = event["object"]
            if event["type"] == "ERROR":
                raise client.ApiException(status=body.get("code"), reason=body.get("reason"))
            version = str(body["metadata"]["resourceVersion"])
            if event["type"] == "BOOKMARK":
                continue
            gone = event["type"] == "DELETED"
            if gone:
                self._known.pop(body["metadata"]["uid"], None)
            else:
                self._known[body["metadata"]["uid"]] = body
            self._take(body, gone=gone)
        return version


class Checker(AbstractContextManager["Checker"]):
    """Watches a hub and its members while the block runs; `history` is what was seen."""

    def __init__(self, hub: client.ApiClient, members: Mapping[str, client.ApiClient], *, namespace: str) -> None:
        """`hub` and `members` are administrators' clients; only ComputeJobs of `namespace` are followed."""
        self.history = History()
        history = self.history
        custom = client.CustomObjectsApi(hub)

        def hub_jobs(**options: Any) -> Any:
            """:return: object"""
            return custom.list_namespaced_custom_object("sampan.dev", "v1alpha1", namespace, "computejobs", **options)

        self._streams = [Stream("hub/computejobs", hub_jobs, history.hub_job)]
        for name, api in members.items():
            jobs, pods = client.BatchV1Api(api), client.CoreV1Api(api)
            self._streams += [
                Stream(f"{name}/jobs", _labelled(jobs.list_job_for_all_namespaces), _of(name, history.member_job)),
                Stream(f"{name}/pods", _labelled(pods.list_pod_for_all_namespaces), _of(name, history.member_pod)),
            ]

    def __enter__(self) -> "Checker":
        """Return once every kind was listed once."""
        for stream in self._streams:
            stream.start()
        for stream in self._streams:
            assert stream.synced.wait(180), f"{stream.name} could not be listed"
        return self

    def __exit__(self, *_: object) -> None:
        """End all watches."""
        for stream in self._streams:
            stream.stop()
        for stream in self._streams:
            stream.join(20)


def _labelled(listing: Listing) -> Listing:
    def listed(**options: Any) -> Any:
        """:return: object"""
        return listing(label_selector=JOB_UID, **options)

    return listed


def _of(member: str, take: Callable[..., None]) -> Take:
    def taken(body: Body, *, gone: bool) -> None:
        take(member, body, gone=gone)

    return taken
