"""Secrets do not show."""

import copy
import pickle
import traceback

import pytest

from sampan.kube.credentials.secret import Secret


def test_shows_in_no_form() -> None:
    secret = Secret("canary")
    shown = [str(secret), repr(secret), f"{secret}", f"{secret:>40}", f"{secret!r}", str([secret]), "%s" % secret]  # noqa: UP031
    assert not any("canary" in text for text in shown)
    assert secret.reveal() == "canary"


def test_is_not_in_a_traceback() -> None:
    secret = Secret("canary")
    with pytest.raises(ValueError, match="bad") as caught:
        raise ValueError("bad", secret)
    assert "canary" not in "".join(traceback.format_exception(caught.value))


def test_equality_is_by_value() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1


def test_cannot_be_serialised() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(Secret("a"))
    with pytest.raises(TypeError):
        copy.deepcopy(Secret("a"))
