"""The hub's own credentials come from a kubeconfig or the pod's files, and are followed."""

import asyncio
import logging
from pathlib import Path

import pytest

from sampan.kube.credentials.hub import InCluster, KubeconfigFile, NoHubCredentials, follow, hub_source
from sampan.kube.credentials.kubeconfig import InvalidKubeconfig
from sampan.kube.credentials.secret import Secret
from sampan.kube.objects.meta import PartialObject
from sampan.kube.transport.client import Client
from sampan.kube.transport.limits import Limits
from sampan.kube.transport.paths import resource_path
from unit.kube.certs import authority, kubeconfig
from unit.kube.fake_api import FakeApi, until

ONE = resource_path("v1", "configmaps", namespace="ns", name="x")


def account(folder: Path, token: str) -> Path:
    """Files of a ServiceAccount."""
    (folder / "token").write_text(token + "\n")
    (folder / "ca.crt").write_text(authority().cert_pem)
    (folder / "namespace").write_text("sampan")
    return folder


def test_a_kubeconfig_may_lead_to_loopback_and_keeps_the_allow_list(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text(kubeconfig(server="https://127.0.0.1:6443"))
    assert hub_source(file).read().port == 6443
    file.write_text(kubeconfig(user="    exec: {command: touch}"))
    with pytest.raises(InvalidKubeconfig, match=rf"ExecNotAllowed: kubeconfig {file}: users\[0\].user.exec"):
        hub_source(file).read()
    file.write_text(kubeconfig(cluster="    tls-server-name: other"))
    with pytest.raises(NoHubCredentials, match="tls-server-name"):
        hub_source(file).read()


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NoHubCredentials, match="--kubeconfig"):
        KubeconfigFile(tmp_path / "none").read()


def test_in_cluster(tmp_path: Path) -> None:
    environ = {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT_HTTPS": "8443"}
    got = hub_source(None, environ=environ, folder=account(tmp_path, "tok")).read()
    assert got.server == "https://10.96.0.1:8443"
    assert got.token is not None
    assert got.token.reveal() == "tok"
    with pytest.raises(NoHubCredentials, match="not inside a cluster"):
        hub_source(None, environ={})
    with pytest.raises(NoHubCredentials, match="token"):
        InCluster("h", 1, tmp_path / "none").read()


async def test_a_new_token_is_followed_and_a_broken_file_is_not(api: FakeApi, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    api.put("x")
    source = InCluster("127.0.0.1", api.port, account(tmp_path, "good"))
    async with Client(source.read(), limits=Limits(qps=1000)) as client:
        task = asyncio.create_task(follow(client, source, every=0.01))
        (tmp_path / "ca.crt").unlink()
        await until(lambda: "not used" in caplog.text)
        assert (await client.get(ONE, into=PartialObject)).metadata.name == "x"
        api.tokens = {"next"}
        account(tmp_path, "next")
        await until(lambda: client.credentials.token == Secret("next"))
        assert (await client.get(ONE, into=PartialObject)).metadata.name == "x"
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert caplog.text.count("not used") == 1
    assert "next" not in caplog.text
