"""What a binding says its queue is charged: at first for the span that was declared, at its end for the one it took. Pure."""

from collections.abc import Mapping
from typing import Any

from sampan.model.values.quantity import format_micro, parse_micro


def corrected(binding: Mapping[str, Any], seconds: int) -> dict[str, Any]:
    """Return `status.binding` with `use` in proportion to how long the attempt really lasted; as it is where nothing is charged."""
    use = binding.get("use")
    if not use:
        return dict(binding)
    charge = parse_micro(use["unitHours"]) * max(seconds, 0) // max(int(use["seconds"]), 1)
    return {**binding, "use": {"unitHours": format_micro(charge), "seconds": max(seconds, 0)}}
