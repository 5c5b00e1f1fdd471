"""What a job asks of the devices themselves: their names, their figures, their driver."""

from collections.abc import Iterator
from typing import Final

from sampan.model.figures import FIGURES, NoFigure
from sampan.model.job import Requirement, Shape
from sampan.model.reason import Reason
from sampan.scheduling.feasibility.constraints.context import FilterContext
from sampan.scheduling.feasibility.constraints.fields import of_devices
from sampan.scheduling.feasibility.constraints.phrases import listed
from sampan.scheduling.feasibility.constraints.record import Constraint, Reads, Words
from sampan.scheduling.feasibility.versions import new_enough, version_key

_WAYS: Final = "an AcceleratorClass can tell it; vendor and resource reach them as they are"


def _needs(shape: Shape) -> list[Requirement]:
    return [demand.requirement for demand in shape.demands if demand.requirement is not None]


# --- their names ------------------------------------------------------------------------------------------------------


def _other_devices(c: FilterContext) -> bool:
    need, have = c.demand.requirement, c.pool.device_class
    return need is not None and (have is None or not need.matches(have, resource=c.pool.resource))


def _names(c: FilterContext) -> Words:
    need, theirs = c.demand.requirement, c.pool.device_names
    wrong = {word: name for word, name in need.names.items() if theirs.get(word) != name} if need else {}
    wanted = " and ".join(f"{word} {name}" for word, name in wrong.items()) or "devices whose class is known"
    if not c.pool.resource:
        return wanted, "no devices"
    if any(word not in theirs for word in wrong):
        return wanted, f"devices of {c.pool.resource} whose class cannot be told ({_WAYS})"
    return wanted, " and ".join(f"{word} {theirs[word]}" for word in wrong)


def _devices(shape: Shape) -> str:
    """Return what the alternatives ask for: `class nvidia-h100-sxm-80gb, or family ascend-910b`."""
    named = (" of ".join(f"{word} {name}" for word, name in need.names.items()) or "any device" for need in _needs(shape))
    return ", or ".join(dict.fromkeys(named)) or "no devices"


def _relaxed(c: FilterContext) -> Iterator[FilterContext]:
    """Yield the context of a job that asks for these devices as they are; of those that cannot be told nobody knows what to ask."""
    need, have = c.demand.requirement, c.pool.device_class
    if need is not None and have is not None and c.pool.accelerator is not None:
        yield from c.demanding(requirement=need.relaxed_to(have, resource=c.pool.resource))


ACCELERATOR: Final = Constraint(
    reason=Reason.ACCELERATOR_MISMATCH,
    reads=Reads.POOL,
    violated=_other_devices,
    words=_names,
    headline=lambda shape: f"the devices are not {_devices(shape)}",
    relax=_relaxed,
    fields=(
        of_devices("class", "accelerator_class"),
        *(of_devices(name, name) for name in ("family", "vendor", "stack", "resource")),
    ),
)


# --- their figures ----------------------------------------------------------------------------------------------------


def _too_little(c: FilterContext) -> bool:
    need, have = c.demand.requirement, c.pool.device_class
    return need is not None and have is not None and bool(need.shortfall(have))


def _figures(c: FilterContext) -> Words:
    need, have = c.demand.requirement, c.pool.device_class
    wanted, present = list[str](), list[str]()
    for lack in need.shortfall(have) if need is not None and have is not None else ():
        if isinstance(lack, NoFigure):
            wanted.append(f"a known figure for {lack.precision}")
            present.append(f"{lack.precision} not known")
        else:
            wanted.append(f"{lack.figure.name} of at least {lack.figure.told(lack.wanted)}")
            present.append(f"{lack.figure.name} {lack.figure.told(lack.present)}")
    return " and ".join(wanted) + " per device", " and ".join(present)


def _all_figures(shape: Shape) -> str:
    asked = ((figure, getattr(need, figure.wanted)) for need in _needs(shape) for figure in FIGURES)
    told = [figure.phrase(amount) for figure, amount in asked if amount is not None]
    told += [f"a figure for {precision}" for need in _needs(shape) for precision in need.precisions]
    return f"a device has less than {listed(dict.fromkeys(told))}, or its figure is not known"


CAPABILITY: Final = Constraint(
    reason=Reason.CAPABILITY_INSUFFICIENT,
    reads=Reads.POOL,
    violated=_too_little,
    words=_figures,
    headline=_all_figures,
    relax=_relaxed,
    fields=(
        *(of_devices(f"capability.{figure.field}", figure.wanted, show=figure.show) for figure in FIGURES),
        of_devices("capability.precisions", "precisions"),
    ),
)


def _versions(c: FilterContext) -> list[tuple[str, str, str]]:
    """Return (what, wanted, had) of what is too old, or not known."""
    need = c.demand.requirement
    if need is None:
        return []
    pairs = (("driver", need.min_driver, c.pool.driver), ("compute capability", need.min_compute_capability, c.pool.compute_capability))
    return [(what, wanted, had) for what, wanted, had in pairs if not new_enough(had, wanted)]


def _version_words(c: FilterContext) -> Words:
    old = _versions(c)
    return " and ".join(f"{n} {w} or newer" for n, w, _ in old), " and ".join(f"{n} {had or 'not known'}" for n, _, had in old)


def _older(c: FilterContext) -> Iterator[FilterContext]:
    need = c.demand.requirement
    if need is not None:
        driver = min(need.min_driver, c.pool.driver, key=version_key)
        compute = min(need.min_compute_capability, c.pool.compute_capability, key=version_key)
        yield from c.requiring(min_driver=driver, min_compute_capability=compute)


DRIVER: Final = Constraint(
    reason=Reason.DRIVER_TOO_OLD,
    reads=Reads.POOL,
    violated=lambda c: bool(_versions(c)),
    words=_version_words,
    headline=lambda _: "the driver or the compute capability is older than asked for, or not known",
    relax=_older,
    fields=(
        of_devices("capability.minDriver", "min_driver"),
        of_devices("capability.minComputeCapability", "min_compute_capability"),
    ),
)

DEVICE: Final = (ACCELERATOR, CAPABILITY, DRIVER)
