"""What nodes and limits leave of cells for demands, by row and column. Never here: which cells suit, or what has changed."""

import numpy as np

from sampan.model.reason import Reason
from sampan.scheduling.capacity.fit_matrix import FitMatrix
from sampan.scheduling.capacity.limit_matrix import NOT_SHORT, LimitMatrix
from sampan.scheduling.capacity.topology import Numbers
from sampan.scheduling.feasibility.demand_table import NOTHING, Codes, DemandTable

NO_CELL = -1
"""Room of a demand for which every cell is wrong."""


class DemandRoom:
    """Reads tables that others keep up."""

    def __init__(self, matrix: FitMatrix, limits: LimitMatrix, demands: DemandTable) -> None:
        """Keep the tables."""
        self._matrix, self._limits, self._demands = matrix, limits, demands

    def fits(self, rows: Numbers, columns: Numbers) -> Numbers:
        """Return by row how many replicas nodes and limits leave room for in some columns."""
        demands = self._demands
        on_nodes = self._matrix.fits_now[demands.request_rows[rows][:, None], columns]
        return np.minimum(on_nodes, self._limits.allowed_at(demands.limit_rows[rows], columns))

    def against(self, rows: Numbers, columns: Numbers) -> Codes:
        """Return by row and column the severity of what nodes and limits lack; `NOTHING` where that is none or the cell does not suit."""
        demands, least = self._demands, self._demands.least[rows][:, None]
        short = self._limits.why_at(demands.limit_rows[rows], demands.least[rows], columns)
        lacking = np.where(short < NOT_SHORT, short, Reason.INSUFFICIENT_CAPACITY.severity)
        when_empty = self._matrix.fits_empty[demands.request_rows[rows][:, None], columns]
        found = np.where(when_empty < least, Reason.TOO_LARGE.severity, lacking)
        cells = np.ix_(rows, columns)
        return np.where(demands.suitable[cells] & ~demands.feasible[cells], found, NOTHING).astype(np.int8)

    def rooms(self, row: int) -> Numbers:
        """Return by column how many replicas nodes and limits leave room for; `NO_CELL` where the cell does not suit."""
        demands = self._demands
        fits = np.minimum(self._matrix.fits_now[demands.request_rows[row]], self._limits.allowed(int(demands.limit_rows[row])))
        return np.where(demands.suitable[row], fits, NO_CELL)
