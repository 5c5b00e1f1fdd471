"""Which tests may run beside which, where pytest-xdist runs several processes (`make test`).

Tests that share servers stay together in one process, which starts them once, in the order they are written: those that break the
demo federation and wait for its recovery, all others on that federation (on one of their own), those of all other servers. What needs
nothing but Python is dealt out by file to whoever has time. Without pytest-xdist nothing changes. What must never live here: fixtures.
"""

import pytest

FAULTS, FEDERATION, SERVERS = "faults", "federation", "servers"
LONGEST_FIRST = (FAULTS, FEDERATION, SERVERS)


def group(item: pytest.Item) -> str:
    """The name of those that a test stays together with."""
    fixtures = getattr(item, "fixturenames", ())
    if "federation" in fixtures:
        return FAULTS if item.get_closest_marker("faults") else FEDERATION
    if "binaries" in fixtures:
        return SERVERS
    return item.path.stem


def deal(items: list[pytest.Item]) -> None:
    """Mark the groups, the longest first: what is dealt out last should be short."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(group(item)))
    items.sort(key=lambda item: LONGEST_FIRST.index(found) if (found := group(item)) in LONGEST_FIRST else len(LONGEST_FIRST))
