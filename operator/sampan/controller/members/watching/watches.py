"""The watches on one member: which of them run now, and how fresh the picture is that they keep. No decisions about the link.

What is asked is answered from what the watches said together last: it is looked at for each job at each of its steps.
"""

import asyncio
from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass, replace
from typing import Any, Final, Never

from sampan.controller.members.job_copies import JobCopies
from sampan.controller.members.published import PublishedCapacity
from sampan.controller.members.tenants import TenantNamespaces
from sampan.controller.members.watching.core_watches import (
    LISTS,
    PODS,
    jobs_watch,
    namespace_pods_watch,
    nodes_watch,
    pods_watch,
    summary_watch,
    tenants_watch,
)
from sampan.controller.members.watching.optional_watches import AWAITED, cluster_scoped_watches, namespaced_watches
from sampan.controller.members.watching.sink import PlannedWatch
from sampan.inventory.member import Inventory
from sampan.kube.transport.client import Client
from sampan.kube.watch.health import LastHeard
from sampan.kube.watch.reflector import Reflector, Tuning

TOGETHER: Final = 8
"""Namespaces up to which each watch begins anew as often as its tuning says; of more, each so much more seldom."""
BOOKMARKED: Final = 75
"""Seconds of silence after which a watch that gets a bookmark about once a minute is known to be dead."""


@dataclass(slots=True, kw_only=True)
class _Watch:
    reflector: Reflector[Any]
    task: asyncio.Task[Never]
    lists: int = 0
    optional: bool
    """Without it less is known of the member, and that is all."""
    awaited: bool
    """Optional, but what it tells changes what fits: its first list, or its failure, is waited for."""

    @property
    def settled(self) -> bool:
        """Tell whether nobody need wait for its first list any more."""
        if self.optional and not (self.awaited and not self.reflector.health.last_error):
            return True
        return self.reflector.health.synced.is_set()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Together:
    """What the watches say together, until one of them changes."""

    settled: bool
    """Every watch has completed a list, but where a namespace may not be read."""
    failing: tuple[str, ...]
    """Those needed that do not work now, since whenever."""
    reading: frozenset[str]
    """Namespaces of which something was not listed yet."""


