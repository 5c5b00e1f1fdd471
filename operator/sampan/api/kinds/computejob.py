"""ComputeJob, the tenant's side: what to run and where it may run. What became of it is in `computejob_status`."""

from typing import Annotated, ClassVar

from pydantic import Field

from sampan.api.fields.alternative import DEADLINE_RULE, Alternative
from sampan.api.fields.common import ApiModel, Rule, as_atomic
from sampan.api.fields.placement import Placement
from sampan.api.fields.scalars import Bool, DnsLabel, Int, Replicas, Seconds
from sampan.api.fields.template import ContainerSpec, Template
from sampan.model.job import AlternativeOrder, Domestic, Interconnect, OnNeverFits

MAX_TEXT = 65_536
"""Characters of command, arguments and environment in a whole job."""
CHANGEABLE = ("suspend", "priority", "ttlSecondsAfterFinished", "activeDeadlineSeconds")
"""What of a spec may change once the job is bound; the deadline only upwards."""


class Retry(ApiModel):
    """What happens when the program fails, or never starts. Lost nodes and withdrawn offers are no failures of the program."""

    max_restarts: Int = Field(0, ge=0, le=100, description="How often a failed job starts anew; a gang restarts whole. Default 0.")
    backoff_seconds: Int = Field(
        10,
        ge=1,
        le=3600,
        description="Seconds before the first restart; doubles with each further one. Default 10, "
        "which with gang false cannot be changed: there the member restarts indexes, after 10 s, 20 s and so on.",
    )
    max_rejected: Int = Field(
        3,
        ge=1,
        le=100,
        description="After so many attempts by one alternative that ended for one reason before anything ran (refused by the member, "
        "not started within startDeadlineSeconds) that alternative is closed for the job; with none left the job fails. Full quotas and "
        "servers that do not answer do not count. Default 3.",
    )


def _text(part: ContainerSpec | Alternative) -> int:
    return sum(map(len, (*part.command, *part.args, *(e.value or "" for e in part.env))))


def _device_rules() -> tuple[Rule, ...]:
    """What of a placement speaks of devices means nothing where there are none, and is refused rather than ignored."""
    devices, anywhere = "(has(self.alternatives) && size(self.alternatives) > 0)", "!has(self.placement)"
    return (
        Rule(
            cel=f"{devices} || !has(self.placement.domestic) || self.placement.domestic == 'Any'",
            unless=anywhere,
            message="placement.domestic is about the origin of devices; without alternatives a job has none: use placement.jurisdictions",
            is_met=lambda s: bool(s.alternatives) or s.placement is None or s.placement.domestic is Domestic.ANY,
        ),
        Rule(
            cel=f"{devices} || !has(dyn(self.placement).maxPricePerDeviceHour)",
            unless=anywhere,
            message="placement.maxPricePerDeviceHour is about devices, and a job without alternatives has none to pay for",
            is_met=lambda s: bool(s.alternatives) or s.placement is None or s.placement.max_price_per_device_hour is None,
        ),
        Rule(
            cel=f"({devices} && self.gang) || !has(self.placement.interconnect) || self.placement.interconnect == 'Any'",
            unless=anywhere,
            message="placement.interconnect SameDomain needs gang: true and alternatives: a fabric domain joins the devices of a gang",
            is_met=lambda s: (bool(s.alternatives) and s.gang) or s.placement is None or s.placement.interconnect is Interconnect.ANY,
        ),
        Rule(
            cel=f"!{devices} || !has(self.alternatives[0].waitSeconds) || self.alternatives[0].waitSeconds == 0",
            message="alternatives[0].waitSeconds means nothing: no alternative comes before the first",
            is_met=lambda s: not s.alternatives or not s.alternatives[0].wait_seconds,
        ),
    )


