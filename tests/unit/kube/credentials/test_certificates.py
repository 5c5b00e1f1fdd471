"""Certificates must be valid, strong and belong to their key."""

import base64
import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from sampan.kube.credentials.certificates import BadCertificate, ca_bundle, client_pair
from sampan.kube.credentials.codes import Code
from unit.kube.certs import authority, ec_key, issue, rsa_key

NOW = datetime.now(UTC)
GOOD = issue(authority(), name="client")
ENCRYPTED = ec_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"pw")).decode()


def check_ca(pem: str, now: datetime) -> str:
    """The bundle of a text."""
    return ca_bundle(pem.encode(), now)


def check_client(certificate: str, key: str, now: datetime) -> tuple[str, str]:
    """The pair of two texts."""
    return client_pair(certificate.encode(), key.encode(), now)


def test_good_ones_pass() -> None:
    assert check_ca(authority().cert_pem, NOW) == authority().cert_pem
    assert check_client(GOOD.cert_pem, GOOD.key_pem, NOW) == (GOOD.cert_pem, GOOD.key_pem)
    rsa = issue(authority(), key=rsa_key(2048))
    chain, _ = check_client(rsa.cert_pem + authority().cert_pem, rsa.key_pem, NOW)
    assert chain == rsa.cert_pem + authority().cert_pem
    assert rsa.certificate.not_valid_after_utc > NOW


def test_text_around_and_between_is_left_out() -> None:
    odd = GOOD.cert_pem.replace("\n", " \r\n")
    told = f"\ufeffCertificate:\r\n  Data: 根\n{authority().cert_pem}# next\n{odd}-----BEGIN X"
    assert check_ca(told, NOW) == authority().cert_pem + GOOD.cert_pem


def test_what_is_not_usable_beside_what_is_does_not_matter() -> None:
    weak, broken = issue(None, ca=True, key=rsa_key(1024)), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    old = issue(None, ca=True, days=-1)
    assert check_ca(broken + weak.cert_pem + old.cert_pem + authority().cert_pem, NOW) == authority().cert_pem


@given(st.integers(0), st.integers(0, 255), st.integers(0), st.integers(0, 255))
def test_broken_der_is_a_fault_and_nothing_else(place: int, byte: int, key_place: int, key_byte: int) -> None:
    certificate = bytearray(GOOD.certificate.public_bytes(Encoding.DER))
    key = bytearray(GOOD.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
    certificate[place % len(certificate)] = byte
    key[key_place % len(key)] = key_byte
    pems = (armoured("CERTIFICATE", certificate), armoured("PRIVATE KEY", key))
    for check in (lambda: ca_bundle(pems[0], NOW), lambda: client_pair(*pems, NOW)):
        with contextlib.suppress(BadCertificate):
            check()


def test_a_version_that_there_is_not_is_a_fault() -> None:
    der = GOOD.certificate.public_bytes(Encoding.DER)
    version = der.index(b"\xa0\x03\x02\x01\x02")
    with pytest.raises(BadCertificate, match="cannot be read"):
        ca_bundle(armoured("CERTIFICATE", der[: version + 4] + b"\x3a" + der[version + 5 :]), NOW)


def armoured(label: str, der: bytes | bytearray) -> bytes:
    """PEM of these bytes."""
    return f"-----BEGIN {label}-----\n{base64.encodebytes(der).decode()}-----END {label}-----\n".encode()


@pytest.mark.parametrize(
    ("certificate", "key", "now", "want"),
    [
        (GOOD.cert_pem, issue(None).key_pem, NOW, Code.KEY_MISMATCH),
        (GOOD.cert_pem, GOOD.key_pem, NOW + timedelta(days=3), Code.EXPIRED),
        (GOOD.cert_pem, GOOD.key_pem, NOW - timedelta(days=3), Code.NOT_YET_VALID),
        (GOOD.cert_pem, "nonsense", NOW, Code.INVALID_KEY),
        (GOOD.cert_pem, ENCRYPTED, NOW, Code.INVALID_KEY),
        ("nonsense", GOOD.key_pem, NOW, Code.INVALID_CERTIFICATE),
    ],
)
def test_refuses_client_pairs(certificate: str, key: str, now: datetime, want: Code) -> None:
    with pytest.raises(BadCertificate) as caught:
        check_client(certificate, key, now)
    assert caught.value.code is want
    assert caught.value.of_key is (want in (Code.KEY_MISMATCH, Code.INVALID_KEY))


@pytest.mark.parametrize("weak", [rsa_key(1024), ec.generate_private_key(ec.SECP224R1())])
def test_refuses_weak_keys(weak: ec.EllipticCurvePrivateKey) -> None:
    pair = issue(authority(), key=weak)
    with pytest.raises(BadCertificate) as of_client:
        check_client(pair.cert_pem, pair.key_pem, NOW)
    with pytest.raises(BadCertificate) as of_ca:
        check_ca(pair.cert_pem, NOW)
    assert of_client.value.code is of_ca.value.code is Code.WEAK_KEY


def test_a_bundle_lives_as_long_as_one_of_it() -> None:
    old, new = issue(None, ca=True, days=1), issue(None, ca=True, days=10)
    later = NOW + timedelta(days=5)
    check_ca(old.cert_pem + new.cert_pem, later)
    with pytest.raises(BadCertificate) as caught:
        check_ca(old.cert_pem, later)
    assert caught.value.code is Code.EXPIRED
