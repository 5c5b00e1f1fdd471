"""The publisher as a process: credentials, signals, the end. What is published is decided elsewhere."""

import asyncio
import signal
import sys
import time
from pathlib import Path

import uvloop

from sampan.kube.credentials.hub import NoHubCredentials, Source, follow, hub_source
from sampan.kube.credentials.kubeconfig import InvalidKubeconfig
from sampan.kube.errors import KubeError
from sampan.kube.transport.client import Client
from sampan.member.health import Address, health
from sampan.member.publisher import Publisher, PublisherSettings


def main(*, kubeconfig: Path | None, settings: PublisherSettings, asked_at: Address | None = None) -> int:
    """Publish until SIGTERM or SIGINT; `asked_at`: where `/healthz` is. Returns 0 after a signal, 1 where it could not start or go on."""
    try:
        uvloop.run(_run(settings, hub_source(kubeconfig), asked_at))
    except* (NoHubCredentials, InvalidKubeconfig, KubeError, OSError) as group:
        print(f"error: {_first(group)}", file=sys.stderr)  # noqa: T201  the last word of the process
        failed = True
    else:
        failed = False
    return int(failed)


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _now() -> int:
    return time.time_ns() // 1_000_000


async def _run(settings: PublisherSettings, source: Source, asked_at: Address | None) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with Client(source.read()) as client, asyncio.TaskGroup() as group:
        publisher = Publisher(client, settings, _now)
        work = [
            group.create_task(publisher.run(), name="publisher"),
            group.create_task(_answer(publisher, asked_at), name="health"),
            group.create_task(follow(client, source), name="credentials"),
        ]
        await stop.wait()
        for task in work:
            task.cancel()


async def _answer(publisher: Publisher, asked_at: Address | None) -> None:
    async with health(asked_at, lambda: publisher.alive):
        await asyncio.Event().wait()
