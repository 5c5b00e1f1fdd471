"""Names on members: the same forever for one job, different for any other, and valid for what Kubernetes appends."""

import re

from hypothesis import given
from hypothesis import strategies as st

from sampan.model.values.names import LABEL_ATTEMPT, remote_labels, remote_name

TEXT = st.text(max_size=20)


def test_the_name_never_changes() -> None:
    assert remote_name("hub", "job") == "sj-ggyywpkyruvdni6n3wh77uxd5g"


@given(TEXT, TEXT)
def test_names_are_dns_labels_with_room_for_a_pod(hub: str, job: str) -> None:
    name = remote_name(hub, job)
    assert re.fullmatch(r"sj-[a-z2-7]{26}", name)
    assert len(f"{name}-9999-abcde") <= 63


@given(TEXT, TEXT, TEXT, TEXT)
def test_no_join_of_other_texts_gives_the_same_name(a: str, b: str, c: str, d: str) -> None:
    assert (remote_name(a, b) == remote_name(c, d)) == ((a, b) == (c, d))


def test_labels_are_valid_values() -> None:
    labels = remote_labels(hub_id="hub", job_uid="6e1c", attempt=3)
    assert labels[LABEL_ATTEMPT] == "3"
    assert all(re.fullmatch(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?", value) for value in labels.values())
