"""Which hub the command line talks to is what kubectl picks: over files of every kind, for every verb, and as kubectl's plugin."""

import asyncio
import base64
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from integration.gateway import gateway
from integration.support import PATIENCE, Api, wait_for
from sampan.cli.main import cli
from sampan.client.access.kubeconfig import load
from sampan.client.errors import ClientError
from sampan.kube.credentials.addresses import AddressPolicy
from sampan.kube.credentials.kubeconfig import parse
from sampan.kube.objects.meta import ConfigMap
from sampan.kube.transport.client import Client
from sampan.kube.transport.paths import resource_path
from sampan.kube.transport.wire import Unreadable
from sampan.kube.watch.listing import Collection
from sampan.kube.watch.reflector import EventType, Reflector
from sampan.local.binaries import Binaries
from unit.kube.certs import authority, issue

NAMES = st.sampled_from(["a", "b"])
CLUSTER = st.fixed_dictionaries(
    {"server": st.sampled_from(["https://10.0.0.1", "https://10.0.0.2/k8s/clusters/x", ""])},
    optional={
        "tls-server-name": st.sampled_from(["inner", ""]),
        "certificate-authority": st.sampled_from(["ca.crt", "../ca.crt", ""]),
        "insecure-skip-tls-verify": st.booleans(),
        "proxy-url": st.sampled_from(["http://10.0.0.9:3128", ""]),
        "extensions": st.just([{"name": "note", "extension": {"since": 1}}]),
    },
)
USER = st.fixed_dictionaries(
    {},
    optional={
        "token": st.sampled_from(["one", "two", ""]),
        "tokenFile": st.sampled_from(["token", ""]),
        "client-certificate": st.sampled_from(["tls/me.crt", ""]),
        "client-key": st.just("tls/me.key"),
        "as": st.sampled_from(["other", ""]),
        "exec": st.sampled_from(
            [None, {"apiVersion": "client.authentication.k8s.io/v1", "command": "./plugin", "interactiveMode": "Never"}]
        ),
    },
)
CONTEXT = st.fixed_dictionaries(
    {"cluster": NAMES, "user": NAMES | st.just("")}, optional={"namespace": st.sampled_from(["team-a", "team-b", ""])}
)


def _entries(inner: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A section: one or both names, none, or no section."""
    both = st.fixed_dictionaries({"a": values}, optional={"b": values}) | st.fixed_dictionaries({"b": values}, optional={"a": values})
    named = both.map(lambda found: [{"name": name, inner: each} for name, each in found.items()])
    return named | named | named | st.sampled_from([None, []])


FILE = st.fixed_dictionaries(
    {
        "clusters": _entries("cluster", CLUSTER),
        "users": _entries("user", USER),
        "contexts": _entries("context", CONTEXT),
        "current-context": NAMES | NAMES | st.sampled_from(["", None]),
    },
    optional={"apiVersion": st.just("v1"), "kind": st.just("Config"), "preferences": st.just({"colors": True})},
)
WHOLE = FILE.map(yaml.safe_dump) | FILE.map(json.dumps)
CONTENT = WHOLE | WHOLE | WHOLE | st.sampled_from(["", "# nothing\n", "---\n", "missing"])


@pytest.fixture(scope="module")
def kubectl(binaries: Binaries) -> str:
    """The real one."""
    return binaries["kubectl"]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three folders with the files that relative paths name, each with contents of its own."""
    root = tmp_path_factory.mktemp("kubeconfigs")
    found = [root / name for name in ("one", "two", "three")]
    for folder in found:
        (folder / "tls").mkdir(parents=True)
        for name in ("ca.crt", "../ca.crt", "tls/me.crt", "tls/me.key"):
            (folder / name).write_text(f"{name} of {folder.name}", encoding="utf-8")
    return found


def kubectls(kubectl: str, environ: dict[str, str], *options: str) -> dict[str, Any] | None:
    """Context, cluster, user and namespace that kubectl would use, files read; None where it refuses."""
    command = [kubectl, "config", "view", "--minify", "--flatten", "--raw", "-o", "json", *options]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=PATIENCE, check=False)
    if done.returncode != 0:
        return None
    seen = json.loads(done.stdout)
    context = seen["contexts"][0]["context"]
    user = seen["users"][0]["user"] if seen["users"] else {}
    plugin = user.pop("exec", None)
    return {
        "name": seen["current-context"],
        "namespace": context.get("namespace", ""),
        "cluster": {key: value for key, value in seen["clusters"][0]["cluster"].items() if key != "extensions" and value != ""},
        "user": user,
        "plugin": bool(plugin),
    }


