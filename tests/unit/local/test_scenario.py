"""Tests of sampan.local.scenario."""

from pathlib import Path

import pytest
import yaml

from sampan.catalog.catalog import load as load_catalog
from sampan.local.paths import LocalError
from sampan.local.scenario import Scenario, load, packaged

SMALL = {
    "name": "small",
    "tenants": [{"namespace": "team-a"}],
    "members": [{"name": "m", "nodes": [{"name": "n-{}", "capacity": {"cpu": "8"}}]}],
    "providers": [{"name": "p", "namespace": "prov-p"}],
    "offers": [{"name": "o", "provider": "p", "member": "m", "spec": {"region": "cn-east"}}],
}


def written(tmp_path: Path, **changes: object) -> Path:
    """A scenario file with those fields changed."""
    path = tmp_path / "scenario.yaml"
    path.write_text(yaml.safe_dump({**SMALL, **changes}))
    return path


def test_the_demo_shows_whole_devices_partitions_shares_and_claims() -> None:
    assert packaged() == ["demo", "vendors"]
    groups = {group.name: group for member in load("demo").members for group in member.nodes}
    devices = {(name, resource): count for name, group in groups.items() for resource, count in group.capacity.items() if "/" in resource}
    assert devices == {
        ("h100-{}", "nvidia.com/gpu"): "8",
        ("a100-mig-{}", "nvidia.com/gpu"): "0",
        ("a100-mig-{}", "nvidia.com/mig-3g.40gb"): "16",
        ("l40s-hami-{}", "nvidia.com/gpu"): "20",
        ("l40s-hami-{}", "nvidia.com/gpumem"): "92136",
        ("l40s-hami-{}", "nvidia.com/gpucores"): "200",
        ("npu-910b3-{}", "huawei.com/Ascend910"): "8",
        ("npu-a3-east-{}", "huawei.com/Ascend910"): "16",
        ("npu-a3-west-{}", "huawei.com/Ascend910"): "16",
        ("k100ai-{}", "hygon.com/hcu"): "8",
    }
    lingang = load("demo").members[0]
    assert [each["kind"] for each in lingang.objects] == ["DeviceClass", "ResourceSlice"]


def test_every_price_of_the_demo_is_for_a_class_of_the_catalogue() -> None:
    known = load_catalog()
    priced = [price["resource"]["acceleratorClass"] for offer in load("demo").offers for price in offer.spec["prices"]]
    assert len(priced) == 7
    assert [name for name in priced if known.get(name) is None] == []


def test_fewer_members_are_the_first_ones_with_their_offers() -> None:
    cut = load("demo").with_members(1)
    assert [member.name for member in cut.members] == ["lingang"]
    assert [offer.name for offer in cut.offers] == ["lingang-ondemand"]
    assert [provider.name for provider in cut.providers] == ["lingang"]


def test_more_members_come_round_again_under_new_names_with_providers_of_their_own() -> None:
    grown = load("demo").with_members(7)
    assert [member.name for member in grown.members] == [
        "lingang",
        "pengcheng",
        "kunshan",
        "lingang-2",
        "pengcheng-2",
        "kunshan-2",
        "lingang-3",
    ]
    assert len({offer.name for offer in grown.offers}) == 7
    last = grown.offers[-1]
    assert (last.member, grown.provider_of(last).namespace) == ("lingang-3", "prov-lingang-3")
    assert len({provider.namespace for provider in grown.providers}) == 7


def test_a_scenario_survives_being_written_down_and_read_again() -> None:
    demo = load("demo")
    assert type(demo).model_validate(demo.model_dump(by_alias=True)) == demo


@pytest.mark.parametrize(
    ("changes", "want"),
    [
        ({"members": []}, "members"),
        ({"members": [{"name": "Bad_Name", "nodes": []}]}, "members.0.name"),
        ({"members": [{"name": "hub", "nodes": []}]}, "'hub'"),
        ({"offers": [{"name": "o", "provider": "p", "member": "nowhere", "spec": {}}]}, "offers.o"),
        ({"surprise": 1}, "surprise"),
        ({"images": ["image.tar"]}, "no absolute path"),
    ],
)
def test_a_mistake_is_named_with_its_field(tmp_path: Path, changes: dict[str, object], want: str) -> None:
    with pytest.raises(LocalError, match=want):
        load(written(tmp_path, **changes))


def test_a_file_that_is_not_there_or_no_yaml_says_so(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="packaged scenarios are: demo"):
        load("no-such-thing")
    broken = tmp_path / "broken.yaml"
    broken.write_text("a: [")
    with pytest.raises(LocalError, match="no YAML"):
        load(broken)


def test_real_nodes_are_dealt_out_in_turn_and_their_devices_are_priced() -> None:
    plain = load("demo")
    grown = plain.with_real_nodes(4)
    assert {member.name: sum(group.count for group in member.real_nodes) for member in grown.members} == {
        "lingang": 2,
        "pengcheng": 1,
        "kunshan": 1,
    }
    for offer in grown.offers:
        assert "nvidia-a10-24gb" in {price["resource"]["acceleratorClass"] for price in offer.spec["prices"]}
    assert not plain.has_real_nodes
    assert grown.has_real_nodes
    (only,) = [member for member in plain.with_real_nodes(1).members if member.real_nodes]
    assert only.values["pods"] == {"exec": True, "attach": True, "portForward": True}
    assert only.name == "lingang"
    assert plain.with_hub_node().has_real_nodes
    grown = grown.with_hub_node()
    again = Scenario.model_validate(grown.model_dump(by_alias=True))
    assert again == grown
