"""What can go wrong with an API server, and what to do next.

Lives here: the exceptions every caller of this package handles.
Must never live here: aiohttp, a retry loop, or text that was not cleaned: constructors clean what they are given.
"""

from enum import StrEnum

from sampan.kube.text import clean_text


class Next(StrEnum):
    """What the caller should do about an error."""

    RETRY_LATER = "retry-later"  # the same call may succeed in a while
    WAIT_FOR = "wait-for"  # something else must happen first: a fresh read, a new credential, an object to go
    HUMAN = "human"  # somebody must change a right, a credential, an address or the object


class KubeError(Exception):
    """Base of all errors of an API server.

    ``status`` is the HTTP code or 0 where there was no reply, ``reason`` a CamelCase word fit for a condition, ``message``
    clean text of at most 256 bytes. ``outcome_unknown`` is true when a write may have been carried out all the same, whatever
    the code: look by name before doing anything else.
    """

    retry: Next = Next.RETRY_LATER

    def __init__(self, status: int, reason: str, message: str, *, outcome_unknown: bool = False) -> None:
        """Keep cleaned words only."""
        self.status = status
        self.reason = clean_text(reason, 64)
        self.message = clean_text(message)
        self.outcome_unknown = outcome_unknown
        super().__init__(f"{self.reason}: {self.message}" if self.message else self.reason)


class NotFound(KubeError):  # noqa: N818  (named as the API names it)
    """404: the object, its namespace or its kind is not there."""

    retry = Next.WAIT_FOR


class Conflict(KubeError):  # noqa: N818
    """409 on a stale resourceVersion or a failed precondition: read anew and decide anew."""

    retry = Next.WAIT_FOR


class AlreadyExists(KubeError):  # noqa: N818
    """409 on create: an object of that name is there; whose, the caller must look."""

    retry = Next.WAIT_FOR


class Gone(KubeError):  # noqa: N818
    """410: the resourceVersion or continue token is too old; list anew."""

    retry = Next.WAIT_FOR


class Unauthorized(KubeError):  # noqa: N818
    """401: the credential is not, or no longer, accepted; wait for a new one."""

    retry = Next.WAIT_FOR


class Forbidden(KubeError):  # noqa: N818
    """403: the credential lacks a right, or admission or a quota said no."""

    retry = Next.HUMAN


class Invalid(KubeError):  # noqa: N818
    """422 or 400: the server will never take this object. The message names fields and causes, never values."""

    retry = Next.HUMAN


class TooManyRequests(KubeError):  # noqa: N818
    """429: nothing was done; ``retry_after`` seconds is when to ask again."""

    def __init__(self, status: int, reason: str, message: str, *, retry_after: float) -> None:
        """``retry_after`` in seconds, at least 0."""
        super().__init__(status, reason, message)
        self.retry_after = retry_after


class ServerError(KubeError):
    """5xx: after a write the outcome is unknown. ``retry_after`` is in seconds, None where the server did not say."""

    def __init__(self, status: int, reason: str, message: str, *, retry_after: float | None = None, outcome_unknown: bool = False) -> None:
        """Keep what the server said about when to come back."""
        super().__init__(status, reason, message, outcome_unknown=outcome_unknown)
        self.retry_after = retry_after


class Unreachable(KubeError):  # noqa: N818
    """No reply: refused, reset, timed out, name not found."""

    def __init__(self, reason: str, message: str, *, outcome_unknown: bool = False) -> None:
        """There is no HTTP status."""
        super().__init__(0, reason, message, outcome_unknown=outcome_unknown)


class TLSFailure(KubeError):  # noqa: N818
    """The server is not who the credential's CA vouches for, or speaks no TLS we accept. In the handshake nothing is sent."""

    retry = Next.HUMAN

    def __init__(self, message: str) -> None:
        """There is no HTTP status."""
        super().__init__(0, "TLSError", message)


class AddressRefused(KubeError):  # noqa: N818
    """The server's name resolves to an address that the policy forbids. Nothing was sent."""

    retry = Next.HUMAN

    def __init__(self, message: str) -> None:
        """There is no HTTP status."""
        super().__init__(0, "AddressNotAllowed", message)


class BadReply(KubeError):  # noqa: N818
    """A reply no API server should give: a redirect, something that is not JSON, the wrong shape."""


class TooLarge(BadReply):
    """A reply or a watch line above its cap; reading stopped there."""
