"""A tenant sees the pools that are for it, with why not; of others nothing."""

import json
from dataclasses import replace

import builders as b
from sampan.controller.query.pools import pool_list
from sampan.model.members.offer import Offer, PoolRule
from sampan.model.values.selector import Expression, Operator, Selector

MEMBER = b.cluster(*b.nodes("n", 2, b.H100))
FOR_B = Selector((Expression("team", Operator.IN, ("b",)),))


def told(*offers: Offer, team: str = "a") -> list[dict]:  # type: ignore[type-arg]
    """The items for a namespace of a team."""
    return list(pool_list(b.snapshot(offers=offers, clusters=[MEMBER]), "ns", (("team", team),))["items"])


def test_a_usable_pool_comes_with_price_and_devices() -> None:
    (item,) = told(b.offer())
    assert item["usable"]
    assert item["objections"] == []
    assert (item["devices"], item["free"], item["pricePerDeviceHour"], item["currency"]) == (16, 16, "12.00", "CNY")
    assert item["metadata"]["namespace"] == "ns"


def test_why_not_is_told_with_values() -> None:
    (item,) = told(b.offer(accepting=False, connected=False))
    assert not item["usable"]
    assert {each["reason"] for each in item["objections"]} == {"OfferNotAccepting", "OfferNotConnected"}
    assert all(each["needed"] and each["present"] for each in item["objections"])


def test_a_private_offer_is_not_there_for_others() -> None:
    private = replace(b.offer("private"), tenants=FOR_B)
    assert [item["offer"]["name"] for item in told(b.offer("open"), private)] == ["open"]
    assert [item["offer"]["name"] for item in told(b.offer("open"), private, team="b")] == ["open", "private"]


def test_members_are_not_told_of() -> None:
    text = json.dumps(told(b.offer()))
    assert '"c1"' not in text
    assert "n1" not in text


def test_a_cap_is_used_up_by_jobs_of_the_offer_alone() -> None:
    capped = b.offer(rules=[PoolRule(selector=b.selector(), max_devices=4)])
    member = b.cluster(*b.nodes("n", 2, b.H100), used={"n-0": b.vector(gpu=3)})
    world = b.snapshot(offers=[capped], clusters=[member])
    ours = replace(b.running("j", "n-0", ends=None, devices=3), offer=capped.key, pool=world.cells[0].pool.name)
    free = [
        pool_list(replace(world, clusters={"c1": replace(member, running=held)}), "ns", ())["items"][0]["free"]
        for held in ({}, {"j": ours})
    ]
    assert free == [4, 1]
