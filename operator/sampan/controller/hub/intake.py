"""What the hub's watches, lists and resync bring, handed to the part that takes it.

Lives here: which kind goes where. Must never live here: what an object means.
"""

from collections import Counter
from functools import partial
from typing import Protocol

from sampan.api.convert.policies import policy_of
from sampan.controller.hub.client import KINDS, Body, HubClient
from sampan.controller.hub.job_watch import JobIntake, JobSink
from sampan.controller.hub.quarantine import quarantine
from sampan.controller.hub.resync import KnownUids, Resync
from sampan.controller.state.store import State
from sampan.model.policy import BUILT_IN

JOBS, OFFERS, PROVIDERS, CLASSES, POLICIES, QUEUES, NAMESPACES = KINDS


class Offers(Protocol):
    """Who takes what concerns offers."""

    def apply(self, body: Body) -> None:
        """Take a ClusterOffer."""

    def remove(self, uid: str) -> None:
        """Forget a ClusterOffer."""

    def apply_provider(self, body: Body) -> None:
        """Take a Provider."""

    def remove_provider(self, uid: str) -> None:
        """Forget a Provider."""

    def apply_class(self, body: Body) -> None:
        """Take an AcceleratorClass."""

    def remove_class(self, uid: str) -> None:
        """Forget an AcceleratorClass."""


class HubIntake:
    """Takes in every object of every kind."""

    def __init__(self, state: State, offers: Offers, hub: HubClient, *, resync_interval: float) -> None:
        """`resync_interval` in seconds."""
        self._state, self._offers = state, offers
        self.known_uids = KnownUids()
        self.events: Counter[str] = Counter()
        self.jobs = JobIntake(state, self.known_uids)
        self.resync = Resync(hub, self.known_uids, self.apply, interval=resync_interval, jobs=state.jobs)
        state.table.on_delete.append(self.known_uids.uids[JOBS].discard)  # one that is there after all is found by the resync
        self._policies: dict[str, str] = {}
        self._namespaces: dict[str, str] = {}

    def on_watch_event(self, plural: str, event: str | None, body: Body) -> None:
        """Handle an event of Kopf's watch."""
        self.events[plural] += 1
        if event is None:
            self.resync.on_relist(plural)
        self.apply(plural, event, body)

    def job_sink(self) -> JobSink:
        """Return where the watch of ComputeJobs puts what it hears."""
        listed = partial(self.resync.on_relist, JOBS)
        return JobSink(self.jobs.apply, is_known=self.jobs.is_known, listed=listed, count=self.events)

    def apply(self, plural: str, event: str | None, body: Body) -> None:
        """Take in one object of ours, or its end."""
        if plural == JOBS:
            self.jobs.apply(plural, event, body)
        elif self.known_uids.observe(plural, event, body):
            with quarantine(plural, body["metadata"]["uid"]):
                self._route(plural, gone=event == "DELETED", body=body)

    def _route(self, plural: str, *, gone: bool, body: Body) -> None:
        uid = body["metadata"]["uid"]
        if plural == OFFERS:
            self._offers.remove(uid) if gone else self._offers.apply(body)
        elif plural == PROVIDERS:
            self._offers.remove_provider(uid) if gone else self._offers.apply_provider(body)
        elif plural == CLASSES:
            self._offers.remove_class(uid) if gone else self._offers.apply_class(body)
        elif plural == POLICIES:
            self._policy(uid, None if gone else body)
        elif plural == QUEUES:
            self._state.queues.remove(uid) if gone else self._state.queues.apply(body)
        elif plural == NAMESPACES:
            self._namespace(uid, None if gone else body)

    def _namespace(self, uid: str, body: Body | None) -> None:
        name = self._namespaces.pop(uid, "")
        if body is not None:
            self._namespaces[uid] = name = body["metadata"]["name"]
            self._state.queues.apply_namespace(name, body["metadata"].get("labels") or {})
        elif name not in self._namespaces.values():  # one of the same name may be there already
            self._state.queues.apply_namespace(name, None)

    def _policy(self, uid: str, body: Body | None) -> None:
        policies = dict(self._state.policies)
        policies.pop(self._policies.pop(uid, ""), None)
        if body is not None:
            policy = policy_of(body)
            policies[policy.name] = policy
            self._policies[uid] = policy.name
        self._state.set_policies({**BUILT_IN, **policies})
