"""What an offer is told about the RuntimeClasses that its pods name: that one is missing on its member, or cannot be looked at. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sampan.model.members.cluster import Pool

_NAMES: Final = 8
"""Names in one message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeClassProblem:
    """Words for the condition Schedulable."""

    message: str = ""
    every_pool: bool = False
    """No pool of the offer can run anything."""


NO_PROBLEM: Final = RuntimeClassProblem()
"""There is nothing to say."""


def runtime_class_problem(pools: Sequence[Pool], *, looked: bool) -> RuntimeClassProblem:
    """Return what to say of the pools' RuntimeClasses; `looked`: the member lets us look at them."""
    named = _some({pool.launch.runtime_class for pool in pools if pool.launch.runtime_class})
    if named and not looked:
        told = f"RuntimeClass {named}: what it adds to pods is not counted, the member does not grant list and watch of runtimeclasses"
        return RuntimeClassProblem(message=told)
    without = [pool for pool in pools if pool.runtime_missing]
    if not without:
        return NO_PROBLEM
    missing = _some({pool.launch.runtime_class for pool in without})
    message = f"RuntimeClass {missing} does not exist on the member, no job goes to {_some({pool.name for pool in without})}"
    return RuntimeClassProblem(message=message, every_pool=len(without) == len(pools))


def _some(names: set[str]) -> str:
    told = sorted(names)
    return ", ".join(told[:_NAMES]) + (f" and {len(told) - _NAMES} more" if len(told) > _NAMES else "")
