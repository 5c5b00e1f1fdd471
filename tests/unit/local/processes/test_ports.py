"""Tests of sampan.local.processes.ports."""

import json
import socket
from pathlib import Path

import pytest

from sampan.local.paths import LocalError, federation_folder
from sampan.local.processes import ports


def record(name: str) -> Path:
    """The port record of a federation."""
    federation_folder(name).mkdir(parents=True, exist_ok=True)
    return federation_folder(name) / "ports.json"


def test_two_federations_never_share_a_port_even_while_nothing_listens() -> None:
    first, second = ports.reserve_ports(7, record("one")), ports.reserve_ports(7, record("two"))
    assert len(set(first) | set(second)) == 14
    assert json.loads(record("one").read_text()) == first


def test_a_port_somebody_listens_on_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a port that no federation would take, for one may start beside this test."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        monkeypatch.setattr(ports, "_RANGE", (port, *range(port - 50, port)))
        assert ports.reserve_ports(1, record("one")) != [port]


@pytest.mark.parametrize("text", ["", "[18000, 180", '{"hub": [18000]}', "18000", '["18000"]'])
def test_a_record_that_cannot_be_read_hinders_nobody(text: str) -> None:
    record("broken").write_text(text)
    assert len(set(ports.reserve_ports(7, record("one")))) == 7


def test_two_users_who_choose_at_once_choose_apart(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = ports.reserve_ports(7, record("one"))
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "of-another-user"))
    assert set(ports.reserve_ports(7, record("one"))).isdisjoint(first)


def test_ports_lie_below_the_range_of_outgoing_connections() -> None:
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert max(ports.reserve_ports(20, record("one"))) < first


def test_when_all_are_taken_the_answer_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_RANGE", range(18000, 18000))
    with pytest.raises(LocalError, match="stop a federation"):
        ports.reserve_ports(1, record("one"))
    assert not record("one").exists()
