"""What the writes of a ComputeJob cost an API server, for several CRDs of it side by side on one bare server.

`PYTHONPATH=tests python -m bench.steps.hub_writes crds/sampan.dev_computejobs.yaml OTHER.yaml …`: in turn, so that what else the machine
does falls on all of them alike. No operator runs. Never here: what a job means.
"""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import yaml

from bench.api import Api
from e2e.gauges import cpu_seconds
from e2e.load import small_job
from integration.support import Api as Admin
from sampan.local.binaries import ensure
from sampan.local.processes.lookup import programs_below
from servers import bare_server, say

Body = dict[str, Any]
FINALIZER = "sampan.dev/remote-cleanup"
WRITES = ("create", "bound", "running", "ended", "finalizer and delete")
AT_ONCE = 8
_OFFERS = [{"namespace": f"prov-{name}", "name": name} for name in ("east", "south", "north")]
_UID = "6b1c3c2e-0000-4000-8000-000000000000"


def _at(second: int) -> str:
    return f"2026-11-30T15:00:0{second}Z"


def _condition(kind: str, reason: str, message: str, *, status: str = "True", second: int = 0) -> Body:
    told = {"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": _at(second)}
    return {**told, "observedGeneration": 1}


def statuses() -> tuple[Body, ...]:
    """Return the changes of status that the operator writes in the life of a job of one pod on one of three offers."""
    scheduled = _condition("Scheduled", "Bound", "Bound to prov-east/east pool cpu-amd64, attempt 1.")
    running = _condition("Running", "PodsRunning", "1 of 1 pods run.", second=1)
    ended = _condition("Complete", "Succeeded", "The program ended with exit code 0.", second=3)
    place = {"offer": _OFFERS[0], "pool": "cpu-amd64", "clusterUID": _UID}
    binding = {**place, "attempt": 1, "replicas": 1, "boundAt": _at(0), "use": {"unitHours": "0.24", "seconds": 86_400}}
    remote = {"namespace": "sampan-jobs", "name": "sj-5en627udxpsjekhscsiaqqik5k"}
    verdicts = [f"{offer['namespace']}/{offer['name']} cpu-amd64: 50 = cost 25, packing 25" for offer in _OFFERS]
    attempt = {**place, "number": 1, "startedAt": _at(0), "endedAt": _at(3), "outcome": "Succeeded", "reason": "Completed"}
    return (
        {"phase": "Bound", "observedGeneration": 1, "binding": {**binding, "remote": remote}, "verdicts": verdicts, **_told(scheduled)},
        {
            "phase": "Running",
            "startedAt": _at(1),
            "binding": {"remote": {"uid": _UID}},
            "remote": {"active": 1, "ready": 1, "observedAt": _at(1)},
            **_told(scheduled, running),
        },
        {
            "phase": "Succeeded",
            "finishedAt": _at(3),
            "binding": None,
            "attempts": [attempt],
            "remote": {"active": 0, "ready": 0, "succeeded": 1, "observedAt": _at(3)},
            **_told(scheduled, {**running, "status": "False"}, ended),
        },
    )


def _told(*conditions: Body) -> Body:
    return {"conditions": list(conditions), "reason": conditions[-1]["reason"], "message": conditions[-1]["message"]}


@dataclass(frozen=True, slots=True)
class Server:
    """The bare server and the process whose time counts."""

    api: Api
    pid: int

    async def used_by(self, names: Sequence[str], write: Callable[[str], Awaitable[object]]) -> float:
        """Make one write for each name, a few at once; return the seconds of processor time that the API server used meanwhile."""
        waiting, before = iter(names), cpu_seconds(self.pid)

        async def one_after_another() -> None:
            for name in waiting:
                await write(name)

        await asyncio.gather(*(one_after_another() for _ in range(AT_ONCE)))
        return cpu_seconds(self.pid) - before


