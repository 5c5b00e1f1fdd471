"""What tokens and certificates say of their end, whatever bytes they are."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.kube.credentials.credential import Credentials
from sampan.kube.credentials.expiry import TokenClaims, claims_of, end_of_certificate
from sampan.kube.credentials.secret import Secret
from unit.kube.certs import authority, issue


def jwt(payload: Any) -> str:
    """A token whose claims nobody signed."""
    body = base64.urlsafe_b64encode(json.dumps(payload).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJSUzI1NiJ9.{body}.c2ln"


SUBJECT = "system:serviceaccount:sampan-jobs:sampan-hub"


def test_a_serviceaccounts_token() -> None:
    want = TokenClaims(issued=1_800_000_000, ends=1_800_003_600, namespace="sampan-jobs", account="sampan-hub")
    assert claims_of(jwt({"sub": SUBJECT, "iat": 1_800_000_000, "exp": 1_800_003_600})) == want


@pytest.mark.parametrize(
    ("payload", "want"),
    [
        ({}, TokenClaims()),
        ([], TokenClaims()),
        ({"sub": "alice", "exp": 5}, TokenClaims(ends=5)),
        ({"sub": SUBJECT}, TokenClaims(namespace="sampan-jobs", account="sampan-hub")),
        ({"sub": "system:serviceaccount:../x:y", "exp": 5}, TokenClaims(ends=5)),
        ({"sub": ["a"], "exp": "5", "iat": True}, TokenClaims()),
        ({"exp": -5, "iat": 10**30}, TokenClaims()),
        ({"exp": 5.5}, TokenClaims(ends=5)),
    ],
)
def test_what_is_not_said_is_not_known(payload: Any, want: TokenClaims) -> None:
    assert claims_of(jwt(payload)) == want


@given(st.text(max_size=80) | st.binary(max_size=60).map(lambda raw: f"a.{base64.urlsafe_b64encode(raw).decode()}.b"))
def test_any_token_is_read_or_says_nothing(token: str) -> None:
    assert isinstance(claims_of(token), TokenClaims)


def test_a_credential_ends_with_the_first_of_its_parts() -> None:
    pair = issue(authority(), days=3)
    certificate = int(pair.certificate.not_valid_after_utc.timestamp())
    now = int(datetime.now(UTC).timestamp())
    assert end_of_certificate(pair.cert_pem + authority().cert_pem) == certificate
    assert end_of_certificate("no certificate") == 0

    def ends(token: str | None, *, both: bool = True) -> int:
        more = {"client_certificate": pair.cert_pem, "client_key": Secret(pair.key_pem)} if both else {}
        return Credentials(host="h", port=1, ca_pem=None, token=None if token is None else Secret(token), **more).ends  # type: ignore[arg-type]

    assert ends(None) == certificate
    assert ends(jwt({"exp": now + 60})) == now + 60
    assert ends(jwt({"exp": now + 60}), both=False) == now + 60
    assert ends(jwt({"exp": certificate + 60})) == certificate
    assert ends("opaque", both=False) == 0
