"""Amounts of resources as people write them."""

from sampan.model.members.admission import LIMITS
from sampan.model.values.quantity import format_bytes
from sampan.model.values.vector import CPU, MEMORY, STORAGE


def amount_words(name: str, amount: int) -> str:
    """Return an amount of a resource as people write it: `4 cpu`, `64Gi memory`, `8 nvidia.com/gpu`."""
    if name == CPU:
        return f"{amount // 1000}{f'.{amount % 1000:03d}'.rstrip('0') if amount % 1000 else ''} cpu"
    plain, kind = name.removeprefix(LIMITS), "limit of " if name.startswith(LIMITS) else ""
    if kind and plain in (CPU, MEMORY, STORAGE):
        return kind + amount_words(plain, amount)
    if name.startswith("count/"):
        return f"{amount} {name.removeprefix('count/').partition('.')[0]}"
    if name in (MEMORY, STORAGE):
        return f"{format_bytes(amount // 2**20 * 2**20) if amount >= 2**20 else amount} {name}"
    return f"{amount} {name}"
