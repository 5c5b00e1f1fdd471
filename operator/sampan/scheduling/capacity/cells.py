"""The columns of a picture seen from all sides: by cell, pool and cluster, and which are domains, capped or queued. No amounts here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sampan.model.job import Demand, Interconnect, Shape
from sampan.model.members.admission import Admission
from sampan.model.members.offer import OfferKey
from sampan.scheduling.capacity.fit_matrix import CellColumn
from sampan.scheduling.capacity.node_selection import Flags
from sampan.scheduling.capacity.resources import CellKind

CellId = tuple[OfferKey, str]


@dataclass(frozen=True, slots=True)
class CellIndex:
    """Views on the columns, made once for as long as none of them is exchanged."""

    columns: Sequence[CellColumn]
    by_id: Mapping[CellId, int]
    """By cell id."""
    by_pool: Mapping[CellId, list[int]]
    """By offer and pool name: the pool and its domains."""
    by_cluster: Mapping[str, list[int]]
    domain: Flags
    """Columns that are a fabric domain."""
    parted: Flags
    """Columns of pools that have fabric domains."""
    capped: tuple[tuple[int, ...], ...]
    """Columns that draw on one cap on devices."""
    kinds: tuple[CellKind, ...]
    """Every kind of column once."""
    admissions: tuple[Admission, ...]
    """What members ask of pods, everything once that asks for something."""
    queued: Mapping[tuple[str, str], tuple[int, ...]]
    """By cluster UID and name of the member's queue."""

    @classmethod
    def of(cls, columns: Sequence[CellColumn]) -> "CellIndex":
        """Lay out the columns."""
        numbers: dict[CellId, int] = {}
        by_pool: dict[CellId, list[int]] = {}
        by_cluster: dict[str, list[int]] = {}
        capped: dict[tuple[object, ...], list[int]] = {}
        queued: dict[tuple[str, str], list[int]] = {}
        admissions: dict[int, Admission] = {}
        for number, column in enumerate(columns):
            cell, pool = column.cell, column.cell.pool
            numbers[cell.id] = number
            by_pool.setdefault((cell.offer, pool.name), []).append(number)
            by_cluster.setdefault(pool.cluster_uid, []).append(number)
            if pool.max_devices is not None:
                capped.setdefault((cell.offer, pool.rule), []).append(number)
            admissions[id(pool.admission)] = pool.admission
            if pool.member_queue:
                queued.setdefault((pool.cluster_uid, pool.member_queue), []).append(number)
        return cls(
            columns=columns,
            by_id=numbers,
            by_pool=by_pool,
            by_cluster=by_cluster,
            domain=np.array([bool(column.cell.domain) for column in columns], dtype=bool),
            parted=np.array([bool(column.cell.pool.domains) for column in columns], dtype=bool),
            capped=tuple(map(tuple, capped.values())),
            kinds=tuple(dict.fromkeys(column.kind for column in columns)),
            admissions=tuple(each for each in admissions.values() if each.limits),
            queued={key: tuple(members) for key, members in queued.items()},
        )

    def candidate_cells(self, shape: Shape, demand: Demand) -> tuple[Flags, Flags]:
        """Return the columns that a demand is asked about, and those of them that have no domain though it needs one."""
        if shape.placement.interconnect is Interconnect.SAME_DOMAIN and demand.replicas > 1:
            missing_domain = ~self.domain & ~self.parted
            return self.domain | missing_domain, missing_domain
        return ~self.domain, np.zeros_like(self.domain)
