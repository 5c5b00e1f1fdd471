"""Names, labels and kinds that follow from what is sent to a member."""

import pytest

from remote_specs import CASES, cpu_only, gang, remote_spec, sweep, volumes
from sampan.api.launch.travelling import TravelKind

SHARED = {
    "template": {
        "image": "a:1",
        "volumes": [
            {"name": "a", "configMap": {"name": "x", "optional": True}},
            {"name": "b", "configMap": {"name": "y", "optional": True}},
            {"name": "c", "configMap": {"name": "x"}},
            {"name": "d", "secret": {"secretName": "x"}},
        ],
    }
}


def test_names_fit_a_label_and_differ() -> None:
    c = remote_spec(SHARED)
    got = [c.name, c.renamed(TravelKind.CONFIG_MAP, "x"), c.renamed(TravelKind.CONFIG_MAP, "y"), c.renamed(TravelKind.SECRET, "x")]
    assert len(set(got)) == 4
    assert all(len(name) <= 63 and name.startswith("sj-") for name in got)
    with pytest.raises(ValueError, match="not in list"):
        c.renamed(TravelKind.CONFIG_MAP, "z")


def test_kinds() -> None:
    assert [c.networked for c in (cpu_only(), gang(), sweep())] == [False, True, False]
    assert [c.sweep for c in (cpu_only(), gang(), sweep())] == [False, False, True]
    assert [c.has_dependents for c in (cpu_only(), gang(), sweep(), volumes())] == [False, True, False, True]


@pytest.mark.parametrize("change", [{"attempt": 0}, {"replicas": 0}])
def test_counts_begin_at_one(change: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="count from 1"):
        remote_spec({"template": {"image": "a:1"}}, **change)


@pytest.mark.parametrize("name", CASES)
def test_equal_specs_are_equal(name: str) -> None:
    assert CASES[name] == CASES[name]
    assert CASES[name] != CASES["cpu-only" if name != "cpu-only" else "sweep"]
