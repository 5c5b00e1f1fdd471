"""The software stack that a job's image is built for, as far as what it asks for tells, and what other devices need instead.

An image runs on the devices of its stack alone: to ask for devices of another one is to bring another image.
"""

from collections.abc import Iterable

from sampan.model.job import Demand, Requirement
from sampan.model.members.cluster import Cell, Pool
from sampan.model.snapshot import Snapshot
from sampan.scheduling.answers.changes import WHOLE, Difference
from sampan.scheduling.answers.values import Change
from sampan.scheduling.feasibility.unknown_names import KnownNames


def other_image(demand: Demand, pool: Pool, *, snapshot: Snapshot, names: KnownNames) -> tuple[Difference, ...]:
    """Return the image that a demand needs to run on the devices of a pool; nothing where its own runs there."""
    need, have = demand.requirement, pool.device_class
    if need is None or have is None or need.matches(have, resource=pool.resource):
        return ()
    stack = have.stack
    asked = stacks_of(need, snapshot, names)
    if not stack or stack in asked:
        return ()
    field = f"spec.alternatives[{demand.alternative}].image"
    return (Difference(Change(field, f"built for {' or '.join(sorted(asked)) or 'other devices'}", f"built for {stack}"), WHOLE),)


def stacks_of(need: Requirement, snapshot: Snapshot, names: KnownNames) -> frozenset[str]:
    """Return the stacks of the devices that a requirement names; of a name that nobody knows, those of the nearest. Empty: not known."""
    near = {each.word: each.nearest for each in names.unknown_in(need)}
    if need.stack is not None and "stack" not in near:
        return frozenset((need.stack,))
    named = {**need.names, **{word: name for word, name in near.items() if name}}
    resource = named.pop("resource", None)
    if named:
        return frozenset(each.stack for each in snapshot.classes.values() if named.items() <= each.names.items())
    return _published_as(resource, snapshot.cells)


def _published_as(resource: str | None, cells: Iterable[Cell]) -> frozenset[str]:
    return frozenset(stack for cell in cells if cell.pool.resource == resource and (stack := _stack(cell.pool)))


def _stack(pool: Pool) -> str:
    return pool.accelerator.stack if pool.accelerator is not None else pool.stack
