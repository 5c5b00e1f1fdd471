"""`sampan demo`: a local federation, the examples applied with kubectl as a tenant, a live view, and a table checked against the members.

What must never live here: the comparison itself (check.py), and anything that makes the demo's jobs differ from a user's.
"""

import json
import subprocess
import sys
import time
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from sampan.cli.demo.check import CHECK_COLUMNS, Expectation, Finding, check
from sampan.cli.demo.copies import CopyWatch, watch_copies
from sampan.cli.jobs.listing import WATCH_LINE, line
from sampan.cli.lib import job_rows
from sampan.cli.lib.errors import CliError
from sampan.cli.lib.render import print_table, table
from sampan.client.access import hub
from sampan.client.access.target import Target
from sampan.client.access.watch import ObjectWatch

SETTLE_SECONDS = 1200.0
QUIET_SECONDS = 180.0
"""Far longer than any example sleeps: without a change for so long nothing more will come even on a busy machine."""
LATE_SECONDS = 20.0
"""For so long a bad finding is looked at again: a watch on a busy machine is late."""
TICK_SECONDS = 0.5
FEDERATION = "sampan-demo"


@click.command()
@click.option("--name", default=FEDERATION, show_default=True, help="Name of the local federation; one that is up is used as it is.")
@click.option(
    "--examples",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=None,
    help="Folder of the manifests; default: examples/ of this checkout.",
)
def demo(name: str, examples: Path | None) -> None:
    """Bring up a hub and three members, run a score of jobs as a tenant, and check the outcome against the members."""
    folder = examples or example_folder()
    expected = expectations(folder)
    _say(f"Federation {name}: a hub and its members, each a real control plane")
    _sampan("local", "up", "--name", name)
    status = json.loads(_sampan("local", "status", "--name", name, "-o", "json", quiet=True))
    tenant = Path(_sampan("local", "kubeconfig", "tenant", "--name", name, quiet=True).strip())
    _say(f"Jobs of {folder}, applied with kubectl as the tenant")
    manifests = [part for found in sorted(folder.glob("*/job.yaml")) for part in ("-f", str(found.parent))]  # examples/ci has others' files
    _kubectl(tenant, "delete", *manifests, "--ignore-not-found", "--wait", "--timeout=120s", quiet=True)
    with watch_copies(status["members"]) as copies:
        _kubectl(tenant, "apply", *manifests)
        _say("Where each goes")
        jobs = follow(hub.connect(Target(kubeconfig=tenant)), expected)
        _say("What the hub says, checked against the members' own API servers")
        findings = compare(jobs, expected, copies)
    print_table(CHECK_COLUMNS, [finding.row for finding in findings])
    _conclude(findings, status=status, tenant=tenant, name=name)


def example_folder() -> Path:
    """`examples/` of the checkout that this code is part of, or of the current directory."""
    for folder in (Path(__file__).parents[4] / "examples", Path("examples")):
        if folder.is_dir():
            return folder
    raise CliError("no examples folder found", "name it with --examples DIR")


