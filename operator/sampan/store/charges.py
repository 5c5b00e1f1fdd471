"""What attempts are charged, as values. Never here: SQL, or how a charge is worked out (`scheduling.queueing.charge`)."""

from collections.abc import Mapping
from dataclasses import dataclass

Totals = Mapping[tuple[str, str], int]
"""By queue and namespace, inflated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What one attempt of a job is charged."""

    job_uid: str
    attempt: int
    queue: str
    namespace: str
    at: int
    """When it was bound: milliseconds since the epoch."""
    amount: int
    """Micro-units of common-unit hours for `seconds`, not inflated."""
    seconds: int
    final: bool = False
    """It has ended, and `seconds` is how long it lasted."""

    def lasted(self, seconds: int) -> "Use":
        """Return the correction of this charge once the attempt has ended, in proportion to how long it really lasted."""
        amount = self.amount * max(seconds, 0) // max(self.seconds, 1)
        fields = {name: getattr(self, name) for name in ("job_uid", "attempt", "queue", "namespace", "at")}
        return Use(**fields, amount=amount, seconds=max(seconds, 0), final=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldedUse(Use):
    """What attempts of one namespace in one queue, all ended, are charged together: exact in the sums, without saying by which job.

    It is a row like any other, so that it is counted once however often it is written; `job_uid` is of no job.
    """

    gain: int
    """What they add to the sums: each charge inflated by itself, then added, so that no rounding is lost."""
    attempts: int
