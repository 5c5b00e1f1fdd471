"""Tolerations match as kube-scheduler matches them."""

import pytest

from sampan.model.members.taint import Taint, Toleration

SPOT = Taint("cloud.google.com/gke-spot", "true", "NoSchedule")


@pytest.mark.parametrize(
    ("toleration", "want"),
    [
        (Toleration(SPOT.key), True),
        (Toleration(SPOT.key, "true"), True),
        (Toleration(SPOT.key, "true", "NoSchedule"), True),
        (Toleration(SPOT.key, None, "NoExecute"), False),
        (Toleration(SPOT.key, "false"), False),
        (Toleration(SPOT.key, ""), False),
        (Toleration("cloud.google.com/gke"), False),
        (Toleration(""), True),
    ],
)
def test_key_value_and_effect_must_match(toleration: Toleration, want: bool) -> None:
    assert toleration.tolerates(SPOT) is want


def test_a_taint_is_shown_as_kubectl_writes_it() -> None:
    assert [str(SPOT), str(Taint("a", "", "NoExecute"))] == ["cloud.google.com/gke-spot=true:NoSchedule", "a:NoExecute"]
