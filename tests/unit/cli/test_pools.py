"""`sampan pools`: one line per pool of every offer."""

import json

from unit.cli.conftest import Sampan
from unit.cli.fakes import FakeApi, a_pool, an_offer

GOLDEN = """\
OFFER            POOL      CLASS                  VENDOR   DOMESTIC   ARCH    NODES   FREE   DEVICES   MEMORY   LARGEST GANG   RESOURCE
prov-a/lingang   h100-x8   nvidia-h100-sxm-80gb   nvidia   no         amd64       4     24        32     80Gi   3 x 8          nvidia.com/gpu
prov-a/lingang   cpu       -                      -        -          amd64       2      0         0        -   -              -
"""  # noqa: E501 - as wide as it is on a terminal


def test_table(sampan: Sampan, api: FakeApi) -> None:
    cpu = {"name": "cpu", "architecture": "amd64", "nodes": 2, "devices": 0, "free": 0}
    api.objects["clusteroffers"] = [an_offer(pools=[a_pool(), cpu])]
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
