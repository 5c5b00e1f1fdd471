"""What may be asked for of a stream, and what is asked of the member for it."""

import pytest
from multidict import MultiDict

from sampan.controller.streams.options import StreamKind, StreamOptions, stream_options
from sampan.controller.streams.refusal import StreamRefusedError

EXEC, ATTACH, PORT = StreamKind.EXEC, StreamKind.ATTACH, StreamKind.PORTFORWARD
Pairs = list[tuple[str, str]]


def read(kind: StreamKind, pairs: Pairs) -> StreamOptions:
    """Return what the parameters say."""
    return stream_options(kind, MultiDict(pairs))


def test_a_command_is_asked_for_word_by_word_in_the_job_s_container() -> None:
    pairs = [("command", "sh"), ("command", "-c"), ("command", "a & b"), ("stdin", "true"), ("stdout", "1"), ("rank", "3")]
    options = read(EXEC, pairs)
    words = [("command", "sh"), ("command", "-c"), ("command", "a & b")]
    assert (options.rank, options.command, options.ends_input) == (3, "sh", True)
    assert list(options.params) == [("container", "main"), ("stdin", "true"), ("stdout", "true"), *words]


def test_the_input_of_a_terminal_does_not_end() -> None:
    assert not read(EXEC, [("command", "sh"), ("stdin", ""), ("stdout", "true"), ("tty", "true")]).ends_input
    assert not read(ATTACH, [("stdout", "true")]).ends_input


def test_one_port_is_one_stream() -> None:
    assert read(PORT, [("ports", "8080")]).params == (("ports", "8080"),)


@pytest.mark.parametrize(
    ("kind", "pairs", "says"),
    [
        (EXEC, [("stdout", "true")], "command: give one"),
        (EXEC, [("stdout", "true"), ("command", "")], "command: give one"),
        (EXEC, [("command", "sh")], "nothing to be read or written"),
        (EXEC, [("command", "sh"), ("stdout", "yes")], "stdout must be true or false"),
        (EXEC, [("command", "sh"), ("tty", "true"), ("stderr", "true")], "tty and stderr"),
        (EXEC, [("command", "sh"), ("stdout", "true"), ("container", "istio")], "unknown parameter container"),
        (ATTACH, [("command", "sh"), ("stdout", "true")], "unknown parameter command"),
        (ATTACH, [("stdout", "true"), ("rank", "-1")], "rank must be a whole number from 0"),
        (ATTACH, [("stdout", "true"), ("rank", "٣")], "rank must be a whole number from 0"),
        (PORT, [], "ports: give one"),
        (PORT, [("ports", "1"), ("ports", "2")], "ports: give one"),
        (PORT, [("ports", "65536")], "ports must be a whole number from 1 to 65535"),
        (PORT, [("ports", "80"), ("stdin", "true")], "unknown parameter stdin"),
    ],
)
def test_what_cannot_be_read_names_the_parameter(kind: StreamKind, pairs: Pairs, says: str) -> None:
    with pytest.raises(StreamRefusedError, match=says) as refused:
        read(kind, pairs)
    assert refused.value.code == 400
