"""`sampan offers`: one line per offer, and why it cannot be used."""

import json

import pytest

from sampan.cli.verbs.offers import blocking
from sampan.client.access.hub import Object
from unit.cli.conftest import Sampan
from unit.cli.fakes import FakeApi, a_pool, an_offer, api_error

GOLDEN = """\
NAMESPACE   NAME      REGION    JURISDICTION   TERMS      ACCEPTING   SCHEDULABLE   FREE   DEVICES   REASON
prov-a      broken    cn-east   CN             OnDemand   yes         False            0         0   Connected=False InvalidKubeconfig: ExecNotAllowed
prov-a      lingang   cn-east   CN             OnDemand   yes         True            32        64
"""  # noqa: E501 - as wide as it is on a terminal


def test_table(sampan: Sampan, api: FakeApi) -> None:
    broken = [
        {"type": "Schedulable", "status": "False", "reason": "NotConnected"},
        {"type": "Connected", "status": "False", "reason": "InvalidKubeconfig", "message": "ExecNotAllowed"},
        {"type": "Approved", "status": "True"},
    ]
    api.objects["clusteroffers"] = [an_offer(pools=[a_pool(), a_pool("b", free=8)]), an_offer("broken", conditions=broken)]
    shown = sampan("offers", "-A")
    assert shown.exit_code == 0
    assert shown.stdout == GOLDEN


def test_json_is_the_objects(sampan: Sampan, api: FakeApi) -> None:
    api.objects["clusteroffers"] = [an_offer()]
    assert json.loads(sampan("offers", "-A", "-o", "json").stdout)["items"] == [an_offer()]


def test_none_is_said_on_stderr(sampan: Sampan, api: FakeApi) -> None:
    shown = sampan("offers")
    assert (shown.exit_code, shown.stdout) == (0, "")
    assert "No offers found" in shown.stderr


def test_offers_of_all_namespaces_are_listed_unless_one_is_named(sampan: Sampan, api: FakeApi) -> None:
    api.objects["clusteroffers"] = [an_offer()]
    assert "lingang" in sampan("offers").stdout
    assert "lingang" not in sampan("offers", "-n", "team-a").stdout
    assert "lingang" in sampan("offers", "-n", "prov-a").stdout


@pytest.mark.parametrize("verb", ["offers", "pools"])
def test_who_may_not_list_all_offers_gets_those_of_the_own_namespace(sampan: Sampan, api: FakeApi, verb: str) -> None:
    mine = an_offer("mine", pools=[a_pool()])
    mine["metadata"]["namespace"] = "team-a"
    api.objects["clusteroffers"] = [an_offer(), mine]
    api.everywhere_error = api_error(403, "cannot list at the cluster scope", kind="clusteroffers")
    shown = sampan(verb)
    assert shown.exit_code == 0
    assert "mine" in shown.stdout
    assert "Offers of namespace team-a only" in shown.stderr
    api.list_error = api.everywhere_error
    refused = sampan(verb)
    assert (refused.exit_code, "sampan-offer-reader" in refused.stderr) == (1, True)


@pytest.mark.parametrize(
    ("conditions", "want"),
    [
        ([], "not seen by the operator yet"),
        ([{"type": "Approved", "status": "Unknown"}], "Approved=Unknown"),
        ([{"type": "Approved", "status": "True"}], ""),
        ([{"type": "Approved", "status": "False", "reason": "RegionNotGranted"}], "Approved=False RegionNotGranted"),
    ],
)
def test_blocking(conditions: list[Object], want: str) -> None:
    assert blocking(an_offer(conditions=conditions)) == want
