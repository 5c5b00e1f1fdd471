"""The index is what a walk over all jobs would find."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from jobs import OFFER, binding
from sampan.api.status.job_status import Binding
from sampan.controller.state.bindings import BindingIndex
from sampan.model.members.offer import OfferKey

OTHER = OfferKey("prov-b", "other")
KINDS = [None, binding(), replace(binding(), cluster_uid="c-2"), replace(binding(), offer=OTHER), binding(attempt=2)]
STEPS = st.lists(st.tuples(st.sampled_from(["u1", "u2", "u3"]), st.sampled_from(KINDS)), max_size=30)


@given(STEPS)
def test_it_finds_what_a_walk_would_find(steps: list[tuple[str, Binding | None]]) -> None:
    index, jobs = BindingIndex(), dict[str, Binding | None]()
    for uid, bound in steps:
        index.update(uid, bound)
        jobs[uid] = bound
    for cluster in ("c-1", "c-2", "c-3"):
        assert sorted(index.of_member(cluster)) == sorted(uid for uid, bound in jobs.items() if bound and bound.cluster_uid == cluster)
    for offer in (OFFER, OTHER):
        assert sorted(index.of_offer(offer)) == sorted(uid for uid, bound in jobs.items() if bound and bound.offer == offer)
