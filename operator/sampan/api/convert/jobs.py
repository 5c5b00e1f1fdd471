"""ComputeJob objects ⇄ the model: the only translator of jobs. Offers, classes and policies have modules of their own beside it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from pydantic import ValidationError

from sampan.api.fields.alternative import Accelerator, ShareSpec
from sampan.api.fields.common import every_error
from sampan.api.fields.placement import Placement as PlacementSpec
from sampan.api.fields.selector import LabelSelector
from sampan.api.fields.template import InitContainer as InitSpec
from sampan.api.kinds.computejob import ComputeJobSpec
from sampan.api.launch.resolved_alternative import ResolvedAlternative, amounts, resolve_alternative
from sampan.api.launch.travelling import TravelKind, travelling
from sampan.model.job import Demand, Placement, Requirement, Shape, Share
from sampan.model.members.admission import ALL_PODS, CONFIG_MAPS, SECRETS
from sampan.model.pod_request import InitContainer, pod_request
from sampan.model.values.quantity import QuantityError, parse_micro, parse_quantity
from sampan.model.values.selector import Expression, Operator, Selector
from sampan.model.values.vector import CPU, MEMORY, PODS, STORAGE, Vector

MAX_TRAVELLING: Final = 64
"""ConfigMaps and Secrets of one job: each is read on the hub before the bind, and created on the member."""


def parse_spec(raw: Mapping[str, Any]) -> tuple[ComputeJobSpec | None, str]:
    """Return the spec, or None and what is wrong with it: field paths and rules, never values."""
    try:
        spec = ComputeJobSpec.model_validate(raw)
        shape_of(spec)
        named = max(len(travelling(spec, resolve_alternative(spec, number))) for number in ways(spec))
        if named > MAX_TRAVELLING:
            return None, f"spec: {named} ConfigMaps and Secrets are named; at most {MAX_TRAVELLING} travel with a job"
    except ValidationError as error:
        return None, "; ".join(sorted(every_error(error)))[:256]
    except QuantityError as error:
        return None, f"spec.template.resources: {error}"[:256]
    return spec, ""


def shape_of(spec: ComputeJobSpec) -> Shape:
    """Return everything of a spec that a filter or a score reads. Raises QuantityError for an amount that is none."""
    return Shape(
        demands=tuple(_demand(spec, number) for number in ways(spec)),
        placement=_placement(spec.placement),
        policy=spec.policy,
        order=spec.alternative_order,
        expected_seconds=spec.expected_seconds,
    )


def ways(spec: ComputeJobSpec) -> tuple[int | None, ...]:
    """Return the indexes of the alternatives; None alone where there are none, for the template."""
    return tuple(range(len(spec.alternatives))) or (None,)


def selector_of(selector: LabelSelector | None) -> Selector:
    """Return a label selector in canonical form; None selects everything."""
    if selector is None:
        return Selector()
    exact = (Expression(key, Operator.IN, (value,)) for key, value in selector.match_labels.items())
    others = (Expression(e.key, e.operator, tuple(sorted(e.values))) for e in selector.match_expressions)
    return Selector((*exact, *others)) & Selector()


def _demand(spec: ComputeJobSpec, number: int | None) -> Demand:
    chosen = None if number is None else spec.alternatives[number]
    run = resolve_alternative(spec, number)
    width = run.replicas if spec.gang else spec.parallelism or 1
    return Demand(
        alternative=number,
        requirement=None if chosen is None else _requirement(chosen.accelerator),
        replicas=width,
        least_replicas=width if spec.gang else 1,
        **_amounts(spec, run),
        objects=_objects(spec, run, width),
        architectures=tuple(sorted(run.architectures)),
        user=spec.template.security_context.run_as_user if spec.template.security_context else None,
        expected_seconds=None if chosen is None else chosen.expected_seconds,
        limit_seconds=run.active_deadline_seconds,
        span_seconds=_span(spec, run),
        wait_seconds=0 if chosen is None else chosen.wait_seconds,
    )


def _requirement(accelerator: Accelerator) -> Requirement:
    least = accelerator.capability
    return Requirement(
        count=accelerator.count,
        accelerator_class=accelerator.class_,
        family=accelerator.family,
        vendor=accelerator.vendor,
        stack=accelerator.stack,
        resource=accelerator.resource,
        memory_per_device=parse_quantity(least.memory_per_device) if least and least.memory_per_device else None,
        fp16_tflops=parse_micro(least.fp16_tflops) if least and least.fp16_tflops else None,
        memory_bandwidth=least.memory_bandwidth * 10**9 if least and least.memory_bandwidth else None,
        fp64_tflops=parse_micro(least.fp64_tflops) if least and least.fp64_tflops else None,
        precisions=tuple(sorted(least.precisions)) if least and least.precisions else (),
        min_driver=(least.min_driver or "") if least else "",
        min_compute_capability=(least.min_compute_capability or "") if least else "",
        partition=accelerator.partition.profile if accelerator.partition else "",
        share=_share(accelerator.share),
    )


def _share(share: ShareSpec | None) -> Share | None:
    return None if share is None else Share(memory=parse_quantity(share.memory), compute_percent=share.compute_percent)


def _span(spec: ComputeJobSpec, run: ResolvedAlternative) -> int | None:
    """Return the longest time the devices can be held: until all replicas run, the run itself, and the time to stop."""
    if run.active_deadline_seconds is None:
        return None
    return spec.start_deadline_seconds + run.active_deadline_seconds + spec.template.termination_grace_period_seconds


def _amounts(spec: ComputeJobSpec, run: ResolvedAlternative) -> dict[str, Any]:
    """Return the amounts of a replica, as fields of Demand: requests, or limits where no request is given, as the API server defaults them.

    Counted as kube-scheduler counts a pod with all its containers. An init container that names no amounts has the main one's.
    """
    own = _parsed({**run.limits, **run.requests})
    main, limits = Vector.of({**own, PODS: 1}), _parsed(run.limits)
    init = spec.template.init_containers
    whole = _of_pod(Vector.of(own), init, parts=("limits", "requests")) if init else main
    whole_limits = _of_pod(Vector.of(limits), init, parts=("limits",)) if init else Vector.of({**limits, PODS: 1})
    return {
        "per_replica": whole,
        "beside": whole - main,
        "limits": tuple(sorted({**limits, **{name: amount for name, amount in whole_limits if name != PODS}}.items())),
        "limits_beside": whole_limits - Vector.of({**limits, PODS: 1}),
        "zeros": tuple(sorted(name for name, amount in own.items() if not amount)),
    }


def _of_pod(main: Vector, init: Sequence[InitSpec], *, parts: Sequence[Literal["limits", "requests"]]) -> Vector:
    """Return what a pod holds; of the parts of a container's resources the later one counts."""
    before = [
        InitContainer(request=Vector.of(_parsed(named)), sidecar=each.restart_policy is not None)
        for each in init
        if (named := {name: text for part in parts for name, text in amounts(each.resources, part).items()})
    ]
    return pod_request([main], init=before)


