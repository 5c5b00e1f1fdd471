"""The operator's store in a real PostgreSQL: what is kept, over restarts of both, with the driver that the image has."""

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.exc import SQLAlchemyError

from integration.support import wait_for
from sampan.scheduling.queueing.charge import decayed_forward
from sampan.store.charges import Use
from sampan.store.engine import StoreError
from sampan.store.outputs import Output, OutputLimits, OutputStore
from sampan.store.use import UseStore

pytestmark = pytest.mark.integration

NOW, HOUR, WEEK = 1_800_000_000_000, 3_600_000, 7 * 24 * 3_600_000
LIMITS = OutputLimits(retention=WEEK, of_namespace=10_000, in_all=10_000)
PASSWORD = "p@ss/w:rd"
QUOTED = "p%40ss%2Fw%3Ard"


@dataclass
class Postgresql:
    """A server on 127.0.0.1 that asks for a password."""

    programs: Path
    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def user(self) -> str | None:
        """Who runs it: not root, whom PostgreSQL refuses."""
        return "postgres" if os.geteuid() == 0 else None

    def url(self, database: str) -> str:
        """What the Secret of `storage.urlSecret` would hold."""
        return f"postgresql+psycopg://owner:{QUOTED}@127.0.0.1:{self.port}/{database}"

    def prepare(self) -> None:
        """Make the files of a new server."""
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        command = [
            str(self.programs / "initdb"),
            "-D",
            str(self.folder / "data"),
            "-U",
            "owner",
            "--auth=scram-sha-256",
            f"--pwfile={secret}",
            "-N",
        ]
        command += ["--encoding=UTF8"]
        if self.user:
            for path in (self.folder, secret):
                shutil.chown(path, self.user)
        subprocess.run(command, check=True, capture_output=True, user=self.user, cwd="/", env={"PATH": os.environ["PATH"], "LC_ALL": "C"})

    def start(self) -> None:
        """Return once it answers."""
        options = ["-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={self.folder}", "-c", "fsync=off"]
        command = [str(self.programs / "postgres"), "-D", str(self.folder / "data"), "-p", str(self.port), *options]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, user=self.user, cwd="/")
        wait_for(self._answers, f"PostgreSQL answers; its log is {self.folder / 'log'}")

    def _answers(self) -> bool:
        try:
            with self.connect("postgres"):
                return True
        except psycopg.OperationalError:
            return False

    def connect(self, database: str) -> psycopg.Connection:
        """Connect as the driver alone does."""
        return psycopg.connect(host="127.0.0.1", port=self.port, user="owner", password=PASSWORD, dbname=database, autocommit=True)

    def stop(self) -> None:
        """End it at once, sessions or not (SIGQUIT: as after a crash)."""
        assert self.process is not None
        self.process.send_signal(3)
        self.process.wait()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgresql]:
    """A server for this file."""
    found = shutil.which("initdb")
    places = [Path(found).resolve().parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if not places:
        pytest.skip("PostgreSQL is not installed (Debian, Ubuntu: apt install postgresql)")
    folder = Path(f"/tmp/sampan-postgresql-{os.getpid()}")  # pytest's own folders are root's alone
    folder.mkdir(mode=0o755)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    made = Postgresql(places[0], folder, port)
    if made.user:
        try:
            pwd.getpwnam(made.user)
        except KeyError:
            pytest.skip(f"no user {made.user} is there to run PostgreSQL, which refuses root")
    try:
        made.prepare()
        made.start()
        yield made
        made.stop()
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def url(server: Postgresql, request: pytest.FixtureRequest) -> str:
    """An empty database of the test's own; its parameter is the encoding."""
    name = f"{request.node.name.partition('[')[0][:50]}_{getattr(request, 'param', 'UTF8')}"
    with server.connect("postgres") as connection:
        encoding = getattr(request, "param", "UTF8")
        connection.execute(f"CREATE DATABASE \"{name}\" ENCODING '{encoding}' TEMPLATE template0".encode())
    return server.url(name)


def use(uid: str, *, amount: int = 8_000_000) -> Use:
    """A charge for two hours."""
    return Use(job_uid=uid, attempt=1, queue="q", namespace="team-a", at=NOW, amount=amount, seconds=7200)


@contextmanager
def uses(url: str) -> Iterator[UseStore]:
    """The store of what queues used."""
    made = UseStore(url, half_life=WEEK, now=NOW)
    try:
        yield made
    finally:
        made.close()


def output(uid: str, rank: int = 0, *, at: int = NOW, text: bytes = b"text\n") -> Output:
    """What a rank printed."""
    return Output(job_uid=uid, attempt=1, rank=rank, namespace="team-a", at=at, text=text)


@pytest.mark.parametrize("url", ["UTF8", "SQL_ASCII"], indirect=True)
def test_charges_are_kept_over_restarts_and_corrected_once(url: str) -> None:
    large = 2**61  # a sum of such is no BIGINT any more: it must neither overflow nor come back as a fraction
    with uses(url) as first:
        first.write([use("a"), use("a"), use("b", amount=large), use("c", amount=large)])
    with uses(url) as second:
        assert {each.job_uid for each in second.unsettled()} == {"a", "b", "c"}
        for _ in range(2):
            second.write([use("a").lasted(3600), use("b", amount=large).lasted(0), use("c", amount=large).lasted(0)])
        totals = second.totals()
        assert totals == {("q", "team-a"): decayed_forward(4_000_000, NOW, WEEK)}
        assert [type(total) for total in totals.values()] == [int]
        assert second.unsettled() == []


@pytest.mark.parametrize("url", ["UTF8", "SQL_ASCII"], indirect=True)
def test_outputs_are_kept_within_their_bounds(url: str) -> None:
    store = OutputStore(url, LIMITS)
    noise = [os.urandom(3_000) for _ in range(6)]
    store.put([output("u", rank, at=NOW + rank, text=text) for rank, text in enumerate(noise)])
    assert store.ranks("u", 1) == [3, 4, 5], "the oldest went"
    assert store.get("u", 1, 5) == noise[5]
    store.put([output("v", text=b"\xff\x00"), output("v", text=b"newer")])
    assert store.get("v", 1, 0) == b"newer"
    store.prune(NOW + WEEK + 4)
    assert (store.jobs(), store.ranks("u", 1)) == ({"u"}, [4, 5])
    store.forget(["u"])
    assert store.jobs() == set()
    store.close()


def test_while_the_server_is_away_a_write_fails_and_later_goes_through(server: Postgresql, url: str) -> None:
    with uses(url) as store:
        store.write([use("before")])
        server.stop()
        try:
            with pytest.raises(SQLAlchemyError):
                store.write([use("meanwhile")])
        finally:
            server.start()
        store.write([use("meanwhile")])
        assert {each.job_uid for each in store.unsettled()} == {"before", "meanwhile"}


def test_both_stores_share_a_database(url: str) -> None:
    outputs = OutputStore(url, LIMITS)
    with uses(url) as store:
        store.write([use("a")])
        outputs.put([output("a")])
    assert outputs.jobs() == {"a"}
    outputs.close()


def test_what_cannot_be_opened_is_told_without_the_password(server: Postgresql) -> None:
    with pytest.raises(StoreError) as told:
        UseStore(server.url("nowhere"), half_life=WEEK, now=NOW)
    assert str(told.value).startswith("SAMPAN_STORE: the database cannot be opened (OperationalError)")
    assert QUOTED not in str(told.value)
    assert PASSWORD not in str(told.value)
