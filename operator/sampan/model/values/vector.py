"""Amounts of several Kubernetes resources at once: milli-CPU, bytes, pods, device units."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

CPU: Final = "cpu"
MEMORY: Final = "memory"
STORAGE: Final = "ephemeral-storage"
PODS: Final = "pods"


@dataclass(frozen=True, slots=True)
class Vector:
    """Immutable resource amounts in base units: cpu in thousandths of a core, everything else in whole units.

    A resource that is not named is zero. Amounts may be negative in differences (an overcommitted node).
    """

    amounts: tuple[tuple[str, int], ...] = ()

    @classmethod
    def of(cls, amounts: Mapping[str, int]) -> "Vector":
        """Return the vector of a mapping; zeros are dropped, so equal amounts are equal values."""
        return cls(tuple(sorted((name, amount) for name, amount in amounts.items() if amount)))

    @classmethod
    def total(cls, vectors: Iterable["Vector"]) -> "Vector":
        """Return the sum of all vectors."""
        summed: dict[str, int] = {}
        for vector in vectors:
            for name, amount in vector.amounts:
                summed[name] = summed.get(name, 0) + amount
        return cls.of(summed)

    def __getitem__(self, name: str) -> int:
        """Return the amount of one resource, 0 where it is not named."""
        for known, amount in self.amounts:
            if known == name:
                return amount
        return 0

    def __iter__(self) -> Iterator[tuple[str, int]]:
        """Yield (name, amount) in name order, without zeros."""
        return iter(self.amounts)

    def __add__(self, other: "Vector") -> "Vector":
        """Return the element-wise sum."""
        return Vector.total((self, other))

    def __sub__(self, other: "Vector") -> "Vector":
        """Return the element-wise difference, which may be negative."""
        return Vector.total((self, other.times(-1)))

    def times(self, factor: int) -> "Vector":
        """Return every amount multiplied by an integer."""
        return Vector(tuple((name, amount * factor) for name, amount in self.amounts if amount * factor))

    def fits(self, need: "Vector", *, at_most: int) -> int:
        """Return how many times `need` fits into this vector, 0..`at_most`."""
        count = at_most
        for name, amount in need.amounts:
            if amount > 0:
                count = min(count, max(self[name], 0) // amount)
        return count
