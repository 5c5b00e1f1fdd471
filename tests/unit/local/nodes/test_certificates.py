"""Tests of sampan.local.nodes.certificates."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from sampan.local.nodes.certificates import kubelet_user, write_serving_certificate


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CA as kwokctl makes one."""
    folder, key = tmp_path_factory.mktemp("pki"), rsa.generate_private_key(65537, 2048)
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kwok-ca")]), datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1)).sign(key, hashes.SHA256())
    for file in ("ca.crt", "admin.crt"):
        (folder / file).write_bytes(made.public_bytes(Encoding.PEM))
    (folder / "ca.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
    return folder


def test_a_kubelet_is_a_member_of_the_nodes_by_its_name(ca: Path) -> None:
    made = x509.load_pem_x509_certificate(kubelet_user(ca, "a10-1").certificate)
    made.verify_directly_issued_by(x509.load_pem_x509_certificate((ca / "ca.crt").read_bytes()))
    assert made.subject.rfc4514_string() == "CN=system:node:a10-1,O=system:nodes"


def test_the_kubelet_answers_by_its_name_and_address_and_the_key_is_its_own(ca: Path, tmp_path: Path) -> None:
    write_serving_certificate(ca, tmp_path, node="a10-1", address="10.77.1.1")
    made = x509.load_pem_x509_certificate((tmp_path / "kubelet.crt").read_bytes())
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["a10-1"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["10.77.1.1"]
    assert (tmp_path / "kubelet.key").stat().st_mode & 0o777 == 0o600
