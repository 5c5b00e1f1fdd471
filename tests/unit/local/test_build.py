"""Tests of sampan.local.build, with a Go that only pretends."""

from pathlib import Path

import pytest

from sampan.local.binaries import ALERT_PROGRAMS, NODE_PROGRAMS, PROGRAMS, stamp, wanted_version
from sampan.local.build import RECIPES, build
from sampan.local.paths import LocalError, cache_root

from .conftest import MakeProgram

MODULES = Path(build.__code__.co_filename).parent / "go"
PRETEND = """
while [ "$1" != -o ]; do shift; done
printf '%s %s' "$3" "$CGO_ENABLED" > "$2"
chmod 755 "$2"
"""


def test_there_is_a_recipe_for_every_program_and_a_wrapper_module_that_names_it() -> None:
    assert set(RECIPES) == {*PROGRAMS, *NODE_PROGRAMS, *ALERT_PROGRAMS}
    for recipe in RECIPES.values():
        module = (MODULES / recipe.module / "go.mod").read_text()
        assert recipe.package in module
        assert (MODULES / recipe.module / "go.sum").is_file()


@pytest.mark.parametrize("program", [*PROGRAMS, *NODE_PROGRAMS])
def test_the_wrapper_modules_pin_the_versions_we_look_for(program: str) -> None:
    assert f" v{wanted_version(program)}" in (MODULES / RECIPES[program].module / "go.mod").read_text()


def test_the_module_of_promtool_is_the_release_that_promtool_names() -> None:
    major, minor, patch = wanted_version("promtool").split(".")
    module = (MODULES / RECIPES["promtool"].module / "go.mod").read_text()
    assert f"github.com/prometheus/prometheus v0.{major}{minor:0>2}.{patch} " in module


def test_without_go_the_message_says_what_is_missing_and_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(LocalError, match=r"etcd, helm.*install Go.*SAMPAN_KUBE_ASSETS"):
        build(["etcd", "helm"], lambda _: None)


def test_programs_are_put_in_place_whole_with_their_version_and_progress(program: MakeProgram, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{program('go', PRETEND).parent}:/usr/bin:/bin")
    said: list[str] = []
    build(["helm", "etcd"], said.append)
    folder = cache_root() / "bin"
    assert (folder / "etcd").read_text() == "go.etcd.io/etcd/server/v3 0"
    assert stamp(folder / "helm").read_text().strip() == wanted_version("helm")
    assert [line for line in said if line.startswith("[1 of 2] etcd")]
    assert [line for line in said if line.startswith("[2 of 2] helm built in")]
    assert sorted(path.name for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")) == ["etcd", "helm"]


def test_a_second_builder_finds_the_work_done(program: MakeProgram, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{program('go', PRETEND).parent}:/usr/bin:/bin")
    build(["etcd"], lambda _: None)
    said: list[str] = []
    build(["etcd"], said.append)
    assert said == []


def test_a_failed_build_leaves_nothing_and_shows_the_compiler_s_words(program: MakeProgram, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{program('go', 'echo no such package; exit 3').parent}:/usr/bin:/bin")
    with pytest.raises(LocalError, match=r"(?s)exit code 3.*no such package"):
        build(["etcd"], lambda _: None)
    assert [path.name for path in (cache_root() / "bin").iterdir()] == [".lock"]


PRETEND_DOCKER = """
[ "$1" = info ] && exit 0
echo "$@" > "$XDG_CACHE_HOME/asked"
for part in "$@"; do case "$part" in *:/out) out="${part%:/out}";; /out/*) file="${part#/out/}";; esac; done
printf 'built' > "$out/$file"
"""


def test_without_go_but_with_docker_go_runs_in_a_container(program: MakeProgram, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{program('docker', PRETEND_DOCKER).parent}:/usr/bin:/bin")
    build(["etcd"], lambda _: None)
    assert (cache_root() / "bin" / "etcd").read_text() == "built"
    asked = (cache_root().parent / "asked").read_text()
    assert f"--volume {MODULES / 'etcd'}:/src:ro" in asked
    assert asked.rstrip().endswith("-o /out/etcd go.etcd.io/etcd/server/v3")


def test_a_docker_without_its_engine_builds_nothing(program: MakeProgram, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{program('docker', 'exit 1').parent}:/usr/bin:/bin")
    with pytest.raises(LocalError, match="neither Go nor a running Docker"):
        build(["etcd"], lambda _: None)
