"""Whether a node takes another pod at all."""

import pytest

from builders import H100, cluster, node, vector
from sampan.inventory.pools.node_room import hindrances, usable
from sampan.model.members.accelerator import Sharing


@pytest.mark.parametrize(
    ("used", "want"),
    [
        (vector(4, 16, 2), ()),
        (vector(4, 16, 3), ("no pod slot is free: 3 of 3 are taken",)),
        (vector(8, 16, 1), ("no cpu is free",)),
        (vector(8, 32, 3), ("no pod slot is free: 3 of 3 are taken", "no cpu is free", "no memory is free")),
    ],
)
def test_what_keeps_pods_away(used: object, want: tuple[str, ...]) -> None:
    held = cluster(node(accelerator=H100, cpu=8, gib=32, pods=3), used={"n1": used})  # type: ignore[dict-item]
    assert hindrances(held, "n1") == want
    assert usable(8, held, "n1", sharing=Sharing.WHOLE) == (0 if want else 8)
    assert usable(8, held, "n1", sharing=Sharing.PARTITION) == (0 if want else 1)
