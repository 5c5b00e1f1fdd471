"""`sampan port-forward`: connections to 127.0.0.1 become connections to ports of a running job's pod."""

import contextlib
import socket as sockets
import threading
from typing import Final

import click

from sampan.cli.lib.options import target_options
from sampan.client.access import hub
from sampan.client.access.sockets import Socket, StreamRequest
from sampan.client.access.target import Target
from sampan.client.errors import ClientError
from sampan.kube.text import clean_text

HOST: Final = "127.0.0.1"
DATA, TROUBLE = 0, 1
"""Channels of a port; each first sends the port's number."""
PIECE: Final = 32 * 1024
LINGER: Final = 10.0
"""Seconds of silence after which a connection ends whose other end sends no more: the protocol cannot say that alone."""


class PortPair(click.ParamType):  # type: ignore[type-arg]  # generic for mypy, not when it runs
    """LOCAL:REMOTE, or one number for both; LOCAL left out or 0: any free port."""

    name = "ports"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """See click."""
        local, colon, remote = str(value).rpartition(":")
        numbers = [(local or "0") if colon else remote, remote]
        if not all(each.isascii() and each.isdigit() and int(each) <= 65535 for each in numbers) or not int(remote):
            self.fail(f"{value!r} is no pair of ports: give LOCAL:REMOTE, such as 8888:8080, or one number for both", param, ctx)
        return int(numbers[0]), int(numbers[1])


@click.command(name="port-forward")
@target_options(all_namespaces=False)
@click.option("--rank", type=click.IntRange(min=0), default=0, help="Of which replica; default: 0.")
@click.argument("name", metavar="JOB")
@click.argument("ports", nargs=-1, required=True, type=PortPair(), metavar="[LOCAL:]REMOTE...")
def port_forward(*, target: Target, name: str, rank: int, ports: tuple[tuple[int, int], ...]) -> None:
    """Listen on this machine alone and pass connections on to ports of a running job, until interrupted.

    Each new connection leads to the pod that the job has then: after a retry, to the new one.
    """
    hub_in_use = hub.connect(target)
    forward = Forward(hub_in_use, name, rank)
    for _, remote in ports:
        forward.check(remote)
    with contextlib.ExitStack() as stack:
        for local, remote in ports:
            listening = stack.enter_context(_listen(local))
            click.echo(f"Forwarding from {HOST}:{listening.getsockname()[1]} -> {remote}")
            threading.Thread(target=forward.accept, args=(listening, remote), name=f"port-{remote}", daemon=True).start()
        until_interrupted()


def until_interrupted() -> None:
    """Return on Ctrl-C."""
    with contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait()


class Forward:
    """Passes connections on to one rank of a job."""

    def __init__(self, hub_in_use: hub.Hub, name: str, rank: int) -> None:
        """Nothing is asked yet."""
        self._api, self._namespace, self._name, self._rank = hub_in_use.api, hub_in_use.default_namespace, name, rank

    def check(self, remote: int) -> None:
        """Raise `ClientError` where no connection could be passed on now, as far as the hub knows."""
        self._api.check_stream(self._wanted(remote))

    def accept(self, listening: sockets.socket, remote: int) -> None:
        """Take connections until the socket is closed, each in a thread of its own."""
        while True:
            try:
                local, _ = listening.accept()
            except OSError:
                return  # it was closed: the command ends
            threading.Thread(target=self.carry, args=(local, remote), name=f"connection-{remote}", daemon=True).start()

    def carry(self, local: sockets.socket, remote: int) -> None:
        """Pass one connection on until it ends; what goes wrong is said, and ends only this one."""
        with local:
            try:
                with self._api.stream(self._wanted(remote)) as stream:
                    trouble = Connection(local, stream).carry()
            except ClientError as error:
                trouble = error.message
            if trouble:
                click.echo(f"port {remote}: {clean_text(trouble, 1024)}", err=True)
            shut(local)

    def _wanted(self, remote: int) -> StreamRequest:
        return StreamRequest(self._namespace, self._name, "portforward", [("rank", str(self._rank)), ("ports", str(remote))])


class Connection:
    """One connection to this machine and its stream."""

    def __init__(self, local: sockets.socket, stream: Socket) -> None:
        """Nothing is passed yet."""
        self._local, self._stream = local, stream
        self._all_sent = threading.Event()

    def carry(self) -> str:
        """Pass bytes both ways until the other side ends; return its words where it told of trouble. The connection is left open."""
        threading.Thread(target=self._send, name="to-job", daemon=True).start()
        headers, trouble = {DATA: 2, TROUBLE: 2}, b""
        while (message := self._next()) is not None:
            channel, data = message[0] if message else DATA, message[1:]
            skip = min(headers.get(channel, 0), len(data))
            headers[channel] = headers.get(channel, 0) - skip
            if channel == TROUBLE:
                trouble += data[skip:]
            elif channel == DATA and data[skip:]:
                try:
                    self._local.sendall(data[skip:])
                except OSError:
                    break  # nobody reads any more
        return trouble.decode(errors="replace")

    def _next(self) -> bytes | None:
        """The next message; None at the end, which is also silence once this side sends no more."""
        while True:
            try:
                return self._stream.recv(LINGER)
            except TimeoutError:
                if self._all_sent.is_set():
                    return None

    def _send(self) -> None:
        with contextlib.suppress(OSError):  # either side has ended, which the other thread is told too
            while data := self._local.recv(PIECE):
                self._stream.send(bytes([DATA]) + data)
        self._all_sent.set()


def shut(local: sockets.socket) -> None:
    """End a connection, which wakes the thread that reads of it."""
    with contextlib.suppress(OSError):  # the program has ended it
        local.shutdown(sockets.SHUT_RDWR)


def _listen(port: int) -> sockets.socket:
    try:
        return sockets.create_server((HOST, port))
    except OSError as error:
        raise ClientError(f"{HOST}:{port}: {error.strerror}", "choose another local port, or 0 for any free one") from error
