"""No namespace, no user and not all together have more streams open than they may."""

from contextlib import ExitStack

import pytest

from sampan.controller.streams.limits import OpenStreams
from sampan.controller.streams.refusal import StreamRefusedError


@pytest.mark.parametrize(
    ("limits", "opened", "says"),
    [
        (OpenStreams(in_all=2), [("a", "x"), ("b", "y")], "hub: at most 2 streams"),
        (OpenStreams(of_namespace=1), [("c", "x")], "namespace c: at most 1 streams"),
        (OpenStreams(of_user=2), [("a", "z"), ("b", "z")], "user z: at most 2 streams"),
        (OpenStreams(in_all=0), [], "hub: at most 0 streams"),
    ],
)
def test_one_too_many_is_refused_until_another_ends(limits: OpenStreams, opened: list[tuple[str, str]], says: str) -> None:
    with ExitStack() as stack:
        for namespace, user in opened:
            stack.enter_context(limits.slot(namespace=namespace, user=user))
        with pytest.raises(StreamRefusedError, match=says) as refused, limits.slot(namespace="c", user="z"):
            pass
        assert refused.value.code == 429
    if opened:
        with limits.slot(namespace="c", user="z"):
            pass