def ours(environ: dict[str, str], explicit: Path | None, name: str | None) -> dict[str, Any] | None:
    """The same by our own merge."""
    try:
        context = load(explicit, environ).context(name)
    except ClientError:
        return None
    if context is None:
        return None
    cluster = {key: value for key, value in context.cluster.items() if key != "extensions" and value is not False}
    user = {key: value for key, value in context.user.items() if key != "exec"}
    if "tokenFile" in user:
        user["tokenFile"] = Path(user["tokenFile"]).name  # kubectl shows it as it is written
    try:
        read = {"cluster": _flat(cluster), "user": _flat(user)}
    except FileNotFoundError:
        return None
    return {"name": context.name, "namespace": context.namespace, "plugin": "exec" in context.user, **read}


def _flat(values: dict[str, Any]) -> dict[str, Any]:
    """Files as data, as --flatten writes them."""
    found = dict(values)
    for key in ("certificate-authority", "client-certificate", "client-key"):
        if key in found:
            found[f"{key}-data"] = base64.b64encode(Path(found.pop(key)).read_bytes()).decode()
    return found


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    contents=st.lists(CONTENT, min_size=3, max_size=3),
    order=st.permutations([0, 1, 2, "", "missing"]).flatmap(lambda every: st.integers(2, 5).map(lambda many: every[:many])),
    name=st.none() | NAMES,
    explicit=st.booleans(),
)
def test_the_context_is_the_one_that_kubectl_picks(
    *, kubectl: str, folders: list[Path], contents: list[str], order: list[int | str], name: str | None, explicit: bool
) -> None:
    files = [folder / "config" for folder in folders]
    for file, content in zip(files, contents, strict=True):
        file.unlink(missing_ok=True)
        if content != "missing":
            file.write_text(content, encoding="utf-8")
    paths = [each if isinstance(each, str) else str(files[each]) for each in order]
    environ = {"PATH": os.environ["PATH"], "HOME": str(folders[0].parent), "KUBECONFIG": os.pathsep.join(paths)}
    options = [f"--kubeconfig={files[0]}"] if explicit else []
    options += [f"--context={name}"] if name else []
    want = kubectls(kubectl, environ, *options)
    event("picked" if want else "refused")
    assert ours(environ, files[0] if explicit else None, name) == want


# --- on a real API server ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def parts(bare_api: Api, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The server's kubeconfig, whole and in the parts that tools leave lying about."""
    wait_for(lambda: bare_api.try_kubectl("get", "cpj", "-A").returncode == 0, "the kinds are served")
    folder = tmp_path_factory.mktemp("parts")
    whole = yaml.safe_load(bare_api.kubeconfig.read_text(encoding="utf-8"))
    empty: dict[str, Any] = {"apiVersion": "v1", "kind": "Config", "clusters": None, "contexts": [], "users": None, "preferences": {}}
    contents = {
        "whole": whole,
        "empty": {**empty, "current-context": ""},
        "only-context": {**empty, "current-context": whole["current-context"]},
        "no-context": {key: value for key, value in whole.items() if key != "current-context"},
    }
    for name, content in contents.items():
        (folder / name).write_text(yaml.safe_dump(content), encoding="utf-8")
    return {name: str(folder / name) for name in contents} | {"missing": str(folder / "missing"), "": ""}


