"""How many streams may be open at once: in all, of a namespace, of a user. Never here: how fast they are (`logs.pace`)."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sampan.controller.streams.refusal import StreamRefusedError


@dataclass(slots=True, kw_only=True)
class OpenStreams:
    """Counts them. Each has buffers of its own: less than 1 MiB with both its connections, and mostly a tenth of it."""

    in_all: int = 256
    of_namespace: int = 64
    of_user: int = 32
    _open: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By what is counted and its name."""

    @contextmanager
    def slot(self, *, namespace: str, user: str) -> Iterator[None]:
        """Have one more open while the context is. Raises StreamRefusedError."""
        counted = ((("hub", ""), self.in_all), (("namespace", namespace), self.of_namespace), (("user", user), self.of_user))
        for key, most in counted:
            if self._open[key] >= most:
                raise StreamRefusedError(429, f"{' '.join(key).strip()}: at most {most} streams are open at once; close one first")
        for key, _ in counted:
            self._open[key] += 1
        try:
            yield
        finally:
            for key, _ in counted:
                self._open[key] -= 1
            self._open += Counter()  # names without a stream go
