"""Where a federation and the built programs live on this machine. Never here: anything that reads or writes those files."""

import os
import re
import shutil
import sys
from pathlib import Path

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?")


class LocalError(Exception):
    """Something the user can mend: the message names what is wrong and what to do next."""


class RefusedError(LocalError):
    """Nothing was begun, so there is nothing to clean up either."""


def state_root() -> Path:
    """The folder of all federations: `${XDG_STATE_HOME:-~/.local/state}/sampan`."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "sampan"


def cache_root() -> Path:
    """The folder of built programs: `${XDG_CACHE_HOME:-~/.cache}/sampan`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sampan"


def check_name(name: str, what: str = "federation") -> str:
    """The name itself, or a LocalError when it is no DNS label of at most 40 characters."""
    if not _NAME.fullmatch(name):
        raise LocalError(f"{what} name {name!r}: use lower-case letters, digits and '-', at most 40 characters")
    return name


def federation_folder(name: str) -> Path:
    """The one folder that holds all state of a federation; `down` removes it."""
    return state_root() / check_name(name)


def typed(arguments: str) -> str:
    """`sampan ARGUMENTS` as it can be typed here: with the path of this environment's command where `sampan` is not on PATH."""
    if shutil.which("sampan"):
        return f"sampan {arguments}"
    command = Path(sys.executable).parent / "sampan"
    if not command.is_file():
        return f"{sys.executable} -m sampan {arguments}"
    return f"{command.relative_to(Path.cwd()) if command.is_relative_to(Path.cwd()) else command} {arguments}"


def shipped(kind: str) -> Path:
    """The folder of `crds` or `helm` that goes with this code: inside the wheel, else beside `operator/` in a checkout."""
    inside = Path(__file__).parent / kind
    outside = Path(__file__).parents[3] / kind
    return inside if inside.is_dir() else outside
