"""Which tests may run beside which, where pytest-xdist runs several processes (`make test`).

Tests that share servers stay together in one process, which starts them once, in the order they are written: those that break the
demo federation and wait for its recovery, all others on that federation (on one of their own), those of all other servers. What needs
nothing but Python is dealt out by file to whoever has time. Without pytest-xdist nothing changes. What must never live here: fixtures.

The process that deals tests out knows them by their names alone: so the groups are told by file, and `check` holds that against the
fixtures. pytest-xdist's own marks for groups come to nothing with pytest 9.2, silently.
"""

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

FAULTS, FEDERATION, SERVERS = "faults", "federation", "servers"
LONGEST_FIRST = (FAULTS, FEDERATION, SERVERS)
_FOLDERS = {"tests/bench/": FAULTS, "tests/e2e/": FEDERATION, "tests/integration/": SERVERS}
_FILES = {
    "tests/e2e/test_ci.py": SERVERS,
    "tests/e2e/test_kills.py": FAULTS,
    "tests/e2e/test_lost.py": FAULTS,
    "tests/e2e/test_outages.py": FAULTS,
    "tests/e2e/test_watches.py": FAULTS,
    "tests/e2e/test_installed.py": SERVERS,
    "tests/e2e/test_published.py": SERVERS,
    "tests/e2e/test_real_logs.py": SERVERS,
    "tests/e2e/test_real_nodes.py": SERVERS,
    "tests/e2e/test_real_shell.py": SERVERS,
    "tests/e2e/test_vendors.py": SERVERS,
}
"""Where it is not the folder's."""


def group(nodeid: str) -> str:
    """The name of those that a test stays together with."""
    file = nodeid.partition("::")[0]
    return _FILES.get(file) or next((found for folder, found in _FOLDERS.items() if file.startswith(folder)), file)


class ByGroup(LoadScopeScheduling):  # type: ignore[misc]
    """Deals out whole groups."""

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)


def check(items: list[pytest.Item]) -> None:
    """Raise UsageError where a test would not be in the process that has its servers."""
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        if "binaries" not in fixtures:
            continue  # no servers: a fixture that is called federation is the test's own
        wanted = SERVERS
        if "federation" in fixtures:
            wanted = FAULTS if item.get_closest_marker("faults") else FEDERATION
        if wanted != group(item.nodeid):
            raise pytest.UsageError(f"{item.nodeid} belongs to the group {wanted} by its fixtures: say so in tests/side_by_side.py")


def deal(items: list[pytest.Item]) -> None:
    """Put the longest group first: what is dealt out last should be short."""
    items.sort(key=lambda item: LONGEST_FIRST.index(found) if (found := group(item.nodeid)) in LONGEST_FIRST else len(LONGEST_FIRST))
