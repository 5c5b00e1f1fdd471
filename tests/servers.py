"""API servers for tests: the programs, one bare API server, one whole federation. Each starts when a test first asks for it.

Fixtures, which tests/conftest.py offers to every folder. What must never live here: helpers that need no fixture (integration/support.py).
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from integration.support import CRDS, Api, FederationUnderTest, handles
from sampan.local.binaries import Binaries, ensure
from sampan.local.cluster import PORTS_PER_CLUSTER, Cluster
from sampan.local.down import down
from sampan.local.federation import load_federation
from sampan.local.paths import federation_folder, state_root
from sampan.local.processes.lookup import gone
from sampan.local.processes.ports import reserve_ports
from sampan.local.scenario import load
from sampan.local.up import UpRequest, up

_PREFIX = "sampan-test"


def say(text: str) -> None:
    """Progress goes where pytest shows it when something fails."""
    sys.stderr.write(text + "\n")


@pytest.fixture(scope="session")
def binaries() -> Binaries:
    """All programs, built if need be; also ends what a killed test session has left behind."""
    for folder in state_root().glob(f"{_PREFIX}-*"):
        pid = folder.name.rpartition("-")[2]
        if pid.isdigit() and gone(int(pid)):
            down(folder.name, say)
    return ensure(say)


@contextmanager
def bare_server(binaries: Binaries, role: str) -> Iterator[Api]:
    """One hub-like API server with etcd and the controller manager, our CRDs applied, no charts; as administrator."""
    name = f"{_PREFIX}-{role}-{os.getpid()}"
    folder = federation_folder(name)
    folder.mkdir(parents=True, mode=0o700)
    ports = tuple(reserve_ports(PORTS_PER_CLUSTER, folder / "ports.json"))
    cluster = Cluster("api", folder, ports, components=("etcd", "kube-apiserver", "kube-controller-manager"))
    try:
        cluster.create(binaries)
        api = Api("bare", cluster.kubeconfig, binaries, folder / "cache")
        api.kubectl("apply", "--server-side", "-f", str(CRDS))
        api.kubectl("wait", "--for=condition=Established", "--timeout=30s", "-f", str(CRDS))
        yield api
        api.close()
    finally:
        down(name, say)


@pytest.fixture(scope="session")
def bare_api(binaries: Binaries) -> Iterator[Api]:
    """A bare server that the tests share; nobody installs policies there."""
    with bare_server(binaries, "bare") as api:
        yield api


@pytest.fixture(scope="session")
def federation(binaries: Binaries) -> Iterator[FederationUnderTest]:
    """The demo federation with the operator. SAMPAN_TEST_FEDERATION=NAME uses, and keeps, one of that name."""
    kept = os.environ.get("SAMPAN_TEST_FEDERATION")
    name = kept or f"{_PREFIX}-{os.getpid()}"
    try:
        up(UpRequest(name=name, scenario=load("demo")), say)
        under_test = handles(load_federation(name), binaries)
        yield under_test
        under_test.close()
    finally:
        if not kept:
            down(name, say)