class MemberWatches:
    """All watches on one member under one client. Start them inside `group`; they end when the group is cancelled."""

    def __init__(
        self, client: Client, inventory: Inventory, copies: JobCopies, *, on_list: Callable[[bool], None], tuning: Tuning | None = None
    ) -> None:
        """`on_list` is called before a full list is taken; True: not the first of its watch, and the server may be another by now."""
        self._client, self._inventory, self._copies = client, inventory, copies
        self._on_list, self._tuning = on_list, tuning
        self._watches: dict[str, _Watch] = {}
        self._optional: frozenset[str] = frozenset()
        self._published: PublishedCapacity | None = None
        self._followed: frozenset[str] = frozenset()
        self._last_heard = LastHeard()
        self._known: _Together | None = None

    def start(
        self,
        group: asyncio.TaskGroup,
        namespaces: Iterable[str],
        *,
        optional: Set[str] = frozenset(),
        published: PublishedCapacity | None = None,
    ) -> None:
        """Watch nodes and pods, or `published` in their stead, our objects in these namespaces, and `optional` resources besides."""
        self._optional, self._published = frozenset(optional), published
        if published is not None:
            group.create_task(published.run(), name=f"look at capacity of {published.namespace}")
            self._add(group, summary_watch(published, self._listed))
        else:
            self._add(group, nodes_watch(self._inventory, self._listed))
        for planned in cluster_scoped_watches(self._inventory, self._optional, self._listed):
            self._add(group, planned, optional=True)
        self._follow(group, frozenset(namespaces))

    def follow(self, group: asyncio.TaskGroup, namespaces: Iterable[str]) -> None:
        """Watch our objects in exactly these namespaces from now on."""
        wanted = frozenset(namespaces)
        if wanted != self._followed:
            self._follow(group, wanted)

    def follow_lists(self, group: asyncio.TaskGroup, tenants: TenantNamespaces, namespaces: Set[str]) -> None:
        """Watch the lists of tenants in exactly these namespaces from now on."""
        known = {name.partition("/")[2] for name in self._watches if name.startswith(f"{LISTS}/")}
        for name in known - namespaces:
            self._watches.pop(f"{LISTS}/{name}").task.cancel()
            self._changed()
        for name in sorted(namespaces - known):
            self._add(group, tenants_watch(tenants, name, self._listed))

    def _follow(self, group: asyncio.TaskGroup, wanted: frozenset[str]) -> None:
        inventory, copies, published = self._inventory, self._copies, self._published
        for namespace in self._followed - wanted:
            for name in [name for name in self._watches if name.endswith(f"/{namespace}") and not name.startswith(LISTS)]:
                self._watches.pop(name).task.cancel()
            copies.forget_namespace(namespace)
        if published is None:
            if PODS in self._watches:
                self._watches.pop(PODS).task.cancel()
            self._add(group, pods_watch(inventory, wanted, self._listed))
        fresh, self._followed = sorted(wanted - self._followed), wanted
        for namespace in fresh:
            self._add(group, jobs_watch(copies, namespace, self._listed))
            self._add(group, namespace_pods_watch(copies, namespace, self._listed, inventory=inventory, published=published))
            for planned in namespaced_watches(inventory, self._optional, namespace, listed=self._listed):
                self._add(group, planned, optional=True)
        self._changed()

    @property
    def synced(self) -> bool:
        """Tell whether every watch has completed a list; a namespace that may not be read keeps nobody waiting."""
        return bool(self._watches) and self._together().settled and (self._published is None or self._published.looked)

    @property
    def last_activity(self) -> float:
        """Return when something was last heard on any watch, in monotonic seconds."""
        return self._last_heard.at

    @property
    def restarts(self) -> int:
        """Return how often watches failed, in all."""
        return sum(watch.reflector.health.restarts for watch in self._watches.values() if not watch.optional)

    @property
    def forbidden(self) -> bool:
        """Tell whether the member refuses one of the watches for want of a right."""
        return any(watch.reflector.health.last_error == "Forbidden" for watch in self._watches.values() if not watch.optional)

    def stalled(self, since: float) -> str:
        """Return what is wrong with a watch that concerns all jobs and has not worked since then (monotonic seconds); empty: nothing."""
        failing = (name for name in self._together().failing if not self._is_namespaced(name))
        return next((wrong for name in failing if (wrong := self._failing(name, since))), "")

    def follow_all(self, namespaces: Set[str]) -> bool:
        """Tell whether every watch works and all of these namespaces were read: nothing is behind or stalled."""
        known = self._together()
        return not known.failing and not known.reading and namespaces <= self._followed

    def behind(self, namespaces: Iterable[str], since: float) -> dict[str, str]:
        """Return those of these namespaces whose objects are not followed, each with what is wrong; empty: they are being read."""
        known, wanted = self._together(), frozenset(namespaces)
        if self.follow_all(wanted):
            return {}
        found: dict[str, str] = {}
        for namespace in wanted:
            names = (name for name in known.failing if name.partition("/")[2] == namespace)
            wrong = next((wrong for name in names if (wrong := self._failing(name, since))), "")
            if wrong or namespace not in self._followed or namespace in known.reading:
                found[namespace] = wrong
        return found

    def _failing(self, name: str, since: float) -> str:
        health = self._watches[name].reflector.health
        if health.failing_since is None or health.failing_since > since:
            return ""
        return f"the watch on {name} does not work: {health.last_error or 'Timeout'}"

    def _is_namespaced(self, name: str) -> bool:
        """Tell whether a watch concerns the jobs in one namespace only, and not what room there is."""
        return "/" in name and (self._published is None or name != f"pods/{self._published.namespace}")

    def _together(self) -> _Together:
        if self._known is None:
            watches = self._watches.items()
            unsettled = [name for name, watch in watches if not watch.settled]
            self._known = _Together(
                settled=all(self._is_namespaced(name) and self._watches[name].reflector.health.last_error for name in unsettled),
                failing=tuple(name for name, watch in watches if not watch.optional and watch.reflector.health.failing_since is not None),
                reading=frozenset(name.partition("/")[2] for name in unsettled if "/" in name),
            )
        return self._known

    def _changed(self) -> None:
        self._known = None

    def _add(self, group: asyncio.TaskGroup, planned: PlannedWatch, *, optional: bool = False) -> None:
        name, what, sink = planned
        reflector = Reflector(self._client, what, sink=sink, tuning=_spread(self._tuning, len(self._followed)))
        reflector.health.share(self._last_heard, self._changed)
        task = group.create_task(reflector.run(), name=f"watch {name}")
        awaited = optional and name.partition("/")[0] in AWAITED
        self._watches[name] = _Watch(reflector=reflector, task=task, optional=optional, awaited=awaited)
        self._changed()

    def _listed(self, name: str) -> None:
        watch = self._watches[name]
        watch.lists += 1
        self._on_list(watch.lists > 1)


def _spread(tuning: Tuning | None, namespaces: int) -> Tuning | None:
    """Return a tuning by which watches in many namespaces begin anew together no more often than those in a few."""
    factor = -(-namespaces // TOGETHER)
    if tuning is None or factor <= 1:
        return tuning
    silence = max(tuning.read_timeout, min(tuning.read_timeout * factor, BOOKMARKED))
    return replace(tuning, watch_low=tuning.watch_low * factor, watch_high=tuning.watch_high * factor, read_timeout=silence)
