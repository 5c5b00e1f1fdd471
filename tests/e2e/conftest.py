"""The federation as end-to-end tests see it, one view per module, cleared of its jobs afterwards."""

from collections.abc import Iterator

import pytest

from e2e.life import World
from integration.support import FederationUnderTest, wait_for


@pytest.fixture(scope="module")
def world(federation: FederationUnderTest) -> Iterator[World]:
    """Hub, members and operator; every job that is submitted through it is gone when the module ends."""
    made = World(federation)
    made.copies_of("nobody")  # makes the clients of all members: that takes seconds on a loaded machine, in which a job may come and go
    pid, quarantined = federation.operator.pid, made.metric("sampan_jobs_quarantined_total")
    yield made
    made.clear()
    offers = len(federation.hub.items("clusteroffers.sampan.dev", "--all-namespaces"))
    wait_for(lambda: made.metric("sampan_offers") == offers, f"the operator knows the {offers} offers that there are")
    assert federation.operator.pid is not None, federation.operator.log_tail()
    if federation.operator.pid == pid:
        assert made.metric("sampan_jobs_quarantined_total") == quarantined, "a job was quarantined"
