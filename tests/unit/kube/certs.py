"""Certificates, keys and kubeconfigs for tests, made in memory.

Lives here: what several tests of this folder need to speak TLS.
Must never live here: a key that is used anywhere else.
"""

import base64
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: Key

    @property
    def cert_pem(self) -> str:
        """The certificate."""
        return self.certificate.public_bytes(Encoding.PEM).decode()

    @property
    def key_pem(self) -> str:
        """The key."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def ec_key() -> Key:
    """A new P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


@cache
def rsa_key(bits: int) -> Key:
    """An RSA key, one per size: they are slow to make."""
    return rsa.generate_private_key(65537, bits)


@cache
def authority(name: str = "test-ca") -> Pair:
    """A CA of that name."""
    return issue(None, name=name, ca=True)


def issue(
    issuer: Pair | None, *, name: str = "server", hosts: Sequence[str] = (), ca: bool = False, key: Key | None = None, days: int = 1
) -> Pair:
    """A certificate by ``issuer`` (None: by itself), valid from two days ago for ``days`` more days from now."""
    key = key or ec_key()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName([_san(host) for host in hosts]), critical=False)
    signer = issuer.key if issuer else key
    return Pair(builder.sign(signer, hashes.SHA256()), key)


def b64(text: str) -> str:
    """Base64 of a text."""
    return base64.b64encode(text.encode()).decode()


def kubeconfig(*, server: str = "https://api.example.com:6443", cluster: str = "", user: str = "", context: str = "", top: str = "") -> str:
    """A good kubeconfig with a token; arguments add lines to, or (``server``, ``user`` with ``token:``) replace parts of it."""
    user_lines = user if user else "    token: abc.def-123"
    return f"""apiVersion: v1
kind: Config
current-context: main
clusters:
- name: c
  cluster:
    server: {server}
    certificate-authority-data: {b64(authority().cert_pem)}
{cluster}
contexts:
- name: main
  context:
    cluster: c
    user: u
    namespace: sampan-jobs
{context}
users:
- name: u
  user:
{user_lines}
{top}
"""


def _san(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
