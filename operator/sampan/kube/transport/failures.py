"""Replies and exceptions of the transport → errors of this package.

Lives here: the only place that reads a Status, a Retry-After header or an exception of the transport.
Must never live here: retries. Errors made here never chain to the transport's.
"""

import errno
import ssl
from collections.abc import Mapping

from sampan.kube import errors
from sampan.kube.credentials.addresses import AddressNotAllowed
from sampan.kube.errors import KubeError
from sampan.kube.objects.meta import Status
from sampan.kube.objects.reasons import ServerReason
from sampan.kube.transport.http_reply import BadHTTP
from sampan.kube.transport.pool import NotConnected
from sampan.kube.transport.tunnel import ProxyRefused
from sampan.kube.transport.wire import decode

MAX_RETRY_AFTER = 300.0
_NO_CA = "; the kubeconfig gives no CA, so that public ones count: put certificate-authority-data there"


def from_reply(code: int, headers: Mapping[str, str], body: bytes, *, wrote: bool, withhold: bool) -> KubeError:
    """The error of a reply that is not 2xx.

    ``wrote``: the call changes something, so that a 5xx leaves the outcome unknown, and so does a refusal that is no Status:
    a gateway wrote it, perhaps in the place of the server's own reply. ``withhold``: the request carried a Secret, so no text
    of the reply is kept.
    """
    status = _status(body)
    reason = status.reason or _REASONS.get(code, f"HTTP{code}")
    message = "the reply's text is withheld: the request carried a Secret" if withhold else _message(code, status)
    if code == 429:  # without a Status, too: the server is busy, and has done nothing
        return errors.TooManyRequests(code, reason, message, retry_after=_retry_after(headers, status) or 1.0)
    if code >= 500:
        return errors.ServerError(code, reason, message, retry_after=_retry_after(headers, status), outcome_unknown=wrote)
    if 300 <= code < 400:
        return errors.BadReply(code, "Redirected", "the server sent us elsewhere; redirects are not followed", outcome_unknown=wrote)
    kind = _KINDS.get(code, KubeError)
    if code == 409:
        kind = errors.AlreadyExists if status.reason == "AlreadyExists" else errors.Conflict
    return kind(code, reason, message, outcome_unknown=wrote and not status.kind)


def from_exception(exc: OSError, *, wrote: bool) -> KubeError:
    """The error of a call that got no whole reply."""
    if isinstance(exc, NotConnected):
        return _not_connected(exc)
    if isinstance(exc, ssl.SSLError):  # after the handshake
        failure = errors.TLSFailure(_tls_words(exc))
        failure.outcome_unknown = wrote
        return failure
    if isinstance(exc, TimeoutError):
        return errors.Unreachable("Timeout", "the server did not answer in time", outcome_unknown=wrote)
    if isinstance(exc, BadHTTP):
        return errors.BadReply(0, "BadHTTP", "the reply is not HTTP as it should be", outcome_unknown=wrote)
    return errors.Unreachable("ConnectionLost", type(exc).__name__, outcome_unknown=wrote)


def _not_connected(failed: NotConnected) -> KubeError:
    """The error of a call of which nothing was sent."""
    exc = failed.error
    if isinstance(exc, AddressNotAllowed):
        return errors.AddressRefused(str(exc))
    if failed.resolving:
        return errors.Unreachable("NameNotResolved", "the server's name has no address")
    if isinstance(exc, ssl.SSLError):
        return errors.TLSFailure(_tls_words(exc) + (_NO_CA if failed.no_ca else ""))
    if isinstance(exc, ProxyRefused):
        return errors.Unreachable("ProxyRefused", exc.words)
    if isinstance(exc, TimeoutError):
        return errors.Unreachable("Timeout", "the server did not answer in time")
    if isinstance(exc, ConnectionRefusedError) or exc.errno == errno.ECONNREFUSED:
        return errors.Unreachable("ConnectionRefused", "nothing listens at the server's address")
    return errors.Unreachable("ConnectionLost", type(exc).__name__)


def from_status(body: bytes) -> KubeError:
    """The error of a Status inside a watch."""
    status = _status(body)
    code = status.code if 300 <= status.code < 600 else 500
    return from_reply(code, {}, body, wrote=False, withhold=False)


_KINDS: Mapping[int, type[KubeError]] = {
    400: errors.Invalid,
    401: errors.Unauthorized,
    403: errors.Forbidden,
    404: errors.NotFound,
    410: errors.Gone,
    413: errors.Invalid,
    415: errors.Invalid,
    422: errors.Invalid,
}
_REASONS: Mapping[int, str] = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    409: "Conflict",
    410: "Expired",
    422: "Invalid",
    429: ServerReason.TOO_MANY_REQUESTS,
    500: ServerReason.INTERNAL_ERROR,
    503: ServerReason.SERVICE_UNAVAILABLE,
    504: ServerReason.TIMEOUT,
}
_ECHOING = frozenset({400, 413, 415, 422})  # their texts quote the object we sent


def _status(body: bytes) -> Status:
    try:
        status = decode(body, Status)
    except errors.BadReply:
        return Status()  # a proxy's page: only the code is believed
    return status if status.kind == "Status" else Status()


_DENIED = (" denied request: ", " denied the request: ")
"""What an API server puts before the words of an admission policy or webhook (apiserver: policy/validating, webhook/errors)."""


def _message(code: int, status: Status) -> str:
    if code not in _ECHOING:
        return status.message
    if any(mark in status.message for mark in _DENIED):
        return status.message[max(status.message.find("ValidatingAdmissionPolicy"), status.message.find("admission webhook"), 0) :]
    causes = status.details.causes if status.details else []
    return ", ".join(f"{cause.field} ({cause.reason})" for cause in causes[:16]) or "the server refuses the object"


def _retry_after(headers: Mapping[str, str], status: Status) -> float | None:
    text = headers.get("Retry-After", "")
    if text.isascii() and text.isdigit() and len(text) < 9:
        return min(MAX_RETRY_AFTER, float(text))
    if status.details and status.details.retry_after_seconds > 0:
        return min(MAX_RETRY_AFTER, float(status.details.retry_after_seconds))
    return None


def _tls_words(exc: ssl.SSLError) -> str:
    """OpenSSL's own words (local ones), without the address, and the way out where the code tells it."""
    said = str(getattr(exc, "verify_message", "") or getattr(exc, "reason", "") or "the TLS handshake failed").rstrip(".")
    return said + _TLS_ADVICE.get(getattr(exc, "verify_code", None) or said, "")


_NOT_OUR_CA = "; certificate-authority-data is not of the CA that signed the server's certificate"
_WRONG_NAME = "; give tls-server-name, one of the names in the server's certificate"
_TLS_ADVICE: Mapping[object, str] = {  # by OpenSSL's X509_V_ERR_… (x509_vfy.h), or its reason
    10: "; the server needs a new certificate",
    18: _NOT_OUR_CA,
    19: _NOT_OUR_CA,
    20: _NOT_OUR_CA,
    21: _NOT_OUR_CA,
    62: _WRONG_NAME,
    64: _WRONG_NAME,
    "WRONG_VERSION_NUMBER": "; there is no TLS at that port",
}
