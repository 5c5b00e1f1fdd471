"""How much one user, and all together, may ask. Never here: a clock (the caller brings the time), answers."""

from collections import OrderedDict
from dataclasses import dataclass, field

MAX_USERS = 4096
"""Users whose budgets are remembered; who asked longest ago is forgotten first."""


class RateLimited(Exception):  # noqa: N818
    """Ask again after `seconds`."""

    def __init__(self, seconds: int) -> None:
        """`seconds`: at least 1."""
        super().__init__(f"too many questions; ask again in {seconds} s")
        self.seconds = seconds


@dataclass(slots=True)
class Budget:
    """A bucket of questions for each user, filled at an even rate."""

    milliseconds: int
    """Time in which one more question may be asked."""
    burst: int
    _spent: OrderedDict[str, int] = field(default_factory=OrderedDict)
    """Moment at which a user's bucket is full again."""

    def spend(self, user: str, now: int) -> None:
        """Count a question at a moment (milliseconds, steady). Raises TooMany where the bucket is empty; that costs nothing."""
        full_at = max(self._spent.pop(user, now), now)
        over = full_at + self.milliseconds - now - self.burst * self.milliseconds
        self._spent[user] = full_at if over > 0 else full_at + self.milliseconds
        if len(self._spent) > MAX_USERS:
            self._spent.popitem(last=False)
        if over > 0:
            raise RateLimited(-(-over // 1000))
