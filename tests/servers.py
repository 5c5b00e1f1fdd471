"""API servers for tests: the programs, one bare API server, one whole federation. Each starts when a test first asks for it.

Fixtures, which tests/conftest.py offers to every folder. What must never live here: helpers that need no fixture (integration/support.py).
"""

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from pathlib import Path

import pytest

import sampan
from integration.support import CRDS, PATIENCE, ROOT, Api, FederationUnderTest, handles
from sampan.local.binaries import Binaries, ensure
from sampan.local.cluster import PORTS_PER_CLUSTER, Cluster
from sampan.local.down import down
from sampan.local.federation import load_federation
from sampan.local.nodes.machine import MACHINE, NoRealNodesError, Parts, provide
from sampan.local.paths import RefusedError, cache_root, federation_folder, state_root
from sampan.local.processes.lookup import gone
from sampan.local.processes.ports import reserve_ports
from sampan.local.scenario import Scenario, load
from sampan.local.up import UpRequest, up
from sampan.release.image import build_image
from sampan.release.source import checkout

REAL_NODES = ROOT / "tests" / "data" / "real-nodes.yaml"
IMAGE = "registry.example/sampan"
_IMAGE_IS_MADE_OF = ("operator", "crds", "helm", "pyproject.toml")
_IMAGES_KEPT_SECONDS = 86_400.0
_PREFIX = "sampan-test"
_WATCH = f'read -r _; for _ in $(seq {PATIENCE}); do "$@" && break; sleep 1; done'
"""Waits for the end of its standard input. Refused where somebody is at it still: a `sampan local up` that lives on, or the next tests."""


def say(text: str) -> None:
    """Progress goes where pytest shows it when something fails."""
    sys.stderr.write(text + "\n")


@pytest.fixture(scope="session")
def binaries() -> Binaries:
    """All programs, built if need be; also ends what a killed test session has left behind."""
    end_leftovers()
    return ensure(say)


def end_leftovers() -> None:
    """End what killed test sessions have left behind; where another process is at that already, leave it to it."""
    for folder in state_root().glob(f"{_PREFIX}-*"):
        pid = folder.name.rpartition("-")[2]
        if pid.isdigit() and gone(int(pid)):
            try:
                down(folder.name, say)
            except RefusedError as error:
                say(str(error))


@contextmanager
def ending_with_us(name: str) -> Iterator[None]:
    """Have what is made under that name end with the block, and with this process where that is killed: pytest by its user, or by a CI."""
    down(name, say)  # of a former process that had our number
    command = ["sh", "-c", _WATCH, "sh", sys.executable, "-m", "sampan", "local", "down", "--name", name]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as watchdog:  # the kernel closes our end of its standard input, whatever becomes of us
        try:
            yield
        finally:
            try:
                down(name, say)
            finally:
                watchdog.kill()


@contextmanager
def bare_server(binaries: Binaries, role: str) -> Iterator[Api]:
    """One hub-like API server with etcd and the controller manager, our CRDs applied, no charts; as administrator."""
    name = f"{_PREFIX}-{role}-{os.getpid()}"
    with ending_with_us(name):
        folder = federation_folder(name)
        folder.mkdir(parents=True, mode=0o700)
        ports = tuple(reserve_ports(PORTS_PER_CLUSTER, folder / "ports.json"))
        cluster = Cluster("api", folder, ports, components=("etcd", "kube-apiserver", "kube-controller-manager"))
        cluster.create(binaries)
        api = Api("bare", cluster.kubeconfig, binaries, folder / "cache")
        api.kubectl("apply", "--server-side", "-f", str(CRDS))
        api.kubectl("wait", "--for=condition=Established", f"--timeout={PATIENCE}s", "-f", str(CRDS))
        yield api
        api.close()


@pytest.fixture(scope="session")
def bare_api(binaries: Binaries) -> Iterator[Api]:
    """A bare server that the tests share; nobody installs policies there."""
    with bare_server(binaries, "bare") as api:
        yield api


@contextmanager
def federation_of(binaries: Binaries, role: str, scenario: Scenario, *, operator: bool = True) -> Iterator[FederationUnderTest]:
    """A federation of its own for those who cannot share one."""
    name = f"{_PREFIX}-{role}-{os.getpid()}"
    with ending_with_us(name):
        up(UpRequest(name=name, scenario=scenario, operator=operator), say)
        under_test = handles(load_federation(name), binaries)
        yield under_test
        under_test.close()


@pytest.fixture(scope="session")
def unmanaged(binaries: Binaries) -> Iterator[FederationUnderTest]:
    """A hub and two members without an operator: for tests of what is below one, and of parts of one that they run themselves."""
    with federation_of(binaries, "unmanaged", load("demo").with_members(2), operator=False) as made:
        yield made


@pytest.fixture(scope="session")
def real_parts() -> Parts:
    """What real nodes are made of, installed or built if need be; whoever asks for it is skipped where the machine cannot have them."""
    try:
        return provide(say)
    except NoRealNodesError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def image() -> Path:
    """Our own image as an OCI archive, called IMAGE:VERSION. Built once for the same sources, what is below ours far less often."""
    folder = cache_root() / "image"
    archive = folder / f"sampan-{_hash_of_sources()}.tar"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".tests.lock").open("w") as lock:
        flock(lock, LOCK_EX)
        if not archive.is_file():
            fresh = folder / f".{os.getpid()}.tar"
            build_image(checkout(ROOT), fresh, reference=f"{IMAGE}:{sampan.__version__}", architecture=MACHINE, layers=folder / "layers")
            fresh.with_suffix(".cdx.json").unlink()
            fresh.rename(archive)
        archive.touch()
        for old in folder.glob("sampan-*.tar"):
            if time.time() - old.stat().st_mtime > _IMAGES_KEPT_SECONDS:
                old.unlink()
    return archive


def _hash_of_sources() -> str:
    listed = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", "--", *_IMAGE_IS_MADE_OF]
    names = subprocess.run(listed, capture_output=True, text=True, check=True).stdout.splitlines()
    there = [ROOT / name for name in sorted(names) if (ROOT / name).is_file()]
    return hashlib.sha256(
        b"\0".join(part for path in there for part in (str(path.relative_to(ROOT)).encode(), path.read_bytes()))
    ).hexdigest()[:16]


@pytest.fixture(scope="session")
def real_nodes(binaries: Binaries, real_parts: Parts) -> Iterator[FederationUnderTest]:
    """A hub and a member that has two real nodes beside a simulated one, with the operator."""
    with federation_of(binaries, "real", load(REAL_NODES)) as made:
        yield made


@pytest.fixture(scope="session")
def federation(binaries: Binaries) -> Iterator[FederationUnderTest]:
    """The demo federation with the operator. SAMPAN_TEST_FEDERATION=NAME uses, and keeps, one of that name."""
    kept = os.environ.get("SAMPAN_TEST_FEDERATION")
    if kept is None:
        with federation_of(binaries, "demo", load("demo")) as under_test:
            yield under_test
        return
    up(UpRequest(name=kept, scenario=load("demo")), say)
    under_test = handles(load_federation(kept), binaries)
    yield under_test
    under_test.close()
