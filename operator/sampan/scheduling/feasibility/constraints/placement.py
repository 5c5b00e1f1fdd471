"""The limits that a tenant sets on where the job may run: `spec.placement`, but the price."""

from collections.abc import Callable
from typing import Final

from sampan.model.job import Domestic, Placement
from sampan.model.members.offer import Offer
from sampan.model.reason import Reason
from sampan.model.values.selector import Selector
from sampan.scheduling.feasibility.constraints.context import FilterContext
from sampan.scheduling.feasibility.constraints.phrases import either, listed
from sampan.scheduling.feasibility.constraints.record import Constraint, Field, Part, Reads, Words


def _among(reason: Reason, word: str, *, allowed: Callable[[Placement], tuple[str, ...]], found: Callable[[Offer], str]) -> Constraint:
    """Return the constraint that what an offer has is in a list of the tenant's, `spec.placement.<word>s`; an empty list leaves it open."""
    field = f"{word}s"
    return Constraint(
        reason=reason,
        reads=Reads.OFFER,
        violated=lambda c: bool(allowed(c.placement)) and found(c.offer) not in allowed(c.placement),
        words=lambda c: (f"{word} {either(allowed(c.placement))}", f"{word} {found(c.offer)}"),
        headline=lambda shape: f"{word} is not among {listed(allowed(shape.placement))}",
        relax=lambda c: c.placed(**{field: (*allowed(c.placement), found(c.offer))}),
        fields=(Field(part=Part.PLACEMENT, name=field, read=lambda placement, _: allowed(placement)),),
    )


REGION: Final = _among(Reason.REGION_EXCLUDED, "region", allowed=lambda p: p.regions, found=lambda o: o.region)
JURISDICTION: Final = _among(
    Reason.JURISDICTION_EXCLUDED, "jurisdiction", allowed=lambda p: p.jurisdictions, found=lambda o: o.jurisdiction
)
PROVIDER: Final = _among(Reason.PROVIDER_EXCLUDED, "provider", allowed=lambda p: p.providers, found=lambda o: o.provider)

TERMS: Final = Constraint(
    reason=Reason.TERMS_EXCLUDED,
    reads=Reads.OFFER,
    violated=lambda c: c.offer.terms not in c.placement.terms,
    words=lambda c: (f"terms {either(c.placement.terms)}", f"terms {c.offer.terms}"),
    headline=lambda shape: f"terms are not among {listed(shape.placement.terms)}",
    relax=lambda c: c.placed(terms=(*c.placement.terms, c.offer.terms)),
    fields=(Field(part=Part.PLACEMENT, name="terms", read=lambda placement, _: placement.terms),),
)


def _origin(c: FilterContext) -> Words:
    if c.pool.accelerator is None:
        return "domestic devices", "devices whose origin is not known" if c.pool.resource else "no devices"
    return "domestic devices", f"devices from {c.pool.accelerator.origin}"


DOMESTIC: Final = Constraint(
    reason=Reason.NOT_DOMESTIC,
    reads=Reads.POOL,
    # a job without devices has no origin to require
    violated=lambda c: c.placement.domestic is Domestic.REQUIRED and c.demand.requirement is not None and not c.pool.domestic,
    words=_origin,
    headline=lambda _: "the devices are not domestic",
    relax=lambda c: c.placed(domestic=Domestic.PREFERRED),
    fields=(Field(part=Part.PLACEMENT, name="domestic", read=lambda placement, _: placement.domestic),),
)


def _labels(c: FilterContext) -> Words:
    missing = [each for each in c.placement.offer_selector.expressions if not each.matches(c.offer.labels)]
    wanted = [f"{each.key} {each.operator}" + (f" {', '.join(each.values)}" if each.values else "") for each in missing]
    have = [f"{each.key}={c.offer.labels[each.key]}" if each.key in c.offer.labels else f"no label {each.key}" for each in missing]
    return f"offer labels: {'; '.join(wanted)}", "; ".join(have)


def _borne(c: FilterContext) -> Selector:
    """Return what the offer's labels do match of the job's selector."""
    return Selector(tuple(each for each in c.placement.offer_selector.expressions if each.matches(c.offer.labels)))


OFFER_SELECTOR: Final = Constraint(
    reason=Reason.OFFER_SELECTOR_MISMATCH,
    reads=Reads.OFFER,
    violated=lambda c: not c.placement.offer_selector.matches(c.offer.labels),
    words=_labels,
    headline=lambda _: "the offer's labels do not match spec.placement.offerSelector",
    relax=lambda c: c.placed(offer_selector=_borne(c)),
    fields=(Field(part=Part.PLACEMENT, name="offerSelector", read=lambda placement, _: placement.offer_selector),),
)

PLACEMENT: Final = (REGION, JURISDICTION, PROVIDER, TERMS, DOMESTIC, OFFER_SELECTOR)
