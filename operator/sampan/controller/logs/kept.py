"""What was kept of an attempt's output, as whoever asks wants it. Pure."""

from sampan.controller.logs.options import LogOptions
from sampan.kube.objects.log_lines import Line, LineSplitter, nanoseconds


def chosen_lines(text: bytes, options: LogOptions, now: int) -> list[Line]:
    """Return the lines that are asked for; `now` in milliseconds since the epoch. A line without a time goes with the one before it."""
    splitter = LineSplitter()
    lines = [*splitter.feed(text), *splitter.rest()]
    since = _since(options, now)
    if since is not None:
        first = next(
            (number for number, line in enumerate(lines) if (at := nanoseconds(line.stamp)) is not None and at >= since), len(lines)
        )
        lines = lines[first:]
    if options.tail is None:
        return lines
    begins = [number for number, line in enumerate(lines) if line.begins]
    return lines[begins[-options.tail] :] if 0 < options.tail <= len(begins) else lines if options.tail else []


def _since(options: LogOptions, now: int) -> int | None:
    """The moment from which on lines are asked for, in nanoseconds since the epoch."""
    if options.since_seconds is not None:
        return now * 10**6 - options.since_seconds * 10**9
    return None if options.since is None else int(options.since.timestamp() * 10**6) * 10**3
