"""How a part of one card is asked for: amounts of memory and compute beside the card's own resource.

Lives here: names and units of the companions that publishers of shared cards read (Project-HAMi/HAMi, charts and pkg/device; Volcano's
vGPU plugin). Where a publisher's unit depends on how it was started (Cambricon, Enflame, AMD), there is no entry: nothing is guessed.
Must never live here: which cards have room.
"""

import re
from dataclasses import dataclass
from typing import Final

from sampan.model.job import Share

MIB: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Companions:
    resource: re.Pattern[str]
    memory: str
    """Replacement of the pattern that names the memory companion."""
    unit: int = MIB
    """Bytes of one unit of it."""
    cores: str = ""
    per_card: int = 100
    """Units of the compute companion that are a whole card."""


_KNOWN: Final = (
    _Companions(resource=re.compile(r"nvidia\.com/gpu"), memory="nvidia.com/gpumem", cores="nvidia.com/gpucores"),
    _Companions(resource=re.compile(r"volcano\.sh/vgpu-number"), memory="volcano.sh/vgpu-memory", cores="volcano.sh/vgpu-cores"),
    _Companions(resource=re.compile(r"(huawei\.com/Ascend(?:910A|910B[1-4](?:-1)?|910C|310P))"), memory=r"\1-memory", cores=r"\1-core"),
    _Companions(resource=re.compile(r"hygon\.com/([dh]cu)num"), memory=r"hygon.com/\1mem", cores=r"hygon.com/\1cores"),
    _Companions(resource=re.compile(r"(iluvatar\.ai/[A-Z]{2}-V\d+)-vgpu"), memory=r"\1.vMem", unit=256 * MIB, cores=r"\1.vCore"),
    _Companions(
        resource=re.compile(r"mthreads\.com/vgpu"),
        memory="mthreads.com/sgpu-memory",
        unit=512 * MIB,
        cores="mthreads.com/sgpu-core",
        per_card=16,
    ),
    _Companions(
        resource=re.compile(r"metax-tech\.com/sgpu"), memory="metax-tech.com/vmemory", unit=1024 * MIB, cores="metax-tech.com/vcore"
    ),
    _Companions(resource=re.compile(r"kunlunxin\.com/vxpu"), memory="kunlunxin.com/vxpu-memory"),
)


def companions(resource: str, share: Share) -> dict[str, int] | None:
    """Return what is asked for beside one unit of a shared card's resource, rounded up to whole units.

    None where this publisher takes no such share, or nobody knows in what unit.
    """
    for known in _KNOWN:
        if (match := known.resource.fullmatch(resource)) is None:
            continue
        amounts = {match.expand(known.memory): -(-share.memory // known.unit)}
        if not share.compute_percent:
            return amounts
        return {**amounts, match.expand(known.cores): -(-share.compute_percent * known.per_card // 100)} if known.cores else None
    return None
