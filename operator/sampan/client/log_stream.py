"""A job's output from the hub, taken up again where a connection breaks. Never here: options of the command line, printing."""

import time
from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from datetime import datetime
from typing import Final, Protocol, TypedDict

from sampan.kube.objects.log_lines import Line, LineSplitter, Seen, ranked

GIVE_UP_AFTER: Final = 120.0
"""Seconds without an answer after which a broken stream is not taken up again."""

LONGEST: Final = 64 * 1024
"""Bytes of a line that are waited for; a longer one comes in pieces."""

Open = Callable[[Mapping[str, str]], Iterator[bytes]]


class LogOptions(TypedDict, total=False):
    """What is read of a job's output; rank 0, all that is there, if nothing else is said."""

    follow: bool
    """Go on until the job ends; wait for its start."""
    rank: int
    all_ranks: bool
    """Of all replicas, each line with its rank before it."""
    previous: bool
    """Of the attempt before, or of a sweep's pod before."""
    since: int
    """Only what is not older than so many seconds."""
    tail: int
    """Only so many last lines."""
    timestamps: bool
    """With the time of each line."""


def params_of(options: LogOptions) -> dict[str, str]:
    """The options as parameters of the hub's API. Raises ValueError where they exclude each other."""
    if options.get("all_ranks") and "rank" in options:
        raise ValueError("rank and all_ranks exclude each other: give one of them")
    if options.get("follow") and options.get("previous"):
        raise ValueError("follow and previous exclude each other: what was before does not go on")
    params = {"rank": "all" if options.get("all_ranks") else str(options.get("rank", 0))}
    switches = {"follow": options.get("follow"), "previous": options.get("previous"), "timestamps": options.get("timestamps")}
    numbers = {"sinceSeconds": options.get("since"), "tailLines": options.get("tail")}
    params |= {name: "true" for name, on in switches.items() if on}
    return params | {name: str(number) for name, number in numbers.items() if number is not None}


def lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Cut a stream into lines without their ends; what is longer than `LONGEST` comes in pieces of about that length."""
    rest = b""
    try:
        for chunk in chunks:
            *whole, rest = (rest + chunk).split(b"\n")
            yield from whole
            if len(rest) > LONGEST:
                yield rest
                rest = b""
    except Exception:
        if rest:
            yield rest  # what came before the trouble is the reader's
        raise
    if rest:
        yield rest


class Clock(Protocol):
    """What waiting needs."""

    def __call__(self) -> float:
        """Return steady seconds."""


def is_passing(error: Exception) -> bool:
    """Tell whether it is worth asking again: the connection broke, or the hub's operator is not there or has too much to do just now."""
    from urllib3.exceptions import HTTPError

    codes = {getattr(each, "status", None) for each in (error, error.__cause__)}
    if 0 in codes:  # how the official client tells of broken TLS: a handshake that was cut, or a certificate that is never trusted
        return "CERTIFICATE" not in str(error)
    return isinstance(error, HTTPError | OSError) or not codes.isdisjoint({429, 503, 504})


class LogStream:
    """`open_log` asks the hub once, with the parameters of its API; where `broken` says so, it is asked again while following."""

    def __init__(self, open_log: Open, params: Mapping[str, str], *, broken: Callable[[Exception], bool]) -> None:
        """Nothing is asked before `lines`. Times are asked for in any case, and shown only where `params` asks for them."""
        self._open, self._broken = open_log, broken
        self._params = {**params, "timestamps": "true"}
        self._stamps = params.get("timestamps") == "true"
        self._follow = params.get("follow") == "true"
        self._all = params.get("rank") == "all"
        self._seen: defaultdict[int, Seen] = defaultdict(Seen)

    def chunks(self, *, clock: Clock = time.monotonic, sleep: Callable[[float], None] = time.sleep) -> Generator[bytes, None, None]:
        """Yield the output as it comes. Raises what `open_log` raises, where it cannot go on."""
        params: Mapping[str, str] = self._params
        failing, wait = clock(), 0.5
        while True:
            opened = False
            try:
                with closing(self._read(params)) as read:
                    for chunk in read:
                        opened, wait = True, 0.5
                        if chunk:
                            yield chunk
            except Exception as error:
                failing = clock() if opened else failing
                if not self._follow or not self._broken(error) or clock() - failing > GIVE_UP_AFTER:
                    raise
            else:
                return
            sleep(wait)
            wait = min(wait * 2, 10.0)
            params = self._resumed()

    def _read(self, params: Mapping[str, str]) -> Generator[bytes, None, None]:
        splitter = LineSplitter()
        for data in self._open(params):
            yield self._fresh(splitter.feed(data))
        yield self._fresh(splitter.rest())

    def _fresh(self, lines: list[Line]) -> bytes:
        return b"".join(part for line in lines for part in self._parts(line))

    def _parts(self, line: Line) -> Iterator[bytes]:
        rank, prefix, plain = ranked(line) if self._all else (0, b"", line)
        if self._seen[rank].is_new(plain):
            yield prefix
            if self._stamps and plain.stamp:
                yield plain.stamp + b" "
            yield plain.text

    def _resumed(self) -> Mapping[str, str]:
        """From the earliest of the moments up to which the ranks were read; from the beginning where nothing was."""
        moments = [moment for seen in self._seen.values() if (moment := seen.resume()) is not None]
        if not moments:
            return self._params
        kept = {name: value for name, value in self._params.items() if name not in ("tailLines", "sinceSeconds", "sinceTime")}
        return {**kept, "sinceTime": _text(min(moments))}


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
