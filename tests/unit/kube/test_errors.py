"""Errors say what to do next and carry clean words only."""

import pytest

from sampan.kube import errors
from sampan.kube.errors import KubeError, Next


@pytest.mark.parametrize(
    ("error", "want"),
    [
        (errors.NotFound(404, "NotFound", ""), Next.WAIT_FOR),
        (errors.Conflict(409, "Conflict", ""), Next.WAIT_FOR),
        (errors.AlreadyExists(409, "AlreadyExists", ""), Next.WAIT_FOR),
        (errors.Gone(410, "Expired", ""), Next.WAIT_FOR),
        (errors.Unauthorized(401, "Unauthorized", ""), Next.WAIT_FOR),
        (errors.Forbidden(403, "Forbidden", ""), Next.HUMAN),
        (errors.Invalid(422, "Invalid", ""), Next.HUMAN),
        (errors.TLSFailure(""), Next.HUMAN),
        (errors.AddressRefused(""), Next.HUMAN),
        (errors.TooManyRequests(429, "TooManyRequests", "", retry_after=1), Next.RETRY_LATER),
        (errors.ServerError(500, "InternalError", ""), Next.RETRY_LATER),
        (errors.Unreachable("Timeout", ""), Next.RETRY_LATER),
        (errors.TooLarge(200, "ReplyTooLarge", ""), Next.RETRY_LATER),
    ],
)
def test_says_what_to_do_next(error: KubeError, want: Next) -> None:
    assert error.retry is want
    assert not error.outcome_unknown


def test_remote_words_are_cleaned_and_cut() -> None:
    error = KubeError(500, "Bad\x1b[31m" + "r" * 100, "line\n\u202e" + "m" * 10_000)
    assert "\x1b" not in str(error)
    assert "\n" not in str(error)
    assert len(error.message.encode()) <= 256
    assert len(error.reason.encode()) <= 64


def test_no_message_leaves_the_reason_alone() -> None:
    assert str(errors.Unreachable("Timeout", "")) == "Timeout"
