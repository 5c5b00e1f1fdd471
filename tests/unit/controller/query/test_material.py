"""What the server shows changes with its files, and with time where the certificate is its own; half-written files change nothing."""

import ssl
from pathlib import Path

import pytest

from jobs import NOW
from sampan.controller.query.material import Material
from sampan.controller.query.own_certificate import RENEWED_AFTER
from unit.kube.certs import Pair, authority, issue

DAY = 24 * 3600 * 1000


def write(folder: Path, pair: Pair, ca: str = "front-proxy-ca") -> None:
    for name, text in (("tls.crt", pair.cert_pem), ("tls.key", pair.key_pem), ("ca.crt", authority(ca).cert_pem)):
        (folder / name).write_text(text)


def server() -> Pair:
    return issue(authority(), name="sampan-query", hosts=["127.0.0.1"])


def test_files_are_taken_anew_when_one_of_them_changes(tmp_path: Path) -> None:
    own = server()
    write(tmp_path, own)
    material = Material(tmp_path, "", lambda: NOW)
    assert isinstance(material.changed(), ssl.SSLContext)
    assert material.changed() is None
    write(tmp_path, own, ca="another-front-proxy-ca")
    assert material.changed() is not None, "the front proxy's CA counts as well"
    write(tmp_path, server(), ca="another-front-proxy-ca")
    assert material.changed() is not None
    assert material.changed() is None
    assert material.believed == "", "whoever brings a certificate tells the hub of it"


def test_a_certificate_without_its_key_is_not_shown_and_tried_again(tmp_path: Path) -> None:
    write(tmp_path, server())
    material = Material(tmp_path, "", lambda: NOW)
    assert material.changed() is not None
    new = server()
    (tmp_path / "tls.crt").write_text(new.cert_pem)
    for _ in range(2):
        with pytest.raises(ssl.SSLError):
            material.changed()
    (tmp_path / "tls.key").write_text(new.key_pem)
    assert material.changed() is not None


def test_missing_files_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        Material(tmp_path, "", lambda: NOW).changed()


def test_text_around_certificates_is_no_hindrance(tmp_path: Path) -> None:
    own = server()
    write(tmp_path, own)
    for name in ("tls.crt", "ca.crt"):
        file = tmp_path / name
        file.write_text(f"# dépôt 证书\n{file.read_text()}")
    assert Material(tmp_path, "", lambda: NOW).changed() is not None


def test_an_own_certificate_is_renewed_in_time_and_the_one_before_is_still_believed(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text(authority("front-proxy-ca").cert_pem)
    now = NOW
    material = Material(tmp_path, "sampan-query.sampan-system.svc", lambda: now)
    assert material.changed() is not None
    first = material.believed
    assert first.count("BEGIN CERTIFICATE") == 1
    now += int(RENEWED_AFTER.total_seconds() * 1000) - DAY
    assert material.changed() is None
    now += 2 * DAY
    assert material.changed() is not None
    assert material.believed.endswith(first)
    assert material.believed.count("BEGIN CERTIFICATE") == 2
