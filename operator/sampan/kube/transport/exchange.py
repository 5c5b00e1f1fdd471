"""One call, carried out.

Lives here: turns (rate, slots), deadlines, safe repeats, errors, measurement, rotation of credentials.
Must never live here: verbs, types, what a body means.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sampan.kube.credentials.addresses import AddressNotAllowed
from sampan.kube.credentials.credential import Credentials
from sampan.kube.errors import AddressRefused, KubeError, ServerError, TLSFailure, TooManyRequests, Unreachable
from sampan.kube.transport.connection import Reply
from sampan.kube.transport.failures import from_exception, from_reply
from sampan.kube.transport.limits import Limits, TokenBucket
from sampan.kube.transport.paths import ResourcePath
from sampan.kube.transport.session import Request, Session, Stream, Streaming
from sampan.kube.websocket import WebSocket, handshake

Observe = Callable[[str, str, str, float], None]
"""``observe(verb, resource, code, seconds)`` after each HTTP exchange; code is the HTTP status or an error's reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request with what decides about repeats: ``timeout`` in seconds, ``retry`` the codes after which repeating is safe."""

    verb: str
    path: ResourcePath
    request: Request
    timeout: float
    retry: frozenset[int]

    @property
    def writes(self) -> bool:
        """Whether the outcome can be unknown."""
        return self.request.method != "GET"

    @property
    def withhold(self) -> bool:
        """Whether the request may carry a Secret, which an error's text could echo."""
        return self.path.resource.partition("/")[0] == "secrets"


class Exchange:
    """Carries calls out under one set of credentials at a time."""

    def __init__(self, credentials: Credentials, limits: Limits, observe: Observe | None) -> None:
        """Nothing is opened yet."""
        self.credentials = credentials
        self._limits = limits
        self._observe = observe
        self._session: Session | None = None
        self._rotated = asyncio.Event()
        self._slots = asyncio.Semaphore(limits.max_in_flight)

    def open(self) -> None:
        """Open the pool, inside a running loop; raises TLSFailure or AddressRefused."""
        self._bucket = TokenBucket(self._limits.qps, self._limits.burst, asyncio.get_running_loop().time)
        self._aside = TokenBucket(self._limits.qps / 4, max(self._limits.burst // 4, 1), asyncio.get_running_loop().time)
        self._session = _session(self.credentials, self._limits)

    async def close(self) -> None:
        """Close all connections, those of calls in flight too."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def replace_credentials(self, new: Credentials) -> bool:
        """As Client.replace_credentials."""
        if new.fingerprint == self.credentials.fingerprint and new.policy == self.credentials.policy:
            return False
        old = self._live()
        self._session = _session(new, self._limits)
        self.credentials = new
        rotated, self._rotated = self._rotated, asyncio.Event()
        rotated.set()
        await old.retire()
        return True

    def wake(self) -> None:
        """As Client.rouse."""
        rotated, self._rotated = self._rotated, asyncio.Event()
        rotated.set()

    async def pause(self, seconds: float) -> bool:
        """As Client.pause."""
        try:
            async with asyncio.timeout(seconds):
                await self._rotated.wait()
        except TimeoutError:
            return False
        return True

    async def send(self, call: Call) -> bytes:
        """The body of a 2xx reply; raises KubeError for all else, within the call's timeout."""
        deadline = _now() + call.timeout
        sending = False
        outcome: Reply | KubeError
        try:
            async with asyncio.timeout_at(deadline):
                while True:
                    # 1. Our turn.
                    await self._bucket.take()
                    async with self._slots:
                        # 2. One exchange.
                        sending = True
                        outcome = await self._attempt(call)
                        sending = False
                    if isinstance(outcome, Reply):
                        return outcome.body
                    # 3. Again, if the server says it did nothing and there is time.
                    wait = _wait(call, outcome)
                    if wait is None or _now() + wait >= deadline:
                        break
                    await asyncio.sleep(wait)
        except TimeoutError:
            waiting = "the server did not answer in time" if sending else "no turn came in time: our own limits"
            outcome = Unreachable("Timeout" if sending else "Throttled", waiting, outcome_unknown=sending and call.writes)
        raise outcome

    @asynccontextmanager
    async def stream(self, call: Call, how: Streaming, *, aside: bool = False) -> AsyncIterator[Stream]:
        """As Client.stream. Takes a turn of the rate, but no slot: a watch is not in flight, it is there."""
        await (self._aside if aside else self._bucket).take()
        started = _now()
        code, failure = "error", None
        try:
            async with self._live().stream(call.request, how) as stream:
                code = str(stream.code)
                self._note(call, code, started)
                if stream.code == 200:
                    yield stream
                else:
                    failure = await _refusal(stream, call, self._limits.max_body)
        except OSError as exc:
            failure = from_exception(exc, wrote=False)
            if code == "error":
                self._note(call, failure.reason, started)
        if failure is not None:
            raise failure

    @asynccontextmanager
    async def websocket(self, call: Call, protocols: Sequence[str], *, buffer: int) -> AsyncIterator[WebSocket]:
        """As Client.websocket."""
        await self._aside.take()
        started = _now()
        code, failure = "error", None
        try:
            request, key = handshake(call.request, protocols)
            streaming = Streaming(open_timeout=call.timeout, read_timeout=call.timeout, buffer=buffer)
            async with self._live().upgrade(request, streaming) as upgrade:
                code = str(upgrade.reply.code)
                self._note(call, code, started)
                if upgrade.reply.code == 101:
                    yield WebSocket(upgrade, key, protocols)
                else:
                    failure = await _refusal(upgrade.reply, call, self._limits.max_body)
        except OSError as exc:
            failure = from_exception(exc, wrote=False)
            if code == "error":
                self._note(call, failure.reason, started)
        if failure is not None:
            raise failure

    async def _attempt(self, call: Call) -> Reply | KubeError:
        """One exchange, measured."""
        started = _now()
        code = "Timeout"
        try:
            reply = await self._live().send(call.request)
            code = str(reply.code)
            if 200 <= reply.code < 300:
                return reply
            return from_reply(reply.code, reply.headers, reply.body, wrote=call.writes, withhold=call.withhold)
        except OSError as exc:
            error = from_exception(exc, wrote=call.writes)
            code = error.reason
        except KubeError as exc:
            exc.outcome_unknown = call.writes
            error, code = exc, exc.reason
        finally:
            self._note(call, code, started)
        return error

    def _live(self) -> Session:
        if self._session is None:
            raise RuntimeError("the client is not open")
        return self._session

    def _note(self, call: Call, code: str, started: float) -> None:
        if self._observe is not None:
            self._observe(call.verb, call.path.resource, code, _now() - started)


async def _refusal(reply: Stream, call: Call, cap: int) -> KubeError:
    """Why there is no stream."""
    async with asyncio.timeout(call.timeout):
        body = await reply.read(cap)
    return from_reply(reply.code, reply.headers, body, wrote=False, withhold=call.withhold)


def _wait(call: Call, error: KubeError) -> float | None:
    """Seconds until the call may be repeated, None for never."""
    if error.status not in call.retry or not isinstance(error, TooManyRequests | ServerError):
        return None
    return error.retry_after


def _session(credentials: Credentials, limits: Limits) -> Session:
    try:
        return Session(credentials, limits)
    except ssl.SSLError as exc:
        failure: KubeError = TLSFailure(f"the credential's certificates cannot be used: {exc.reason}")
    except AddressNotAllowed as exc:
        failure = AddressRefused(str(exc))
    raise failure


def _now() -> float:
    return asyncio.get_running_loop().time()
