"""A certificate for the query server's name, by itself, for as long as it says."""

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from jobs import NOW
from sampan.controller.query.own_certificate import LIFETIME, own_certificate

HOST = "sampan-query.sampan-system.svc"
MOMENT = datetime.fromtimestamp(NOW / 1000, UTC)


def test_it_is_a_server_s_for_one_name_and_signs_nothing() -> None:
    made = x509.load_pem_x509_certificate(own_certificate(HOST, now=NOW).pem.encode())
    assert made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName) == [HOST]
    assert list(made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    made.verify_directly_issued_by(made)


def test_it_is_renewed_long_before_it_ends() -> None:
    own = own_certificate(HOST, now=NOW)
    made = x509.load_pem_x509_certificate(own.pem.encode())
    assert made.not_valid_before_utc < MOMENT
    assert made.not_valid_after_utc - MOMENT > LIFETIME - timedelta(seconds=2)
    assert datetime.fromtimestamp(own.renew_at / 1000, UTC) + timedelta(days=14) < made.not_valid_after_utc


def test_no_two_are_alike() -> None:
    one, other = own_certificate(HOST, now=NOW), own_certificate(HOST, now=NOW)
    assert one.key_pem != other.key_pem
    assert one.pem != other.pem


def test_a_name_may_be_as_long_as_a_service_s() -> None:
    host = f"sampan-query.{'n' * 63}.svc"
    made = x509.load_pem_x509_certificate(own_certificate(host, now=NOW).pem.encode())
    assert made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName) == [host]
