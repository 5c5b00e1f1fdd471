"""Several kubeconfigs are one, as with kubectl; what cannot be read is named by its path."""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from sampan.cli.main import VERBS, cli
from sampan.client.access.kubeconfig import Kubeconfig, load
from sampan.client.errors import ClientError

Make = Any


def config(**changed: Any) -> dict[str, Any]:
    """A kubeconfig of one context."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": "https://10.0.0.1:6443"}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u", "namespace": "team-a"}}],
        "current-context": "x",
        **changed,
    }


EMPTY: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [],
    "contexts": None,
    "users": [],
    "current-context": "",
    "preferences": {},
}
ONLY_CONTEXT = {**EMPTY, "current-context": "x"}
NO_CONTEXT = config(**{"current-context": None})
OTHER = config(
    clusters=[{"name": "c", "cluster": {"server": "https://10.0.0.2"}}, {"name": "d", "cluster": {"server": "https://10.0.0.3"}}],
    contexts=[{"name": "y", "context": {"cluster": "d", "user": "u"}}],
    **{"current-context": "y"},
)


def put(path: Path, content: Any) -> str:
    """Write a file, YAML unless it is text already."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content), encoding="utf-8")
    return str(path)


def merged(*paths: str) -> Kubeconfig:
    """What KUBECONFIG with these elements gives."""
    return load(None, {"KUBECONFIG": os.pathsep.join(paths)})


@pytest.mark.parametrize(
    ("files", "want"),
    [
        ([config(), EMPTY], ("x", "https://10.0.0.1:6443")),
        ([EMPTY, config()], ("x", "https://10.0.0.1:6443")),
        ([ONLY_CONTEXT, NO_CONTEXT], ("x", "https://10.0.0.1:6443")),
        ([NO_CONTEXT, ONLY_CONTEXT], ("x", "https://10.0.0.1:6443")),
        ([config(), None], ("x", "https://10.0.0.1:6443")),
        ([None, config()], ("x", "https://10.0.0.1:6443")),
        ([config(), OTHER], ("x", "https://10.0.0.1:6443")),
        ([OTHER, config()], ("y", "https://10.0.0.3")),
        ([ONLY_CONTEXT, OTHER, NO_CONTEXT], ("x", "https://10.0.0.2")),
        ([{**EMPTY, "users": [None], "clusters": [{"cluster": {"server": "https://x"}}]}, config()], ("x", "https://10.0.0.1:6443")),
        (["# nothing\n", "", config()], ("x", "https://10.0.0.1:6443")),
        ([yaml.safe_dump(config()) + "---\n" + yaml.safe_dump(OTHER)], ("x", "https://10.0.0.1:6443")),
        (["\ufeff" + yaml.safe_dump(config()).replace("\n", "\r\n")], ("x", "https://10.0.0.1:6443")),
    ],
)
def test_the_first_that_gives_a_value_wins(tmp_path: Path, files: list[Any], want: tuple[str, str]) -> None:
    paths = [put(tmp_path / f"{number}.yaml", file) if file is not None else str(tmp_path / "no") for number, file in enumerate(files)]
    context = merged("", *paths, "", paths[0]).context(None)
    assert context is not None
    assert (context.name, context.cluster["server"]) == want


def test_an_entry_comes_whole_from_the_first_file_that_has_it(tmp_path: Path) -> None:
    first = config(users=[{"name": "u", "user": {"client-key-data": "a2V5"}}])
    context = merged(put(tmp_path / "a", first), put(tmp_path / "b", config())).context(None)
    assert context is not None
    assert context.user == {"client-key-data": "a2V5"}


def test_paths_are_seen_from_their_files_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = {"server": "https://x", "certificate-authority": "../ca.crt", "proxy-url": ""}
    user = {"client-certificate": "me.crt", "client-key": "/abs/me.key", "tokenFile": "", "exec": {"command": "./plugin", "env": None}}
    put(tmp_path / "a" / "config", config(clusters=[{"name": "c", "cluster": cluster}], users=[{"name": "u", "user": user}]))
    monkeypatch.chdir(tmp_path / "a")
    context = merged(put(tmp_path / "b", EMPTY), "config").context("x")
    assert context is not None
    assert context.cluster == {"server": "https://x", "certificate-authority": str(tmp_path / "ca.crt")}
    assert context.user["client-certificate"] == str(tmp_path / "a" / "me.crt")
    assert context.user["client-key"] == "/abs/me.key"
    assert context.user["exec"]["command"] == str(tmp_path / "a" / "plugin")
    assert "tokenFile" not in context.user


def test_the_option_names_one_file_and_it_must_be_there(tmp_path: Path) -> None:
    path = put(tmp_path / "a", config())
    context = load(Path(path), {"KUBECONFIG": put(tmp_path / "b", OTHER)}).context(None)
    assert context is not None
    assert context.name == "x"
    with pytest.raises(ClientError, match="no such file; give another --kubeconfig"):
        load(tmp_path / "no", {})


