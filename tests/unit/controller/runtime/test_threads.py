"""How long a thread keeps the interpreter."""

import sys
from collections.abc import Iterator

import pytest

from sampan.controller.runtime.threads import SWITCH, favour_the_loop


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """Leave the interpreter as it was."""
    before = sys.getswitchinterval()
    yield
    sys.setswitchinterval(before)


def test_a_thread_gives_the_interpreter_back_sooner_than_by_default() -> None:
    sys.setswitchinterval(0.005)
    favour_the_loop()
    assert sys.getswitchinterval() == pytest.approx(SWITCH)
    assert SWITCH < 0.005
