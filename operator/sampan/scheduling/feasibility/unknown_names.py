"""Names of devices that a job asks for and that nobody knows: no class bears them, and no devices whose class is not told.

Words are in `explain`; nothing is judged here.
"""

from difflib import SequenceMatcher, get_close_matches
from functools import lru_cache
from typing import Final

from sampan.model.job import Requirement, Shape
from sampan.model.members.cluster import Pool
from sampan.model.plan import UnknownName
from sampan.model.snapshot import Snapshot

_LEAST_LIKE: Final = {"class": 0.4, "family": 0.6, "vendor": 0.65, "stack": 0.65}
"""How like a name must be to be a slip of the pen, 0..1, by the words that classes bear: short names are alike by chance."""


class KnownNames:
    """The names by which devices can be asked for in one picture; gathered when somebody first asks."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._by_class: dict[str, frozenset[str]] = {}
        self._untold: frozenset[tuple[str, str]] | None = None

    def unknown(self, shape: Shape) -> tuple[UnknownName, ...]:
        """Return the names that nobody knows, in the order of the alternatives, each with the nearest that a class bears."""
        return tuple(each for index, demand in enumerate(shape.demands) for each in self.unknown_in(demand.requirement, index))

    def unknown_in(self, need: Requirement | None, index: int = 0) -> tuple[UnknownName, ...]:
        """Return the same of one demand, by its place in the shape."""
        found = []
        for word, name in need.names.items() if need is not None else ():
            known = self._of(word) if word in _LEAST_LIKE else None
            if known is not None and name not in known and (word, name) not in self._of_untold():
                found.append(UnknownName(index=index, word=word, name=name, nearest=_nearest(word, name, known)))
        return tuple(found)

    def _of(self, word: str) -> frozenset[str]:
        if word not in self._by_class:
            self._by_class[word] = frozenset(each.names[word] for each in self._snapshot.classes.values() if word in each.names)
        return self._by_class[word]

    def _of_untold(self) -> frozenset[tuple[str, str]]:
        """Return the names of devices whose class is not told."""
        if self._untold is None:
            pools = (cell.pool for cell in self._snapshot.cells if cell.pool.accelerator is None and cell.pool.resource)
            self._untold = frozenset(name for pool in pools for name in pool.device_names.items())
        return self._untold


def likeness(unknown: tuple[UnknownName, ...], pool: Pool) -> float:
    """Return how like the names of a pool's devices are to names that nobody knows, 0..1 each; 0 for one that is like none known."""
    names = pool.device_names
    return sum(_like(each.name, names.get(each.word, "")) for each in unknown if each.nearest)


@lru_cache(maxsize=1024)
def _like(wanted: str, name: str) -> float:
    return SequenceMatcher(None, name, wanted).ratio()


@lru_cache(maxsize=1024)
def _nearest(word: str, wanted: str, known: frozenset[str]) -> str:
    return next(iter(get_close_matches(wanted, sorted(known), n=1, cutoff=_LEAST_LIKE[word])), "")