class ComputeJobSpec(ApiModel):
    """What to run, on which devices, and where it may run."""

    RULES: ClassVar = (
        DEADLINE_RULE,
        Rule(
            cel="!self.gang || (!has(self.completions) && !has(self.parallelism))",
            message="completions and parallelism need gang: false",
            is_met=lambda s: not s.gang or (s.completions is None and s.parallelism is None),
        ),
        Rule(
            cel="self.replicas == 1 && (!has(self.alternatives) || self.alternatives.all(a, !has(a.replicas)))",
            unless="self.gang",
            message="replicas cannot be given with gang: false; use completions and parallelism",
            is_met=lambda s: s.gang or (s.replicas == 1 and all(a.replicas is None for a in s.alternatives)),
        ),
        Rule(
            cel="!has(self.parallelism) || (has(self.completions) && self.completions >= self.parallelism)",
            unless="self.gang",  # a gang has no parallelism, by the rule before
            message="parallelism needs completions, which must not be fewer",
            is_met=lambda s: s.parallelism is None or (s.completions is not None and s.completions >= s.parallelism),
        ),
        Rule(
            cel="!has(self.retry) || self.retry.backoffSeconds == 10",
            unless="self.gang",
            message="retry.backoffSeconds cannot be changed with gang: false: the member restarts indexes at its own pace",
            is_met=lambda s: s.gang or s.retry.backoff_seconds == 10,
        ),
        *_device_rules(),
        Rule(
            message=f"command, args and env together must not have more than {MAX_TEXT} characters; put long text in a ConfigMap",
            is_met=lambda s: sum(map(_text, (s.template, *s.template.init_containers, *s.alternatives))) <= MAX_TEXT,
        ),
    )
    replicas: Replicas = Field(1, description="Pods of the gang, which start together in one pool or not at all. Default 1.")
    gang: Bool = Field(True, description="true: replicas that need each other. false: independent members of a sweep. Default true.")
    completions: Int | None = Field(
        None, ge=1, le=100_000, description="With gang false: how many members must succeed, as in batch/v1. Default 1."
    )
    parallelism: Replicas | None = Field(
        None, description="With gang false: how many members run at once; fewer where there is no room. Default 1."
    )
    template: Template = Field(description="The pod of every replica.")
    alternatives: Annotated[tuple[Alternative, ...], as_atomic(8)] = Field(
        (), description="Ways to run the job, best first. Empty: no devices, the template alone on CPUs."
    )
    alternative_order: AlternativeOrder = Field(
        AlternativeOrder.IN_ORDER, description="InOrder: the first alternative that fits now. ByScore: the best over all. Default InOrder."
    )
    placement: Placement | None = Field(None, description="Limits on the offers that may run the job.")
    priority: Int = Field(
        0, ge=-1000, le=1000, description="Higher goes first among waiting jobs; running jobs are never stopped for it. Default 0."
    )
    queue: DnsLabel | None = Field(None, description="Queue that the job competes in; absent: the namespace's.")
    policy: DnsLabel = Field("balanced", description="Name of the PlacementPolicy that weighs offers. Default balanced.")
    suspend: Bool = Field(False, description="true: do not start; a bound job is withdrawn from its member. Default false.")
    start_deadline_seconds: Int = Field(
        600,
        ge=1,
        le=604_800,
        description="Seconds after binding by which all replicas must run; else the job is withdrawn and queued anew. Default 600.",
    )
    max_wait_seconds: Seconds | None = Field(
        None,
        description="Most seconds that the job waits for a place, from its creation, from when it was last resumed or from the end of its "
        "last run; then it fails. Attempts that did not start are part of the wait. Absent: it waits for as long as it takes.",
    )
    on_never_fits: OnNeverFits = Field(
        OnNeverFits.WAIT,
        description="What follows where no pool would take the job even if it were empty, and only a change of the job or of what is "
        "offered could help: Wait, or Fail at once. The condition NeverFits says so either way. Default Wait.",
    )
    expected_seconds: Seconds | None = Field(
        None,
        description="How long the job probably runs by its first alternative; weighs the cost per job. For an alternative without a "
        "figure of its own it is reckoned from throughput where the first names a class; else it is not known and earns nothing for cost.",
    )
    active_deadline_seconds: Seconds | None = Field(
        None,
        description="Most seconds an attempt may run; then it is stopped and the job fails. May be raised while the job runs, not lowered; "
        "not while it runs by an alternative with a limit of its own.",
    )
    retry: Retry = Field(Retry(), description="What happens when the program fails, or never starts.", json_schema_extra={"default": {}})
    ttl_seconds_after_finished: Int | None = Field(
        None, ge=0, le=31_536_000, description="Seconds after the end when this object is deleted; absent: it stays."
    )


_FIXED = tuple(f.alias for f in ComputeJobSpec.model_fields.values() if f.alias and f.alias not in CHANGEABLE)
_ENDED = "['Succeeded', 'Failed']"
_SETTLED = f"has(oldSelf.status) && (has(oldSelf.status.binding) || (has(oldSelf.status.phase) && oldSelf.status.phase in {_ENDED}))"


def _same(field: str) -> str:
    now, before = f"self.spec.{field}", f"oldSelf.spec.{field}"
    return f"(has({now}) ? has({before}) && {now} == {before} : !has({before}))"


_CHANGED = " + ".join(f"({_same(field)} ? '' : ' {field}')" for field in _FIXED)

OBJECT_RULES = (
    Rule(
        cel=f"!({_SETTLED}) || ({' && '.join(map(_same, _FIXED))})",
        message="a bound or finished job keeps its spec: only suspend, priority, ttlSecondsAfterFinished and a longer deadline may change",
        words="'the job is bound or finished: only suspend, priority, ttlSecondsAfterFinished and a longer "
        f"activeDeadlineSeconds can change, not' + {_CHANGED}",
    ),
    Rule(
        cel=f"!({_SETTLED}) || {_same('activeDeadlineSeconds')}"
        " || (has(self.spec.activeDeadlineSeconds) && has(oldSelf.spec.activeDeadlineSeconds)"
        " && self.spec.activeDeadlineSeconds > oldSelf.spec.activeDeadlineSeconds)",
        message="activeDeadlineSeconds of a bound or finished job can only be raised",
    ),
    Rule(
        cel=f"!has(oldSelf.status) || !has(oldSelf.status.binding) || {_same('activeDeadlineSeconds')}"
        " || !has(oldSelf.status.binding.alternative) || !has(oldSelf.spec.alternatives)"
        " || size(oldSelf.spec.alternatives) <= oldSelf.status.binding.alternative"
        " || !has(oldSelf.spec.alternatives[oldSelf.status.binding.alternative].activeDeadlineSeconds)",
        message="the alternative that the job is bound by has an activeDeadlineSeconds of its own: that of the job does not count, "
        "and cannot be raised while it is bound",
    ),
    Rule(
        cel="!has(self.spec.retry) || !has(oldSelf.status) || !has(oldSelf.status.restarts)"
        f" || {_same('retry')} || self.spec.retry.maxRestarts >= oldSelf.status.restarts",
        message="retry.maxRestarts must not be below the restarts that were used already",
    ),
)
"""Rules about changes of the whole object; they read status, which only the operator can write."""
