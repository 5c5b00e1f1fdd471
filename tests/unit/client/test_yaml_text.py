"""What Kubernetes' tools take for text is text."""

import pytest
import yaml

from sampan.client.yaml_text import KubeLoader, StrictLoader


def test_dates_and_times_of_day_are_text_and_numbers_are_numbers() -> None:
    text = "a: 2024-01-01\nb: 2024-01-01T10:00:00Z\nc: 12:30\nd: 12:30:45.5\ne: 12\nf: 0x1F\ng: 1.5\nh: true\ni: ~\nj: 1_000\nk: .inf\n"
    want = ["2024-01-01", "2024-01-01T10:00:00Z", "12:30", "12:30:45.5", 12, 31, 1.5, True, None, 1000, float("inf")]
    assert list(yaml.load(text, Loader=KubeLoader).values()) == want
    assert yaml.safe_load("c: 12:30") == {"c": 750}, "why there is a loader of our own"


def test_a_key_twice_is_an_error_only_where_that_is_asked_for() -> None:
    assert yaml.load("a: 1\na: 2", Loader=KubeLoader) == {"a": 2}
    with pytest.raises(yaml.YAMLError, match="key 'a' is given twice"):
        yaml.load("a: 1\na: 2", Loader=StrictLoader)
    assert yaml.load("x: &x {a: 1}\ny: {<<: *x, a: 2}", Loader=StrictLoader)["y"] == {"a": 2}


def test_no_tag_makes_an_object() -> None:
    with pytest.raises(yaml.YAMLError):
        yaml.load("!!python/object/apply:os.system [id]", Loader=StrictLoader)
