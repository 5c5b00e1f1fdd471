"""Label selectors at the border: values with In and NotIn only, keys and values bounded."""

import pytest

from sampan.api.fields.selector import LabelSelector
from unit.api.rule_check import accepts, refuses

GOOD = [
    {},
    {"matchLabels": {"tier": "gold", "example.com/rack": ""}},
    {"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}, {"key": "a", "operator": "NotIn", "values": ["c", "d"]}]},
    {"matchExpressions": [{"key": "a", "operator": "Exists"}, {"key": "b", "operator": "DoesNotExist"}]},
]
BAD = [
    ({"matchExpressions": [{"key": "a", "operator": "In"}]}, "matchExpressions[0]: values must be given"),
    ({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": []}]}, "values must be given"),
    ({"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["b"]}]}, "must be absent with Exists"),
    ({"matchExpressions": [{"key": "a", "operator": "Gt", "values": ["1"]}]}, "matchExpressions[0].operator"),
    ({"matchLabels": {"a b": "c"}}, "matchLabels"),
    ({"matchLabels": {"a": '"} or up{x="'}}, "matchLabels"),
    ({"matchLabels": {f"k{i}": "v" for i in range(33)}}, "matchLabels"),
]


@pytest.mark.parametrize("raw", GOOD)
def test_good_selectors(raw: dict[str, object]) -> None:
    accepts(LabelSelector, raw)


@pytest.mark.parametrize(("raw", "want"), BAD)
def test_bad_selectors(raw: dict[str, object], want: str) -> None:
    refuses(LabelSelector, raw, want)
