"""Offers, Providers and classes as the hub has them, judged anew exactly where something changed."""

from dataclasses import replace

import pytest

from member_objects import HUB, MEMBER, offer_body, provider_body
from sampan.api.convert.offers import SecretRef
from sampan.controller.members.facts import LinkFacts
from sampan.controller.offers.registry import OfferRegistry
from sampan.model.members.offer import OfferKey

ONE, TWO = OfferKey("prov-a", "one"), OfferKey("prov-b", "two")
KEY = SecretRef("prov-a", "kc", "kubeconfig")
UP = LinkFacts(connected=True, reason="Connected", cluster_uid=MEMBER, missing=())


@pytest.fixture
def found() -> dict[SecretRef, LinkFacts]:
    return {}


@pytest.fixture
def book(found: dict[SecretRef, LinkFacts]) -> OfferRegistry:
    made = OfferRegistry(HUB, lambda key: found.get(key, LinkFacts()))
    made.apply_provider(provider_body())
    made.apply_offer(offer_body())
    made.reassess()
    return made


def test_only_what_changed_is_judged_anew(book: OfferRegistry, found: dict[SecretRef, LinkFacts]) -> None:
    assert book.reassess() == set()
    book.apply_offer(offer_body("second", kubeconfigSecretRef={"name": "other"}))
    assert book.reassess() == {"uid-prov-a-second"}
    found[KEY] = UP
    book.link_changed(KEY, MEMBER)
    assert book.reassess() == {"uid-prov-a-one"}
    assert book.offers[ONE].connected
    book.apply_provider(provider_body(regions=[]))
    assert len(book.reassess()) == 2
    assert not book.offers[ONE].approved


def test_an_older_picture_is_ignored(book: OfferRegistry) -> None:
    assert book.apply_offer(offer_body(version=4, accepting=False)) is None
    assert book.apply_offer(offer_body(version=5, accepting=False)) is not None


def test_a_provider_that_does_not_parse_grants_nothing_and_hurts_no_other(book: OfferRegistry) -> None:
    book.apply_provider(provider_body("beta", namespaces=("prov-b",)))
    book.apply_provider(provider_body("alpha", nonsense=True))
    book.apply_offer(offer_body("two", namespace="prov-b"))
    book.reassess()
    assert book.offers[TWO].approved
    assert not book.offers[ONE].approved


def test_a_poisoned_offer_is_not_approved_and_hurts_no_other(book: OfferRegistry) -> None:
    book.apply_offer(offer_body("bad", terms="Whenever"))
    book.reassess()
    assert book.assessed["uid-prov-a-bad"].approved.reason == "InvalidSpec"
    assert book.offers[ONE].approved


def test_the_cluster_goes_to_the_next_when_its_holder_leaves(book: OfferRegistry, found: dict[SecretRef, LinkFacts]) -> None:
    book.apply_provider(provider_body("beta", namespaces=("prov-b",)))
    book.apply_offer(offer_body("two", namespace="prov-b", meta={"creationTimestamp": "2026-02-01T00:00:00Z"}))
    found[KEY] = found[SecretRef("prov-b", "kc", "kubeconfig")] = UP
    book.link_changed(KEY, MEMBER)
    book.reassess()
    assert book.offers[ONE].connected
    assert not book.offers[TWO].connected
    book.remove_offer("uid-prov-a-one")
    book.reassess()
    assert ONE not in book.offers
    assert book.offers[TWO].connected


def test_an_offer_that_was_recreated_replaces_its_namesake(book: OfferRegistry) -> None:
    book.apply_offer(offer_body(meta={"uid": "new"}))
    book.reassess()
    assert book.offers[ONE].uid == "new"
    assert list(book.declared) == ["new"]
    assert book.remove_offer("uid-prov-a-one") is None
    claim = book.find(ONE)
    assert claim is not None
    assert claim.uid == "new"


def test_classes_are_kept_by_name_and_broken_ones_left_out(book: OfferRegistry) -> None:
    spec = {"vendor": "v", "family": "f", "stack": "s", "origin": "CN", "resourceNames": ["a.com/b"]}
    for name in ("b", "a"):
        book.apply_class({"metadata": {"name": name, "uid": name}, "spec": spec})
    book.apply_class({"metadata": {"name": "broken", "uid": "x"}, "spec": {}})
    assert [each.accelerator.name for each in book.classes] == ["a", "b"]
    book.remove_class("a")
    assert [each.accelerator.name for each in book.classes] == ["b"]


def test_overrides_are_believed_where_the_provider_trusts_them(book: OfferRegistry) -> None:
    claim = book.declared["uid-prov-a-one"]
    assert not book.trusts_overrides(claim)
    book.apply_provider(provider_body(trustPoolOverrides=True))
    assert book.trusts_overrides(claim)


def test_offers_of_one_kubeconfig_have_the_troubles_of_their_own_namespace(book: OfferRegistry, found: dict[SecretRef, LinkFacts]) -> None:
    book.apply_offer(offer_body("other", remoteNamespace="elsewhere"))
    other = OfferKey("prov-a", "other")
    found[KEY] = replace(UP, behind=(("elsewhere", "NotFollowed", "the watch on jobs/elsewhere does not work: Timeout"),))
    book.link_changed(KEY, MEMBER)
    book.reassess()
    assert (book.offers[ONE].connected, book.offers[other].connected) == (True, False)
    found[KEY] = replace(UP, missing=("create jobs.batch in elsewhere",))
    book.link_changed(KEY, MEMBER)
    book.reassess()
    assert [(book.offers[key].connected, book.offers[key].permitted) for key in (ONE, other)] == [(True, True), (True, False)]
