"""Certificates of a node's kubelet, signed by its cluster's CA as kubeadm would. Never here: the CA, or who reads the files."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sampan.local.kubeconfig import CertificateUser, write_private

_DAYS: Final = 3650


def kubelet_user(ca_folder: Path, node: str) -> CertificateUser:
    """As whom the kubelet speaks to the API server: `system:node:NODE`, which the node authorizer knows."""
    return _signed(ca_folder, node, usage=x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), names=[])


def write_serving_certificate(ca_folder: Path, folder: Path, *, node: str, address: str) -> None:
    """Write `kubelet.crt` and `kubelet.key`, with which the kubelet answers its API server."""
    names = [x509.DNSName(node), x509.IPAddress(ip_address(address))]
    made = _signed(ca_folder, node, usage=x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), names=names)
    write_private(folder / "kubelet.crt", made.certificate.decode())
    write_private(folder / "kubelet.key", made.key.decode())


def _signed(ca_folder: Path, node: str, *, usage: x509.ExtendedKeyUsage, names: list[x509.GeneralName]) -> CertificateUser:
    # kwokctl gives its CA the serial number 0, which newer libraries refuse to read: its name stands in what it has signed, too.
    issuer = x509.load_pem_x509_certificate((ca_folder / "admin.crt").read_bytes()).issuer
    ca_key = load_pem_private_key((ca_folder / "ca.key").read_bytes(), None)
    assert isinstance(ca_key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey), "kwokctl makes its CA with RSA"
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    who = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "system:nodes"), x509.NameAttribute(NameOID.COMMON_NAME, f"system:node:{node}")]
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name(who))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=_DAYS))
        .add_extension(usage, critical=False)
    )
    if names:
        made = made.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return CertificateUser(
        certificate=made.sign(ca_key, hashes.SHA256()).public_bytes(Encoding.PEM),
        key=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )
