"""Words: every reason has some, and a headline says what stands in the way."""

import pytest

from builders import GIB, demand, job, requirement, selector, shape
from sampan.model.job import Placement, Requirement
from sampan.model.members.offer import Terms
from sampan.model.plan import Refusal
from sampan.model.reason import Reason
from sampan.scheduling.answers.wording import headline, word

PICKY = shape(
    demand(Requirement(count=8, stack="cuda", memory_per_device=80 * GIB), replicas=2, architectures=("arm64",)),
    placement=Placement(
        regions=("cn-north",),
        jurisdictions=("CN",),
        providers=("a",),
        terms=(Terms.TRIAL,),
        max_price=12_500_000,
        offer_selector=selector(a="b"),
    ),
)


def refusal(room: int | None = None, **counts: int) -> Refusal:
    return Refusal(job=job(wanted=PICKY), counts={Reason[name]: count for name, count in counts.items()}, room=room)


def test_a_headline_counts_pools_by_reason() -> None:
    assert headline(refusal(REGION_EXCLUDED=2, INSUFFICIENT_CAPACITY=1, room=1)) == (
        "no pool fits: 1 pool InsufficientCapacity (needs 2 replicas of 8 devices at once, at most 1 fits now), "
        "2 pools RegionExcluded (region is not among cn-north)"
    )


def test_without_pools_it_says_so() -> None:
    assert headline(refusal()) == "no pool fits: no offer that is open to jobs of this namespace has one"


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_words(reason: Reason) -> None:
    text = word(reason, PICKY)
    assert 10 < len(text) < 200
    assert text == text.strip()


@pytest.mark.parametrize(
    ("reason", "want"),
    [
        (Reason.PRICE_ABOVE_CAP, "12.50"),
        (Reason.CAPABILITY_INSUFFICIENT, "80Gi of memory"),
        (Reason.ACCELERATOR_MISMATCH, "stack cuda"),
        (Reason.COUNT_NOT_ALLOWED, "8"),
        (Reason.ARCHITECTURE_MISMATCH, "arm64"),
        (Reason.TERMS_EXCLUDED, "Trial"),
        (Reason.TOO_LARGE, "2 replicas of 8 devices"),
    ],
)
def test_words_name_what_the_job_asked_for(reason: Reason, want: str) -> None:
    assert want in word(reason, PICKY)


def test_one_replica_is_not_called_a_gang() -> None:
    one = shape(demand(requirement(count=1)))
    assert word(Reason.INSUFFICIENT_CAPACITY, one, room=0) == "needs 1 device on one node, none fits now"


def test_long_lists_are_cut() -> None:
    many = shape(placement=Placement(regions=tuple(f"r{i}" for i in range(9))))
    assert word(Reason.REGION_EXCLUDED, many) == "region is not among r0, r1, r2, r3 and 5 more"


@pytest.mark.parametrize(("beside", "want"), [(1, "; 1 pool has other devices"), (3, "; 3 pools have other devices")])
def test_pools_with_other_devices_are_counted_apart(beside: int, want: str) -> None:
    told = Refusal(job=job(wanted=PICKY), counts={Reason.REGION_EXCLUDED: 1}, other_devices=beside)
    assert headline(told).endswith(f"{want} than the job asks for")
