"""The pipelines of examples/ci on a real hub: their own shell blocks, with the token that their README makes, to each end there is.

The federation has real nodes, because only real containers print. What the systems themselves do is played: the shell that they start, the
signal of their abort, the step that they run after it.
"""

import base64
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from ci_examples import FOLDER, Pipeline, commands, pipelines
from e2e.life import TEAM, World
from e2e.proxy import Proxy
from e2e.test_real_nodes import real_job
from integration.support import PATIENCE, FederationUnderTest, wait_for
from places import ROOT
from sampan.client import Client
from sampan.local.up import wait_answering

GOOD, BAD, ENDLESS = "echo epoch 1; echo done", "echo loss is NaN; exit 3", "sleep 100000 & wait"
HUB = ("SAMPAN_HUB_SERVER", "SAMPAN_HUB_TOKEN", "SAMPAN_HUB_CA", "SAMPAN_HUB_NAMESPACE")


@pytest.fixture(scope="module")
def world(real_nodes: FederationUnderTest) -> Iterator[World]:
    """Hub, a member with real nodes, and the operator; every job is gone when the module ends."""
    made = World(real_nodes)
    wait_answering(real_nodes.federation, real_nodes.binaries)
    yield made
    made.clear()


@pytest.fixture(scope="module")
def secrets(world: World, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the README's commands make, as the variables that it names; `sampan` is in the PATH, and no kubeconfig anywhere."""
    folder = tmp_path_factory.mktemp("ci")
    (folder / "examples").symlink_to(ROOT / "examples")
    tools = folder / "bin"
    tools.mkdir()
    (tools / "kubectl").symlink_to(world.fed.binaries["kubectl"])
    (tools / "sampan").write_text(f'#!/bin/sh\nexec {sys.executable} -m sampan "$@"\n')
    (tools / "sampan").chmod(0o755)
    plain = {"PATH": f"{tools}:{os.environ['PATH']}", "HOME": str(folder), "PYTHONPATH": str(ROOT / "operator")}
    admin = {**plain, "KUBECONFIG": str(world.fed.hub.kubeconfig)}
    script = commands(FOLDER / "README.md")
    assert "kubectl create token ci" in script
    assert "kubectl create secret generic sampan-hub" in script
    subprocess.run(["bash", "-eo", "pipefail", "-c", script], cwd=folder, env=admin, check=True, timeout=PATIENCE)
    return {
        **plain,
        "SAMPAN_HUB_SERVER": (folder / "server").read_text(),
        "SAMPAN_HUB_TOKEN": (folder / "token").read_text(),
        "SAMPAN_HUB_CA": str(folder / "ca.crt"),
        "SAMPAN_HUB_NAMESPACE": TEAM,
    }


def test_the_secret_of_the_readme_has_what_argo_and_tekton_ask_of_it(world: World, secrets: dict[str, str]) -> None:
    made = world.fed.hub.get("secret", "sampan-hub", "-n", "default")["data"]
    for file in ("argo/train.yaml", "tekton/train.yaml"):
        asked = re.findall(r"secretKeyRef: {name: sampan-hub, key: ([a-z.]+)}", (FOLDER / file).read_text(encoding="utf-8"))
        assert set(asked) == set(made) == {"server", "token", "ca.crt"}
    assert base64.b64decode(made["token"]).decode() == secrets["SAMPAN_HUB_TOKEN"]


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a pipeline that was started."""

    process: "subprocess.Popen[str]"
    pipeline: Pipeline
    folder: Path
    env: Mapping[str, str]

    def end(self) -> tuple[int, str, str]:
        """Exit code, stdout and stderr."""
        out, err = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, out, err

    def abort(self) -> None:
        """What the system does first: its signal to the processes that it knows."""
        kill = os.killpg if self.pipeline.to_all else os.kill
        kill(self.process.pid, self.pipeline.signal)

    def run_after(self) -> None:
        """What the system runs then, in a new shell."""
        status = {**self.env, "CI_JOB_STATUS": "canceled"}
        call = [*self.pipeline.shell, "-c", self.pipeline.after]
        subprocess.run(call, cwd=self.folder, env=status, check=True, timeout=PATIENCE)


def gone(world: World, name: str) -> bool:
    """Tell whether the hub has no such job."""
    return world.get(name) is None


def manifest(world: World, name: str, script: str) -> str:
    """A repository's train.yaml: a job without a name of its own, and without a namespace."""
    body: dict[str, Any] = real_job(name, script)
    world.submitted.add(name)
    body["metadata"] = {"generateName": "train-"}
    return yaml.safe_dump(body)


def start(world: World, pipeline: Pipeline, script: str, env: Mapping[str, str], folder: Path) -> Step:
    """Start a pipeline's step in a repository whose job runs `script`."""
    folder.mkdir(parents=True)
    text = manifest(world, pipeline.job, script)
    (folder / "train.yaml").write_text(text)
    step = folder / "step.sh"
    step.write_text(pipeline.submit)
    given = {**env, "JOB": pipeline.job, "MANIFEST": text}
    process = subprocess.Popen(
        [*pipeline.shell, str(step)],
        cwd=folder,
        env=given,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    return Step(process, pipeline, folder, given)


def all_of(world: World, run: str, script: str, env: Mapping[str, str], folder: Path) -> dict[str, Step]:
    """Start every system's pipeline at the same time."""
    return {each.system: start(world, each, script, env, folder / run / each.system) for each in pipelines(run)}


def test_every_pipeline_prints_its_job_s_output_and_ends_with_its_code(world: World, secrets: dict[str, str], tmp_path: Path) -> None:
    good = all_of(world, "1", GOOD, secrets, tmp_path)
    for system, step in good.items():
        code, out, err = step.end()
        assert (code, out.splitlines()) == (0, ["epoch 1", "done"]), (system, out, err)
    bad = all_of(world, "2", BAD, secrets, tmp_path)
    for system, step in bad.items():
        code, out, err = step.end()
        assert (code, out.splitlines()) == (1, ["loss is NaN"]), (system, out, err)
        step.run_after()
        assert world.status(step.pipeline.job)["phase"] == "Failed", "what has ended is kept for whoever wants to know why"


def test_every_pipeline_cancels_its_job_where_it_is_aborted(world: World, secrets: dict[str, str], tmp_path: Path) -> None:
    steps = all_of(world, "3", ENDLESS, secrets, tmp_path)
    for system, step in steps.items():
        wait_for(partial(world.get, step.pipeline.job), f"the job of {system} is there")
        step.abort()
    for system, step in steps.items():
        code, out, err = step.end()
        if code == 130:
            assert f"interrupted; cancelled: {TEAM}/{step.pipeline.job}" in err, (system, out, err)
        else:
            assert (system, code) == ("gitlab", -9), (system, out, err)
    with ThreadPoolExecutor(len(steps)) as pool:
        list(pool.map(Step.run_after, steps.values()))
    for step in steps.values():
        wait_for(partial(gone, world, step.pipeline.job), f"{step.pipeline.job} is gone")


def test_the_account_of_a_pipeline_may_do_no_more_than_it_needs(world: World, secrets: dict[str, str]) -> None:
    def may(verb: str, resource: str) -> str:
        who = f"system:serviceaccount:{TEAM}:ci"
        call = [world.fed.binaries["kubectl"], "auth", "can-i", verb, resource, "-n", TEAM, f"--as={who}"]
        env = {**os.environ, "KUBECONFIG": str(world.fed.hub.kubeconfig)}
        return subprocess.run(call, env=env, capture_output=True, text=True, check=False, timeout=PATIENCE).stdout.strip()

    assert {name: secrets[name] != "" for name in HUB} == dict.fromkeys(HUB, True)
    wanted = {"create": "yes", "delete": "yes", "patch": "no", "update": "no"}
    assert {verb: may(verb, "computejobs.sampan.dev") for verb in wanted} == wanted
    assert (may("get", "secrets"), may("list", "pods")) == ("no", "no")


def test_the_script_in_python_does_the_same(world: World, secrets: dict[str, str], tmp_path: Path) -> None:
    def run(name: str, script: str) -> "subprocess.Popen[str]":
        file = tmp_path / f"{name}.yaml"
        file.write_text(manifest(world, name, script))
        call = [sys.executable, str(FOLDER / "python" / "train.py"), str(file), name]
        return subprocess.Popen(call, env=secrets, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    good, bad, endless = run("py-good", GOOD), run("py-bad", BAD), run("py-endless", ENDLESS)
    world_has = wait_for(lambda: world.get("py-endless"), "the endless job is there")
    assert world_has["metadata"]["namespace"] == TEAM
    out, err = good.communicate(timeout=PATIENCE)
    assert (good.returncode, out) == (0, "epoch 1\ndone\n"), err
    out, err = bad.communicate(timeout=PATIENCE)
    assert (bad.returncode, out) == (1, "loss is NaN\n"), err
    assert "py-bad: Failed" in err
    world.reaches("py-endless", "Running")
    endless.terminate()
    out, err = endless.communicate(timeout=PATIENCE)
    assert (endless.returncode, err) == (130, "py-endless: cancelled\n")
    wait_for(partial(gone, world, "py-endless"), "it is gone")


def test_a_wait_and_a_followed_log_outlive_broken_connections(world: World, secrets: dict[str, str]) -> None:
    server, token, ca, namespace = (secrets[name] for name in HUB)
    script = "for n in 1 2 3 4 5 6; do echo line $n; sleep 1; done"
    seen: list[str] = []
    with Proxy(urlsplit(server).port or 443) as proxy, ThreadPoolExecutor(1) as pool:
        client = Client.from_token(f"https://127.0.0.1:{proxy.port}", token, ca=ca, namespace=namespace)
        job = client.submit(yaml.safe_load(manifest(world, "py-cut", script)), name="py-cut")
        outcome = pool.submit(job.wait, PATIENCE)
        for line in job.logs(follow=True):
            seen.append(line)
            if line == "line 2":
                assert proxy.cut() > 0
            if line == "line 4":
                proxy.block()
                threading.Timer(1.5, proxy.unblock).start()
        assert outcome.result(PATIENCE).succeeded
    assert seen == [f"line {number}" for number in range(1, 7)]


def test_what_the_page_on_the_client_shows_runs_as_it_stands(world: World, secrets: dict[str, str], tmp_path: Path) -> None:
    page = (ROOT / "docs" / "client.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    (tmp_path / "train.yaml").write_text(manifest(world, "train-42", GOOD))
    call = [sys.executable, "-c", "\n".join(blocks)]
    done = subprocess.run(call, cwd=tmp_path, env=secrets, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert (len(blocks), done.returncode, done.stdout.splitlines()) == (2, 0, ["epoch 1", "done", "Succeeded 0"]), done.stderr
    assert gone(world, "train-42")