@pytest.mark.parametrize(
    "named", ["whole:empty", "empty:whole", "only-context:no-context", "no-context:only-context", "whole:", ":whole", "whole:missing"]
)
def test_several_files_lead_to_the_hub_as_a_plugin_of_kubectl_too(bare_api: Api, parts: dict[str, str], named: str) -> None:
    programs = Path(sys.executable).parent
    environ = {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(bare_api.cache),
        "KUBECONFIG": os.pathsep.join(parts[each] for each in named.split(":")),
    }
    for command in ([str(programs / "sampan")], [bare_api.binaries["kubectl"], "sampan"]):
        done = subprocess.run(
            [*command, "jobs", "-A", "-o", "json"], env=environ, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        assert done.returncode == 0, done.stderr
        assert "items" in json.loads(done.stdout)


async def test_a_hub_and_a_member_behind_a_gateway_with_a_path(bare_api: Api, tmp_path: Path) -> None:
    whole = yaml.safe_load(bare_api.kubeconfig.read_text(encoding="utf-8"))
    (tmp_path / "ca.crt").write_bytes(base64.b64decode(whole["clusters"][0]["cluster"]["certificate-authority-data"]))
    bare_api.kubectl("create", "clusterrolebinding", "gateway", "--clusterrole=cluster-admin", "--serviceaccount=default:gateway")
    bare_api.kubectl("create", "serviceaccount", "gateway", "-n", "default")
    token = bare_api.kubectl("create", "token", "gateway", "-n", "default").strip()
    async with gateway(
        whole["clusters"][0]["cluster"]["server"],
        tmp_path / "ca.crt",
        prefix="/k8s/clusters/c-m-1",
        pair=issue(authority(), hosts=("rancher.example.com",)),
    ) as before:
        cluster = {
            "server": f"https://127.0.0.1:{before.port}/k8s/clusters/c-m-1",
            "certificate-authority-data": base64.b64encode(authority().cert_pem.encode()).decode(),
            "tls-server-name": "rancher.example.com",
        }
        config = {**whole, "clusters": [{**whole["clusters"][0], "cluster": cluster}]}
        config["users"] = [{**whole["users"][0], "user": {"token": token}}]
        (tmp_path / "config").write_text(yaml.safe_dump(config), encoding="utf-8")

        # the hub, at the command line
        done = await asyncio.to_thread(CliRunner().invoke, cli, ["jobs", "-A", "-o", "json", "--kubeconfig", str(tmp_path / "config")])
        assert done.exit_code == 0, done.output

        # a member, by the operator's client: a list, a watch, a write
        credentials = parse((tmp_path / "config").read_bytes(), policy=AddressPolicy(allow_loopback=True))
        path = resource_path("v1", "configmaps", namespace="default")
        picture = Picture()
        async with Client(credentials) as client:
            watch = asyncio.create_task(Reflector(client, Collection(path=path, into=ConfigMap), sink=picture).run())
            await asyncio.wait_for(picture.listed.wait(), PATIENCE)
            body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "behind-a-gateway"}}
            await client.create(path, body, into=ConfigMap)
            await asyncio.wait_for(picture.seen.wait(), PATIENCE)
            await client.delete(resource_path("v1", "configmaps", namespace="default", name="behind-a-gateway"))
            watch.cancel()
        assert any("watch=true" in each for each in before.passed)


class Picture:
    """Waits for the list, and for one ConfigMap by the watch."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.listed, self.seen = asyncio.Event(), asyncio.Event()

    def on_replace(self, items: Sequence[ConfigMap], unreadable: Sequence[Unreadable]) -> None:
        """The list."""
        self.listed.set()

    def on_event(self, event: EventType, item: ConfigMap) -> None:
        """One change."""
        if item.metadata.name == "behind-a-gateway":
            self.seen.set()

    def on_unreadable(self, event: EventType, item: Unreadable) -> None:
        """None is expected."""
        raise AssertionError(item)
