"""How often garbage is looked for: with a large backlog, going through everything that lasts takes longer than a whole cycle."""

import gc
from typing import Final

YOUNG: Final = 5_000
"""Objects more than before that start a look at the youngest: about as many as a cycle keeps, most of which the next one drops."""
MIDDLE: Final = 10
"""Looks at the youngest before the next generation is looked at; Python's own default."""
OLD: Final = 140
"""Looks at that one before everything is: after a hundred times as many objects as by Python's default, for what the scheduler keeps
holds no circles."""


def freeze() -> None:
    """Exempt what was loaded, and collect the oldest generation seldom. An explicit collection still finds everything else."""
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