def test_the_home_folders_file_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load(None, {}).context(None) is None
    put(tmp_path / ".kube" / "config", config())
    context = load(None, {"KUBECONFIG": ""}).context(None)
    assert context is not None
    assert load(None, {"KUBECONFIG": os.pathsep}).context(None) is None, "a variable without a file is not an empty variable"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a: [", r"kubeconfig .*broken.yaml, line \d+: neither YAML nor JSON"),
        ("a:\n\tb: c\n", "line 2: neither YAML nor JSON"),
        ("- a", "not a kubeconfig"),
        ("hello", "not a kubeconfig"),
        ({"kind": "Secret"}, "not a kubeconfig"),
        (config(clusters={"name": "c"}), "clusters is not a list"),
        (config(users=["u"]), "an entry of users is no mapping"),
        (config(users=[{"name": 1, "user": {}}]), "an entry of users has a name that is no string"),
        (config(contexts=[{"name": "x", "context": {}}] * 2), 'contexts has two entries "x"'),
        (config(**{"current-context": 5}), "current-context of .* is not a string; put it in quotes"),
    ],
)
def test_what_cannot_be_read_is_named_by_its_path(tmp_path: Path, content: Any, words: str) -> None:
    with pytest.raises(ClientError, match=words) as caught:
        merged(put(tmp_path / "good.yaml", config()), put(tmp_path / "broken.yaml", content))
    assert "broken.yaml" in caught.value.message


def test_bytes_a_folder_and_a_file_without_permission_are_named(tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(b"a: \xff\xff")
    with pytest.raises(ClientError, match="bytes: neither YAML nor JSON"):
        merged(str(tmp_path / "bytes"))
    with pytest.raises(ClientError, match=f"kubeconfig {tmp_path}: Is a directory"):
        merged(str(tmp_path))
    locked = tmp_path / "locked"
    locked.touch(0o000)
    if os.geteuid() == 0:
        pytest.skip("root reads every file")
    with pytest.raises(ClientError, match="locked: Permission denied"):
        merged(str(locked))


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (config(), "z", 'context "z" does not exist; there are: x; give --context'),
        (config(**{"current-context": "gone"}), None, 'context "gone" does not exist'),
        (config(clusters=[]), None, 'context "x" names cluster "c", which does not exist'),
        (config(users=[]), None, 'context "x" names user "u", which does not exist'),
    ],
)
def test_a_context_must_be_whole(tmp_path: Path, content: Any, name: str | None, words: str) -> None:
    with pytest.raises(ClientError, match=words):
        merged(put(tmp_path / "a", content)).context(name)


def test_what_to_say_where_nothing_is_chosen(tmp_path: Path) -> None:
    path = put(tmp_path / "a", NO_CONTEXT)
    assert merged(path).context(None) is None
    assert "no current-context in" in merged(path).no_context().message
    assert "there are: x" in merged(path).no_context().message
    assert f"KUBECONFIG names no file that exists ({tmp_path}/no)" in merged(str(tmp_path / "no")).no_context().message
    assert "no hub is named: there is no kubeconfig" in Kubeconfig().no_context().message


JOB = yaml.safe_dump({
    "apiVersion": "sampan.dev/v1alpha1", "kind": "ComputeJob", "metadata": {"name": "a"}, "spec": {"template": {"image": "x"}},
})  # fmt: skip
ARGUMENTS = {
    "offers": [], "pools": [], "jobs": [], "catalog": [], "uninstall": ["--yes"], "explain": ["x"], "logs": ["x"], "cancel": ["x"],
    "submit": ["-f", "-"], "exec": ["x", "--", "id"], "attach": ["x"], "port-forward": ["x", "8080"],
    "quote": ["-f", "-"], "what-if": ["-f", "-", "--without", "prov-a/o"], "replay": ["--jobs", "1", "TRACE"],
}  # fmt: skip
"""The verbs that talk to a hub which people name, with the least that they need."""
OF_TWO_CLUSTERS = {"join"}
"""Verbs that talk to a member first, and so have tests of their own."""


def test_no_verb_with_these_options_is_left_out() -> None:
    found = {verb.name for verb in VERBS if "context" in {parameter.name for parameter in verb.load().params}}
    assert found == set(ARGUMENTS) | OF_TWO_CLUSTERS


@pytest.mark.parametrize("verb", ARGUMENTS)
@pytest.mark.parametrize("how", ["KUBECONFIG", "--kubeconfig"])
def test_every_verb_reads_them_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str, how: str) -> None:
    dead = config(clusters=[{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}])
    trace = put(tmp_path / "trace.csv", "job_id,vc,submit_s,duration_s,gpus\n1,v,0,10,1\n")
    arguments = [*(trace if each == "TRACE" else each for each in ARGUMENTS[verb])]

    def said(*options: str) -> str:
        done = CliRunner().invoke(cli, [verb, *options, *arguments], input=JOB, prog_name="sampan")
        assert verb == "catalog" or done.exit_code == 1, done.output
        return done.stderr

    if how == "--kubeconfig":
        monkeypatch.setenv("KUBECONFIG", put(tmp_path / "other", config()))
        path = put(tmp_path / "a", {**dead, "current-context": ""})
        assert "connection refused by the hub's API server" in said("--kubeconfig", path, "--context", "x")
        return
    paths = [put(tmp_path / "a", ONLY_CONTEXT), str(tmp_path / "no"), put(tmp_path / "b", {**dead, "current-context": ""})]
    monkeypatch.setenv("KUBECONFIG", os.pathsep.join(paths))
    assert "connection refused by the hub's API server" in said()
    assert 'context "y" does not exist' in said("--context", "y") if verb != "catalog" else True
    monkeypatch.setenv("KUBECONFIG", paths[2])
    assert "no current-context in" in said()
