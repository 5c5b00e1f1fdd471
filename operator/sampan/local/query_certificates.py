"""Certificates of a federation's query API: the front proxy's with a CA of its own, and the server's. Never here: who uses them.

A front proxy's CA must sign nothing else: whoever has a certificate of it and an allowed name is anybody (kubernetes.io, "Configure the
Aggregation Layer").
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sampan.local.kubeconfig import write_private

PROXY_NAME: Final = "front-proxy-client"
SERVER_NAME: Final = "sampan-query.sampan-system.svc"
_DAYS: Final = 3650

Key = ec.EllipticCurvePrivateKey


def make_certificates(folder: Path) -> None:
    """Write `ca.crt`, `proxy.crt`, `proxy.key`, `tls.crt`, `tls.key` unless they are there. The CA's key is not kept."""
    if (folder / "tls.crt").is_file():
        return
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    ca_key, proxy_key, own_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    ca = _builder("sampan-front-proxy-ca", ca_key, ca=True).sign(ca_key, hashes.SHA256())
    proxy = _builder(PROXY_NAME, proxy_key, issuer=ca.subject, usage=x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]))
    own = _builder(SERVER_NAME, own_key, usage=x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]))
    named = own.add_extension(x509.SubjectAlternativeName([x509.DNSName(SERVER_NAME)]), critical=False)
    files = {
        "ca.crt": _pem(ca),
        "proxy.crt": _pem(proxy.sign(ca_key, hashes.SHA256())),
        "proxy.key": _secret(proxy_key),
        "tls.key": _secret(own_key),
        "tls.crt": _pem(named.sign(own_key, hashes.SHA256())),
    }
    for name, text in files.items():
        write_private(folder / name, text)


def api_server_flags(folder: Path) -> tuple[tuple[str, str], ...]:
    """Flags of the hub's API server by which it proxies to aggregated APIs, as the front proxy."""
    return (
        ("requestheader-client-ca-file", str(folder / "ca.crt")),
        ("requestheader-allowed-names", PROXY_NAME),
        ("requestheader-username-headers", "X-Remote-User"),
        ("requestheader-group-headers", "X-Remote-Group"),
        ("requestheader-extra-headers-prefix", "X-Remote-Extra-"),
        ("proxy-client-cert-file", str(folder / "proxy.crt")),
        ("proxy-client-key-file", str(folder / "proxy.key")),
    )


def _builder(
    name: str, key: Key, *, issuer: x509.Name | None = None, usage: x509.ExtendedKeyUsage | None = None, ca: bool = False
) -> x509.CertificateBuilder:
    """A certificate to be signed; without an issuer by its own key."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer or subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=_DAYS))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    return made if usage is None else made.add_extension(usage, critical=False)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def _secret(key: Key) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
