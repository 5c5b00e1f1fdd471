"""Launch recipes: the last word wins field by field, and nothing is lost that nobody replaced."""

from sampan.model.launch import HostPath, Launch, PodSecurity
from sampan.model.values.vector import Vector

CLASS = Launch(
    env=(("A", "1"), ("B", "1")),
    host_paths=(HostPath(path="/opt/hyhal", mount_path="/opt/hyhal"),),
    supplemental_groups=(39,),
    pod_security=PodSecurity.PRIVILEGED,
    backend="nccl",
)
OFFER = Launch(scheduler_name="volcano", env=(("B", "2"),), extra_resources=Vector((("rdma/hca", 1),)), supplemental_groups=(44,))


def test_the_offer_has_the_last_word_and_the_class_keeps_the_rest() -> None:
    merged = CLASS.under(OFFER)
    assert merged.env == (("A", "1"), ("B", "2"))
    assert (merged.scheduler_name, merged.backend, merged.supplemental_groups) == ("volcano", "nccl", (39, 44))
    assert merged.host_paths == CLASS.host_paths
    assert merged.extra_resources["rdma/hca"] == 1


def test_the_looser_level_that_either_needs_is_needed() -> None:
    assert CLASS.under(OFFER).pod_security is PodSecurity.PRIVILEGED
    assert OFFER.under(CLASS).pod_security is PodSecurity.PRIVILEGED


def test_no_word_changes_nothing() -> None:
    assert CLASS.under(None) == CLASS == CLASS.under(Launch())


def test_a_strict_namespace_refuses_what_a_loose_one_admits() -> None:
    assert PodSecurity.PRIVILEGED.allows(PodSecurity.RESTRICTED)
    assert PodSecurity.BASELINE.allows(PodSecurity.BASELINE)
    assert not PodSecurity.RESTRICTED.allows(PodSecurity.BASELINE)
