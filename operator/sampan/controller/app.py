"""The composition root: builds every part, wires them, starts and stops the tasks. No decision is made here.

One process: the core on uvloop in the main thread, Kopf in a thread of its own.
"""

import asyncio
import logging
import signal
import sys
import time
import uuid
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any

import uvloop
from prometheus_client import CollectorRegistry, ProcessCollector
from pydantic import ValidationError

from sampan.controller.hub.client import KOPF_KINDS, HubClient
from sampan.controller.hub.handlers import registry_of
from sampan.controller.hub.kopf_thread import KopfThread
from sampan.controller.hub.networks import service_networks
from sampan.controller.query.backend import LiveBackend
from sampan.controller.query.setup import query_server
from sampan.controller.runtime import metrics as m
from sampan.controller.runtime.gc_tuning import freeze
from sampan.controller.runtime.health import health_server
from sampan.controller.runtime.logs import configure
from sampan.controller.runtime.settings import Settings
from sampan.controller.runtime.threads import favour_the_loop
from sampan.controller.samples import samples_of
from sampan.controller.wiring import HubIdentity, Wiring
from sampan.faults import leaves, log_fault
from sampan.kube.credentials.hub import NoHubCredentials, Source, follow, hub_source
from sampan.kube.credentials.kubeconfig import InvalidKubeconfig
from sampan.kube.errors import KubeError
from sampan.kube.transport.client import Client
from sampan.kube.transport.limits import Limits
from sampan.store.engine import StoreError

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
    favour_the_loop()
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
        hub = HubClient(client)
        hub_id = await hub.ensure_identity(settings.namespace, str(uuid.uuid4()))
        identity = HubIdentity(hub_id=hub_id, cluster_uid=await hub.cluster_uid(), service_networks=await service_networks(client, source))
        wiring = Wiring(settings, hub, identity, calls=calls, clock=now)
        jobs = await wiring.load(client)
        freeze()
        loop = asyncio.get_running_loop()
        kopf_thread = KopfThread(lambda: registry_of(KOPF_KINDS, wiring.intake.on_watch_event, loop=loop, credentials=source.read))
        registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        registry.register(m.StateCollector(lambda: samples_of(wiring, kopf_starts=kopf_thread.starts, calls=calls, now=now())))
        host, port = settings.metrics_host, settings.metrics_port
        async with (
            health_server(host, port, registry, ready=lambda: wiring.usage_writer.healthy, healthy=lambda: kopf_thread.alive),
            query_server(settings, _backend(wiring), client, clock=now),
        ):
            kopf_thread.start()
            log.info("operator.started", extra={"hub": hub_id, "jobs": len(wiring.state.jobs), "metrics": settings.metrics_address})
            try:
                await _until(
                    stop,
                    {"operation": wiring.run(), "jobs": jobs.run(), "credentials": follow(client, source)},
                )
            finally:
                await kopf_thread.stop()
                wiring.close()
    log.info("operator.stopped")


def _backend(wiring: Wiring) -> LiveBackend:
    """What questions are answered from."""
    return LiveBackend(
        wiring.state, wiring.offers.joined, wiring.outputs, clock=now, bind_allowance=lambda: wiring.reconciler.bind_allowance
    )


async def _until(stop: asyncio.Event, parts: Mapping[str, Coroutine[Any, Any, None]]) -> None:
    """Work until told to stop, or until a part fails."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(part, name=name) for name, part in parts.items()]
        await stop.wait()
        for task in tasks:
            task.cancel()
