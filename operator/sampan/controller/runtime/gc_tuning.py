"""How often garbage is looked for: with a large backlog, going through everything that lasts takes longer than a whole cycle."""

import gc
from typing import Final

YOUNG: Final = 700
"""Objects more than before that start a look at the youngest; Python's own default."""
MIDDLE: Final = 10
"""Looks at the youngest before the next generation is looked at; Python's own default."""
OLD: Final = 1000
"""Looks at that one before everything is: a hundred times Python's default, for what the scheduler keeps holds no circles."""


def freeze() -> None:
    """Exempt what was loaded, and collect the oldest generation seldom. An explicit collection still finds everything else."""
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
