"""What holds for every test: how hard hypothesis tries, and nobody's own kubeconfig. Fixtures of one folder live in that folder."""

import asyncio
import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from servers import bare_api, binaries, federation, image, real_nodes, real_parts, unmanaged
from side_by_side import ByGroup, check, deal

__all__ = ["bare_api", "binaries", "federation", "image", "real_nodes", "real_parts", "unmanaged"]

# A run of the tests says something of the code, not of chance: what is tried is the same in each. New inputs are searched for with
# `make search`, and what those show is pinned with @example. No deadline and no complaint of slowness: the machine may be busy.
settings.register_profile(
    "search", max_examples=40, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
settings.register_profile("ci", parent=settings.get_profile("search"), derandomize=True, database=None)
settings.register_profile("thorough", parent=settings.get_profile("search"), max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What asks for real API servers is an integration test, for a whole federation an end-to-end test as well."""
    for item in items:
        if {"integration", "e2e"} & set(item.path.parts):
            item.add_marker(pytest.mark.integration)
        if {"binaries", "federation"} <= set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.e2e)
    check(items)
    if hasattr(config, "workerinput"):  # one of several processes
        deal(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByGroup:
    """Deal out the tests by groups."""
    return ByGroup(config, log)


@pytest.fixture(autouse=True)
def _own_configuration_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads, or talks to, a cluster of the person who runs it."""
    monkeypatch.setenv("KUBECONFIG", os.devnull)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)


@pytest.fixture(scope="session", autouse=True)
def _one_current_loop() -> Iterator[None]:
    """Give the main thread a current event loop for the whole session.

    Before each async test, pytest-asyncio asks for the current loop in order to put it back afterwards. On Python 3.11 the first to
    ask makes a new one; nobody closes it, and its ResourceWarning fails whichever test runs when it is collected.
    """
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()
