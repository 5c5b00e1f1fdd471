"""The limits that a tenant sets on where the job may run: `spec.placement`, but the price."""

from typing import Final

from sampan.model.job import Domestic
from sampan.model.reason import Reason
from sampan.model.values.selector import Selector
from sampan.scheduling.feasibility.constraints.context import FilterContext
from sampan.scheduling.feasibility.constraints.phrases import either, listed
from sampan.scheduling.feasibility.constraints.record import Constraint, Field, Part, Reads, Words

REGION: Final = Constraint(
    reason=Reason.REGION_EXCLUDED,
    reads=Reads.OFFER,
    violated=lambda c: bool(c.placement.regions) and c.offer.region not in c.placement.regions,
    words=lambda c: (f"region {either(c.placement.regions)}", f"region {c.offer.region}"),
    headline=lambda shape: f"region is not among {listed(shape.placement.regions)}",
    relax=lambda c: c.placed(regions=(*c.placement.regions, c.offer.region)),
    fields=(Field(part=Part.PLACEMENT, name="regions", read=lambda placement, _: placement.regions),),
)

JURISDICTION: Final = Constraint(
    reason=Reason.JURISDICTION_EXCLUDED,
    reads=Reads.OFFER,
    violated=lambda c: bool(c.placement.jurisdictions) and c.offer.jurisdiction not in c.placement.jurisdictions,
    words=lambda c: (f"jurisdiction {either(c.placement.jurisdictions)}", f"jurisdiction {c.offer.jurisdiction}"),
    headline=lambda shape: f"jurisdiction is not among {listed(shape.placement.jurisdictions)}",
    relax=lambda c: c.placed(jurisdictions=(*c.placement.jurisdictions, c.offer.jurisdiction)),
    fields=(Field(part=Part.PLACEMENT, name="jurisdictions", read=lambda placement, _: placement.jurisdictions),),
)

PROVIDER: Final = Constraint(
    reason=Reason.PROVIDER_EXCLUDED,
    reads=Reads.OFFER,
    violated=lambda c: bool(c.placement.providers) and c.offer.provider not in c.placement.providers,
    words=lambda c: (f"provider {either(c.placement.providers)}", f"provider {c.offer.provider}"),
    headline=lambda shape: f"provider is not among {listed(shape.placement.providers)}",
    relax=lambda c: c.placed(providers=(*c.placement.providers, c.offer.provider)),
    fields=(Field(part=Part.PLACEMENT, name="providers", read=lambda placement, _: placement.providers),),
)

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
