"""What a pod holds of devices, as the programs that hand them out write it on the pod. Never what a pod asks for, and no node.

Text of strangers: everything is bounded, and what is no record is passed over.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from sampan.model.members.cluster import CardUse
from sampan.model.members.device import MAX_DEVICES_PER_NODE

MOST_TEXT: Final = 262_144
"""Characters of an annotation that are read: Kubernetes allows a whole object's annotations no more."""

_HAMI: Final = re.compile(r"hami\.io/[A-Za-z0-9._-]{1,63}-(?:devices-)?allocated")
_VOLCANO: Final = "volcano.sh/vgpu-ids-new"
_ASCEND: Final = ("huawei.com/AscendReal", "huawei.com/kltDev", "huawei.com/Ascend910", "huawei.com/Ascend310P", "huawei.com/npu")
"""What the device plugin gave, what kubelet took it for, what Volcano chose: the first that is there is believed."""

_NUMBER: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
_DEVICE: Final = re.compile(r"(?:Ascend[0-9A-Za-z]{1,8}|npu)-([0-9]{1,4})(?:c-[0-9]+-[0-9]+)?", re.ASCII)
_MIB: Final = 2**20
_FIELDS: Final = 4


def allocated_cards(annotations: Mapping[str, str]) -> tuple[tuple[str, CardUse], ...]:
    """Return what a pod holds of cards that are handed out in shares, by card id in order; nothing for a pod that holds none.

    Records of HAMi (`hami.io/<kind>-devices-allocated`) and of Volcano's vGPU plugin: `id,type,MiB,percent:` for each device,
    `;` after each container. Each record is one slot of its card.
    """
    sums: dict[str, tuple[int, int, int]] = {}
    for key in sorted(annotations):
        if key == _VOLCANO or _HAMI.fullmatch(key):
            for card, memory, cores in _records(annotations[key]):
                before = sums.get(card, (0, 0, 0))
                sums[card] = (before[0] + memory, before[1] + cores, before[2] + 1)
    return tuple((card, CardUse(memory=memory, cores=cores, slots=slots)) for card, (memory, cores, slots) in sorted(sums.items()))


def allocated_devices(annotations: Mapping[str, str]) -> tuple[str, ...]:
    """Return the devices of an Ascend node that a pod holds, such as `Ascend910-5`, in order of their numbers; empty: not told."""
    for key in _ASCEND:
        named = {text.strip() for text in annotations.get(key, "")[:MOST_TEXT].split(",", MAX_DEVICES_PER_NODE)}
        told = [(int(match[1]), name) for name in named if (match := _DEVICE.fullmatch(name))]
        if told:
            return tuple(name for _, name in sorted(told))
    return ()


def allocated_rings(devices: Iterable[str], rings: tuple[int, ...]) -> tuple[int, ...]:
    """Return how many of these devices lie in each ring; `rings` are the sizes in order of device numbers.

    A device beyond the last ring is passed over: it is not of this node's list.
    """
    taken = [0] * len(rings)
    for device in devices:
        match = _DEVICE.fullmatch(device)
        number, ring = int(match[1]) if match else -1, 0
        while number >= 0 and ring < len(rings):
            if number < rings[ring]:
                taken[ring] += 1
                break
            number, ring = number - rings[ring], ring + 1
    return tuple(taken)


def _records(text: str) -> Iterable[tuple[str, int, int]]:
    """Yield (card, bytes, percent) for every record that can be read."""
    for record in re.split("[:;]", text[:MOST_TEXT], maxsplit=4 * MAX_DEVICES_PER_NODE):
        fields = record.split(",", _FIELDS)
        card = fields[0].partition("[")[0].strip()  # a MIG instance: id[template-position]
        if len(fields) >= _FIELDS and card and _NUMBER.fullmatch(fields[2]) and _NUMBER.fullmatch(fields[3]):
            yield card[:256], int(fields[2]) * _MIB, int(fields[3])
