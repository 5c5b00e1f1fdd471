"""Offers, Providers and classes as the hub has them, judged anew exactly where something changed."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from member_objects import HUB, MEMBER, offer_body, provider_body
from sampan.api.convert.offers import DeclaredOffer, SecretRef
from sampan.controller.members.facts import LinkFacts
from sampan.controller.offers.classes import ClassRegistry
from sampan.controller.offers.registry import OfferRegistry
from sampan.model.members.offer import OfferKey
from sampan.model.members.offer_reasons import OfferReason

ONE, TWO = OfferKey("prov-a", "one"), OfferKey("prov-b", "two")
KEY = SecretRef("prov-a", "kc", "kubeconfig")
UP = LinkFacts(connected=True, reason=OfferReason.CONNECTED, cluster_uid=MEMBER, missing=())


@pytest.fixture
def found() -> dict[SecretRef, LinkFacts]:
    return {}


@pytest.fixture
def registry(found: dict[SecretRef, LinkFacts]) -> OfferRegistry:
    made = OfferRegistry(HUB, lambda key: found.get(key, LinkFacts()))
    made.apply_provider(provider_body())
    made.apply_offer(offer_body())
    made.reassess()
    return made


def test_only_what_changed_is_judged_anew(registry: OfferRegistry, found: dict[SecretRef, LinkFacts]) -> None:
    assert registry.reassess() == set()
    registry.apply_offer(offer_body("second", kubeconfigSecretRef={"name": "other"}))
    assert registry.reassess() == {"uid-prov-a-second"}
    found[KEY] = UP
    registry.link_changed(KEY, MEMBER)
    assert registry.reassess() == {"uid-prov-a-one"}
    assert registry.offers[ONE].connected
    registry.apply_provider(provider_body(regions=[]))
    assert len(registry.reassess()) == 2
    assert not registry.offers[ONE].approved


def test_offers_that_time_alone_may_change_are_known(registry: OfferRegistry) -> None:
    assert registry.timed() == set()
    registry.apply_offer(offer_body(version=6, validity={"until": "2027-01-01T00:00:00Z"}))
    registry.apply_offer(offer_body("second", kubeconfigSecretRef={"name": "other"}, validity={"from": "2026-01-01T00:00:00Z"}))
    assert registry.timed() == {"uid-prov-a-one", "uid-prov-a-second"}
    registry.apply_offer(offer_body(version=7))
    registry.remove_offer("uid-prov-a-second")
    assert registry.timed() == set()


def test_an_older_picture_is_ignored(registry: OfferRegistry) -> None:
    assert registry.apply_offer(offer_body(version=4, accepting=False)) is None
    assert registry.apply_offer(offer_body(version=5, accepting=False)) is not None


def test_a_provider_that_does_not_parse_grants_nothing_and_hurts_no_other(registry: OfferRegistry) -> None:
    registry.apply_provider(provider_body("beta", namespaces=("prov-b",)))
    registry.apply_provider(provider_body("alpha", nonsense=True))
    registry.apply_offer(offer_body("two", namespace="prov-b"))
    registry.reassess()
    assert registry.offers[TWO].approved
    assert not registry.offers[ONE].approved


def test_a_poisoned_offer_is_not_approved_and_hurts_no_other(registry: OfferRegistry) -> None:
    registry.apply_offer(offer_body("bad", terms="Whenever"))
    registry.reassess()
    assert registry.assessed["uid-prov-a-bad"].approved.reason == "InvalidSpec"
    assert registry.offers[ONE].approved


def test_the_cluster_goes_to_the_next_when_its_holder_leaves(registry: OfferRegistry, found: dict[SecretRef, LinkFacts]) -> None:
    registry.apply_provider(provider_body("beta", namespaces=("prov-b",)))
    registry.apply_offer(offer_body("two", namespace="prov-b", meta={"creationTimestamp": "2026-02-01T00:00:00Z"}))
    for key in (KEY, SecretRef("prov-b", "kc", "kubeconfig")):
        found[key] = UP
        registry.link_changed(key, MEMBER)
    registry.reassess()
    assert registry.offers[ONE].connected
    assert not registry.offers[TWO].connected
    registry.remove_offer("uid-prov-a-one")
    registry.reassess()
    assert ONE not in registry.offers
    assert registry.offers[TWO].connected


def test_an_offer_that_was_recreated_replaces_its_namesake(registry: OfferRegistry) -> None:
    registry.apply_offer(offer_body(meta={"uid": "new"}))
    registry.reassess()
    assert registry.offers[ONE].uid == "new"
    assert list(registry.declared) == ["new"]
    assert registry.remove_offer("uid-prov-a-one") is None
    claim = registry.find(ONE)
    assert claim is not None
    assert claim.uid == "new"


def test_classes_are_kept_by_name_and_broken_ones_left_out() -> None:
    classes = ClassRegistry()
    spec = {"vendor": "v", "family": "f", "stack": "s", "origin": "CN", "resourceNames": ["a.com/b"]}
    for name in ("b", "a"):
        classes.apply({"metadata": {"name": name, "uid": name}, "spec": spec})
    classes.apply({"metadata": {"name": "broken", "uid": "x"}, "spec": {}})
    assert [each.accelerator.name for each in classes.all()] == ["a", "b"]
    classes.remove("a")
    assert [each.accelerator.name for each in classes.all()] == ["b"]


def test_overrides_are_believed_where_the_provider_trusts_them(registry: OfferRegistry) -> None:
    claim = registry.declared["uid-prov-a-one"]
    assert not registry.trusts_overrides(claim)
    registry.apply_provider(provider_body(trustPoolOverrides=True))
    assert registry.trusts_overrides(claim)


def test_offers_of_one_kubeconfig_have_the_troubles_of_their_own_namespace(
    registry: OfferRegistry, found: dict[SecretRef, LinkFacts]
) -> None:
    registry.apply_offer(offer_body("other", remoteNamespace="elsewhere"))
    other = OfferKey("prov-a", "other")
    found[KEY] = replace(UP, behind=(("elsewhere", OfferReason.NOT_FOLLOWED, "the watch on jobs/elsewhere does not work: Timeout"),))
    registry.link_changed(KEY, MEMBER)
    registry.reassess()
    assert (registry.offers[ONE].connected, registry.offers[other].connected) == (True, False)
    found[KEY] = replace(UP, missing=("create jobs.batch in elsewhere",))
    registry.link_changed(KEY, MEMBER)
    registry.reassess()
    assert [(registry.offers[key].connected, registry.offers[key].permitted) for key in (ONE, other)] == [(True, True), (True, False)]


def test_what_a_link_or_an_offer_says_costs_what_it_concerns_however_many_offers_there_are() -> None:
    asked: list[SecretRef] = []
    links: dict[SecretRef, LinkFacts] = {}

    def facts(key: SecretRef) -> LinkFacts:
        asked.append(key)
        return links.get(key, LinkFacts())

    registry = OfferRegistry(HUB, facts)
    for number in range(20):
        registry.apply_provider(provider_body(f"p{number}", namespaces=(f"prov-{number}",)))
    for number in range(200):
        registry.apply_offer(offer_body(f"o{number}", namespace=f"prov-{number % 20}"))
    registry.reassess()
    key = SecretRef("prov-7", "kc", "kubeconfig")
    for change in ("link", "offer"):
        asked.clear()
        if change == "link":
            links[key] = UP
            registry.link_changed(key, MEMBER)
            assert len(registry.reassess()) == 10
        else:
            registry.apply_offer(offer_body("o7", namespace="prov-7", version=9, accepting=False))
            assert "uid-prov-7-o7" in registry.reassess()
        assert set(asked) == {key}, "nobody looks at the links of other offers"
        assert len(asked) <= 60


def test_word_of_one_offer_among_many_gathers_no_kubeconfigs_and_no_holder_anew(
    registry: OfferRegistry, found: dict[SecretRef, LinkFacts], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(200):
        registry.apply_offer(offer_body(f"more-{number}", kubeconfigSecretRef={"name": f"kc-{number}"}))
    found[KEY] = UP
    registry.link_changed(KEY, MEMBER)
    wanted, holder = registry.kubeconfigs(), registry.holder(MEMBER)
    assert len(wanted) == 201
    registry.apply_offer(offer_body("more-7", version=6, kubeconfigSecretRef={"name": "kc-7"}, accepting=False))
    assert registry.kubeconfigs() is wanted
    registry.apply_offer(offer_body("more-7", version=7, kubeconfigSecretRef={"name": "another"}))
    assert registry.kubeconfigs().keys() ^ wanted.keys() == {SecretRef("prov-a", f"{name}", "kubeconfig") for name in ("kc-7", "another")}
    registry.remove_offer("uid-prov-a-more-7")
    assert len(registry.kubeconfigs()) == 200
    looked: list[str] = []
    usual = registry.of_cluster

    def of_cluster(uid: str) -> Iterable[DeclaredOffer]:
        looked.append(uid)
        return usual(uid)

    monkeypatch.setattr(registry, "of_cluster", of_cluster)
    for _ in range(46):
        assert registry.holder(MEMBER) == holder
    assert looked == [MEMBER]
