"""The hub's token on a member: renewed in time where that is allowed and can be kept, told of where not."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import pytest

from sampan.api.convert.offers import SecretRef
from sampan.controller.members.link import MemberLink
from sampan.controller.members.terms import LinkSettings
from sampan.kube.credentials.secret import Secret
from sampan.kube.errors import ServerError
from sampan.model.members.offer_reasons import OfferReason
from unit.controller.fake_server import FakeServer, fake_server, until
from unit.controller.link_harness import SETTINGS, linked
from unit.kube.credentials.test_expiry import SUBJECT, jwt

NOW = 1_800_000_000
HOUR = 3600
DAY = 24 * HOUR
PATH = "/api/v1/namespaces/sampan-jobs/serviceaccounts/sampan-hub/token"
RIGHT = "create serviceaccounts sampan-hub in sampan-jobs"


def token(*, begins: int = -20 * DAY, ends: int, subject: str = SUBJECT) -> str:
    """A token by hours from now."""
    return jwt({"sub": subject, "iat": NOW + begins, "exp": NOW + ends})


@dataclass
class Kept:
    """Where renewed tokens are kept."""

    kept: bool = True
    fails: bool = False
    tokens: dict[tuple[SecretRef, str], Secret] = field(default_factory=dict)

    async def load(self) -> None:
        """There is nothing to read."""

    def find(self, key: SecretRef, of: str) -> Secret | None:
        return self.tokens.get((key, of))

    async def keep(self, key: SecretRef, of: str, token: Secret) -> None:
        if self.fails:
            raise ServerError(500, "InternalError", "")
        self.tokens[key, of] = token


def settings(kept: Kept | None) -> LinkSettings:
    return replace(SETTINGS, tokens=kept)


@pytest.fixture
async def server() -> AsyncIterator[FakeServer]:
    async with fake_server() as fake:
        fake.next_token = token(begins=0, ends=30 * DAY)
        yield fake


def hand_over(link: MemberLink, server: FakeServer, text: str) -> None:
    server.tokens.add(text)
    link.set_source(server.kubeconfig(text))


def in_use(link: MemberLink) -> str:
    held = link.client.credentials.token if link.connected else None
    return "" if held is None else held.reveal()


async def test_a_token_is_renewed_when_a_third_of_its_life_is_left(server: FakeServer) -> None:
    kept, old = Kept(), token(ends=9 * DAY)
    async with linked(settings=settings(kept)) as (link, _):
        hand_over(link, server, old)
        await until(lambda: in_use(link) == server.next_token, "the new token is in use")
        client = link.client
        assert list(kept.tokens.values()) == [Secret(server.next_token)]
        assert link.facts.credential.end is None
        link.set_source(server.kubeconfig(old))  # the Secret is read again, and holds what it held
        assert in_use(link) == server.next_token
        assert link.client is client
        mine = token(begins=-1, ends=40 * DAY)
        hand_over(link, server, mine)
        await until(lambda: in_use(link) == mine, "what the provider writes counts at once")
    assert server.count("POST", PATH) == 1
    async with linked(settings=settings(kept)) as (link, _):  # after a restart
        link.set_source(server.kubeconfig(old))
        await until(lambda: in_use(link) == server.next_token, "the kept token is in use")


async def test_a_young_token_is_left_alone(server: FakeServer) -> None:
    young = token(begins=-5 * HOUR, ends=19 * HOUR)
    async with linked(settings=settings(Kept())) as (link, _):
        hand_over(link, server, young)
        await until(lambda: link.connected and server.count("POST", PATH) == 0 and _asked(link), "it was looked at")
        assert in_use(link) == young
        assert link.facts.credential.end is None, "the hub will renew it"


def _asked(link: MemberLink) -> bool:
    return str(link._memory.credentials.renewal) != "Unknown"


CASES = [
    ("no right", {RIGHT}, Kept(), token(ends=6 * DAY), OfferReason.NOT_RENEWED, "token.renew of the chart"),
    ("nowhere to keep it", set(), Kept(kept=False), token(ends=6 * DAY), OfferReason.NOT_RENEWED, "no Secret of its own"),
    ("no store at all", set(), None, token(ends=6 * DAY), OfferReason.NOT_RENEWED, "no Secret of its own"),
    ("a person's token", set(), Kept(), token(ends=6 * DAY, subject="alice"), OfferReason.NOT_RENEWED, "no token of a ServiceAccount"),
    ("not stored", set(), Kept(fails=True), token(ends=6 * DAY), OfferReason.RENEWAL_FAILED, "renewing it failed"),
]


@pytest.mark.parametrize(("denied", "kept", "held", "reason", "words"), [pytest.param(*rest, id=name) for name, *rest in CASES])
async def test_what_is_not_renewed_is_told(
    server: FakeServer, denied: set[str], kept: Kept | None, *, held: str, reason: OfferReason, words: str
) -> None:
    server.denied |= denied
    async with linked(settings=settings(kept)) as (link, _):
        hand_over(link, server, held)
        await until(lambda: link.facts.credential.end, "it is told")
        assert link.facts.credential.end is not None
        assert link.facts.credential.end.reason is reason
        assert words in link.facts.credential.end.message
        assert "2027-01-21T08:00:00Z" in link.facts.credential.end.message
        assert held not in str(link.facts)
        await until(lambda: in_use(link) == held, "it stays in use")


async def test_a_right_that_comes_is_used(server: FakeServer) -> None:
    server.denied.add(RIGHT)
    short = replace(settings(Kept()), clock=lambda: (NOW + 6 * DAY - 2) * 1000)  # two seconds left: the next look is soon
    async with linked(settings=short) as (link, _):
        hand_over(link, server, token(ends=6 * DAY))
        await until(lambda: link.facts.credential.end, "it is told")
        server.denied.discard(RIGHT)
        await until(lambda: in_use(link) == server.next_token, "it is renewed")
        await until(lambda: link.facts.credential.end is None, "nothing is told any more")
    assert server.count("POST", PATH) == 1


async def test_a_shorter_token_than_asked_for_is_not_asked_for_again_and_again(server: FakeServer) -> None:
    """A server that gives shorter tokens than were asked for is asked once for each of them."""
    server.next_token = token(begins=0, ends=DAY)
    async with linked(settings=settings(Kept())) as (link, _):
        hand_over(link, server, token(ends=5 * DAY))
        await until(lambda: in_use(link) == server.next_token, "the new token is in use")
        posts = server.count("POST", PATH)
        reviews = server.count("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews")
        await until(
            lambda: server.count("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews") > reviews + 10, "the link went on"
        )
        assert server.count("POST", PATH) == posts == 1
