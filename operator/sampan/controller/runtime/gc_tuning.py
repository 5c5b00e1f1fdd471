"""How often garbage is looked for: with a large backlog, going through everything that lasts takes longer than a whole cycle."""

import gc
from typing import Final

YOUNG: Final = 25_000
"""Objects more than before that start a look at the youngest: twice what a cycle holds at once, so that few cycles have one in them."""
MIDDLE: Final = 5
"""Looks at the youngest before the next generation is looked at: half of Python's own, as each of them may leave more."""
OLD: Final = 56
"""Looks at that one before everything is: after a hundred times as many objects as by Python's default, for what the scheduler keeps
holds no circles."""


def freeze() -> None:
    """Exempt what was loaded, and collect the oldest generation seldom. An explicit collection still finds everything else."""
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
