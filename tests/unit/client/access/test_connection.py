"""The official client does what kubectl does with the same kubeconfig: TLS, paths, plugins, proxies, pods."""

import asyncio
import base64
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes.client import ApiClient, CoreV1Api
from kubernetes.config import incluster_config
from urllib3 import ProxyManager
from urllib3.exceptions import HTTPError

from sampan.client.access import connection
from sampan.client.access.connection import client_for, configured
from sampan.client.access.target import Target
from sampan.client.errors import ClientError
from unit.cli.connect_proxy import connect_proxy
from unit.kube.certs import authority, ec_key, issue, rsa_key
from unit.kube.fake_api import FakeApi, serving

CA = base64.b64encode(authority().cert_pem.encode()).decode()
PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy")


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The surroundings of whoever runs the tests do not matter."""
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
async def api() -> AsyncIterator[FakeApi]:
    """An API server on 127.0.0.1, also under other names."""
    async with serving(hosts=("127.0.0.1", "localhost", "hub.example.com")) as fake:
        fake.put("one")
        yield fake


def write(folder: Path, cluster: dict[str, Any], user: dict[str, Any] | None = None, **context: Any) -> Target:
    """A kubeconfig of one context, named by --kubeconfig."""
    path = folder / "config"
    config = {
        "clusters": [{"name": "c", "cluster": {"certificate-authority-data": CA, **cluster}}],
        "users": [{"name": "u", "user": {"token": "good"} if user is None else user}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u", **context}}],
        "current-context": "x",
    }
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return Target(kubeconfig=path)


def seen(client: ApiClient) -> list[str]:
    """Names of the ConfigMaps that the server shows."""
    listed = CoreV1Api(client).list_namespaced_config_map("ns", _request_timeout=(30, 30))
    return [item.metadata.name for item in listed.items]


async def ask(target: Target) -> list[str]:
    """Connect and look, beside the loop on which the server runs."""
    return await asyncio.to_thread(lambda: seen(client_for(target)[0]))


@pytest.mark.parametrize(
    "cluster",
    [
        {"server": "https://127.0.0.1:PORT"},
        {"server": "HTTPS://localhost:PORT/?x=1"},
        {"server": "127.0.0.1:PORT"},
        {"server": "https://127.0.0.1:PORT", "tls-server-name": "hub.example.com", "proxy-url": ""},
        {"server": "https://127.0.0.1:PORT", "insecure-skip-tls-verify": True, "certificate-authority-data": ""},
        {"server": "https://127.0.0.1:PORT", "certificate-authority-data": base64.encodebytes(authority().cert_pem.encode()).decode()},
        {"server": "https://127.0.0.1:PORT", "extensions": [{"name": "x", "extension": {"at": 1}}], "disable-compression": True},
    ],
)
async def test_reaches_the_server(api: FakeApi, tmp_path: Path, cluster: dict[str, Any]) -> None:
    target = write(tmp_path, {**cluster, "server": cluster["server"].replace("PORT", str(api.port))})
    assert await ask(target) == ["one"]


async def test_a_gateways_path_and_an_intermediate_ca(tmp_path: Path) -> None:
    middle = issue(authority("root"), name="middle", ca=True)
    async with serving(pair=issue(middle, hosts=("127.0.0.1",))) as api:
        api.prefix = "/k8s/clusters/c-1"
        api.put("one")
        (tmp_path / "ca.crt").write_text(middle.cert_pem)
        cluster = {"server": f"https://127.0.0.1:{api.port}/k8s/clusters/c-1/", "certificate-authority": "ca.crt"}
        assert await ask(write(tmp_path, {**cluster, "certificate-authority-data": None})) == ["one"]


async def test_a_client_certificate_of_any_kind_beside_a_token(tmp_path: Path) -> None:
    async with serving(client_ca=authority("clients")) as api:
        api.put("one")
        for key in (ec_key(), rsa_key(2048)):
            me = issue(authority("clients"), name="me", key=key)
            (tmp_path / "me.crt").write_text(f"subject=CN = me\n{me.cert_pem}")
            (tmp_path / "me.key").write_text(me.key_pem)
            files = {"token": "good\n", "client-certificate": "me.crt", "client-key": "me.key"}
            assert await ask(write(tmp_path, {"server": f"https://127.0.0.1:{api.port}"}, files)) == ["one"]
        with pytest.raises(HTTPError):  # as the server wants one
            await ask(write(tmp_path, {"server": f"https://127.0.0.1:{api.port}"}))


async def test_another_name_or_ca_is_not_believed(api: FakeApi, tmp_path: Path) -> None:
    for cluster in ({"tls-server-name": "other.example.com"}, {"certificate-authority-data": None}):
        with pytest.raises(Exception, match="CERTIFICATE_VERIFY_FAILED"):
            await ask(write(tmp_path, {"server": f"https://127.0.0.1:{api.port}", **cluster}))
    assert api.requests == []


async def test_a_plugin_beside_the_file_runs_and_that_of_another_context_does_not(api: FakeApi, tmp_path: Path) -> None:
    plugin, canary = tmp_path / "login", tmp_path / "canary"
    said = '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "%s"}}'
    plugin.write_text(f"#!/bin/sh\necho '{said % '$WHO'}' | sed s/.WHO/$WHO/\n")
    plugin.chmod(0o700)
    run = {"apiVersion": "client.authentication.k8s.io/v1", "command": "./login", "args": None, "interactiveMode": "Never"}
    target = write(
        tmp_path, {"server": f"https://127.0.0.1:{api.port}"}, {"exec": {**run, "env": [{"name": "WHO", "value": "good"}, {"name": "E"}]}}
    )
    assert target.kubeconfig is not None
    config = yaml.safe_load(target.kubeconfig.read_text())
    config["users"].append({"name": "v", "user": {"exec": {**run, "command": "touch", "args": [str(canary)]}}})
    target.kubeconfig.write_text(yaml.safe_dump(config))
    assert await ask(target) == ["one"]
    assert not canary.exists()


async def test_a_plugin_that_gives_nothing_is_told(tmp_path: Path) -> None:
    run = {"apiVersion": "client.authentication.k8s.io/v1", "command": "false", "interactiveMode": "Never"}
    with pytest.raises(ClientError, match="plugin false gave no credentials; run it by hand"):
        client_for(write(tmp_path, {"server": "https://127.0.0.1:1"}, {"exec": run}))


async def test_proxies_count_as_for_kubectl(api: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = f"https://127.0.0.1:{api.port}", "https://hub.example.com:6443"
    async with connect_proxy(api.port) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.removeprefix("http://"))
        monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1")
        assert await ask(write(tmp_path, {"server": here})) == ["one"]
        assert proxy.asked == [], "not for this machine"
        assert await ask(write(tmp_path, {"server": there})) == ["one"]
        assert proxy.asked == ["hub.example.com:6443"]
        monkeypatch.setenv("NO_PROXY", ".example.com,127.0.0.1")
        direct, _ = client_for(write(tmp_path, {"server": there}))
        assert not isinstance(direct.rest_client.pool_manager, ProxyManager)
        assert await ask(write(tmp_path, {"server": here, "proxy-url": proxy.url})) == ["one"]
        assert await ask(write(tmp_path, {"server": there, "proxy-url": proxy.url})) == ["one"]
        assert len(proxy.asked) == 3, "proxy-url counts always"
        monkeypatch.delenv("HTTPS_PROXY")
        monkeypatch.delenv("NO_PROXY")
        client, _ = client_for(write(tmp_path, {"server": there}))
        assert client.configuration.proxy is None, "ALL_PROXY means nothing to kubectl"


def test_a_socks_proxy_without_its_package_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "find_spec", lambda _: None)
    with pytest.raises(ClientError, match="proxy socks5:// needs the package PySocks"):
        client_for(write(tmp_path, {"server": "https://127.0.0.1:1", "proxy-url": "socks5://127.0.0.1:1080"}))


async def test_impersonation_is_sent(api: FakeApi, tmp_path: Path) -> None:
    user = {"token": "good", "as": "jane", "as-groups": ["team-a"], "as-uid": "u1"}
    assert await ask(write(tmp_path, {"server": f"https://127.0.0.1:{api.port}"}, user)) == ["one"]
    headers = api.requests[0][2]
    assert (headers["Impersonate-User"], headers["Impersonate-Group"], headers["Impersonate-Uid"]) == ("jane", "team-a", "u1")


def test_no_credentials_go_in_the_clear(tmp_path: Path) -> None:
    client, _ = client_for(write(tmp_path, {"server": "http://127.0.0.1:1"}))
    assert client.configuration.api_key == {}
    with pytest.raises(ClientError, match='the cluster of context "x" has no server'):
        client_for(write(tmp_path, {"server": ""}))


async def test_inside_a_pod(api: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "missing"))
    monkeypatch.setattr(connection, "SERVICE_ACCOUNT", tmp_path)
    monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(tmp_path / "token"))
    monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", str(tmp_path / "ca.crt"))
    with pytest.raises(ClientError, match="KUBECONFIG names no file that exists"):
        client_for(Target())
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(api.port))
    with pytest.raises(ClientError, match="in a pod, mount the ServiceAccount's token"):
        client_for(Target())
    (tmp_path / "token").write_text("good")
    (tmp_path / "ca.crt").write_text(authority().cert_pem)
    (tmp_path / "namespace").write_text("ci\n")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    assert await ask(Target()) == ["one"]
    assert client_for(Target())[1] == "ci"
    with pytest.raises(ClientError, match='context "x" does not exist'):
        client_for(Target(context="x"))
    named = write(tmp_path, {"server": "https://10.0.0.1"}, namespace="team-a")
    monkeypatch.setenv("KUBECONFIG", str(named.kubeconfig))
    client, namespace = client_for(Target())
    assert (client.configuration.host, namespace) == ("https://10.0.0.1", "team-a"), "a kubeconfig comes first"
    monkeypatch.setenv("POD_NAMESPACE", "other")
    monkeypatch.setenv("KUBECONFIG", os.devnull)
    assert client_for(Target())[1] == "other"


def test_a_hub_is_named_by_options_a_kubeconfig_or_the_cluster_we_run_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(connection, "SERVICE_ACCOUNT", tmp_path)
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.delenv(name, raising=False)
    assert not configured(Target())
    assert configured(Target(context="hub"))
    assert configured(Target(kubeconfig=tmp_path / "hub.yaml"))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    assert not configured(Target()), "no token"
    (tmp_path / "token").touch()
    assert configured(Target()), "in a pod"
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "other.yaml"))
    assert configured(Target())
    monkeypatch.delenv("KUBECONFIG")
    (tmp_path / ".kube").mkdir()
    (tmp_path / ".kube" / "config").touch()
    assert configured(Target())
