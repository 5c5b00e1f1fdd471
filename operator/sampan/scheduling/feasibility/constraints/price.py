"""The price cap that a tenant sets: `spec.placement.maxPricePerDeviceHour`. A job without devices has no price."""

from typing import Final

from sampan.model.reason import Reason
from sampan.model.values.quantity import format_micro
from sampan.scheduling.feasibility.constraints.context import FilterContext
from sampan.scheduling.feasibility.constraints.record import Constraint, Field, Part, Reads, Words

_CAP: Final = Field(part=Part.PLACEMENT, name="maxPricePerDeviceHour", read=lambda placement, _: placement.max_price, show=format_micro)


def _unknown(c: FilterContext) -> bool:
    return c.placement.max_price is not None and c.demand.requirement is not None and c.price is None


def _above(c: FilterContext) -> bool:
    cap, devices = c.placement.max_price, c.demand.requirement
    return cap is not None and devices is not None and (price := c.price) is not None and price > cap


def _words(c: FilterContext) -> Words:
    cap = f"at most {format_micro(c.placement.max_price or 0)} {c.currency} per device-hour"
    return cap, "no price in this currency" if c.price is None else f"{format_micro(c.price)} {c.currency}"


PRICE_UNKNOWN: Final = Constraint(
    reason=Reason.PRICE_UNKNOWN,
    reads=Reads.BOTH,
    violated=_unknown,
    words=_words,
    headline=lambda shape: f"the offer names no price to hold against the cap of {format_micro(shape.placement.max_price or 0)}",
    relax=lambda c: c.placed(max_price=None),
    fields=(_CAP,),
)

PRICE_ABOVE_CAP: Final = Constraint(
    reason=Reason.PRICE_ABOVE_CAP,
    reads=Reads.BOTH,
    violated=_above,
    words=_words,
    headline=lambda shape: f"a device-hour costs more than {format_micro(shape.placement.max_price or 0)}",
    relax=lambda c: c.placed(max_price=c.price),
    fields=(_CAP,),
)

PRICE: Final = (PRICE_UNKNOWN, PRICE_ABOVE_CAP)
