"""A value that must not be seen.

Lives here: the type that carries tokens, keys and kubeconfigs through the program.
Must never live here: where secrets come from or go to.
"""

import hmac
from typing import NoReturn


class Secret:
    """Text that shows as ``***`` everywhere; only ``reveal()`` gives it, so that a search for the word finds each use.

    Equality takes constant time. It cannot be pickled, so that it leaves the process by no side door.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        """Wrap ``value``."""
        self._value = value

    def reveal(self) -> str:
        """The secret itself: for a header, a TLS context or a hash, never for a message."""
        return self._value

    def __repr__(self) -> str:
        """Hide the value from debuggers and tracebacks."""
        return "Secret(***)"

    def __str__(self) -> str:
        """Hide the value from messages."""
        return "***"

    def __format__(self, spec: str) -> str:
        """Hide the value from f-strings, whatever the format asked for."""
        return "***"

    def __eq__(self, other: object) -> bool:
        """Compare in constant time."""
        return isinstance(other, Secret) and hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        """Equal secrets hash equally; the hash does not leave the process."""
        return hash((Secret, self._value))

    def __reduce__(self) -> NoReturn:
        """Refuse to be serialised."""
        raise TypeError("a Secret cannot be serialised")
