"""What a release is built from: a checkout, its version, the time of its commit. Never here: building."""

import os
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import sampan
from sampan.release.errors import ReleaseError

TITLE = "sampan"
DESCRIPTION = "Federated scheduling of AI jobs over many providers' clusters and many vendors' accelerators"
LICENCE = "Apache-2.0"


@dataclass(frozen=True, slots=True)
class Source:
    """A checkout at a commit. `epoch`: the commit's time in seconds, which is that of all that is built from it."""

    root: Path
    version: str
    revision: str
    epoch: int

    @property
    def runtime_lock(self) -> Path:
        """Return the lock file without what only development needs."""
        return self.root / "operator" / "requirements-runtime.lock"

    @property
    def created(self) -> str:
        """Return the commit's time as RFC 3339 has it."""
        return datetime.fromtimestamp(self.epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def labels(self) -> dict[str, str]:
        """Return the annotations that OCI defines (annotations.md)."""
        return {
            f"org.opencontainers.image.{name}": value
            for name, value in (
                ("title", TITLE),
                ("description", DESCRIPTION),
                ("licenses", LICENCE),
                ("version", self.version),
                ("revision", self.revision),
                ("created", self.created),
            )
        }


def checkout(root: Path) -> Source:
    """Read the checkout. SOURCE_DATE_EPOCH overrules the commit's time. Raises ReleaseError where it is none."""
    if not (root / "pyproject.toml").is_file():
        raise ReleaseError(f"{root} is no checkout of Sampan: it has no pyproject.toml; run it from one, or name one with --source")
    epoch = os.environ.get("SOURCE_DATE_EPOCH") or _git(root, "log", "-1", "--format=%ct")
    return Source(root=root, version=sampan.__version__, revision=_git(root, "rev-parse", "HEAD"), epoch=int(epoch))


def refuse_uncommitted(root: Path) -> None:
    """Raise ReleaseError where a file differs from the commit: what is published says which commit it is of."""
    changed = [line[3:] for line in _git(root, "status", "--porcelain").splitlines()]
    if changed:
        raise ReleaseError(f"in no commit: {', '.join(changed[:3])}{', …' if len(changed) > 3 else ''}; commit, or try with --uncommitted")


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ReleaseError(f"git {words[0]} in {root} failed: {done.stderr.strip()}; a release is built from a commit")
    return done.stdout.rstrip()
