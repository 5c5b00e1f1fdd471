"""Checks of certificates and keys, in memory.

Lives here: what a CA bundle, a client certificate and its key must be.
Must never live here: TLS contexts, files, kubeconfigs.
"""

import warnings
from datetime import UTC, datetime
from enum import StrEnum

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.utils import CryptographyDeprecationWarning

MIN_RSA_BITS = 2048
MIN_EC_BITS = 256


class CertificateFault(StrEnum):
    """What is wrong with a certificate or a key."""

    NOT_A_CERTIFICATE = "InvalidCertificate"
    NOT_A_KEY = "InvalidClientKey"
    EXPIRED = "CertificateExpired"
    NOT_YET_VALID = "CertificateNotYetValid"
    KEY_MISMATCH = "CertificateKeyMismatch"
    WEAK_KEY = "WeakKey"


class BadCertificate(Exception):  # noqa: N818
    """A check failed; carries the fault alone, nothing of the certificate or the key."""

    def __init__(self, fault: CertificateFault) -> None:
        """Remember the fault."""
        self.fault = fault
        super().__init__(fault.value)


def check_ca(pem: str, now: datetime) -> None:
    """At least one certificate, none with a weak key, not all expired. Raises BadCertificate; ``now`` is aware."""
    certificates = _load(pem)
    for certificate in certificates:
        _check_strength(certificate)
    if all(certificate.not_valid_after_utc <= now for certificate in certificates):
        raise BadCertificate(CertificateFault.EXPIRED)


def check_client(certificate_pem: str, key_pem: str, now: datetime) -> None:
    """The first certificate is valid at ``now``, strong and belongs to the key, which is not encrypted. Raises BadCertificate."""
    leaf = _load(certificate_pem)[0]
    try:
        key = load_pem_private_key(key_pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise BadCertificate(CertificateFault.NOT_A_KEY) from None
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if key.public_key().public_bytes(*form) != _public_key(leaf).public_bytes(*form):
        raise BadCertificate(CertificateFault.KEY_MISMATCH)
    _check_strength(leaf)
    if leaf.not_valid_after_utc <= now.astimezone(UTC):
        raise BadCertificate(CertificateFault.EXPIRED)
    if leaf.not_valid_before_utc > now.astimezone(UTC):
        raise BadCertificate(CertificateFault.NOT_YET_VALID)


def _load(pem: str) -> list[x509.Certificate]:
    """Certificates of a bundle. Authorities made by kubeadm and kwokctl have the serial number 0, whose warning is not our business."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CryptographyDeprecationWarning)
            return x509.load_pem_x509_certificates(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise BadCertificate(CertificateFault.NOT_A_CERTIFICATE) from None


def _public_key(certificate: x509.Certificate) -> CertificatePublicKeyTypes:
    try:
        return certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise BadCertificate(CertificateFault.NOT_A_CERTIFICATE) from None


def _check_strength(certificate: x509.Certificate) -> None:
    key = _public_key(certificate)
    strong = (
        (isinstance(key, rsa.RSAPublicKey) and key.key_size >= MIN_RSA_BITS)
        or (isinstance(key, ec.EllipticCurvePublicKey) and key.key_size >= MIN_EC_BITS)
        or isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey)
    )
    if not strong:
        raise BadCertificate(CertificateFault.WEAK_KEY)
