"""By what names a demand asks for devices, and by what those of a pool can be asked for. No figures and no room here.

Devices of which no class is told have no class name, but a vendor, its software stack, a resource name, and at times a family.
"""

from sampan.model.job import Requirement
from sampan.model.members.cluster import Pool
from sampan.model.members.device import UNKNOWN_VENDOR


def named(need: Requirement, pool: Pool) -> bool:
    """Tell whether the devices of a pool are what a demand names: where no class is told, by what is known all the same."""
    have = pool.accelerator
    told = (have.name, have.family, have.vendor, have.stack) if have else (None, pool.family, pool.vendor, pool.stack)
    if have is None and pool.vendor == UNKNOWN_VENDOR and need.vendor is not None:
        return False
    wanted = (need.accelerator_class, need.family, need.vendor, need.stack)
    return need.resource in (None, pool.resource) and all(want is None or want == has for want, has in zip(wanted, told, strict=True))


def names_of(need: Requirement) -> set[tuple[str, str]]:
    """Return what a demand names of its devices, as (word of the manifest, name)."""
    named = (
        ("class", need.accelerator_class),
        ("family", need.family),
        ("vendor", need.vendor),
        ("stack", need.stack),
        ("resource", need.resource),
    )
    return {(word, name) for word, name in named if name is not None}


def names_in(pool: Pool) -> set[tuple[str, str]]:
    """Return by what the devices of a pool can be named: where no class is told, by what is known all the same."""
    have = pool.accelerator
    told = {
        "class": have.name if have else "",
        "family": have.family if have else pool.family,
        "vendor": have.vendor if have else pool.vendor if pool.vendor != UNKNOWN_VENDOR else "",
        "stack": have.stack if have else pool.stack,
        "resource": pool.resource,
    }
    return {(word, name) for word, name in told.items() if name}
