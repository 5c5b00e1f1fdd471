"""Names of pools: what people recognise, and never a name that moves from one pool to another."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from sampan.model.launch import NO_LAUNCH
from sampan.model.members.accelerator import Sharing
from sampan.model.members.cluster import Pool
from sampan.model.values.vector import Vector

CPU_POOL: Final = "cpu"
_NOT_A_NAME: Final = re.compile(r"[^a-z0-9]+")


def base_name(pool: Pool) -> str:
    """Return a name that people recognise: `h100-sxm-80gb-x8`, `cpu`, `unknown-npu-x8`; what is unusual is said."""
    parts = [CPU_POOL]
    if pool.resource:
        short = pool.accelerator.name.removeprefix(f"{pool.vendor}-") if pool.accelerator else f"unknown-{pool.resource.partition('/')[2]}"
        mode = pool.profile if pool.profile else "" if pool.sharing is Sharing.WHOLE else pool.sharing.lower()
        parts = [short, mode, f"x{pool.devices_per_node}"]
    if pool.architecture != "amd64":
        parts.append(pool.architecture)
    return _NOT_A_NAME.sub("-", "-".join(part for part in parts if part).lower()).strip("-")[:50]


def name_of(pool: Pool, bases: Mapping[str, int]) -> str:
    """Return the base name; where several pools share it, each gets a suffix of its own, so that no name ever moves to another pool."""
    base = base_name(pool)
    if bases[base] == 1:
        return base
    # the rule tells caps apart; what was found about nodes, or said about launching, must not move a name
    same = replace(pool, name="", cluster_uid="", nodes=(), domains=(), accelerator=None, max_devices=None)
    kind = replace(same, launch=NO_LAUNCH, overhead=Vector(), runtime_missing=False, driver="", compute_capability="", member_queue="")
    told = f"{pool.accelerator.name if pool.accelerator else ''} {kind!r}"
    return f"{base}-{hashlib.sha256(told.encode()).hexdigest()[:6]}"
