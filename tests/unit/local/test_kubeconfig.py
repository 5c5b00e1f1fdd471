"""Tests of sampan.local.kubeconfig."""

import base64
from pathlib import Path

import yaml

from sampan.local.kubeconfig import CertificateUser, TokenUser, kubeconfig_text, write_kubeconfig, write_private


def test_everything_is_inlined_and_only_the_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "new" / "hub.yaml"
    user = CertificateUser(certificate=b"CERT", key=b"KEY")
    write_kubeconfig(path, server="https://127.0.0.1:1", ca=b"CA", user=user, namespace="team-a")
    assert path.stat().st_mode & 0o777 == 0o600
    config = yaml.safe_load(path.read_text())
    context = config["contexts"][0]["context"]
    assert config["current-context"] == config["contexts"][0]["name"] == "hub"
    assert context["namespace"] == "team-a"
    assert config["clusters"][0]["cluster"] == {
        "server": "https://127.0.0.1:1",
        "certificate-authority-data": base64.b64encode(b"CA").decode(),
    }
    assert {key: base64.b64decode(value) for key, value in config["users"][0]["user"].items()} == {
        "client-certificate-data": b"CERT",
        "client-key-data": b"KEY",
    }


def test_a_token_user_holds_its_token_and_nothing_else() -> None:
    config = yaml.safe_load(kubeconfig_text(server="https://a", ca=b"CA", user=TokenUser(token="t")))
    assert config["users"][0]["user"] == {"token": "t"}


def test_a_private_file_is_replaced_whole_and_stays_private(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(0o644)
    write_private(path, "new")
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in tmp_path.iterdir() if entry.is_file()] == ["file"]