def _parsed(amounts: Mapping[str, str]) -> dict[str, int]:
    return {name: parse_quantity(text, milli=name == CPU) for name, text in amounts.items() if name in (CPU, MEMORY, STORAGE)}


def _objects(spec: ComputeJobSpec, run: ResolvedAlternative, width: int) -> tuple[tuple[str, int], ...]:
    """Return what a job makes on a member besides its pods at once: what travels with it, and all pods that a sweep has in the end."""
    secrets = [each.kind is TravelKind.SECRET for each in travelling(spec, run)]
    pods = 0 if spec.gang else max(spec.completions or width, width)
    made = ((ALL_PODS, pods), (CONFIG_MAPS, secrets.count(False)), (SECRETS, secrets.count(True)))
    return tuple((name, amount) for name, amount in made if amount)


def _placement(placement: PlacementSpec | None) -> Placement:
    if placement is None:
        return Placement()
    cap = placement.max_price_per_device_hour
    return Placement(
        regions=tuple(sorted(placement.regions)),
        jurisdictions=tuple(sorted(placement.jurisdictions)),
        providers=tuple(sorted(placement.providers)),
        terms=tuple(sorted(placement.terms)) or Placement().terms,
        domestic=placement.domestic,
        offer_selector=selector_of(placement.offer_selector),
        max_price=None if cap is None else parse_micro(cap),
        interconnect=placement.interconnect,
    )
