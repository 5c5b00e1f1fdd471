"""Tests of sampan.local.up: its decisions. The whole way is in tests/integration/test_local.py."""

import json
from pathlib import Path
from typing import Any

import pytest

from sampan.local import up as module
from sampan.local.binaries import PROGRAMS, Binaries
from sampan.local.cluster import Cluster
from sampan.local.federation import Federation, exclusive, ports_needed
from sampan.local.paths import LocalError, federation_folder
from sampan.local.processes.operator_process import OperatorProcess
from sampan.local.restarts import Restarts
from sampan.local.scenario import load
from sampan.local.up import UpRequest, up, wait_schedulable

from .conftest import MakeProgram

DEMO = load("demo")


def recorded(*, complete: bool) -> Federation:
    """A federation of which only the record exists."""
    federation_folder("one").mkdir(parents=True, exist_ok=True)
    federation = Federation(name="one", scenario=DEMO, ports=tuple(range(100, 100 + ports_needed(DEMO))))
    return federation.save(complete=complete)


def offers(*conditions: list[dict[str, str]]) -> str:
    """What kubectl prints of offers with those conditions."""
    items = [{"metadata": {"name": f"o{number}"}, "status": {"conditions": given}} for number, given in enumerate(conditions)]
    return json.dumps({"items": items})


def answering(program: MakeProgram, text: str) -> Binaries:
    """Programs of which kubectl prints that text."""
    kubectl = program("kubectl", f"cat <<'END'\n{text}\nEND")
    return Binaries({name: kubectl if name == "kubectl" else Path("/nowhere") / name for name in PROGRAMS})


def test_a_half_made_federation_is_not_touched_and_says_how_to_remove_it() -> None:
    recorded(complete=False)
    with pytest.raises(LocalError, match=r"half made.*sampan local down --name one"):
        up(UpRequest(name="one", scenario=DEMO), lambda _: None)


def test_two_at_once_do_not_make_the_same_federation() -> None:
    recorded(complete=True)
    with exclusive("one"), pytest.raises(LocalError, match="another process"):
        up(UpRequest(name="one", scenario=DEMO), lambda _: None)


def test_stopped_control_planes_are_started_again(monkeypatch: pytest.MonkeyPatch, program: MakeProgram) -> None:
    recorded(complete=True)
    started: list[str] = []
    monkeypatch.setattr(module, "ensure", lambda _: answering(program, "{}"))
    monkeypatch.setattr(Cluster, "start", lambda self, _: started.append(self.name))
    monkeypatch.setattr(Cluster, "ended", lambda self: [] if self.name in started else ["etcd"])
    up(UpRequest(name="one", scenario=DEMO, operator=False), lambda _: None)
    assert sorted(started) == ["hub", "kunshan", "lingang", "pengcheng"]


@pytest.fixture
def all_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every component of every cluster runs."""
    monkeypatch.setattr(Cluster, "ended", lambda _: [])


def wait(federation: Federation, binaries: Binaries, seconds: float) -> None:
    """Waits for the offers and says nothing."""
    wait_schedulable(federation, binaries, Restarts(binaries, lambda _: None, way_out="run it again"), seconds=seconds)


@pytest.mark.usefixtures("all_run")
def test_when_every_offer_is_schedulable_the_wait_is_over(program: MakeProgram) -> None:
    ready: list[dict[str, str]] = [{"type": "Schedulable", "status": "True"}]
    told = answering(program, offers(ready, ready))
    wait(recorded(complete=True), told, 5)
    assert json.loads(offers(ready))["items"][0]["status"]["conditions"] == ready


@pytest.mark.usefixtures("all_run")
def test_an_offer_that_is_not_schedulable_is_named_with_its_reason_and_the_operator_s_log(
    program: MakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OperatorProcess, "pid", 4711)
    federation = recorded(complete=True)
    federation.operator.log.write_text("the operator's last words\n")
    bad: list[dict[str, Any]] = [
        {"type": "Schedulable", "status": "False", "reason": "NotConnected", "message": "see Connected"},
        {"type": "Connected", "status": "False", "reason": "InvalidKubeconfig", "message": "ExecNotAllowed"},
    ]
    with pytest.raises(LocalError, match=r"(?s)o0 .*Connected=False InvalidKubeconfig: ExecNotAllowed.*o1 .no condition yet.*last words"):
        wait(federation, answering(program, offers(bad, [])), 0)


@pytest.mark.usefixtures("all_run")
def test_an_operator_that_has_ended_is_waited_for_no_longer(program: MakeProgram) -> None:
    with pytest.raises(LocalError, match=r"operator has ended; run .*sampan local up --name one again"):
        wait(recorded(complete=True), answering(program, offers([])), 180)


def test_a_component_that_ends_while_the_offers_are_waited_for_is_started_again(
    program: MakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready: list[dict[str, str]] = [{"type": "Schedulable", "status": "True"}]
    started: list[str] = []
    monkeypatch.setattr(Cluster, "start_ended", lambda self, _: started.append(self.name))
    dead = ["kube-controller-manager"]
    monkeypatch.setattr(Cluster, "ended", lambda self: dead if self.name == "lingang" and not started else [])
    wait(recorded(complete=True), answering(program, offers(ready)), 5)
    assert started == ["lingang"]
