"""Tests of sampan.local.query_certificates: what the operator and the hub's API server will believe."""

import ssl
from pathlib import Path

import pytest
from cryptography import x509

from sampan.controller.query.front_proxy import server_context
from sampan.local.query_certificates import PROXY_NAME, SERVER_NAME, api_server_flags, make_certificates


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with certificates."""
    make_certificates(tmp_path / "query")
    return tmp_path / "query"


def loaded(path: Path) -> x509.Certificate:
    """A certificate from its file."""
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_the_front_proxy_is_signed_by_a_ca_that_signs_nothing_else(folder: Path) -> None:
    ca, proxy, own = (loaded(folder / name) for name in ("ca.crt", "proxy.crt", "tls.crt"))
    proxy.verify_directly_issued_by(ca)
    assert proxy.subject.rfc4514_string() == f"CN={PROXY_NAME}"
    with pytest.raises(ValueError, match="issuer"):
        own.verify_directly_issued_by(ca)
    assert not (folder / "ca.key").exists()


def test_the_server_can_serve_with_them_under_the_service_s_name(folder: Path) -> None:
    certificate, key, ca = ((folder / name).read_text() for name in ("tls.crt", "tls.key", "ca.crt"))
    assert server_context(certificate=certificate, key=key, client_ca=ca).verify_mode is ssl.CERT_OPTIONAL
    names = loaded(folder / "tls.crt").extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert names.value.get_values_for_type(x509.DNSName) == [SERVER_NAME]


def test_they_are_made_once_and_are_private(folder: Path) -> None:
    before = (folder / "tls.crt").read_bytes()
    make_certificates(folder)
    assert (folder / "tls.crt").read_bytes() == before
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_every_file_that_a_flag_names_is_there(folder: Path) -> None:
    named = [value for _, value in api_server_flags(folder) if value.startswith("/")]
    assert len(named) == 3
    assert all(Path(value).is_file() for value in named)
