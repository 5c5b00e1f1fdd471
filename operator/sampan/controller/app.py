"""The composition root: builds every part, wires them, starts and stops the tasks. No decision is made here.

One process: the core on uvloop in the main thread, Kopf in a thread of its own.
"""

import asyncio
import logging
import signal
import sys
import time
import uuid
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import uvloop
from prometheus_client import CollectorRegistry
from pydantic import ValidationError

from sampan.controller.hub.client import Hub
from sampan.controller.hub.handlers import registry_of
from sampan.controller.hub.kopf_thread import KopfShell
from sampan.controller.query.backend import LiveWorld
from sampan.controller.query.setup import query_server
from sampan.controller.runtime import metrics as m
from sampan.controller.runtime.gc_tuning import settle
from sampan.controller.runtime.health import endpoint
from sampan.controller.runtime.logs import configure
from sampan.controller.runtime.settings import Settings
from sampan.controller.wiring import Identity, Operation
from sampan.faults import leaves, log_fault
from sampan.kube.client import Client
from sampan.kube.errors import KubeError
from sampan.kube.hub import NoHubCredentials, Source, follow, hub_source
from sampan.kube.kubeconfig import InvalidKubeconfig
from sampan.kube.limits import Limits
from sampan.store.use import StoreError

log = logging.getLogger(__name__)


def now() -> int:
    """Return milliseconds since the epoch: the only wall clock of the operator."""
    return time.time_ns() // 1_000_000


def main(*, kubeconfig: Path | None) -> int:
    """Run the operator until SIGTERM or SIGINT. Returns the exit code: 0 after a signal, 1 where it could not start or go on."""
    try:
        settings = Settings()
    except ValidationError as error:
        wrong = ", ".join(f"SAMPAN_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors(include_input=False, include_url=False))
        print(f"error: {wrong}", file=sys.stderr)  # noqa: T201  there is no log yet
        return 1
    configure(settings.log_level)
    try:
        uvloop.run(_run(settings, hub_source(kubeconfig)))
    except* (NoHubCredentials, InvalidKubeconfig, KubeError, StoreError, OSError) as group:
        for leaf in leaves(group):
            log.error("operator.failed", extra={"error": type(leaf).__name__, "reason": str(leaf)})
        failed = True
    except* Exception as group:  # noqa: BLE001  what nobody foresaw ends the process, and Python's own last words would hold values
        log_fault(log, "operator.crashed", group)
        failed = True
    else:
        failed = False
    return int(failed)


async def _run(settings: Settings, source: Source) -> None:
    """Load everything, then watch and work until a signal."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    calls = m.Calls()
    limits = Limits(timeout=settings.call_timeout, qps=settings.hub_qps, burst=int(settings.hub_qps), max_in_flight=64)
    async with Client(source.read(), limits=limits, observe=calls.observer("hub")) as client:
        hub = Hub(client)
        hub_id = await hub.identity(settings.namespace, str(uuid.uuid4()))
        operation = Operation(settings, hub, Identity(hub_id=hub_id, cluster_uid=await hub.cluster_uid()), calls=calls, clock=now)
        await operation.load()
        settle()
        loop = asyncio.get_running_loop()
        shell = KopfShell(lambda: registry_of(operation.heard, loop, source.read))
        registry = CollectorRegistry()
        registry.register(m.StateCollector(lambda: operation.samples(shell.incarnations, calls)))
        host, port = settings.metrics_host, settings.metrics_port
        async with (
            endpoint(host, port, registry, ready=lambda: operation.writer.sound, healthy=lambda: shell.alive),
            query_server(settings, LiveWorld(operation.state, operation.desk, now, lambda: operation.pilot.room), client, clock=now),
        ):
            shell.start()
            log.info("operator.started", extra={"hub": hub_id, "jobs": len(operation.state.jobs), "metrics": settings.metrics_address})
            try:
                await _until(stop, operation, follow(client, source))
            finally:
                await shell.stop()
                operation.close()
    log.info("operator.stopped")


async def _until(stop: asyncio.Event, operation: Operation, credentials: Coroutine[Any, Any, None]) -> None:
    """Work until told to stop, or until a part fails."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(operation.run(), name="operation"), group.create_task(credentials, name="credentials")]
        await stop.wait()
        for task in tasks:
            task.cancel()
