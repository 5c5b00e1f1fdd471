"""A member's no in one word: what kind of thing is wrong, and whether waiting may mend it."""

import pytest

from sampan.controller.reconcile.member_words import call_failure, is_final, lacks_permission, needs_review
from sampan.kube import errors

RBAC = 'jobs.batch is forbidden: User "system:serviceaccount:sampan-jobs:sampan-hub" cannot create resource "jobs" in API group "batch"'
WEBHOOK = 'Internal error occurred: failed calling webhook "validate.kyverno.svc-fail": Post "https://127.0.0.1:1/": connection refused'
QUOTA = 'jobs.batch "sj-x" is forbidden: exceeded quota: jobs, requested: count/jobs.batch=1, used: 1, limited: 1'
GONE = 'jobs.batch "sj-x" is forbidden: unable to create new content in namespace sampan-jobs because it is being terminated'
POLICY = "ValidatingAdmissionPolicy 'no-root' with binding 'all' denied request: images must be signed"
HOOK = 'admission webhook "validate.kyverno.svc" denied the request: images must be signed'


@pytest.mark.parametrize(
    ("error", "reason", "passing"),
    [
        (errors.Forbidden(403, "Forbidden", RBAC), "PermissionMissing", False),
        (errors.Forbidden(403, "Forbidden", QUOTA), "QuotaExceeded", True),
        (errors.Forbidden(403, "Forbidden", GONE), "NamespaceTerminating", False),
        (errors.NotFound(404, "NotFound", 'namespaces "sampan-jobs" not found'), "NamespaceNotFound", False),
        (errors.ServerError(500, "InternalError", WEBHOOK), "WebhookFailed", True),
        (errors.ServerError(503, "ServiceUnavailable", "etcdserver: leader changed"), "ServiceUnavailable", True),
        (errors.TooManyRequests(429, "TooManyRequests", "later", retry_after=7), "TooManyRequests", True),
        (errors.Unreachable("Timeout", "the server did not answer in time"), "Timeout", True),
        (errors.Invalid(422, "Invalid", POLICY), "AdmissionDenied", False),
        (errors.Forbidden(403, "Forbidden", HOOK), "AdmissionDenied", False),
        (errors.Invalid(422, "Invalid", "spec.template (FieldValueInvalid)"), "Invalid", False),
        (errors.Forbidden(403, "no such luck!", ""), "Rejected", False),
    ],
)
def test_a_no_has_a_word_and_keeps_its_own(error: errors.KubeError, reason: str, passing: bool) -> None:
    words = call_failure(error)
    assert (words.reason, words.transient) == (reason, passing)
    assert words.message == error.message
    assert len(words.message.encode()) <= 256


def test_a_server_says_when_to_come_back() -> None:
    assert call_failure(errors.TooManyRequests(429, "TooManyRequests", "", retry_after=7)).retry_after == 7_000
    assert call_failure(errors.ServerError(503, "X", "", retry_after=None)).retry_after == 0


def test_only_what_was_answered_for_good_is_a_refusal() -> None:
    assert is_final(errors.Forbidden(403, "Forbidden", QUOTA))
    assert is_final(errors.NotFound(404, "NotFound", ""))
    assert not is_final(errors.ServerError(500, "InternalError", WEBHOOK, outcome_unknown=True))
    assert not is_final(errors.TooManyRequests(429, "TooManyRequests", "", retry_after=1))


def test_an_admissions_no_says_nothing_about_rights() -> None:
    assert lacks_permission(errors.Forbidden(403, "Forbidden", RBAC))
    assert not any(lacks_permission(errors.Forbidden(403, "Forbidden", text)) for text in (QUOTA, GONE, HOOK))


def test_a_namespace_that_goes_is_for_the_link_to_look_at_and_a_full_quota_is_not() -> None:
    assert needs_review(errors.Forbidden(403, "Forbidden", GONE))
    assert needs_review(errors.NotFound(404, "NotFound", 'namespaces "sampan-jobs" not found'))
    assert needs_review(errors.Forbidden(403, "Forbidden", RBAC))
    assert not needs_review(errors.Forbidden(403, "Forbidden", QUOTA))
