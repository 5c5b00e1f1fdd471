"""Certificates and keys, in memory.

Lives here: bytes that hold PEM → the CA bundle, or the client's chain and key, in plain PEM.
Must never live here: TLS contexts, files, kubeconfigs.
"""

import base64
import binascii
import re
import textwrap
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_private_key
from cryptography.utils import CryptographyDeprecationWarning

from sampan.kube.credentials.codes import Code

MIN_RSA_BITS = 2048
MIN_EC_BITS = 256
_BEGIN = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,64})-----")
_CERTIFICATE = "CERTIFICATE"
_KEY = "PRIVATE KEY"


class BadCertificate(Exception):  # noqa: N818
    """A check failed: the code, and words that follow the field's name. Nothing of the certificate but a date, nothing of the key."""

    def __init__(self, code: Code, words: str, *, of_key: bool = False) -> None:
        """Keep them; ``of_key``: the key's field is meant."""
        self.code = code
        self.words = words
        self.of_key = of_key
        super().__init__(f"{code.value}: {words}")


@dataclass(frozen=True, slots=True)
class _Block:
    """One PEM block: what it says it holds, what it holds, and whether it is encrypted."""

    label: str
    der: bytes
    encrypted: bool

    @property
    def pem(self) -> str:
        """As PEM in its plainest form."""
        body = "\n".join(textwrap.wrap(base64.b64encode(self.der).decode(), 64))
        return f"-----BEGIN {self.label}-----\n{body}\n-----END {self.label}-----\n"


def ca_bundle(raw: bytes, now: datetime) -> str:
    """The usable certificates in ``raw``, as PEM: those that can be read, are strong and not expired. ``now`` is aware.

    Text around them is left out, and so is what is not usable beside what is, as Go's TLS does. Raises BadCertificate if none is.
    """
    good: list[str] = []
    faults: list[BadCertificate] = []
    for block in _blocks(raw, _CERTIFICATE):
        try:
            certificate = _certificate(block)
            _check_strength(certificate)
            _check_not_expired(certificate, now)
        except BadCertificate as exc:
            faults.append(exc)
        else:
            good.append(block.pem)
    if not good:
        raise faults[0] from None
    return "".join(good)


def client_pair(certificate: bytes, key: bytes, now: datetime) -> tuple[str, str]:
    """The chain and the key as PEM, if the first certificate is valid at ``now``, strong, and of the key. Raises BadCertificate."""
    blocks = _blocks(certificate, _CERTIFICATE)
    leaf = _certificate(blocks[0])
    own = _blocks(key, _KEY)[0]
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if _private(own).public_key().public_bytes(*form) != leaf.public_key().public_bytes(*form):
        words = "is not of the first certificate in client-certificate-data: give both of one pair"
        raise BadCertificate(Code.KEY_MISMATCH, words, of_key=True)
    _check_strength(leaf)
    _check_not_expired(leaf, now)
    if leaf.not_valid_before_utc > now.astimezone(UTC):
        words = f"is not valid before {leaf.not_valid_before_utc:%Y-%m-%d %H:%M} UTC: look at the clocks, or give another"
        raise BadCertificate(Code.NOT_YET_VALID, words)
    return "".join(block.pem for block in blocks), own.pem


def _blocks(raw: bytes, wanted: str) -> list[_Block]:
    """PEM blocks whose label ends in ``wanted``, at least one; raises BadCertificate. Text around them is passed over."""
    found = list(_armoured(raw))
    of_kind = [_block(label, body) for label, body in found if label == wanted or (wanted == _KEY and label.endswith(f" {_KEY}"))]
    if of_kind:
        return of_kind
    raise _bad(wanted, _what_else(raw, found=bool(found)))


def _armoured(raw: bytes) -> Iterator[tuple[str, bytes]]:
    """Label and inner text of each PEM block; in linear time, whatever the bytes."""
    start, endless = 0, set()
    while head := _BEGIN.search(raw, start):
        end = -1 if head[1] in endless else raw.find(b"-----END " + head[1] + b"-----", head.end())
        if end >= 0:
            yield head[1].decode(), raw[head.end() : end]
        else:
            endless.add(head[1])  # one that does not end here ends nowhere behind either
        start = max(head.end(), end)


def _bad(wanted: str, words: str) -> BadCertificate:
    if wanted == _KEY:
        return BadCertificate(Code.INVALID_KEY, words, of_key=True)
    return BadCertificate(Code.INVALID_CERTIFICATE, words)


def _what_else(raw: bytes, *, found: bool) -> str:
    """What the bytes may be that hold no block of the wanted kind."""
    if found:
        return "is base64 of PEM of another kind"
    if raw[:1] == b"\x30":  # how every DER of a certificate or a key begins
        return "is base64 of DER: put base64 of PEM there (openssl x509 or openssl pkey with -inform der writes PEM)"
    try:
        twice = b"-----BEGIN" in base64.b64decode(b"".join(raw.split()), validate=True)
    except binascii.Error:
        twice = False
    return "was put into base64 twice: do it once" if twice else "is not base64 of PEM"


def _block(label: str, body: bytes) -> _Block:
    """A block with its headers (RFC 1421: ``Name: value`` lines before the data) parted from its data; none where that is broken."""
    encrypted = b"ENCRYPTED" in body or label.startswith("ENCRYPTED")
    lines = [line for line in body.split(b"\n") if b":" not in line]
    try:
        der = base64.b64decode(b"".join(b"".join(lines).split()), validate=True)
    except binascii.Error:
        der = b""
    return _Block(label, der, encrypted)


def _certificate(block: _Block) -> x509.Certificate:
    """Authorities made by kubeadm and kwokctl have the serial number 0, whose warning is not our business."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CryptographyDeprecationWarning)
            certificate = x509.load_der_x509_certificate(block.der)
            _read_lazy_parts(certificate)
            return certificate
    except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion):
        raise _bad(_CERTIFICATE, "has a certificate that cannot be read") from None


def _read_lazy_parts(certificate: x509.Certificate) -> None:
    """The parts that are looked at later: the library reads each when it is asked for, and fails then."""
    certificate.public_key()
    for _ in (certificate.not_valid_before_utc, certificate.not_valid_after_utc):
        pass


def _private(block: _Block) -> PrivateKeyTypes:
    if block.encrypted:
        raise _bad(_KEY, "is encrypted: put the decrypted key there (openssl pkey -in FILE)")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CryptographyDeprecationWarning)
            return load_der_private_key(block.der, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise _bad(_KEY, "has a key that cannot be read") from None


def _check_not_expired(certificate: x509.Certificate, now: datetime) -> None:
    end = certificate.not_valid_after_utc
    if end <= now.astimezone(UTC):
        raise BadCertificate(Code.EXPIRED, f"expired on {end:%Y-%m-%d %H:%M} UTC: give a new one")


def _check_strength(certificate: x509.Certificate) -> None:
    key = certificate.public_key()
    strong = (
        (isinstance(key, rsa.RSAPublicKey) and key.key_size >= MIN_RSA_BITS)
        or (isinstance(key, ec.EllipticCurvePublicKey) and key.key_size >= MIN_EC_BITS)
        or isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey)
    )
    if not strong:
        raise BadCertificate(Code.WEAK_KEY, f"has a weak key: RSA needs {MIN_RSA_BITS} bits, elliptic curves {MIN_EC_BITS}")
