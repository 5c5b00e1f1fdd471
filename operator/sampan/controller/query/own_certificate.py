"""The certificate that the operator makes for its query server, by its own key. Pure but for the key. Never here: who is told of it.

The key lives in the process and nowhere else: a new one is made at each start, so that there is no Secret to keep, to read or to lose.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME: Final = timedelta(days=90)
RENEWED_AFTER: Final = timedelta(days=60)
_CLOCKS_DIFFER: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class OwnCertificate:
    """A certificate that vouches for itself."""

    pem: str
    key_pem: str
    renew_at: int
    """Milliseconds since the epoch."""


def own_certificate(host: str, *, now: int) -> OwnCertificate:
    """Return a new certificate for a host name, valid from an hour before `now` (milliseconds since the epoch)."""
    moment, key = datetime.fromtimestamp(now / 1000, UTC), ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host[:64])])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - _CLOCKS_DIFFER)
        .not_valid_after(moment + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return OwnCertificate(
        pem=made.public_bytes(Encoding.PEM).decode(),
        key_pem=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        renew_at=now + int(RENEWED_AFTER.total_seconds() * 1000),
    )
