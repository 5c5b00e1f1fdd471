"""A message says again what its refusal said: what is equal is not written twice, and what is not is."""

import pytest

from builders import demand, job, requirement, shape
from sampan.controller.hub.refusal_facts import facts_in, facts_of
from sampan.model.plan import Refusal, UnknownName
from sampan.model.reason import Reason
from sampan.scheduling.answers.wording import headline

SLIPS = (
    UnknownName(index=0, word="class", name="h1000", nearest="h100"),
    UnknownName(index=0, word="vendor", name="nvida"),
)


def refusal(*unknown: UnknownName, room: int | None = None, pools: int = 1) -> Refusal:
    wanted = shape(demand(requirement("h1000", vendor="nvida")), demand(requirement(), alternative=1))
    counts = {Reason.ACCELERATOR_MISMATCH: pools, Reason.INSUFFICIENT_CAPACITY: 2}
    return Refusal(job=job(wanted=wanted), counts=counts, unknown=unknown, room=room)


@pytest.mark.parametrize("unknown", [(), SLIPS[:1], SLIPS[1:], SLIPS], ids=["all known", "a class", "a vendor", "both"])
def test_a_message_says_what_its_refusal_does_whatever_its_numbers(unknown: tuple[UnknownName, ...]) -> None:
    told = facts_in(f"{headline(refusal(*unknown))}; starts by then at the latest")
    assert told == facts_of(refusal(*unknown)) == facts_of(refusal(*unknown, room=3, pools=9))
    assert {"AcceleratorMismatch", "InsufficientCapacity"} <= told
    assert len(told) == 2 + len(unknown)


def test_a_name_that_came_to_be_known_is_another_fact() -> None:
    assert facts_of(refusal(*SLIPS)) != facts_of(refusal(*SLIPS[:1])) != facts_of(refusal())
    assert facts_of(Refusal(job=job(), counts={})) == facts_in("no pool fits: no offer that is open to jobs of this namespace has one")
