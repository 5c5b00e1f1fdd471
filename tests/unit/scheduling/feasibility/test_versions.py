"""Dotted versions number by number."""

import pytest

from sampan.scheduling.feasibility.versions import new_enough, version_key


@pytest.mark.parametrize(
    ("have", "need", "want"),
    [
        ("550.54.15", "550", True),
        ("550", "550.0", True),
        ("9.10", "9.9", True),
        ("535.1", "550", False),
        ("", "1", False),
        ("", "", True),
        ("550.54-server", "550.54", True),
    ],
)
def test_what_is_not_told_is_not_enough(have: str, need: str, want: bool) -> None:
    assert new_enough(have, need) is want


def test_zeros_at_the_end_make_no_difference() -> None:
    assert version_key("550.0.0") == version_key("550")
