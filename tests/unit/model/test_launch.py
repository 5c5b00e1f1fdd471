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


def test_without_a_word_of_the_offer_restricted_pods_have_one_user_and_others_the_images_own() -> None:
    strict, loose = Launch(), Launch(pod_security=PodSecurity.BASELINE)
    assert [strict.admits_user(asked) for asked in (None, 1000, 1001, 0)] == [True, True, False, False]
    assert [loose.admits_user(asked) for asked in (None, 1000, 1001, 0)] == [True] * 4
    assert (strict.user(None), loose.user(None), loose.user(33)) == (1000, None, 33)


def test_an_offer_says_as_whom_jobs_may_run() -> None:
    range_of = Launch(users=(2000, 3000))
    assert [range_of.admits_user(asked) for asked in (None, 1999, 2000, 3000, 3001)] == [True, False, True, True, False]
    assert (range_of.user(None), range_of.user(2500)) == (2000, 2500)
    assert Launch(users=(0, 500)).user(None) == 500
    assert Launch(users=(0, 65535)).user(None) == 1000
    assert CLASS.under(range_of).users == range_of.under(CLASS).users == (2000, 3000)


def test_root_needs_a_looser_level_than_restricted() -> None:
    any_user = Launch(users=(0, 65535))
    assert (any_user.security_of(None), any_user.security_of(7)) == (PodSecurity.RESTRICTED, PodSecurity.RESTRICTED)
    assert any_user.security_of(0) is PodSecurity.BASELINE
    assert Launch(users=(0, 0)).security_of(None) is PodSecurity.BASELINE
    assert CLASS.security_of(0) is PodSecurity.PRIVILEGED


def test_no_word_changes_nothing() -> None:
    assert CLASS.under(None) == CLASS == CLASS.under(Launch())


def test_a_strict_namespace_refuses_what_a_loose_one_admits() -> None:
    assert PodSecurity.PRIVILEGED.allows(PodSecurity.RESTRICTED)
    assert PodSecurity.BASELINE.allows(PodSecurity.BASELINE)
    assert not PodSecurity.RESTRICTED.allows(PodSecurity.BASELINE)
