"""How long another thread keeps the interpreter while the event loop waits for it: Kopf's, the store's, one that unpacks a summary."""

import sys
from typing import Final

SWITCH: Final = 0.001
"""Seconds. With Python's own 5 ms each turn of the loop may come that late while a thread works, though the loop has nothing to do."""


def favour_the_loop() -> None:
    """Have threads give the interpreter back soon: they work seldom, and nobody waits for them."""
    sys.setswitchinterval(SWITCH)
