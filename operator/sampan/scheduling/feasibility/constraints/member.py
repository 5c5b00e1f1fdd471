"""What a member asks of pods beyond room: its namespace for our jobs, its own queue, its RuntimeClasses."""

from typing import Final

from sampan.model.launch import DEFAULT_USER, ROOT
from sampan.model.reason import Reason
from sampan.scheduling.feasibility.admission import uncovered, unnamed, violations
from sampan.scheduling.feasibility.constraints.admitted import name_limits, not_named, out_of_range, within_ranges
from sampan.scheduling.feasibility.constraints.context import FilterContext
from sampan.scheduling.feasibility.constraints.fields import COUNT, REQUESTS_AND_LIMITS
from sampan.scheduling.feasibility.constraints.record import Constraint, Field, Part, Reads, Words


def _forbidden(c: FilterContext) -> bool:
    level = c.offer.pod_security
    return level is not None and not level.allows(c.pool.launch.pod_security)


LAUNCH: Final = Constraint(
    reason=Reason.LAUNCH_NOT_PERMITTED,
    reads=Reads.BOTH,
    violated=_forbidden,
    words=lambda c: (f"a namespace that admits pods of level {c.pool.launch.pod_security}", f"it enforces {c.offer.pod_security}"),
    headline=lambda _: "the namespace on the member forbids what such devices need to run",
)

USER_FIELD: Final = Field(part=Part.TEMPLATE, name="securityContext.runAsUser", read=lambda _, demand: demand.user)


def _user_words(c: FilterContext) -> Words:
    users = c.pool.launch.users or (DEFAULT_USER, DEFAULT_USER)
    allowed = f"user {users[0]} alone" if users[0] == users[1] else f"users {users[0]} to {users[1]}"
    return f"securityContext.runAsUser {c.demand.user}", f"the offer lets jobs run as {allowed}"


USER: Final = Constraint(
    reason=Reason.USER_NOT_ALLOWED,
    reads=Reads.BOTH,
    violated=lambda c: not c.pool.launch.admits_user(c.demand.user),
    words=_user_words,
    headline=lambda _: "offers do not let jobs run as the user that the job names",
    relax=lambda c: c.demanding(user=None),
    fields=(USER_FIELD,),
)


def _violates_pod_security(c: FilterContext) -> bool:
    """What the job itself adds; what its devices need is told by `LAUNCH`."""
    level, launch = c.offer.pod_security, c.pool.launch
    return level is not None and level.allows(launch.pod_security) and not level.allows(launch.security_of(c.demand.user))


POD_SECURITY: Final = Constraint(
    reason=Reason.POD_SECURITY_VIOLATED,
    reads=Reads.BOTH,
    violated=_violates_pod_security,
    words=lambda c: (
        f"a namespace that admits pods of level {c.pool.launch.security_of(c.demand.user)}, for "
        + ("securityContext.runAsUser 0" if c.demand.user == ROOT else "the user 0 that the offer gives to pods"),
        f"it enforces {c.offer.pod_security}",
    ),
    headline=lambda _: "the job would run as root, which the Pod Security level of the namespace on the member refuses",
    relax=lambda c: c.demanding(user=None) if c.demand.user is not None else (),
    fields=(USER_FIELD,),
)

RESOURCES_NAMED: Final = Constraint(
    reason=Reason.RESOURCES_NOT_NAMED,
    reads=Reads.BOTH,
    violated=lambda c: bool(c.pool.admission.compulsory and unnamed(c.demand, c.pool)),
    words=lambda c: not_named(c.demand, c.pool),
    headline=lambda _: "a quota of the job namespace on the member asks for requests or limits that the job does not name",
    relax=name_limits,
    fields=REQUESTS_AND_LIMITS,
)

LIMIT_RANGES: Final = Constraint(
    reason=Reason.LIMIT_RANGE_VIOLATED,
    reads=Reads.BOTH,
    violated=lambda c: bool(c.pool.admission.limits and violations(c.demand, c.pool)),
    words=lambda c: out_of_range(c.demand, c.pool),
    headline=lambda _: "a LimitRange of the job namespace on the member does not admit the job's requests or limits",
    relax=within_ranges,
    fields=(*REQUESTS_AND_LIMITS, COUNT),
)

MEMBER_QUEUE: Final = Constraint(
    reason=Reason.MEMBER_QUEUE_NOT_READY,
    reads=Reads.BOTH,
    violated=lambda c: c.pool.queue_inactive,
    words=lambda c: ("a member queue that is open", f"queue {c.offer.member_queue} is missing or stopped"),
    headline=lambda _: "the member's own queue is missing or stopped",
)


def _queue_words(c: FilterContext) -> Words:
    covered = ", ".join(sorted(c.pool.covers or ())) or "nothing"
    missing = ", ".join(uncovered(c.demand, c.pool))
    return f"a member queue that hands out {missing}", f"the ClusterQueue behind {c.pool.member_queue} covers {covered}"


QUEUE_COVERS: Final = Constraint(
    reason=Reason.MEMBER_QUEUE_NOT_COVERING,
    reads=Reads.BOTH,
    violated=lambda c: c.pool.covers is not None and bool(uncovered(c.demand, c.pool)),
    words=_queue_words,
    headline=lambda _: "the member's own queue does not hand out all that the job asks for",
)

RUNTIME_CLASS: Final = Constraint(
    reason=Reason.RUNTIME_CLASS_MISSING,
    reads=Reads.BOTH,
    violated=lambda c: c.pool.runtime_missing,  # the API server makes no pod that names another
    words=lambda c: (f"RuntimeClass {c.pool.launch.runtime_class} on the member", "it does not exist there"),
    headline=lambda _: "the member has no RuntimeClass of the name that its offer gives to pods",
)

MEMBER: Final = (LAUNCH, USER, POD_SECURITY, RESOURCES_NAMED, LIMIT_RANGES, MEMBER_QUEUE, QUEUE_COVERS, RUNTIME_CLASS)
