"""Kubeconfigs that kubectl itself wrote, in the ways in which people make and hand them over, are read as kubectl reads them."""

import json
import subprocess
from pathlib import Path

import pytest

from sampan.kube.credentials.addresses import AddressPolicy
from sampan.kube.credentials.codes import Code
from sampan.kube.credentials.kubeconfig import InvalidKubeconfig, parse
from sampan.kube.credentials.secret import Secret
from sampan.local.binaries import Binaries
from sampan.local.processes.kubectl import tool_environment
from unit.kube.certs import authority, issue

POLICY = AddressPolicy(allowed_proxies=frozenset({"proxy.example.com:3128"}))
CLIENT = issue(authority(), name="hub")


class Kubectl:
    """kubectl on one file."""

    def __init__(self, binary: str, folder: Path) -> None:
        self.binary, self.folder, self.file = binary, folder, folder / "config"
        (folder / "ca.crt").write_text(authority().cert_pem)
        (folder / "tls.crt").write_text(CLIENT.cert_pem)
        (folder / "tls.key").write_text(CLIENT.key_pem)

    def config(self, *arguments: str) -> bytes:
        """Run `kubectl config …` and return what it prints."""
        command = [self.binary, f"--kubeconfig={self.file}", "config", *arguments]
        return subprocess.run(command, env=tool_environment(self.folder), cwd=self.folder, capture_output=True, check=True).stdout

    def cluster(self, name: str, server: str, *more: str) -> None:
        self.config("set-cluster", name, f"--server={server}", *more)

    def context(self, name: str, cluster: str, user: str) -> None:
        self.config("set-context", name, f"--cluster={cluster}", f"--user={user}", "--namespace=sampan-jobs")


@pytest.fixture
def kubectl(binaries: Binaries, tmp_path: Path) -> Kubectl:
    made = Kubectl(binaries["kubectl"], tmp_path)
    made.cluster("gpu", "https://[fd12:3456::7]:6443", "--certificate-authority=ca.crt", "--embed-certs")
    made.cluster("rancher", "https://rancher.example.com/k8s/clusters/c-m-1", "--tls-server-name=inner.example.com")
    made.cluster("behind", "https://gpu.internal:6443", "--proxy-url=http://proxy.example.com:3128")
    made.cluster("files", "https://203.0.113.7:6443", "--certificate-authority=ca.crt")
    made.config("set-credentials", "hub", "--token=kubeconfig-u-1a2b:x9Y~_-/+=")
    made.config("set-credentials", "pair", "--client-certificate=tls.crt", "--client-key=tls.key", "--embed-certs")
    made.config("set-credentials", "paths", "--client-certificate=tls.crt", "--client-key=tls.key")
    made.config("set-credentials", "plugin", "--exec-command=aws", "--exec-api-version=client.authentication.k8s.io/v1")
    made.context("one", "gpu", "hub")
    made.context("two", "rancher", "pair")
    made.context("three", "behind", "hub")
    made.context("four", "files", "paths")
    made.context("five", "gpu", "plugin")
    made.config("use-context", "one")
    return made


def test_each_context_of_one_file(kubectl: Kubectl) -> None:
    raw = kubectl.file.read_bytes()
    one, two, three = (parse(raw, policy=POLICY, context=name) for name in ("", "two", "three"))
    assert (one.host, one.port, one.ca_pem) == ("fd12:3456::7", 6443, authority().cert_pem)
    assert one.token == Secret("kubeconfig-u-1a2b:x9Y~_-/+=")
    assert (two.server, two.server_name, two.ca_pem) == ("https://rancher.example.com:443/k8s/clusters/c-m-1", "inner.example.com", None)
    assert two.client_key == Secret(CLIENT.key_pem)
    assert three.proxy is not None
    assert three.proxy.address == "proxy.example.com:3128"


@pytest.mark.parametrize(("context", "code"), [("four", Code.FILE_PATH), ("five", Code.EXEC)])
def test_what_is_refused_is_named_by_the_line_in_kubectls_own_file(kubectl: Kubectl, context: str, code: Code) -> None:
    with pytest.raises(InvalidKubeconfig) as caught:
        parse(kubectl.file.read_bytes(), policy=POLICY, context=context)
    assert caught.value.code is code
    line = kubectl.file.read_text().splitlines()[int(caught.value.message.rpartition("(line ")[2].rstrip(")")) - 1]
    assert line.strip().partition(":")[0] == {Code.FILE_PATH: "certificate-authority", Code.EXEC: "exec"}[code]


def test_the_advice_to_flatten_works(kubectl: Kubectl) -> None:
    kubectl.config("use-context", "four")
    for form in ("yaml", "json"):
        got = parse(kubectl.config("view", "--minify", "--flatten", "--raw", "-o", form), policy=POLICY)
        assert (got.host, got.ca_pem, got.client_key) == ("203.0.113.7", authority().cert_pem, Secret(CLIENT.key_pem))


def test_what_was_printed_without_raw_is_told_apart(kubectl: Kubectl) -> None:
    with pytest.raises(InvalidKubeconfig) as caught:
        parse(kubectl.config("view", "-o", "json"), policy=POLICY)
    assert caught.value.code is Code.REDACTED
    assert "kubeconfig-u-1a2b" not in json.dumps(caught.value.message)
