"""What an offer is now, and what it lets a job be: nothing of its pools."""

from collections.abc import Iterator
from typing import Final

from sampan.model.reason import Reason
from sampan.scheduling.feasibility.constraints.context import FilterContext
from sampan.scheduling.feasibility.constraints.fields import COUNT, REPLICAS
from sampan.scheduling.feasibility.constraints.phrases import moment
from sampan.scheduling.feasibility.constraints.record import Constraint, Field, Part, Reads, Words

POLICY: Final = Constraint(
    reason=Reason.POLICY_NOT_FOUND,
    reads=Reads.OFFER,
    violated=lambda c: not c.policy_known,  # no other one is taken in its stead
    words=lambda _: ("a PlacementPolicy of the name in spec.policy", "there is none"),
    headline=lambda shape: f"there is no PlacementPolicy {shape.policy}",
)

APPROVED: Final = Constraint(
    reason=Reason.OFFER_NOT_APPROVED,
    reads=Reads.OFFER,
    violated=lambda c: not c.offer.approved,
    words=lambda _: ("an approved offer", "the platform team has not approved it"),
    headline=lambda _: "the platform team has not approved the offer",
)

ACCEPTING: Final = Constraint(
    reason=Reason.OFFER_NOT_ACCEPTING,
    reads=Reads.OFFER,
    violated=lambda c: not c.offer.accepting,
    words=lambda _: ("an offer that takes new jobs", "the provider takes none"),
    headline=lambda _: "the provider takes no new jobs",
)


def _validity(c: FilterContext) -> Words:
    since = "always" if c.offer.valid_from is None else moment(c.offer.valid_from)
    until = "open end" if c.offer.valid_until is None else moment(c.offer.valid_until)
    return f"an offer that is valid at {moment(c.now)}", f"valid from {since} until {until}"


VALID: Final = Constraint(
    reason=Reason.OFFER_NOT_VALID,
    reads=Reads.OFFER,
    violated=lambda c: not c.offer.valid_at(c.now),
    words=_validity,
    headline=lambda _: "now is outside the offer's validity",
)

CONNECTED: Final = Constraint(
    reason=Reason.OFFER_NOT_CONNECTED,
    reads=Reads.OFFER,
    violated=lambda c: not c.offer.connected,
    words=lambda _: ("a member cluster that answers", "it does not answer"),
    headline=lambda _: "the member cluster does not answer",
)

PERMITTED: Final = Constraint(
    reason=Reason.PERMISSIONS_MISSING,
    reads=Reads.OFFER,
    violated=lambda c: not c.offer.permitted,
    words=lambda _: ("the right to run jobs on the member", "it is not granted"),
    headline=lambda _: "the member cluster does not let Sampan run jobs",
)

TENANT: Final = Constraint(
    reason=Reason.TENANT_EXCLUDED,
    reads=Reads.OFFER,
    violated=lambda c: not c.offer.tenants.matches(dict(c.tenant)),
    words=lambda _: ("an offer for jobs of this namespace", "the offer is for others"),
    headline=lambda _: "the offer is not for jobs of this namespace",
)

TENANT_NAMESPACE: Final = Constraint(
    reason=Reason.TENANT_NAMESPACE_MISSING,
    reads=Reads.OFFER,
    violated=lambda c: c.offer.namespace_of(c.tenant_name) is None,
    words=lambda c: (
        f"a namespace on the member for jobs of namespace {c.tenant_name}",
        "the provider made none: it adds the namespace to tenants of the member chart",
    ),
    headline=lambda _: "the member has no namespace for jobs of this namespace; its provider adds one",
)


def _fewer_devices(c: FilterContext) -> Iterator[FilterContext]:
    most, need, least = c.offer.max_devices_per_job, c.demand.requirement, c.demand.least_replicas
    if most is None or need is None:
        return
    if least > 1 and most // need.count > 0:
        yield from c.demanding(replicas=most // need.count, least_replicas=most // need.count)
    rule = c.pool.accelerator.count_rule if c.pool.accelerator else None
    fewer = rule.largest(most // least) if rule else most // least
    if 0 < fewer < need.count:
        yield from c.requiring(count=fewer)


def _more_devices_than_allowed(c: FilterContext) -> bool:
    most = c.offer.max_devices_per_job
    return most is not None and c.demand.devices * c.demand.least_replicas > most


DEVICES_PER_JOB: Final = Constraint(
    reason=Reason.DEVICES_PER_JOB_EXCEEDED,
    reads=Reads.OFFER,
    violated=_more_devices_than_allowed,
    words=lambda c: (f"{c.demand.devices * c.demand.least_replicas} devices for one job", f"at most {c.offer.max_devices_per_job}"),
    headline=lambda _: "the job takes more devices than the offer gives to one job",
    relax=_fewer_devices,
    fields=(REPLICAS, COUNT),
)


def _runs_too_long(c: FilterContext) -> bool:
    most, limit = c.offer.max_run_seconds, c.demand.limit_seconds
    return most is not None and (limit is None or limit > most)


def _run_words(c: FilterContext) -> Words:
    limit = c.demand.limit_seconds
    told = "a job that declares no activeDeadlineSeconds" if limit is None else f"a run of up to {limit} s"
    return told, f"at most {c.offer.max_run_seconds} s"


def _shorter(c: FilterContext) -> Iterator[FilterContext]:
    most, limit, span = c.offer.max_run_seconds, c.demand.limit_seconds, c.demand.span_seconds
    shorter = None if span is None or limit is None or most is None else span - limit + most
    return c.demanding(limit_seconds=most, span_seconds=shorter)


RUN_LIMIT: Final = Constraint(
    reason=Reason.RUN_LIMIT_EXCEEDED,
    reads=Reads.OFFER,
    violated=_runs_too_long,
    words=_run_words,
    headline=lambda _: "the job may run longer than the offer allows, or declares no limit",
    relax=_shorter,
    fields=(Field(part=Part.JOB, name="activeDeadlineSeconds", read=lambda _, demand: demand.limit_seconds),),
)

OFFER: Final = (POLICY, APPROVED, ACCEPTING, VALID, CONNECTED, PERMITTED, TENANT, TENANT_NAMESPACE, DEVICES_PER_JOB, RUN_LIMIT)
