"""What each built-in policy prefers: one job, several policies, as many predicted offers. And what no policy may do."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import ASCEND, H100, HYGON, NOW, cluster, demand, job, nodes, offer, price, requirement, shape, snapshot, vector
from sampan.model.backlog import Backlog
from sampan.model.job import AlternativeOrder, Domestic, Placement, Shape
from sampan.model.members.offer import Energy, Offer
from sampan.model.policy import BUILT_IN
from sampan.model.snapshot import Snapshot
from sampan.model.values.quantity import MICRO
from sampan.scheduling.cache import Memo
from sampan.scheduling.cycle import schedule

HOUR = 3600
CLEAN = Energy(grams_co2_per_kwh=50, pue=1_100_000, as_of=NOW)
DIRTY = Energy(grams_co2_per_kwh=700, pue=1_500_000, as_of=NOW)


def job_by(policy: str, *, preferred: bool = False) -> Shape:
    """Four devices: an hour on H100, 3 on 910B3, 8 on K100-AI."""
    times = ((H100, HOUR), (ASCEND, 3 * HOUR), (HYGON, 8 * HOUR))
    demands = (demand(requirement(name, 4), alternative=i, expected_seconds=seconds) for i, (name, seconds) in enumerate(times))
    wishes = Placement(domestic=Domestic.PREFERRED) if preferred else Placement()
    return replace(shape(*demands, placement=wishes, policy=policy), order=AlternativeOrder.BY_SCORE)


def world() -> Snapshot:
    """Four offers: fast and dear, slow and cheap by the job, domestic, and half-used nodes with green power."""
    member = {
        "fast": cluster(*nodes("f", 2, H100), uid="fast"),
        "cheap": cluster(*nodes("c", 2, HYGON), uid="cheap"),
        "home": cluster(*nodes("h", 2, ASCEND), uid="home"),
        "clean": cluster(*nodes("g", 2, ASCEND), uid="clean", used={"g-0": vector(**{"huawei.com/Ascend910": 4})}),
    }
    offers = (
        replace(offer("fast", cluster_uid="fast", prices=[price(H100, 20 * MICRO)]), energy=DIRTY),
        replace(offer("cheap", cluster_uid="cheap", prices=[price(HYGON, 1 * MICRO)]), energy=DIRTY),
        replace(offer("home", cluster_uid="home", prices=[price(ASCEND, 6 * MICRO)]), energy=DIRTY),
        replace(offer("clean", cluster_uid="clean", prices=[price(ASCEND, 40 * MICRO)]), energy=CLEAN),
    )
    return snapshot((), offers, member.values(), policies=BUILT_IN.values())


def chosen(policy: str, *, preferred: bool = False) -> str:
    """The offer that the job goes to."""
    plan, _ = schedule(replace(world(), backlog=Backlog.of([job(wanted=job_by(policy, preferred=preferred))])), Memo())
    return plan.assignments[0].offer.name


@pytest.mark.parametrize(
    ("policy", "want"),
    [("cost", "cheap"), ("performance", "fast"), ("green", "clean"), ("pack", "clean"), ("domestic", "cheap"), ("balanced", "cheap")],
)
def test_each_policy_has_its_own_favourite(policy: str, want: str) -> None:
    assert chosen(policy) == want


def test_a_job_that_prefers_home_gets_it_by_the_balanced_policy() -> None:
    assert chosen("balanced", preferred=True) in ("home", "cheap")


@given(energy=st.sampled_from((CLEAN, DIRTY)), field=st.sampled_from(("pue", "grams_co2_per_kwh", "renewable_share", "as_of")))
def test_making_a_figure_unknown_never_raises_a_score(energy: Energy, field: str) -> None:
    told = world()
    jobs = Backlog.of([job(wanted=job_by("green"))])

    def score(of: Offer) -> int:
        offers = {key: replace(value, energy=of.energy) if key.name == "fast" else value for key, value in told.offers.items()}
        only = {key: value for key, value in offers.items() if key.name == "fast"}
        plan, _ = schedule(replace(told, offers=only, backlog=jobs), Memo())
        return plan.assignments[0].verdicts[0].score or 0

    known = replace(offer(), energy=replace(energy, renewable_share=500_000))
    assert score(replace(known, energy=replace(known.energy, **{field: None}))) <= score(known)
