"""Certificates must be valid, strong and belong to their key."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from sampan.kube.certificates import BadCertificate, CertificateFault, check_ca, check_client

from .certs import authority, ec_key, issue, rsa_key

NOW = datetime.now(UTC)
GOOD = issue(authority(), name="client")
ENCRYPTED = ec_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"pw")).decode()


def test_good_ones_pass() -> None:
    check_ca(authority().cert_pem, NOW)
    check_client(GOOD.cert_pem, GOOD.key_pem, NOW)
    rsa = issue(authority(), key=rsa_key(2048))
    check_client(rsa.cert_pem + authority().cert_pem, rsa.key_pem, NOW)
    assert rsa.certificate.not_valid_after_utc > NOW


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
