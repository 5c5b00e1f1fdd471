"""Several jobs' output at the same time, each read by a thread of its own and written line by line. Never here: when a job ends."""

import threading
import time
from collections.abc import Mapping
from typing import BinaryIO, Final

import click

from sampan.cli.access import hub
from sampan.cli.jobs.log_stream import LogStream, is_passing

LONGEST: Final = 64 * 1024
"""Bytes of a line that are waited for among several jobs' lines; a longer one comes in pieces."""
LEFT_AFTER: Final = 30.0
"""Seconds for which the rest of the output is waited for once the jobs have ended."""


class LogThreads:
    """Follows jobs; with `named` each line has its job's name before it."""

    def __init__(self, api: hub.HubApi, out: BinaryIO, *, named: bool) -> None:
        """Start idle."""
        self._api, self._out, self._named = api, out, named
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []

    def follow(self, namespace: str, name: str, *, all_ranks: bool) -> None:
        """Follow a job from its start to its end."""
        params = {"follow": "true", "rank": "all" if all_ranks else "0"}
        thread = threading.Thread(target=self._read, args=(namespace, name, params), name=f"log-{name}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def join(self, seconds: float = LEFT_AFTER) -> None:
        """Wait for the rest of the output, and no longer than so many seconds."""
        until = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(until - time.monotonic(), 0.0))
            if thread.is_alive():
                name = thread.name.removeprefix("log-")
                click.echo(f"{name}: the rest of its output did not come in time; read it with sampan logs", err=True)

    def _read(self, namespace: str, name: str, params: Mapping[str, str]) -> None:
        from kubernetes.client.exceptions import ApiException
        from urllib3.exceptions import HTTPError

        from sampan.cli.lib.errors import to_cli_error

        stream = LogStream(lambda asked: self._api.log(namespace, name, asked), params, broken=is_passing)
        rest = b""
        try:
            for chunk in stream.chunks():
                rest = self._write(name, rest + chunk)
        except (click.ClickException, ApiException, HTTPError, OSError) as error:
            trouble = error if isinstance(error, click.ClickException) else to_cli_error(error)
            click.echo(f"{name}: its output cannot be followed: {trouble.format_message() if trouble else error}", err=True)
        if rest:
            self._write(name, rest + b"\n")

    def _write(self, name: str, text: bytes) -> bytes:
        """Write the lines that are whole; return what follows them. A single job's output is passed on as it is."""
        whole, rest = (text, b"") if not self._named else _split(text)
        if self._named:
            whole = b"".join(f"{name} | ".encode() + line + b"\n" for line in whole.split(b"\n")[:-1])
        with self._lock:
            self._out.write(whole)
            self._out.flush()
        return rest


def _split(text: bytes) -> tuple[bytes, bytes]:
    end = text.rfind(b"\n") + 1
    if not end and len(text) > LONGEST:
        return text + b"\n", b""
    return text[:end], text[end:]
