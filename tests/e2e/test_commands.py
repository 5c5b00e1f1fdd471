"""The command line against a whole federation: submit --wait, replay, and that every example comes to what it says."""

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from e2e.life import H100, TEAM, World, condition, job
from integration.support import PATIENCE, ROOT

EXAMPLES = ROOT / "examples"


def start(world: World, *arguments: str, text: str | None = None, cwd: Path | None = None) -> subprocess.Popen[str]:
    """`sampan …` as the tenant."""
    env = {**os.environ, "KUBECONFIG": str(world.fed.tenant.kubeconfig)}
    process = subprocess.Popen(
        [sys.executable, "-m", "sampan", *arguments],
        env=env,
        cwd=cwd,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    if text is not None and process.stdin is not None:
        process.stdin.write(text)
        process.stdin.close()
        process.stdin = None
    return process


@pytest.fixture(scope="module", autouse=True)
def examples(world: World) -> Iterator[list[str]]:
    """All examples, applied as the README says and removed afterwards."""
    files = sorted(EXAMPLES.glob("[0-9]*/*.yaml"))
    arguments = [part for file in files for part in ("-f", str(file))]
    world.fed.tenant.kubectl("apply", "-n", TEAM, *arguments)
    bodies = [body for file in files for body in yaml.safe_load_all(file.read_text()) if body]
    names = [body["metadata"]["name"] for body in bodies if body["kind"] == "ComputeJob"]
    world.submitted.update(names)
    yield names
    world.fed.tenant.kubectl("delete", "-n", TEAM, "--ignore-not-found", "--wait=true", f"--timeout={PATIENCE}s", *arguments)


@dataclass(frozen=True, slots=True)
class Waiting:
    """`sampan submit --wait` of one job while it runs, and what is wanted of it."""

    process: subprocess.Popen[str]
    code: int
    word: str


@pytest.fixture(scope="module", autouse=True)
def waiting(world: World) -> dict[str, Waiting]:
    """Some of them by name, begun before all else: one waits for as long as even a slow machine needs to start its job."""
    rejected = job("cli-rejected")
    rejected["spec"]["template"]["env"] = [{"name": f"V{i}", "value": "x" * 8192} for i in range(16)]
    wanted = {
        "cli-good": (job("cli-good", "sleep 1"), [], 0, "Succeeded"),
        "cli-bad": (job("cli-bad", "sleep 1; exit 3"), [], 1, "Failed"),
        "cli-rejected": (rejected, [], 2, "InvalidSpec"),
        "cli-never": (job("cli-never", device=(H100, 512)), [], 2, "TooLarge"),
        "cli-unfit": (job("cli-unfit", device=(H100, 512), onNeverFits="Fail"), [], 2, "TooLarge"),
        "cli-overdue": (job("cli-overdue", device=(H100, 512), maxWaitSeconds=1), [], 2, "exit code 2"),
        "cli-late": (job("cli-late", "sleep 3000"), ["--timeout", "60"], 4, "Running"),
    }
    world.submitted.update(wanted)
    return {
        name: Waiting(start(world, "submit", "-f", "-", "--wait", *more, text=json.dumps(body)), code, word)
        for name, (body, more, code, word) in wanted.items()
    }


def test_a_small_trace_is_replayed_to_its_end(world: World, tmp_path: Path) -> None:
    trace = tmp_path / "trace.csv"
    rows = [f"{i},vc{i % 2},{i * 10},{300 if i % 3 else 100},{gpus}" for i, gpus in enumerate((1, 2, 8, 1, 16, 1, 4, 1))]
    trace.write_text("job_id,vc,submit_s,duration_s,gpus\n" + "\n".join(rows) + "\n")
    process = start(world, "replay", str(trace), "--jobs", "8", "--speedup", "100", "--run", "e2e", "-o", "json")
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    jobs = [item for item in world.fed.tenant.items("computejobs", "-n", TEAM) if "e2e" in item["metadata"]["name"]]
    world.submitted.update(item["metadata"]["name"] for item in jobs)
    assert [item["status"]["phase"] for item in jobs] == ["Succeeded"] * 8
    assert json.loads(out)
    assert sorted(item["status"]["binding"]["replicas"] for item in jobs) == [1] * 7 + [2]


def test_every_example_comes_to_what_it_says(world: World, examples: list[str]) -> None:
    expected = tomllib.loads((EXAMPLES / "expected.toml").read_text())
    assert set(expected) == set(examples)
    for name, want in expected.items():

        def met(status: dict[str, Any], want: dict[str, str] = want) -> bool:
            reasons = {found.get("reason") for found in status.get("conditions") or ()}
            return status.get("phase") == want["phase"] and want.get("reason") in {None, *reasons}

        world.until(name, met, f"is {want}")
    for name, want in expected.items():
        copies = world.copies(name)
        assert len(copies) <= 1
        if want["phase"] == "Succeeded" and copies:
            assert {c["type"] for c in copies[0].body["status"]["conditions"] if c["status"] == "True"} >= {"Complete"}
    assert condition(world.status("too-large"), "Scheduled")["status"] == "False"


def test_submit_wait_tells_by_its_exit_code_how_it_ended(waiting: dict[str, Waiting]) -> None:
    for name, each in waiting.items():
        out, err = each.process.communicate(timeout=PATIENCE)
        assert each.process.returncode == each.code, (name, out, err)
        assert each.word in out + err, (name, out, err)
