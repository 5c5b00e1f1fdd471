"""Watch events as they come, which another thread may end. Never here: what is watched, and taking a watch up again."""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

if TYPE_CHECKING:
    from kubernetes.client import ApiClient
    from urllib3 import BaseHTTPResponse

REQUEST_TIMEOUT = (5, 30)
"""Seconds to connect, and between two bytes of an answer."""
MOST_OF_AN_ERROR: Final = 64 * 1024
PIECE: Final = 64 * 1024
"""Bytes that are read at once at most."""


class Events(Protocol):
    """What a watch gives: {type, object}, one after the other."""

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Ask, and yield what comes."""

    def close(self) -> None:
        """End it, whatever another thread waits for inside."""


class OpenedEvents:
    """`Events` of an answer that is read as it comes.

    A thread that still waited for a byte when the interpreter ends would take the process with it (SIGABRT): so the connection is shut.
    """

    def __init__(self, ask: Callable[[], "BaseHTTPResponse"]) -> None:
        """`ask` makes the request; nothing is asked before the first event is wanted."""
        self._ask = ask
        self._lock = threading.Lock()
        self._answer: BaseHTTPResponse | None = None
        self._closed = False

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """See `Events`."""
        answer, rest = self._ask(), b""
        with contextlib.closing(answer):
            with self._lock:
                self._answer = answer
                if self._closed:
                    return
            while piece := answer.read1(PIECE):
                *whole, rest = (rest + piece).split(b"\n")
                yield from (json.loads(line) for line in whole if line)

    def close(self) -> None:
        """See `Events`."""
        with self._lock:
            self._closed = True
            if self._answer is not None:
                with contextlib.suppress(ValueError, RuntimeError, OSError):  # it has ended already
                    self._answer.shutdown()


def stream(client: "ApiClient", path: str, params: Mapping[str, str], *, silence: int) -> "BaseHTTPResponse":
    """The answer to a GET that is read as it comes; ApiException for any but 200. `silence`: seconds between two bytes."""
    from kubernetes.client.exceptions import ApiException

    asked = client.param_serialize("GET", path, query_params=list(params.items()), auth_settings=["BearerToken"])
    answer = client.call_api(*asked, _request_timeout=(REQUEST_TIMEOUT[0], silence)).response
    if answer.status != 200:
        error = ApiException(status=answer.status, reason=answer.reason)
        error.body = answer.read(MOST_OF_AN_ERROR)
        answer.close()
        raise error
    return cast("BaseHTTPResponse", answer)
