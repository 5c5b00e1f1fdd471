"""Actions are values: what tests and the executor compare."""

from dataclasses import FrozenInstanceError
from typing import get_args

import pytest

from sampan.controller.reconcile import actions as a


def test_every_action_of_the_module_is_in_the_union() -> None:
    defined = {value for value in vars(a).values() if isinstance(value, type) and value.__module__ == a.__name__}
    assert set(get_args(a.Action)) == defined - {a.Times}


def test_actions_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        a.Wait(5).millis = 6  # type: ignore[misc]
    assert a.Wait(5) == a.Wait(5)
    assert a.Wait(5) != a.Wait()