async def lives(server: Server, group: str, names: Sequence[str], *, noted: bool) -> list[float]:
    """Have jobs of a group live from their creation to their removal; return the seconds used by each kind of write.

    Unless `noted`, the notes of who wrote which field are dropped at once, uncounted: a hub's policy does that within the creation.
    """
    api, path, encode = server.api, f"/apis/{group}/v1alpha1/namespaces/default/computejobs", msgspec.json.encode

    async def create(name: str) -> None:
        body = {**small_job(name, seconds=1), "apiVersion": f"{group}/v1alpha1"}
        await api.call("POST", path, encode({**body, "metadata": {"name": name, "finalizers": [FINALIZER]}}))

    def status(change: Body) -> Callable[[str], Awaitable[object]]:
        return lambda name: api.call("PATCH", f"{path}/{name}/status", encode({"status": change}), patch="merge-patch")

    async def remove(name: str) -> None:
        await api.call("PATCH", f"{path}/{name}", encode({"metadata": {"finalizers": []}}), patch="merge-patch")
        await api.call("DELETE", f"{path}/{name}")

    async def forget(name: str) -> None:
        await api.call("PATCH", f"{path}/{name}", encode({"metadata": {"managedFields": [{}]}}), patch="merge-patch")

    created = await server.used_by(names, create)
    if not noted:
        await server.used_by(names, forget)
    return [created, *[await server.used_by(names, write) for write in (*map(status, statuses()), remove)]]


def without_schema(crd: Body) -> Body:
    """Return the CRD with nothing said of spec and status but that there is a phase: what a custom resource costs by itself."""
    version, anything = crd["spec"]["versions"][0], {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    schema = {"type": "object", "properties": {"spec": anything, "status": {**anything, "properties": {"phase": {"type": "string"}}}}}
    return {**crd, "spec": {**crd["spec"], "versions": [{**version, "schema": {"openAPIV3Schema": schema}}]}}


def install(admin: Admin, crd: Body, group: str) -> None:
    """Have a CRD on the server under a group of its own."""
    spec = {
        **crd["spec"],
        "group": group,
        "names": {k: v for k, v in crd["spec"]["names"].items() if k not in ("shortNames", "categories")},
    }
    admin.kubectl("create", "-f", "-", input=yaml.safe_dump({**crd, "metadata": {"name": f"computejobs.{group}"}, "spec": spec}))
    admin.kubectl("wait", "--for=condition=Established", "--timeout=60s", f"crd/computejobs.{group}")


async def measured(admin: Admin, count: int, *, jobs: int, rounds: int, noted: bool) -> list[list[float]]:
    """Return the seconds by CRD and kind of write, of `rounds` times `jobs` jobs each after a round that does not count."""
    pid = programs_below(admin.kubeconfig.parents[1] / "kwok" / "clusters" / "api" / "bin")["kube-apiserver"]
    total = [[0.0] * len(WRITES) for _ in range(count)]
    async with Api(admin.kubeconfig) as api:
        for turn in range(rounds + 1):
            for number in range(count) if turn % 2 else reversed(range(count)):
                names = [f"job-{turn}-{each}" for each in range(jobs)]
                used = await lives(Server(api, pid), f"v{number}.bench.example", names, noted=noted)
                if turn:
                    total[number] = [before + now for before, now in zip(total[number], used, strict=True)]
            say(f"round {turn} of {rounds}")
    return total


def main() -> None:
    """Print milliseconds of the API server's processor time a write."""
    parser = argparse.ArgumentParser(prog="python -m bench.steps.hub_writes", description=__doc__)
    parser.add_argument("crds", nargs="+", type=Path, help="files of the ComputeJob CRD")
    parser.add_argument("--jobs", type=int, default=40, help="jobs a round and CRD")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--control", action="store_true", help="also the first of them with no schema for spec and status")
    parser.add_argument("--noted", action="store_true", help="the server keeps its notes of who wrote which field (managedFields)")
    given = parser.parse_args()
    crds: list[tuple[str, Body]] = [(str(file), yaml.safe_load(file.read_text())) for file in given.crds]
    if given.control:
        crds.append(("no schema", without_schema(crds[0][1])))
    with bare_server(ensure(say), "writes") as admin:
        for number, (_, crd) in enumerate(crds):
            install(admin, crd, f"v{number}.bench.example")
        used = asyncio.run(measured(admin, len(crds), jobs=given.jobs, rounds=given.rounds, noted=given.noted))
    for (name, _), seconds in zip(crds, used, strict=True):
        each = [1000 * second / (given.jobs * given.rounds) for second in seconds]
        told = ", ".join(f"{write} {cost:.2f}" for write, cost in zip(WRITES, each, strict=True))
        sys.stdout.write(f"{name}: {told}; all {sum(each):.2f} ms\n")


if __name__ == "__main__":
    main()
