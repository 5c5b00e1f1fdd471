"""The output of one rank in one attempt, from its pod's beginning to its end, across broken connections. Never here: who reads it."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Final

from sampan.api.launch.pod import CONTAINER
from sampan.controller.logs.options import LogOptions
from sampan.controller.logs.pace import Pace
from sampan.controller.logs.pods import AttemptPods, has_ended, has_started, log_of, why_not_started
from sampan.kube.errors import KubeError, NotFound, Unreachable
from sampan.kube.objects.log_lines import Line, LineSplitter, Seen
from sampan.kube.objects.workloads import Pod
from sampan.kube.transport.client import Client

LOOK_EVERY: Final = 0.5
"""Seconds between two looks at what the member's watch has shown."""
SILENCE: Final = 120.0
"""Seconds without a byte after which a stream is opened anew: nothing tells one that is quiet from one whose other end is gone."""
GIVE_UP_AFTER: Final = 120.0
"""Seconds for which a member that answers with errors is asked again."""
LINE_COSTS: Final = 512
"""Bytes that a line counts for beside its own: it costs the same time, however short it is."""

Look = Callable[[], AttemptPods | None]


class NoOutputError(Exception):
    """There is no output to be read; `code` is what HTTP calls it, the text says why and what to do."""

    def __init__(self, code: int, message: str) -> None:
        """`message` is shown to whoever asks."""
        super().__init__(message)
        self.code = code


class RankLog:
    """`look` tells what the member shows of the attempt now, None once the attempt is not the job's any more."""

    def __init__(self, rank: int, options: LogOptions, *, look: Look, pace: Pace) -> None:
        """Nothing is asked before `batches`."""
        self._rank, self._options, self._look, self._pace = rank, options, look, pace
        self._failing: float | None = None
        """Since when the log cannot be opened, in the event loop's time; None while it can."""

    async def batches(self) -> AsyncGenerator[list[Line], None]:
        """Yield the lines as they come. Raises NoOutputError where there are none to be had."""
        pod = await self._pod()
        if pod is None:
            return
        seen, options, once_more = Seen(), self._options, True
        while True:
            trouble: KubeError | None = None
            try:
                async with aclosing(self._stream(pod, options)) as stream:
                    async for batch in stream:
                        fresh = [line for line in batch if seen.is_new(line)]
                        if fresh:
                            yield fresh
            except KubeError as error:
                trouble = error
                self._failing = self._failing or asyncio.get_running_loop().time()
            if not options.follow or not await self._goes_on(pod, trouble, once_more=once_more):
                break
            once_more = once_more and not self._gone(pod)
            await asyncio.sleep(1.0)
            since = seen.resume()
            options = options if since is None else options.resumed(since)
        if trouble is not None and not (options.follow and isinstance(trouble, NotFound) and self._gone(pod)):
            raise self._said(trouble)

    async def _goes_on(self, pod: Pod, trouble: KubeError | None, *, once_more: bool) -> bool:
        """Tell whether there is more to be read; what broke off as the container ended is read once more."""
        if isinstance(trouble, NotFound):
            return False
        failing_for = 0.0 if self._failing is None else asyncio.get_running_loop().time() - self._failing
        if await self._is_over(pod):
            return trouble is not None and once_more
        return failing_for <= GIVE_UP_AFTER

    async def _pod(self) -> Pod | None:
        """The pod, once its container has started; None where it has gone, or never came."""
        while True:
            shown = self._look()
            if shown is None:
                return None
            pods = shown.of_rank(self._rank)
            chosen = pods[-2:-1] if self._options.previous else pods[-1:]
            if chosen and has_started(chosen[0]):
                return chosen[0]
            if not chosen and not shown.goes_on:
                return None
            if not self._options.follow:
                raise self._nothing(shown, chosen)
            await asyncio.sleep(LOOK_EVERY)

    def _nothing(self, shown: AttemptPods, chosen: list[Pod]) -> NoOutputError:
        where = f"attempt {shown.attempt} on offer {shown.offer}"
        if chosen:
            return NoOutputError(400, f"rank {self._rank} of {where} has not started: {why_not_started(chosen[0])}; follow waits for it")
        if self._options.previous:
            return NoOutputError(404, f"rank {self._rank} of {where} had no pod before the one it has")
        if shown.client is None:
            return NoOutputError(503, f"the member of {where} does not answer: ask again when it does")
        return NoOutputError(404, f"rank {self._rank} of {where} has no pod; ranks are counted from 0")

    async def _stream(self, pod: Pod, options: LogOptions) -> AsyncGenerator[list[Line], None]:
        client, splitter = self._client(), LineSplitter()
        async with client.log(log_of(pod), options.params(CONTAINER), read_timeout=SILENCE) as stream:
            self._failing = None  # that it was silent for long says nothing of the member
            async for chunk in stream.chunks():
                await self._pace.spend(len(chunk) + LINE_COSTS * chunk.count(b"\n"))
                yield splitter.feed(chunk)
            aborted = stream.aborted
        yield splitter.rest()
        if aborted:
            raise Unreachable("Aborted", "the connection was given up for one with newer credentials")

    def _client(self) -> Client:
        shown = self._look()
        if shown is None or shown.client is None:
            offer = "" if shown is None else f" of offer {shown.offer}"
            raise Unreachable("NoAnswer", f"the member{offer} does not answer")
        return shown.client

    async def _is_over(self, pod: Pod) -> bool:
        """Tell whether no more will come: the watch may be a moment behind the container's end."""
        for _ in range(4):
            if self._gone(pod):
                return True
            await asyncio.sleep(LOOK_EVERY)
        return self._gone(pod)

    def _gone(self, pod: Pod) -> bool:
        shown = self._look()
        now = None if shown is None else next((each for each in shown.pods if each.metadata.uid == pod.metadata.uid), None)
        return now is None or has_ended(now)

    def _said(self, trouble: KubeError) -> NoOutputError:
        shown = self._look()
        offer = "" if shown is None else f" of offer {shown.offer}"
        if trouble.status == 403:
            missing = "its provider grants get on pods/log by a newer chart sampan-member"
            return NoOutputError(502, f"the member{offer} does not let the hub read logs: {missing}")
        return NoOutputError(502, f"the log of rank {self._rank} cannot be read; the member{offer}: {trouble.reason}: {trouble.message}")
