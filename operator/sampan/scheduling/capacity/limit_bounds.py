"""Which columns may be short of what limits them, over all columns at once: a sieve before the exact look. Never too few."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from sampan.model.job import Demand
from sampan.model.members.admission import CLAIM_TEMPLATES, JOBS, LIMITS, PER_CLASS, SERVICES
from sampan.model.values.quantity import INFINITE
from sampan.model.values.vector import PODS
from sampan.scheduling.capacity.cells import CellIndex
from sampan.scheduling.capacity.node_selection import Flags
from sampan.scheduling.capacity.request import OF_COMPUTE
from sampan.scheduling.capacity.topology import Numbers

_ONCE: Final = (JOBS, SERVICES, CLAIM_TEMPLATES)


class LimitBounds:
    """The least that any limit leaves, by resource and column, and the most that a kind of pool adds to a pod."""

    def __init__(self, layout: CellIndex) -> None:
        """Nothing is limited yet."""
        self._layout = layout
        self._least: dict[str, Numbers] = {}
        self._more: dict[str, tuple[int, int]] = {}

    def lower(self, columns: Numbers, left: Mapping[str, int]) -> None:
        """Take over what a limit of these columns leaves: no more than before."""
        for name, amount in left.items():
            if name not in self._least:
                self._least[name] = np.full(len(self._layout.columns), INFINITE, dtype=np.int64)
                self._more[name] = self._added(name)
            least = self._least[name]
            least[columns] = np.minimum(least[columns], max(min(amount, INFINITE), -INFINITE))

    def may_be_short(self, demand: Demand, wanted: Numbers | int) -> Flags:
        """Return the columns where a limit may allow fewer replicas than wanted: all such, and some others."""
        found: Flags = np.zeros(len(self._layout.columns), dtype=bool)
        once = dict(demand.objects)
        for name, least in self._least.items():
            if name in once or name in _ONCE:
                found |= least < once.get(name, 1)
                continue
            most = self._most(name, demand)
            if most > 0:
                found |= least // min(most, INFINITE) < wanted
        return found

    def _most(self, name: str, demand: Demand) -> int:
        """Return the most that a replica takes of a resource in any pool."""
        added, units = self._more[name]
        need = demand.requirement
        devices = need.count if need else 0
        if not name:
            return devices
        if name in (*OF_COMPUTE, PODS):
            return demand.per_replica[name] + added
        if name.startswith(LIMITS):
            return dict(demand.limits).get(name.removeprefix(LIMITS), 0) + added
        if name.startswith("count/"):
            return 1
        if name.endswith(PER_CLASS) or (need is not None and need.share is not None):
            return INFINITE if devices else 0
        return added + devices * max(units, 1)

    def _added(self, name: str) -> tuple[int, int]:
        """Return the most that a pool adds to what a pod names, and the most units that a device is."""
        plain = name.removeprefix(LIMITS)
        kinds = self._layout.kinds
        extra = max((kind.extra[plain] for kind in kinds), default=0)
        filled = [amounts for each in self._layout.admissions for item in each.limits for amounts in (item.default, item.default_request)]
        fill = max((dict(amounts).get(plain, 0) for amounts in filled), default=0)
        return extra + fill, max((kind.units for kind in kinds if kind.resource == name), default=0)
