"""Offers, Providers and classes as the hub has them, judged anew exactly where something changed."""

from dataclasses import replace

import pytest

from member_objects import HUB, MEMBER, offer_body, provider_body
from sampan.api.convert_offer import SecretRef
from sampan.controller.members.facts import LinkFacts
from sampan.controller.offers.registry import OfferBook
from sampan.model.offer import OfferKey

ONE, TWO = OfferKey("prov-a", "one"), OfferKey("prov-b", "two")
KEY = SecretRef("prov-a", "kc", "kubeconfig")
UP = LinkFacts(connected=True, reason="Connected", cluster_uid=MEMBER, missing=())


@pytest.fixture
def found() -> dict[SecretRef, LinkFacts]:
    return {}


@pytest.fixture
def book(found: dict[SecretRef, LinkFacts]) -> OfferBook:
    made = OfferBook(HUB, lambda key: found.get(key, LinkFacts()))
    made.put_provider(provider_body())
    made.put_offer(offer_body())
    made.settle()
    return made


def test_only_what_changed_is_judged_anew(book: OfferBook, found: dict[SecretRef, LinkFacts]) -> None:
    assert book.settle() == set()
    book.put_offer(offer_body("second", kubeconfigSecretRef={"name": "other"}))
    assert book.settle() == {"uid-prov-a-second"}
    found[KEY] = UP
    book.link_changed(KEY, MEMBER)
    assert book.settle() == {"uid-prov-a-one"}
    assert book.offers[ONE].connected
    book.put_provider(provider_body(regions=[]))
    assert len(book.settle()) == 2
    assert not book.offers[ONE].approved


def test_an_older_picture_is_ignored(book: OfferBook) -> None:
    assert book.put_offer(offer_body(version=4, accepting=False)) is None
    assert book.put_offer(offer_body(version=5, accepting=False)) is not None


def test_a_provider_that_does_not_parse_grants_nothing_and_hurts_no_other(book: OfferBook) -> None:
    book.put_provider(provider_body("beta", namespaces=("prov-b",)))
    book.put_provider(provider_body("alpha", nonsense=True))
    book.put_offer(offer_body("two", namespace="prov-b"))
    book.settle()
    assert book.offers[TWO].approved
    assert not book.offers[ONE].approved


def test_a_poisoned_offer_is_not_approved_and_hurts_no_other(book: OfferBook) -> None:
    book.put_offer(offer_body("bad", terms="Whenever"))
    book.settle()
    assert book.judged["uid-prov-a-bad"].approved.reason == "InvalidSpec"
    assert book.offers[ONE].approved


def test_the_cluster_goes_to_the_next_when_its_holder_leaves(book: OfferBook, found: dict[SecretRef, LinkFacts]) -> None:
    book.put_provider(provider_body("beta", namespaces=("prov-b",)))
    book.put_offer(offer_body("two", namespace="prov-b", meta={"creationTimestamp": "2026-02-01T00:00:00Z"}))
    found[KEY] = found[SecretRef("prov-b", "kc", "kubeconfig")] = UP
    book.link_changed(KEY, MEMBER)
    book.settle()
    assert book.offers[ONE].connected
    assert not book.offers[TWO].connected
    book.drop_offer("uid-prov-a-one")
    book.settle()
    assert ONE not in book.offers
    assert book.offers[TWO].connected


def test_an_offer_that_was_recreated_replaces_its_namesake(book: OfferBook) -> None:
    book.put_offer(offer_body(meta={"uid": "new"}))
    book.settle()
    assert book.offers[ONE].uid == "new"
    assert list(book.claims) == ["new"]
    assert book.drop_offer("uid-prov-a-one") is None
    claim = book.claim(ONE)
    assert claim is not None
    assert claim.uid == "new"


def test_classes_are_kept_by_name_and_broken_ones_left_out(book: OfferBook) -> None:
    spec = {"vendor": "v", "family": "f", "stack": "s", "origin": "CN", "resourceNames": ["a.com/b"]}
    for name in ("b", "a"):
        book.put_class({"metadata": {"name": name, "uid": name}, "spec": spec})
    book.put_class({"metadata": {"name": "broken", "uid": "x"}, "spec": {}})
    assert [each.accelerator.name for each in book.classes] == ["a", "b"]
    book.drop_class("a")
    assert [each.accelerator.name for each in book.classes] == ["b"]


def test_overrides_are_believed_where_the_provider_trusts_them(book: OfferBook) -> None:
    claim = book.claims["uid-prov-a-one"]
    assert not book.trusts_overrides(claim)
    book.put_provider(provider_body(trustPoolOverrides=True))
    assert book.trusts_overrides(claim)


def test_offers_of_one_kubeconfig_have_the_troubles_of_their_own_namespace(book: OfferBook, found: dict[SecretRef, LinkFacts]) -> None:
    book.put_offer(offer_body("other", remoteNamespace="elsewhere"))
    other = OfferKey("prov-a", "other")
    found[KEY] = replace(UP, behind=(("elsewhere", "NotFollowed", "the watch on jobs/elsewhere does not work: Timeout"),))
    book.link_changed(KEY, MEMBER)
    book.settle()
    assert (book.offers[ONE].connected, book.offers[other].connected) == (True, False)
    found[KEY] = replace(UP, missing=("create jobs.batch in elsewhere",))
    book.link_changed(KEY, MEMBER)
    book.settle()
    assert [(book.offers[key].connected, book.offers[key].permitted) for key in (ONE, other)] == [(True, True), (True, False)]