def expectations(folder: Path) -> dict[str, Expectation]:
    """What each job must come to, by job name: `expected.toml` beside the examples."""
    try:
        told = tomllib.loads((folder / "expected.toml").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CliError(f"{folder}/expected.toml is missing", "give a folder of examples as this project has") from None
    return {name: Expectation(**fields) for name, fields in told.items()}


def compare(jobs: list[hub.Object], expected: dict[str, Expectation], copies: CopyWatch) -> list[Finding]:
    """The findings; where some are bad, those of a later look: what the members have told may reach us after what the hub tells."""
    deadline = time.monotonic() + LATE_SECONDS
    while True:
        findings = check(jobs, expected, members=copies.seen())
        if time.monotonic() > deadline or not any(finding.problem for finding in findings):
            return findings
        time.sleep(TICK_SECONDS)


def follow(hub_in_use: hub.Hub, expected: dict[str, Expectation]) -> list[hub.Object]:
    """Show each change until every expected job has settled or the time is up; the jobs as last seen, by name."""
    view = _LiveView() if sys.stdout.isatty() else _Lines()
    seen: dict[str, hub.Object] = {}
    deadline = time.monotonic() + SETTLE_SECONDS
    quiet_since = time.monotonic()
    with ObjectWatch(hub_in_use.api, hub.JOBS, hub_in_use.namespace) as feed, view:
        while time.monotonic() < deadline and not all(name in seen and expected[name].hopeless(seen[name]) for name in expected):
            change = feed.next(TICK_SECONDS)
            if change is not None and change.object["metadata"]["name"] in expected:
                seen[change.object["metadata"]["name"]] = change.object
                quiet_since = time.monotonic()
                view.show(seen, line(change, output="table", now=datetime.now(UTC)))
            if time.monotonic() - quiet_since > QUIET_SECONDS:
                break
    return [seen[name] for name in sorted(seen)]


class _Lines:
    """One line per change, where stdout is no terminal."""

    def __enter__(self) -> "_Lines":
        click.echo(WATCH_LINE.format(*(column.heading for column in job_rows.COLUMNS)).rstrip())
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def show(self, seen: dict[str, hub.Object], text: str) -> None:
        """Print the change."""
        click.echo(text)


class _LiveView:
    """One table that changes in place."""

    def __init__(self) -> None:
        from rich.live import Live

        self._live = Live(refresh_per_second=4)

    def __enter__(self) -> "_LiveView":
        self._live.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.__exit__(None, None, None)

    def show(self, seen: dict[str, hub.Object], text: str) -> None:
        """Draw all jobs anew."""
        now = datetime.now(UTC)
        self._live.update(table(job_rows.COLUMNS[1:], [job_rows.row(seen[name], now=now)[1:] for name in sorted(seen)]))


def _conclude(findings: list[Finding], *, status: dict[str, Any], tenant: Path, name: str) -> None:
    """Say what to type next; where hub and members disagree or a job did not settle, fail."""
    from sampan.local.binaries import find

    wrong = [finding for finding in findings if finding.problem]
    if wrong:
        problems = "; ".join(f"{finding.name}: {finding.problem}" for finding in wrong)
        raise CliError(
            f"{len(wrong)} of {len(findings)} jobs are not as they should be: {problems}", f"look at sampan local status --name {name}"
        )
    click.echo(f"All {len(findings)} jobs are as expected, and hub and members agree. The federation {name} stays up. Next:\n")
    programs = (Path(sys.executable), find().get("kubectl"))
    folders = dict.fromkeys(program.parent for program in programs if program is not None)
    for command in (
        f"export PATH={':'.join(map(str, folders))}:$PATH",
        f"export KUBECONFIG={tenant}      # you are the tenant; the platform team's: {status['hub']['kubeconfig']}",
        "kubectl get computejobs -o wide",
        "kubectl describe computejob failure-and-retry",
        "sampan offers",
        "sampan pools",
        "sampan explain too-large",
        "sampan replay tests/data/replay-small.csv --jobs 20 --speedup 100",
        f"sampan local down --name {name}",
    ):
        click.echo(f"  {command}")


def _say(text: str) -> None:
    """A step's heading."""
    click.secho(f"\n==> {text}", bold=True)


def _sampan(*arguments: str, quiet: bool = False) -> str:
    """Run another verb of this command, as a user would; its stdout where `quiet`."""
    return _run([sys.executable, "-m", "sampan", *arguments], quiet=quiet)


def _kubectl(kubeconfig: Path, *arguments: str, quiet: bool = False) -> str:
    """Run kubectl with the credentials given and nothing of the caller's own configuration."""
    from sampan.local.binaries import find

    return _run([str(find().get("kubectl", "kubectl")), "--kubeconfig", str(kubeconfig), *arguments], quiet=quiet)


def _run(command: list[str], *, quiet: bool) -> str:
    """Run a command; its failure is `Trouble`, its own words having gone to stderr."""
    done = subprocess.run(command, check=False, text=True, stdout=subprocess.PIPE if quiet else None)
    if done.returncode:
        raise CliError(f"{' '.join(command[:6])} … ended with {done.returncode}", "its own words are above")
    return done.stdout or ""
