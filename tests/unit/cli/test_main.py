"""The command as a whole: help without imports, errors as one line, both names."""

import errno
import subprocess
import sys

import pytest
from kubernetes.config.config_exception import ConfigException

from places import ROOT
from sampan.cli import main
from sampan.cli.main import VERBS
from unit.cli.conftest import Sampan
from unit.cli.fakes import FakeApi, api_error

HEAVY = ("kubernetes", "rich", "yaml", "kopf", "aiohttp", "pydantic")


def test_help_names_every_verb(sampan: Sampan) -> None:
    shown = sampan("--help")
    assert shown.exit_code == 0
    for verb in VERBS:
        assert verb.name in shown.stdout
        assert verb.summary in shown.stdout


def test_help_imports_nothing_heavy() -> None:
    """What keeps `sampan --help` under 300 ms, without a stopwatch."""
    code = f"""
import sys
from pathlib import Path
from sampan.cli.main import cli
cli(["--help"], standalone_mode=False)
print([name for name in {HEAVY!r} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_each_verb_loads_and_explains_itself(sampan: Sampan, verb: main.Verb) -> None:
    shown = sampan(verb.name, "--help")
    assert shown.exit_code == 0, shown.output
    assert verb.load().name == verb.name


def test_an_unknown_verb_is_a_usage_error(sampan: Sampan) -> None:
    shown = sampan("frobnicate")
    assert shown.exit_code == 2
    assert "No such command" in shown.stderr


@pytest.mark.parametrize(
    ("error", "want"),
    [
        (api_error(401), "credentials"),
        (api_error(403, "may not list"), "may not list"),
        (ConfigException("Invalid kube-config file"), "--kubeconfig"),
        (ConnectionRefusedError(111, "Connection refused"), "Connection refused"),
    ],
    ids=["unauthorised", "forbidden", "kubeconfig", "refused"],
)
def test_expected_trouble_is_one_line_on_stderr(sampan: Sampan, api: FakeApi, error: Exception, want: str) -> None:
    api.list_error = error
    shown = sampan("jobs")
    assert shown.exit_code == 1
    assert shown.stdout == ""
    assert shown.stderr.startswith("Error: ")
    assert shown.stderr.count("\n") == 1
    assert want in shown.stderr


def test_our_own_bugs_keep_their_traceback(sampan: Sampan, api: FakeApi) -> None:
    api.list_error = KeyError("a bug")
    shown = sampan("jobs")
    assert isinstance(shown.exception, KeyError)


@pytest.mark.parametrize(("program", "want"), [("kubectl-sampan", "kubectl sampan"), ("sampan", "sampan")])
def test_usage_names_the_command_as_it_was_called(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], program: str, want: str
) -> None:
    monkeypatch.setattr(sys, "argv", [f"/usr/bin/{program}", "--help"])
    with pytest.raises(SystemExit):
        main.main()
    assert capsys.readouterr().out.startswith(f"Usage: {want} [OPTIONS]")


def test_a_reader_that_has_seen_enough_is_no_trouble(sampan: Sampan, api: FakeApi) -> None:
    """`sampan jobs | head -1` says nothing on stderr."""
    api.list_error = BrokenPipeError(errno.EPIPE, "Broken pipe")
    shown = sampan("jobs")
    assert shown.stderr == ""


def test_a_watch_on_a_thread_does_not_take_the_exit_code_along() -> None:
    program = (
        "import threading, time, sys, click\n"
        "from sampan.cli import main\n"
        "def verb(**_):\n"
        "    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
        "    print('said')\n"
        "    raise SystemExit(4)\n"
        "main.cli = verb\n"
        "main.run()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stdout) == (4, "said\n")


def test_the_readme_has_every_verb() -> None:
    told = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [verb.name for verb in VERBS if f"| `sampan {verb.name}" not in told] == []
