"""Tests of `sampan local`, without any control plane; tests/integration/test_local.py has the real ones."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from sampan.cli.main import cli
from sampan.cli.verbs.local import local
from sampan.local import binaries
from sampan.local import up as up_module
from sampan.local.cluster import Cluster
from sampan.local.federation import Federation, exclusive, ports_needed
from sampan.local.nodes import machine
from sampan.local.nodes.machine import NoRealNodesError, Parts
from sampan.local.scenario import load

DEMO = load("demo")


@pytest.fixture(autouse=True)
def federation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Federation:
    """A recorded federation called one."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    made = Federation(name="one", scenario=DEMO, ports=tuple(range(100, 100 + ports_needed(DEMO))))
    made.folder.mkdir(parents=True)
    return made.save(complete=True)


def test_status_prints_json_and_a_line_per_cluster(federation: Federation) -> None:
    told = CliRunner().invoke(local, ["status", "--name", "one", "-o", "json"])
    assert json.loads(told.output) == federation.status()
    lines = CliRunner().invoke(local, ["status", "--name", "one"]).output.splitlines()
    assert [line.split()[0] for line in lines] == ["CLUSTER", "hub", "lingang", "pengcheng", "kunshan", "operator"]


def test_status_marks_a_component_that_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cluster, "pids", lambda self: {"etcd": 1} if self.name == "lingang" else {})
    monkeypatch.setattr(Cluster, "ended", lambda _: ["kube-controller-manager"])
    told = {line.split()[0]: line for line in CliRunner().invoke(local, ["status", "--name", "one"]).output.splitlines()}
    assert told["lingang"].endswith("kube-controller-manager=ENDED etcd=1")
    assert told["hub"].endswith("stopped")


def test_kubeconfig_prints_a_path_and_nothing_else(federation: Federation) -> None:
    path = federation.kubeconfig("tenant")
    path.parent.mkdir()
    path.write_text("")
    assert CliRunner().invoke(local, ["kubeconfig", "tenant", "--name", "one"]).output == f"{path}\n"


def test_an_unknown_federation_is_one_line_that_says_what_to_do() -> None:
    told = CliRunner().invoke(cli, ["local", "status", "--name", "two"])
    assert told.exit_code == 1
    assert told.output.count("\n") == 1
    assert "sampan local up --name two" in told.output


@pytest.mark.parametrize("arguments", [["status", "-o", "json"], ["kubeconfig", "tenant"], ["down"]])
def test_the_only_federation_needs_no_name(federation: Federation, arguments: list[str]) -> None:
    path = federation.kubeconfig("tenant")
    path.parent.mkdir()
    path.write_text("")
    told = CliRunner().invoke(cli, ["local", *arguments])
    assert told.exit_code == 0, told.output
    assert "one" in told.output


def test_of_several_federations_none_is_guessed(federation: Federation) -> None:
    other = Federation(name="two", scenario=DEMO, ports=federation.ports)
    other.folder.mkdir()
    other.save(complete=True)
    told = CliRunner().invoke(cli, ["local", "down"])
    assert told.exit_code == 1
    assert "one, two; name one with --name" in told.output
    assert federation.folder.exists()
    assert other.folder.exists()


def test_without_any_federation_it_says_how_to_make_one(federation: Federation) -> None:
    (federation.folder / "federation.json").unlink()
    told = CliRunner().invoke(cli, ["local", "status"])
    assert told.exit_code == 1
    assert "sampan local up" in told.output


def test_list_names_the_federations() -> None:
    assert CliRunner().invoke(local, ["list"]).output == "one\n"


def test_up_passes_on_what_is_asked_for(federation: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[up_module.UpRequest] = []

    def pretend(wish: up_module.UpRequest, _: object) -> Federation:
        asked.append(wish)
        return federation

    monkeypatch.setattr(up_module, "up", pretend)
    told = CliRunner().invoke(local, ["up", "--name", "one", "--members", "5", "--no-operator"])
    assert told.exit_code == 0, told.output
    assert [(wish.name, wish.operator, len(wish.scenario.members)) for wish in asked] == [("one", False, 5)]


@pytest.mark.parametrize("trouble", [KeyboardInterrupt(), RuntimeError("no luck")])
def test_when_up_does_not_finish_it_says_how_to_clean_up(trouble: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise trouble

    monkeypatch.setattr(up_module, "up", fail)
    told = CliRunner().invoke(local, ["up", "--name", "one"])
    assert told.exit_code == 1
    assert "sampan local down --name one" in told.output


def test_a_refusal_gives_no_advice_that_would_end_somebody_else_s_federation() -> None:
    with exclusive("one"):
        told = CliRunner().invoke(cli, ["local", "up", "--name", "one"])
    assert told.exit_code == 1
    assert "another process" in told.output
    assert "down" not in told.output


def test_down_removes_the_folder_and_may_be_repeated(federation: Federation) -> None:
    assert "is gone" in CliRunner().invoke(local, ["down", "--name", "one"]).output
    assert not federation.folder.exists()
    again = CliRunner().invoke(local, ["down", "--name", "one"])
    assert again.exit_code == 0
    assert "there is no federation one" in again.output


@pytest.mark.parametrize("can", [True, False])
def test_binaries_are_those_of_real_nodes_too_where_the_machine_can_have_them(monkeypatch: pytest.MonkeyPatch, *, can: bool) -> None:
    def provide(_: object) -> Parts:
        if not can:
            raise NoRealNodesError("no real nodes on this machine; it lacks root")
        return Parts(programs={"kubelet": Path("/c/kubelet")}, runc=Path("/r"), cni=Path("/n"), busybox=Path("/b"))

    monkeypatch.setattr(binaries, "ensure", lambda _, programs: binaries.Binaries(dict.fromkeys(programs, Path("/c/x"))))
    monkeypatch.setattr(machine, "provide", provide)
    told = CliRunner().invoke(local, ["binaries", "--real-nodes"])
    assert told.exit_code == 0
    assert ("kubelet\t/c/kubelet" in told.stdout, "it lacks root" in told.stderr) == (can, not can)
    plain = CliRunner().invoke(local, ["binaries"]).stdout
    assert "kubelet" not in plain
    assert "promtool" not in plain
    assert "promtool\t/c/x" in CliRunner().invoke(local, ["binaries", "--promtool"]).stdout
