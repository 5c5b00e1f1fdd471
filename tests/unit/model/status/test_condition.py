"""The one way to set a condition, of whatever kind."""

import pytest

from sampan.api.fields.common import Condition as Schema
from sampan.api.status.conditions import conditions_from, conditions_manifest
from sampan.model.members.offer_reasons import OfferConditionType, OfferReason
from sampan.model.status.condition import Condition, Fact, find_condition, set_condition
from sampan.model.status.reasons import JobConditionType

NOW = 1_800_000_000_000
READY = Fact(OfferConditionType.CONNECTED, True, OfferReason.CONNECTED)


def test_an_absent_condition_is_none() -> None:
    assert find_condition((), JobConditionType.COMPLETE) is None


def test_the_time_moves_only_with_the_status() -> None:
    first = set_condition((), READY, at=NOW)
    again = set_condition(first, Fact(READY.type, True, OfferReason.OVER_PRIVILEGED, "look"), at=NOW + 5_000)
    unknown = set_condition(again, Fact(READY.type, None, OfferReason.CONNECTING), at=NOW + 9_000)
    assert [(each.status, each.since) for (each,) in (first, again, unknown)] == [
        ("True", NOW),
        ("True", NOW),
        ("Unknown", NOW + 9_000),
    ]


def test_a_condition_keeps_its_place_and_the_others_stay_the_same_objects() -> None:
    two = set_condition(set_condition((), READY, at=NOW), Fact(OfferConditionType.APPROVED, True, OfferReason.GRANTED), at=NOW)
    new = set_condition(two, Fact(READY.type, False, OfferReason.UNREACHABLE), at=NOW)
    assert [each.type for each in new] == ["Connected", "Approved"]
    assert new[1] is two[1]


def test_a_generation_stays_until_another_is_given() -> None:
    (known,) = set_condition((), READY, at=NOW, generation=3)
    (kept,) = set_condition((known,), READY, at=NOW)
    (moved,) = set_condition((known,), READY, at=NOW, generation=4)
    assert (kept.generation, moved.generation) == (3, 4)


def test_conditions_survive_a_round_trip_with_what_a_later_version_wrote() -> None:
    manifests = [
        {"type": "Connected", "status": "True", "reason": "X", "message": "", "lastTransitionTime": "2027-01-15T08:00:00Z", "score": 3}
    ]
    assert conditions_manifest(conditions_from(manifests)) == manifests
    (changed,) = set_condition(conditions_from(manifests), Fact(OfferConditionType.CONNECTED, False, OfferReason.UNREACHABLE), at=NOW)
    assert conditions_manifest((changed,))[0]["score"] == 3


@pytest.mark.parametrize("kinds", [JobConditionType, OfferConditionType])
def test_condition_types_are_words_and_few(kinds: type[JobConditionType] | type[OfferConditionType]) -> None:
    assert len(kinds) <= 16, "the schema's most"
    for kind in kinds:
        shown = Condition(type=str(kind), status="True", reason="Because", since=NOW)
        Schema.model_validate(conditions_manifest((shown,))[0])
