"""Whose each namespace of a member is: what a provider lists, and what of it cannot be."""

from hypothesis import given
from hypothesis import strategies as st

from sampan.controller.members.tenants import MAX_TENANTS, PENDING, OfferNamespaces, TenantNamespaces
from sampan.kube.objects.meta import ConfigMap

BASE = "sampan-jobs"
OFFERS = OfferNamespaces(named=frozenset({BASE}), per_tenant=frozenset({BASE}))


def listing(data: dict[str, str], *more: str) -> TenantNamespaces:
    made = TenantNamespaces()
    made.put(BASE, ConfigMap(data=data))
    for name in more:
        made.put(name, ConfigMap(data={"team-z": data.get("team-a", "")}))
    made.problems = dict.fromkeys(made.claimed(OFFERS), "")
    return made


def problems(made: TenantNamespaces, offers: OfferNamespaces = OFFERS) -> dict[str, str]:
    return {each.tenant: each.problem for each in made.all(offers)}


def test_a_listed_namespace_is_its_tenants_once_it_was_looked_at() -> None:
    made = TenantNamespaces()
    made.put(BASE, ConfigMap(data={"team-a": "jobs-a"}))
    assert (problems(made), made.ready(OFFERS)) == ({"team-a": PENDING}, frozenset())
    made.problems = {"jobs-a": "it is being deleted"}
    assert made.ready(OFFERS) == frozenset()
    made.problems = {"jobs-a": ""}
    assert (problems(made), sorted(made.ready(OFFERS))) == ({"team-a": ""}, ["jobs-a"])
    assert made.ready(OfferNamespaces(named=frozenset({BASE}))) == frozenset(), "no offer goes by the list"


def test_a_namespace_of_two_is_nobodys() -> None:
    made = listing({"team-a": "jobs-x", "team-b": "jobs-x", "team-c": "jobs-c"})
    assert made.ready(OFFERS) == {"jobs-c"}
    assert "listed for team-a and team-b" in problems(made)["team-a"]
    both = OfferNamespaces(named=frozenset({BASE, "other"}), per_tenant=frozenset({BASE, "other"}))
    across = listing({"team-a": "jobs-a"}, "other")
    assert across.ready(both) == frozenset()
    assert across.ready(OFFERS) == {"jobs-a"}


def test_a_namespace_that_an_offer_shares_among_all_is_no_tenants() -> None:
    shared = OfferNamespaces(named=frozenset({BASE, "jobs-a"}), per_tenant=frozenset({BASE}))
    made = listing({"team-a": "jobs-a", "team-b": BASE})
    assert made.ready(shared) == frozenset()
    assert "remoteNamespace of an offer" in problems(made, shared)["team-a"]


def test_what_cannot_be_a_namespace_is_not_heard_and_no_more_than_so_many_are() -> None:
    made = listing({"team-a": "../kube-system", "Team": "jobs-b", "team-c": "", "x" * 64: "jobs-d", "team-e": "jobs-e"})
    assert problems(made) == {"team-e": ""}
    many = listing({f"t-{number:03}": f"jobs-{number}" for number in range(MAX_TENANTS + 5)})
    assert len(many.all(OFFERS)) == MAX_TENANTS


def test_a_change_of_a_list_is_told_and_the_same_once_more_is_not() -> None:
    told: list[int] = []
    made = TenantNamespaces(changed=lambda: told.append(1))
    for data in ({"team-a": "jobs-a"}, {"team-a": "jobs-a"}, {"team-a": "jobs-b"}):
        made.put(BASE, ConfigMap(data=data))
    made.put(BASE, None)
    assert len(told) == 3
    assert not made.all(OFFERS)


@given(st.dictionaries(st.sampled_from(["team-a", "team-b", "team-c"]), st.sampled_from(["jobs-a", "jobs-b", BASE])))
def test_no_namespace_is_ready_for_two_tenants(data: dict[str, str]) -> None:
    ready = [each.namespace for each in listing(data).all(OFFERS) if not each.problem]
    assert len(ready) == len(set(ready))
    assert BASE not in ready
