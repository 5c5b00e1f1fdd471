"""`sampan pools`: one line per pool of every offer."""

import json

import pytest
import yaml

from unit.cli.answers import USABLE, explanation, quotation, refused
from unit.cli.conftest import Sampan
from unit.cli.fakes import FakeApi, a_job, a_pool, an_offer

GOLDEN = """\
OFFER            POOL      CLASS                  VENDOR   DOMESTIC   ARCH    NODES   FREE   DEVICES   CARDS   MEMORY   LARGEST GANG   RESOURCE
prov-a/lingang   h100-x8   nvidia-h100-sxm-80gb   nvidia   no         amd64       4     24        32      32     80Gi   3 x 8          nvidia.com/gpu
prov-a/lingang   cpu       -                      -        -          amd64       2      0         0       -        -   -              -
"""  # noqa: E501 - as wide as it is on a terminal


def test_table(sampan: Sampan, api: FakeApi) -> None:
    cpu = {"name": "cpu", "architecture": "amd64", "nodes": 2, "devices": 0, "free": 0}
    api.objects["clusteroffers"] = [an_offer(pools=[a_pool() | {"cards": 32}, cpu])]
    assert sampan("pools", "-A").stdout == GOLDEN


def test_json_names_the_offer_of_each_pool(sampan: Sampan, api: FakeApi) -> None:
    api.objects["clusteroffers"] = [an_offer(pools=[a_pool()])]
    shown = json.loads(sampan("pools", "-A", "-o", "json").stdout)
    assert shown == [{"offer": {"namespace": "prov-a", "name": "lingang"}, **a_pool()}]


def test_none_is_said_on_stderr(sampan: Sampan, api: FakeApi) -> None:
    api.objects["clusteroffers"] = [an_offer()]
    shown = sampan("pools")
    assert (shown.exit_code, shown.stdout) == (0, "")
    assert "No pools found" in shown.stderr


def test_pools_of_all_namespaces_are_listed_unless_one_is_named(sampan: Sampan, api: FakeApi) -> None:
    api.objects["clusteroffers"] = [an_offer(pools=[a_pool()])]
    assert "h100-x8" in sampan("pools").stdout
    assert "h100-x8" not in sampan("pools", "-n", "team-a").stdout


def test_what_is_in_no_pool_is_told_with_the_cause(sampan: Sampan, api: FakeApi) -> None:
    offer = an_offer(pools=[a_pool()])
    offer["status"]["excludedNodes"] = [
        {"cause": "Cordoned", "vendor": "nvidia", "nodes": 1, "devices": 8, "example": "n4", "detail": "why"}
    ]
    api.objects["clusteroffers"] = [offer]
    last = sampan("pools").stdout.splitlines()[-3:]
    assert last[0] == "In no pool:"
    assert last[2].split() == ["prov-a/lingang", "Cordoned", "nvidia", "1", "8", "n4", "why"]


def test_why_tells_each_pool_on_its_own_for_a_job_that_is_there(sampan: Sampan, api: FakeApi) -> None:
    api.answer = explanation(USABLE, refused("b", "TooLarge"), refused("c", "TooLarge"))
    shown = sampan("pools", "--why", "train", "-n", "team-a").stdout
    assert shown.count("TooLarge needed") == 2
    assert api.asked == [("team-a", {"name": "train"})]


def test_why_of_a_file_is_a_quote(sampan: Sampan, api: FakeApi) -> None:
    api.answer = quotation(USABLE)
    shown = sampan("pools", "--why", "-f", "-", "-o", "json", text=yaml.safe_dump(a_job()))
    assert json.loads(shown.stdout) == [USABLE]
    assert api.asked[0][1]["kind"] == "Quote"


@pytest.mark.parametrize("arguments", [("--why",), ("--why", "train", "-f", "-")], ids=["neither", "both"])
def test_why_is_of_one_job(sampan: Sampan, api: FakeApi, arguments: tuple[str, ...]) -> None:
    assert sampan("pools", *arguments, text="").exit_code == 2
    assert api.asked == []
