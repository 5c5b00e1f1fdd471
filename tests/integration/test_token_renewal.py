"""The hub's token on a member is renewed by the member's own API server, and kept on the hub's; where it may not be, the offer says so."""

import base64
import json
from collections.abc import AsyncIterator

import pytest

from integration.offers_harness import Harness, comes, harness
from integration.support import FederationUnderTest
from sampan.controller.hub.renewed_tokens import NAME
from sampan.controller.members.link import MemberLink
from sampan.local.charts import HUB_NAMESPACE

PROVIDER = "prov-lingang"
SHORT, AHEAD = "10m", 450
"""The shortest token that API servers give, and a clock by which less than a third of it is left."""


@pytest.fixture
async def later(unmanaged: FederationUnderTest) -> AsyncIterator[Harness]:
    """An OfferManager whose links believe that time has gone on."""
    async with harness(unmanaged, ahead=AHEAD) as made:
        yield made


def link_of(later: Harness, name: str) -> MemberLink | None:
    return next((link for link in later.manager.joined.links() if link.key.name == name), None)


def token_in(later: Harness, name: str) -> str:
    """The token in use."""
    link = link_of(later, name)
    held = link.client.credentials.token if link is not None and link.connected else None
    return "" if held is None else held.reveal()


async def test_a_token_that_is_about_to_end_is_renewed_and_kept(later: Harness) -> None:
    given = await later.kubeconfig("lingang", duration=SHORT)
    await later.secret(PROVIDER, "aging", kubeconfig=given)
    key = await later.offer(PROVIDER, "aging")
    await later.until(key, "Schedulable", "True", "Schedulable")
    await comes(lambda: token_in(later, "aging") not in (*given.split(), ""), "another token is in use")
    new = token_in(later, "aging")
    kept = await later.admin(lambda: later.fed.hub.get("secret", NAME, "-n", HUB_NAMESPACE))
    entries = [json.loads(base64.b64decode(text)) for text in kept["data"].values()]
    assert new in [entry["token"] for entry in entries]
    mine = await later.admin(lambda: later.fed.hub.get("secret", "aging", "-n", PROVIDER))
    assert base64.b64decode(mine["data"]["kubeconfig"]).decode() == given, "the provider's Secret is its own"
    assert await later.condition(key, "CredentialExpiring") == {}
    assert new not in str(await later.status(key))
    fresh = await later.kubeconfig("lingang", duration="2h")
    await later.secret(PROVIDER, "aging", kubeconfig=fresh)
    await comes(lambda: token_in(later, "aging") in fresh.split(), "what the provider writes counts")


async def test_where_the_role_does_not_allow_it_the_offer_says_when_the_token_ends(later: Harness) -> None:
    member = later.fed.members["pengcheng"]
    role = member.get("role", "sampan-hub", "-n", "sampan-jobs")
    less = {**role, "rules": [rule for rule in role["rules"] if rule["resources"] != ["serviceaccounts/token"]]}
    assert less["rules"] != role["rules"], "the chart grants it"
    try:
        await later.admin(lambda: member.apply(less))
        given = await later.kubeconfig("pengcheng", duration=SHORT)
        await later.secret("prov-pengcheng", "aging", kubeconfig=given)
        key = await later.offer("prov-pengcheng", "aging")
        seen = await later.until(key, "CredentialExpiring", "True", "NotRenewed")
        assert "Secret prov-pengcheng/aging[kubeconfig]: the credential ends at " in seen["message"]
        assert "token.renew of the chart sampan-member" in seen["message"]
        await later.until(key, "Schedulable", "True", "Schedulable")
    finally:
        await later.admin(lambda: member.apply({**role, "metadata": {"name": "sampan-hub", "namespace": "sampan-jobs"}}))
