"""Load for fault tests: submits small jobs as the tenant and keeps a number of them unfinished. Never here: any fault."""

import itertools
import random
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any, ClassVar, Self

from kubernetes import client
from kubernetes.client.exceptions import NotFoundException

from e2e.checker import ENDED, JOB_UID, Body, History
from integration.support import PATIENCE, FederationUnderTest, finish, wait_for

GROUP, VERSION, PLURAL = "sampan.dev", "v1alpha1", "computejobs"
STACKS = ({"stack": "cuda", "count": 1}, {"vendor": "huawei", "count": 1}, {"vendor": "hygon", "count": 1})


def small_job(name: str, *, seconds: int, accelerator: dict[str, Any] | None = None, **spec: Any) -> Body:
    """A job of one pod that sleeps; CPU only unless an accelerator is asked for."""
    template = {
        "image": "registry.example/load:1",
        "command": ["sleep", str(seconds)],
        "resources": {"requests": {"cpu": "1", "memory": "1Gi"}},
    }
    body: Body = {"template": template, **spec}
    if accelerator:
        body["alternatives"] = [{"accelerator": accelerator}]
    return {"apiVersion": f"{GROUP}/{VERSION}", "kind": "ComputeJob", "metadata": {"name": name}, "spec": body}


class Tenant:
    """Submits and deletes jobs of one namespace; remembers the UIDs the hub accepted, by name."""

    def __init__(self, api: client.ApiClient, namespace: str) -> None:
        """`api` is the tenant's own client."""
        self._objects = client.CustomObjectsApi(api)
        self.namespace = namespace
        self.accepted: dict[str, str] = {}

    def submit(self, body: Body) -> str:
        """Create one job; returns its UID."""
        made = self._objects.create_namespaced_custom_object(GROUP, VERSION, self.namespace, PLURAL, body)
        uid: str = made["metadata"]["uid"]
        self.accepted[body["metadata"]["name"]] = uid
        return uid

    def submit_all(self, bodies: list[Body]) -> list[str]:
        """Create many jobs, four at a time."""
        with ThreadPoolExecutor(4) as pool:
            return list(pool.map(self.submit, bodies))

    def uids(self) -> list[str]:
        """Return the UIDs of all jobs that were accepted so far."""
        return list(self.accepted.values())

    def jobs(self) -> list[Body]:
        """List all jobs as the API server has them now."""
        found: list[Body] = self._objects.list_namespaced_custom_object(GROUP, VERSION, self.namespace, PLURAL)["items"]
        return found

    def delete_all(self) -> None:
        """Ask for the deletion of every job of the namespace: job by job, since thousands take longer than a server gives one request."""
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(self._delete, [job["metadata"]["name"] for job in self.jobs()]))

    def _delete(self, name: str) -> None:
        with suppress(NotFoundException):  # it went meanwhile
            self._objects.delete_namespaced_custom_object(GROUP, VERSION, self.namespace, PLURAL, name)


@contextmanager
def tenant_of(federation: FederationUnderTest) -> Iterator[Tenant]:
    """The first tenant of a federation; afterwards the operator runs and all the tenant's jobs are gone from the hub."""
    tenant = Tenant(federation.tenant.client(), federation.federation.scenario.tenants[0].namespace)
    try:
        yield tenant
    finally:
        federation.operator.start()
        federation.operator.wait_ready()
        tenant.delete_all()
        wait_for(lambda: not tenant.jobs(), "every deleted job has left the hub", seconds=4 * PATIENCE, every=1)


class Load(AbstractContextManager["Load"], ABC):
    """Does something every so often, in a thread of its own, while the block runs.

    The test fails on any of its `problems`, whatever it is, but only when the load is over.
    """

    every: ClassVar[float]
    """Seconds between two steps."""

    def __init__(self) -> None:
        """Do nothing yet."""
        self.problems: list[str] = []
        self._stop_asked = threading.Event()
        self._thread = threading.Thread(target=self._run, name=type(self).__name__.lower(), daemon=True)

    @abstractmethod
    def step(self) -> None:
        """Do it once."""

    def _run(self) -> None:
        while not self._stop_asked.wait(self.every):
            try:
                self.step()
            except Exception as error:  # noqa: BLE001  as said
                self.problems.append(f"{type(error).__name__}: {str(error)[:200]}")

    def __enter__(self) -> Self:
        """Start."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, and leave what was done as it is."""
        self._stop_asked.set()
        self._thread.join()


class Feeder(Load):
    """Keeps `level` jobs unfinished while the block runs: one in five wants a device."""

    every = 0.1

    def __init__(self, tenant: Tenant, history: History, *, prefix: str, level: int, seconds: tuple[int, int]) -> None:
        """`history` tells which jobs have ended; `seconds` is the shortest and the longest run time."""
        super().__init__()
        self._tenant, self._history, self._prefix, self._level = tenant, history, prefix, level
        self._seconds = seconds
        self._random = random.Random(7)
        self._numbers = itertools.count(1)

    def _next(self) -> Body:
        number = next(self._numbers)
        accelerator = STACKS[number // 5 % len(STACKS)] if number % 5 == 0 else None
        return small_job(f"{self._prefix}-{number}", seconds=self._random.randint(*self._seconds), accelerator=accelerator)

    def unfinished(self) -> int:
        """Return how many accepted jobs have not ended yet, as the hub shows it."""
        accepted = self._tenant.uids()
        return len(accepted) - self._history.count(accepted, *ENDED)

    def step(self) -> None:
        """Submit as many as have ended."""
        self._tenant.submit_all([self._next() for _ in range(min(self._level - self.unfinished(), 40))])


class Ender(Load):
    """Ends a few running pods of every member each second while the block runs, so long as more than `floor` jobs are left in flight.

    For jobs that would run for a day: how many are in flight, and how fast they change, is then no matter of how busy the machine is.
    """

    every = 1.0

    def __init__(self, members: Mapping[str, client.ApiClient], tenant: Tenant, history: History, *, floor: int) -> None:
        """`members` are administrators' clients; `history` tells which jobs the hub shows in flight."""
        super().__init__()
        self._cores = [client.CoreV1Api(api) for api in members.values()]
        self._tenant, self._history, self._floor = tenant, history, floor
        self._ended: set[str] = set()

    def end(self, a_member: int) -> None:
        """End at most so many running pods of each member."""
        for core in self._cores:
            listed = core.list_pod_for_all_namespaces(label_selector=JOB_UID, field_selector="status.phase=Running", limit=a_member)
            for pod in core.api_client.sanitize_for_serialization(listed)["items"]:
                finish(core, pod)
                self._ended.add(pod["metadata"]["labels"][JOB_UID])

    def _in_flight(self) -> int:
        """Count those whose pods may still run, whatever the hub shows yet."""
        told = self._history.count(self._ended, *ENDED)
        return self._history.count(self._tenant.uids(), "Bound", "Running") - (len(self._ended) - told)

    def step(self) -> None:
        """End a few, if enough are left."""
        if self._in_flight() > self._floor:
            self.end(2)
