"""Device values: two publications of the same thing are equal, and domains are told apart by kind too."""

from dataclasses import replace

from sampan.model.members.device import DeviceGroup, Fabric


def test_like_groups_are_equal_and_any_field_tells_them_apart() -> None:
    group = DeviceGroup(resource="nvidia.com/gpu", devices=8, vendor="nvidia", accelerator_class="nvidia-h100-sxm-80gb")
    assert hash(replace(group)) == hash(group)
    assert replace(group, fabric=Fabric(kind="NVLink", domain="a.1")) != group
    assert replace(group, profile="1g.10gb") != group


def test_domains_of_one_name_but_two_kinds_differ() -> None:
    assert Fabric("NVLink", "1") != Fabric("Rack", "1")
    assert sorted([Fabric("Rack", "1"), Fabric("NVLink", "2")])[0].kind == "NVLink"
