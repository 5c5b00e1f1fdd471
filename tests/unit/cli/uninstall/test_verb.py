"""The order of an uninstall and what it says, on a hub that only remembers what was asked of it."""

from typing import Any

import pytest
from click.testing import CliRunner, Result

from sampan.cli.uninstall import verb
from sampan.client.access import connection as cli_connection

BINDING = {"offer": {"namespace": "prov-a", "name": "o"}, "clusterUID": "c-1", "remote": {"namespace": "jobs", "name": "sj-1"}}


def job(name: str, *, phase: str = "Running", **metadata: Any) -> dict[str, Any]:
    meta = {"namespace": "team-a", "name": name, "uid": f"uid-{name}", "finalizers": ["sampan.dev/remote-cleanup"], **metadata}
    return {"metadata": meta, "spec": {}, "status": {"phase": phase, "binding": BINDING}}


class FakeHub:
    """Jobs that lose their binding one look after they were suspended; every other call is only remembered."""

    def __init__(self, *jobs: dict[str, Any], obeys: bool = True) -> None:
        self.jobs, self.obeys, self.calls = list(jobs), obeys, []  # type: ignore[var-annotated]
        self.held = len(jobs)
        self.installed: list[str] = []

    def objects(self, plural: str) -> list[dict[str, Any]]:
        """The jobs; no offers."""
        return self.jobs if plural == "computejobs" else []

    def close_offers(self) -> list[str]:
        """Remember."""
        self.calls.append("close")
        return ["o"]

    def suspend_bound(self, jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Remember; the operator that obeys has released the jobs at the next look."""
        suspended = [job for job in jobs if not job["spec"].get("suspend")]
        self.calls.append(f"suspend {len(suspended)}")
        for one in suspended:
            one["spec"]["suspend"] = True
        if self.obeys:
            self.jobs = [one | {"status": {"phase": "Suspended"}} for one in jobs]
        return suspended

    def installations(self) -> list[str]:
        """Where a Deployment is."""
        return self.installed

    def stop_operator(self, namespace: str) -> None:
        """No Deployment here."""
        self.calls.append(f"stop in {namespace}")

    def remove_policies(self) -> list[str]:
        """Remember."""
        self.calls.append("policies")
        return ["policy"]

    def release(self) -> int:
        """All at the first call, none left at the second."""
        self.calls.append("release")
        held, self.held = self.held, 0
        return held


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verb, "POLL", 0)
    monkeypatch.setattr(cli_connection, "client_for", lambda target: (None, "default"))


def run(monkeypatch: pytest.MonkeyPatch, hub: FakeHub, *arguments: str, answer: str = "") -> Result:
    monkeypatch.setattr(verb, "Teardown", lambda client: hub)
    return CliRunner().invoke(verb.uninstall, list(arguments), input=answer)


def test_the_order_of_a_drain(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = FakeHub(job("a"), job("b"))
    done = run(monkeypatch, hub, "--yes")
    assert done.exit_code == 0, done.output
    assert hub.calls == ["close", "suspend 2", "suspend 0", "stop in sampan-system", "policies", "release", "release"]
    assert "took the finalizer off 2 objects" in done.output
    assert "what stays on members: nothing" in done.output
    assert "now run: helm uninstall sampan -n sampan-system" in done.output


def test_a_member_that_does_not_answer_stops_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = FakeHub(job("a"), obeys=False)
    monkeypatch.setattr(verb, "POLL", 0.3)
    done = run(monkeypatch, hub, "--yes", "--timeout", "1")
    assert done.exit_code == 1
    assert "1 jobs still have copies on members after 1 s" in done.output
    assert "Job sj-1" in done.output
    assert not {"policies", "release"} & set(hub.calls)


def test_abandoning_waits_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = FakeHub(job("a"), obeys=False)
    done = run(monkeypatch, hub, "--abandon-remote", "--yes", "-n", "hub")
    assert done.exit_code == 0
    assert hub.calls == ["close", "stop in hub", "policies", "release", "release"]
    assert "what stays on members: 1\n  team-a/a (Running): cluster c-1" in done.output


def test_the_namespace_is_where_the_operator_is(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = FakeHub()
    hub.installed = ["platform"]
    done = run(monkeypatch, hub, "--yes")
    assert "stop in platform" in hub.calls
    assert "now run: helm uninstall sampan -n platform" in done.output


def test_of_two_operators_one_is_to_be_named_before_anything_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = FakeHub(job("a"))
    hub.installed = ["one", "two"]
    done = run(monkeypatch, hub, "--yes")
    assert done.exit_code == 1
    assert "operators are in the namespaces one, two; name that of the installation with -n" in done.output
    assert hub.calls == []


def test_a_no_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = FakeHub(job("a"))
    done = run(monkeypatch, hub, answer="n\n")
    assert done.exit_code == 1
    assert hub.calls == []
    assert "1 bound jobs will be suspended and their copies removed" in done.output


def test_check_changes_nothing_and_tells_by_its_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    busy, calm = FakeHub(job("a")), FakeHub(job("b", phase="Succeeded"))
    refused = run(monkeypatch, busy, "--check")
    assert refused.exit_code == 1
    assert "1 jobs are bound to members" in refused.output
    allowed = run(monkeypatch, calm, "--check")
    assert allowed.exit_code == 0
    assert "1 objects keep the finalizer" in allowed.output
    assert busy.calls == calm.calls == []


def test_long_lists_are_cut_except_what_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    many = [job(f"j{number:03}") for number in range(25)]
    refused = run(monkeypatch, FakeHub(*many), "--check")
    assert "… and 5 more" in refused.output
    done = run(monkeypatch, FakeHub(*many, obeys=False), "--abandon-remote", "--yes")
    assert done.output.count("label sampan.dev/job-uid=") == 20 + 25


def test_check_and_abandon_exclude_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, FakeHub(), "--check", "--abandon-remote").exit_code == 2
