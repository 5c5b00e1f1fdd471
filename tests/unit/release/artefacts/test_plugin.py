"""The plugin of kubectl: what of the lock file is in it, and a manifest that krew takes."""

import ast
import re
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
import yaml

from places import ROOT
from sampan import __version__
from sampan.cli.main import VERBS
from sampan.release.artefacts.plugin import LEFT_OUT, PLATFORMS, chosen, krew_manifest
from sampan.release.errors import ReleaseError
from sampan.release.source import Source

PACKAGE = ROOT / "operator"
WITHOUT_A_HUB = {"inspect", "simulate", "local", "demo", "operator", "publish"}
LOCK = "#\n# head\n#\na==1 \\\n    --hash=sha256:1 \\\n    --hash=sha256:2\n    # via b\nb-c==2.0 \\\n    --hash=sha256:3\n"


def test_entries_are_chosen_with_their_hashes() -> None:
    assert chosen(LOCK, left_out={"b-c"}) == "a==1 \\\n    --hash=sha256:1 \\\n    --hash=sha256:2\n    # via b\n"
    assert chosen(LOCK, only={"b-c"}) == "b-c==2.0 \\\n    --hash=sha256:3\n"
    assert chosen(LOCK) == LOCK.removeprefix("#\n# head\n#\n")
    with pytest.raises(ReleaseError, match="has no d"):
        chosen(LOCK, only={"d"})


def test_what_is_left_out_is_in_the_lock_file_by_that_name() -> None:
    names = set(
        re.findall(r"^([a-z0-9.-]+)==", (ROOT / "operator" / "requirements-runtime.lock").read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert names >= LEFT_OUT
    assert {"psycopg", "psycopg-binary"} <= names, "the image can reach a PostgreSQL"


def imported(module: str, seen: dict[str, set[str]]) -> None:
    """Follow every import of a module of ours, also those inside functions; `seen`: what each imports of others."""
    path = PACKAGE / Path(*module.split("."))
    file = path.with_suffix(".py") if path.with_suffix(".py").is_file() else path / "__init__.py"
    if module in seen or not file.is_file():
        return
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    seen[module] = {name.partition(".")[0] for name in names if not name.startswith("sampan")}
    for name in sorted(names):
        if name.startswith("sampan"):
            imported(name, seen)


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb.name not in WITHOUT_A_HUB], ids=lambda verb: verb.name)
def test_a_verb_that_talks_to_a_hub_needs_nothing_that_is_left_out(verb: Any) -> None:
    seen: dict[str, set[str]] = {}
    imported(verb.load().callback.__module__, seen)
    distributions = {top: {name.lower() for name in names} for top, names in packages_distributions().items()}
    needed = {module: sorted({name for top in tops for name in distributions.get(top, ())} & LEFT_OUT) for module, tops in seen.items()}
    assert len(seen) > 3
    assert {module: names for module, names in needed.items() if names} == {}, f"sampan {verb.name} would not run as a plugin"


def manifest() -> dict[str, Any]:
    """The manifest of a release for all platforms."""
    source = Source(root=ROOT, version=__version__, revision="0", epoch=0)
    told = {platform: (f"https://releases.example/{platform.name}.tar.gz", f"{number:064x}") for number, platform in enumerate(PLATFORMS)}
    return dict(yaml.safe_load(krew_manifest(source, told)))


def test_krew_takes_the_manifest() -> None:
    """The rules of krew 0.4.3: `ValidatePlugin` in internal/index/validation, the fields of pkg/index/types.go."""
    found = manifest()
    assert set(found) == {"apiVersion", "kind", "metadata", "spec"}
    assert (found["apiVersion"], found["kind"]) == ("krew.googlecontainertools.github.com/v1alpha2", "Plugin")
    assert re.fullmatch(r"[\w-]+", found["metadata"]["name"])
    spec = found["spec"]
    assert set(spec) <= {"version", "shortDescription", "description", "caveats", "homepage", "platforms"}
    assert re.fullmatch(r"v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?", spec["version"])
    assert spec["version"] == f"v{__version__}"
    assert spec["shortDescription"]
    assert not re.search(r"[\r\n]", spec["shortDescription"])
    assert spec["platforms"]
    for platform in spec["platforms"]:
        assert set(platform) == {"selector", "uri", "sha256", "bin"}
        assert platform["uri"]
        assert re.fullmatch(r"[a-f0-9]{64}", platform["sha256"])
        assert platform["bin"]
        assert ".." not in platform["bin"]
        assert set(platform["selector"]["matchLabels"]) == {"os", "arch"}
    selected = [tuple(platform["selector"]["matchLabels"].values()) for platform in spec["platforms"]]
    assert len(set(selected)) == len(selected), "no platform is selected twice"
    assert set(selected) <= {(system, arch) for system in ("linux", "darwin", "windows") for arch in ("amd64", "arm64")}
