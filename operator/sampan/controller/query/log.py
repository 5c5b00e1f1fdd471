"""`computejobs/NAME/log` over HTTP: options in, text out, as long as somebody reads. Never here: where the output comes from."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from sampan.controller.logs.follow import NoOutputError
from sampan.controller.logs.options import BadLogOptionsError, LogOptions, log_options
from sampan.controller.logs.output import MAX_RANKS, JobOutput
from sampan.controller.logs.pace import Pace, StreamLimits, TooManyStreamsError
from sampan.controller.logs.pods import LogWorld
from sampan.controller.query.service import BadQuery
from sampan.controller.state.record import JobRecord
from sampan.kube.buffers import bound_buffers
from sampan.kube.transport.client import LOG_BUFFER

log = logging.getLogger(__name__)

WRITE_TIMEOUT: Final = 600.0
"""Seconds for which a reader may take nothing of what is there."""
LOOK_EVERY: Final = 1.0
"""Seconds between two looks whether somebody still reads: while nothing is written, nothing else tells."""


@dataclass(slots=True)
class LogApi:
    """Answers requests for output."""

    world: LogWorld
    _pace: Pace
    _limits: StreamLimits = field(default_factory=StreamLimits)

    async def serve(self, request: web.Request, record: JobRecord) -> web.StreamResponse:
        """Answer with the output of a job, as text. Raises BadQuery where there is none to be had."""
        try:
            options = log_options(request.query)
            with self._limits.slot(record.namespace, _ranks(record, options)):
                return await self._answer(request, JobOutput(self.world, record, options=options, pace=self._pace), options)
        except BadLogOptionsError as error:
            raise BadQuery(400, str(error)) from error
        except TooManyStreamsError as error:
            raise BadQuery(429, str(error)) from error

    async def _answer(self, request: web.Request, output: JobOutput, options: LogOptions) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"})
        async with aclosing(output.chunks()) as chunks:
            first = b""
            if not options.follow:  # what goes wrong before the first byte has a code of its own
                try:
                    first = await anext(chunks, b"")
                except NoOutputError as error:
                    raise BadQuery(error.code, str(error)) from error
            await response.prepare(request)
            if options.follow and request.transport is not None:
                bound_buffers(request.transport, LOG_BUFFER)
            writing = asyncio.create_task(_write(response, first, chunks))
            leaving = asyncio.create_task(_gone(request))
            try:
                await asyncio.wait({writing, leaving}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (writing, leaving):
                    task.cancel()
                await asyncio.wait({writing, leaving})
        if request.transport is not None and (writing.cancelled() or writing.exception() is not None):
            request.transport.abort()  # an output that was cut must not look whole
        _raise_fault(writing)
        return response


def _ranks(record: JobRecord, options: LogOptions) -> int:
    """How many ranks are read at once."""
    if options.rank is not None or not options.follow:
        return 1
    wanted = record.binding.replicas if record.binding is not None else record.spec.replicas if record.spec is not None else 1
    return max(1, min(wanted, MAX_RANKS))


async def _write(response: web.StreamResponse, first: bytes, chunks: AsyncGenerator[bytes, None]) -> None:
    """Pass everything on; what breaks it off is its last line, since no code can tell it any more."""
    try:
        if first:
            await _one(response, first)
        async for chunk in chunks:
            if chunk:
                await _one(response, chunk)
    except NoOutputError as error:
        await _one(response, f"sampan: {error}\n".encode())
    await response.write_eof()


async def _one(response: web.StreamResponse, chunk: bytes) -> None:
    async with asyncio.timeout(WRITE_TIMEOUT):
        await response.write(chunk)


async def _gone(request: web.Request) -> None:
    """Return once nobody reads any more; aiohttp tells only whoever asks."""
    while request.transport is not None and not request.transport.is_closing():  # noqa: ASYNC110
        await asyncio.sleep(LOOK_EVERY)


def _raise_fault(writing: "asyncio.Task[None]") -> None:
    """Raise what was no reader's doing: one that went, or takes nothing, is not worth a word."""
    error = None if writing.cancelled() else writing.exception()
    if error is not None and not isinstance(error, ConnectionError | TimeoutError):
        raise error
