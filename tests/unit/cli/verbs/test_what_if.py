"""`sampan what-if`: the same question of another world."""

import pytest
import yaml

from unit.cli.answers import USABLE, quotation, refused
from unit.cli.conftest import Sampan
from unit.cli.fakes import FakeApi, a_job

JOB = yaml.safe_dump(a_job())
ADDED = {"addNodes": {"offer": {"namespace": "prov-a", "name": "lingang"}, "pool": "h100-x8", "count": 2}}


@pytest.mark.parametrize(
    ("arguments", "want", "title"),
    [
        (("--add-nodes", "prov-a/lingang/h100-x8=2"), ADDED, "With 2 more nodes in prov-a/lingang/h100-x8: no pool"),
        (("--without", "prov-a/lingang"), {"withoutOffer": ADDED["addNodes"]["offer"]}, "Without prov-a/lingang: no pool"),
    ],
    ids=["more nodes", "without an offer"],
)
def test_both_worlds_are_shown(sampan: Sampan, api: FakeApi, arguments: tuple[str, ...], want: object, title: str) -> None:
    api.answer = quotation(USABLE, after=[refused("b", "TooLarge")])
    shown = sampan("what-if", "-f", "-", *arguments, text=JOB).stdout
    assert "As it is: pool h100-x8 of prov-a/lingang, score 70" in shown
    assert title in shown
    assert api.asked[0][1]["spec"]["whatIf"] == want


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--without", "a/b", "--add-nodes", "a/b/c=1"),
        ("--add-nodes", "a/b=1"),
        ("--add-nodes", "a/b/c=0"),
        ("--add-nodes", "a/b/c=x"),
        ("--add-nodes", "c=1"),
        ("--add-nodes", "/b/c=1"),
        ("--add-nodes", "a//c=1"),
        ("--add-nodes", "a/b/c/d=1"),
        ("--without", "b"),
        ("--without", "a/b/c"),
    ],
    ids=" ".join,
)
def test_a_change_that_cannot_be_is_a_usage_error(sampan: Sampan, api: FakeApi, arguments: tuple[str, ...]) -> None:
    shown = sampan("what-if", "-f", "-", *arguments, text=JOB)
    assert shown.exit_code == 2
    assert api.asked == []
    if len(arguments) == 2:
        assert f"{' '.join(arguments)}: want NAMESPACE/OFFER" in shown.stderr
        assert "`sampan pools --why -f FILE` lists offers and pools" in shown.stderr
