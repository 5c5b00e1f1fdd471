"""The pipelines of examples/ci as what they run: each system's shell blocks, the shell it starts them with, whom its abort signals.

What must never live here: servers, and assertions.
"""

import re
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from places import ROOT

FOLDER = ROOT / "examples" / "ci"
ATTEMPT = "1"
MANIFEST = "train.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """What a system does with its file: the step that submits, what it runs after an abort, both by `shell`.

    `to_all`: whether the abort's signal goes to every process of the step, or to the first alone.
    """

    system: str
    shell: tuple[str, ...]
    submit: str
    after: str
    job: str
    signal: signal.Signals
    to_all: bool


def document(name: str) -> Any:
    """A file of the examples as YAML."""
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))


def pipelines(run: str) -> list[Pipeline]:
    """All of them, for a run of this number and a digit more, which is the system's."""
    return [each(f"{run}{number}") for number, each in enumerate((_github, _gitlab, _jenkins, _argo, _tekton))]


def _github(run: str) -> Pipeline:
    """Fact: docs.github.com, workflow cancellation: SIGINT to the entry process; `bash -e` is the default shell of `run`."""
    found = document("github-actions/train.yml")
    steps = {step.get("name"): step for step in found["jobs"]["train"]["steps"]}
    job = found["env"]["JOB"].replace("${{ github.run_id }}", run).replace("${{ github.run_attempt }}", ATTEMPT)
    submit, after = steps["Train"]["run"], steps["Cancel what goes on"]["run"]
    return Pipeline(system="github", shell=("bash", "-e"), submit=submit, after=after, job=job, signal=signal.SIGINT, to_all=False)


def _gitlab(run: str) -> Pipeline:
    """Fact: gitlab-org/gitlab-runner issue 27443: executors differ, some only kill. The worst of them is played."""
    found = document("gitlab/gitlab-ci.yml")["train"]
    script, after = ("\n".join(found[key]).replace("$CI_JOB_ID", run) for key in ("script", "after_script"))
    return Pipeline(
        system="gitlab",
        shell=("bash", "-eo", "pipefail"),
        submit=script,
        after=after,
        job=f"train-{run}",
        signal=signal.SIGKILL,
        to_all=True,
    )


def _jenkins(run: str) -> Pipeline:
    """Fact: jenkinsci/jenkins, hudson.util.ProcessTree: SIGTERM to every process with the step's cookie; `sh -xe` is its shell."""
    text = (FOLDER / "jenkins" / "Jenkinsfile").read_text(encoding="utf-8")
    submit, after = re.findall(r"^\s*sh '(.*)'$", text, re.MULTILINE)
    (job,) = re.findall(r'^\s*JOB = "(.*)"$', text, re.MULTILINE)
    job = job.replace("${env.BUILD_NUMBER}", run)
    return Pipeline(system="jenkins", shell=("sh", "-xe"), submit=submit, after=after, job=job, signal=signal.SIGTERM, to_all=True)


def _argo(run: str) -> Pipeline:
    """Fact: argoproj/argo-workflows, workflow/executor/emissary: SIGTERM to the container's main process."""
    found = document("argo/train.yaml")["spec"]
    templates = {template["name"]: template["script"] for template in found["templates"]}
    shell = tuple(templates["train"]["command"])
    return Pipeline(
        system="argo",
        shell=shell,
        submit=templates[found["entrypoint"]]["source"],
        after=templates[found["onExit"]]["source"],
        job=f"train-{run}",
        signal=signal.SIGTERM,
        to_all=False,
    )


def _tekton(run: str) -> Pipeline:
    """Fact: tektoncd/pipeline, cmd/entrypoint/runner.go: a signal goes to the step's process group."""
    found = document("tekton/train.yaml")["spec"]
    (submit,) = found["tasks"][0]["taskSpec"]["steps"]
    (after,) = found["finally"][0]["taskSpec"]["steps"]
    return Pipeline(
        system="tekton",
        shell=("sh",),
        submit=submit["script"],
        after=after["script"],
        job=f"train-{run}",
        signal=signal.SIGTERM,
        to_all=True,
    )


def commands(page: Path) -> str:
    """The shell commands of a page that a test runs: its blocks that begin with ```sh."""
    return "\n".join(re.findall(r"^```sh\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL))
