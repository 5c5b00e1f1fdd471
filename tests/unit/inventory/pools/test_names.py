"""Names of pools: readable, and never moving from one pool to another."""

from collections import Counter
from dataclasses import replace

from builders import pool
from sampan.inventory.pools.names import base_name, name_of
from sampan.model.launch import Launch
from sampan.model.members.accelerator import Sharing


def test_partitions_show_their_profile_and_shares_their_mode() -> None:
    assert base_name(replace(pool(), sharing=Sharing.PARTITION, profile="1g.10gb", devices_per_node=56)) == "h100-sxm-80gb-1g-10gb-x56"
    assert base_name(replace(pool(), sharing=Sharing.VIRTUAL)) == "h100-sxm-80gb-virtual-x8"


def test_a_shared_name_gets_a_suffix_that_how_pods_run_cannot_move() -> None:
    bases = Counter({"h100-sxm-80gb-x8": 2})
    told = name_of(pool(), bases)
    assert told.startswith("h100-sxm-80gb-x8-")
    assert name_of(replace(pool(), launch=Launch(scheduler_name="volcano"), driver="570", member_queue="a/b"), bases) == told
    assert name_of(replace(pool(), publisher="hami"), bases) != told
