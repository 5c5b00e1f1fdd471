"""Certificates must be valid, strong and belong to their key."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from sampan.kube.certificates import BadCertificate, CertificateFault, ca_bundle, client_pair

from .certs import authority, ec_key, issue, rsa_key

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


@pytest.mark.parametrize(
    ("certificate", "key", "now", "want"),
    [
        (GOOD.cert_pem, issue(None).key_pem, NOW, CertificateFault.KEY_MISMATCH),
        (GOOD.cert_pem, GOOD.key_pem, NOW + timedelta(days=3), CertificateFault.EXPIRED),
        (GOOD.cert_pem, GOOD.key_pem, NOW - timedelta(days=3), CertificateFault.NOT_YET_VALID),
        (GOOD.cert_pem, "nonsense", NOW, CertificateFault.NOT_A_KEY),
        (GOOD.cert_pem, ENCRYPTED, NOW, CertificateFault.NOT_A_KEY),
        ("nonsense", GOOD.key_pem, NOW, CertificateFault.NOT_A_CERTIFICATE),
    ],
)
def test_refuses_client_pairs(certificate: str, key: str, now: datetime, want: CertificateFault) -> None:
    with pytest.raises(BadCertificate) as caught:
        check_client(certificate, key, now)
    assert caught.value.fault is want
    assert caught.value.of_key is (want in (CertificateFault.KEY_MISMATCH, CertificateFault.NOT_A_KEY))


@pytest.mark.parametrize("weak", [rsa_key(1024), ec.generate_private_key(ec.SECP224R1())])
def test_refuses_weak_keys(weak: ec.EllipticCurvePrivateKey) -> None:
    pair = issue(authority(), key=weak)
    with pytest.raises(BadCertificate) as of_client:
        check_client(pair.cert_pem, pair.key_pem, NOW)
    with pytest.raises(BadCertificate) as of_ca:
        check_ca(pair.cert_pem, NOW)
    assert of_client.value.fault is of_ca.value.fault is CertificateFault.WEAK_KEY


def test_a_bundle_lives_as_long_as_one_of_it() -> None:
    old, new = issue(None, ca=True, days=1), issue(None, ca=True, days=10)
    later = NOW + timedelta(days=5)
    check_ca(old.cert_pem + new.cert_pem, later)
    with pytest.raises(BadCertificate) as caught:
        check_ca(old.cert_pem, later)
    assert caught.value.fault is CertificateFault.EXPIRED
