"""Which stream is asked for, from the parameters of a request, and what is asked of the member for it. Never here: pods, calls."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from multidict import MultiMapping

from sampan.api.launch.pod import CONTAINER
from sampan.controller.streams.refusal import StreamRefusedError
from sampan.kube.text import clean_text

V5: Final = "v5.channel.k8s.io"
"""Of Kubernetes' remote commands: one byte of channel before each message; 255 and a channel's number end that channel."""
V4: Final = "v4.channel.k8s.io"
"""The same without an end of a single channel. Port forwarding of pods has this one."""
_TRUE: Final = frozenset({"true", "1", ""})
_FALSE: Final = frozenset({"false", "0"})
_FLAGS: Final = ("stdin", "stdout", "stderr", "tty")


class StreamKind(StrEnum):
    """A subresource of a job, and of a pod, by its name."""

    EXEC = "exec"
    ATTACH = "attach"
    PORTFORWARD = "portforward"

    @property
    def offered(self) -> str:
        """The subprotocol that we speak with whoever asks."""
        return V4 if self is StreamKind.PORTFORWARD else V5

    @property
    def wanted(self) -> tuple[str, ...]:
        """The subprotocols that we speak with a member, best first: before Kubernetes 1.30 there is no V5."""
        return (V4,) if self is StreamKind.PORTFORWARD else (V5, V4)

    @property
    def value_of_chart(self) -> str:
        """The value of the chart sampan-member by which a provider allows it."""
        return {"exec": "pods.exec", "attach": "pods.attach", "portforward": "pods.portForward"}[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamOptions:
    """What was asked for; `params` is for the member."""

    kind: StreamKind
    rank: int = 0
    params: tuple[tuple[str, str], ...] = ()

    @property
    def command(self) -> str:
        """The first word of the command, of which there is a record; nothing where there is none."""
        return clean_text(next((value for name, value in self.params if name == "command"), ""), 64)

    @property
    def ends_input(self) -> bool:
        """Whether its input may end before it does: a terminal's does not."""
        return ("stdin", "true") in self.params and ("tty", "true") not in self.params


def stream_options(kind: StreamKind, given: MultiMapping[str]) -> StreamOptions:
    """Return what the parameters say, in the names of the pods' API. Raises StreamRefusedError."""
    known = {"rank", *(("ports",) if kind is StreamKind.PORTFORWARD else _FLAGS), *(("command",) if kind is StreamKind.EXEC else ())}
    unknown = sorted(given.keys() - known)
    if unknown:
        raise StreamRefusedError(400, f"unknown parameter {clean_text(unknown[0], 64)}: there are {', '.join(sorted(known))}")
    rank = _number("rank", given.get("rank", "0"), least=0, most=2**31 - 1)
    if kind is StreamKind.PORTFORWARD:
        return StreamOptions(kind=kind, rank=rank, params=(("ports", _port(given.getall("ports", []))),))
    flags = {name for name in _FLAGS if _flag(given, name)}
    if not flags & {"stdin", "stdout", "stderr"}:
        raise StreamRefusedError(400, "stdin, stdout, stderr: one of them must be true, or there is nothing to be read or written")
    if flags >= {"tty", "stderr"}:
        raise StreamRefusedError(400, "tty and stderr: a terminal has one output; leave stderr out")
    command = given.getall("command", []) if kind is StreamKind.EXEC else []
    if kind is StreamKind.EXEC and not (command and command[0]):
        raise StreamRefusedError(400, "command: give one, each word as a parameter of its own")
    params = [("container", CONTAINER), *((name, "true") for name in _FLAGS if name in flags), *(("command", word) for word in command)]
    return StreamOptions(kind=kind, rank=rank, params=tuple(params))


def _flag(given: MultiMapping[str], name: str) -> bool:
    value = given.get(name, "false").lower()
    if value not in _TRUE | _FALSE:
        raise StreamRefusedError(400, f"{name} must be true or false")
    return value in _TRUE


def _port(ports: Sequence[str]) -> str:
    if len(ports) != 1:
        raise StreamRefusedError(400, "ports: give one; each connection to a port is a stream of its own")
    return str(_number("ports", ports[0], least=1, most=65535))


def _number(name: str, text: str, *, least: int, most: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and least <= int(text) <= most):
        raise StreamRefusedError(400, f"{name} must be a whole number from {least} to {most}")
    return int(text)
