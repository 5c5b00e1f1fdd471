"""Contexts trust the credential's CA alone and leave no key on disk."""

import ssl
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from sampan.kube.credentials.credential import Credentials
from sampan.kube.credentials.secret import Secret
from sampan.kube.transport import tls
from sampan.kube.transport.tls import tls_context
from unit.kube.certs import authority, issue

TOKEN = Credentials(host="h", port=1, ca_pem=authority().cert_pem, token=Secret("t"))
CLIENT = issue(authority(), name="client")


def test_trusts_one_ca_and_verifies() -> None:
    context = tls_context(TOKEN)
    assert len(context.get_ca_certs()) == 1
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_without_a_ca_those_of_the_machine_count(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "cas.pem").write_text(authority().cert_pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cas.pem"))
    context = tls_context(replace(TOKEN, ca_pem=None))
    assert len(context.get_ca_certs()) == 1
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_the_key_file_is_private_and_gone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tls, "_MEMORY_FOLDER", tmp_path)
    modes: list[int] = []
    real = tempfile.NamedTemporaryFile

    def spy(*args: object, **kwargs: object) -> object:
        file = real(*args, **kwargs)  # type: ignore[call-overload]
        modes.append(Path(file.name).stat().st_mode & 0o777)
        return file

    monkeypatch.setattr(tempfile, "NamedTemporaryFile", spy)
    tls_context(replace(TOKEN, token=None, client_certificate=CLIENT.cert_pem, client_key=Secret(CLIENT.key_pem)))
    assert modes == [0o600]
    assert list(tmp_path.iterdir()) == []


def test_data_openssl_refuses_is_an_ssl_error() -> None:
    with pytest.raises(ssl.SSLError):
        tls_context(replace(TOKEN, ca_pem="-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"))
    with pytest.raises(ssl.SSLError):
        tls_context(replace(TOKEN, client_certificate=CLIENT.cert_pem, client_key=Secret(issue(None).key_pem)))
