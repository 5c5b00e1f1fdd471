"""The software stack that a job's image is built for, as far as what it asks for tells, and what other devices need instead.

An image runs on the devices of its stack alone: to ask for devices of another one is to bring another image.
"""

from collections.abc import Iterable

from sampan.model.job import Demand, Requirement
from sampan.model.members.cluster import Cell, Pool
from sampan.model.snapshot import Snapshot
from sampan.scheduling.answers.changes import WHOLE, Difference
from sampan.scheduling.answers.values import Change
from sampan.scheduling.feasibility.device_names import named
from sampan.scheduling.feasibility.unknown_names import KnownNames


def other_image(demand: Demand, pool: Pool, *, snapshot: Snapshot, names: KnownNames) -> tuple[Difference, ...]:
    """Return the image that a demand needs to run on the devices of a pool; nothing where its own runs there."""
    need, stack = demand.requirement, _stack(pool)
    if need is None or named(need, pool):
        return ()
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
    wanted = {"name": near.get("class", need.accelerator_class), "family": near.get("family", need.family)}
    wanted |= {"vendor": near.get("vendor", need.vendor), "stack": near.get("stack", need.stack)}
    given = {fact: name for fact, name in wanted.items() if name is not None}
    if given:
        bearers = (each for each in snapshot.classes.values() if all(getattr(each, fact) == name for fact, name in given.items()))
        return frozenset(each.stack for each in bearers if each.stack)
    return _published_as(need.resource, snapshot.cells)


def _published_as(resource: str | None, cells: Iterable[Cell]) -> frozenset[str]:
    return frozenset(stack for cell in cells if cell.pool.resource == resource and (stack := _stack(cell.pool)))


def _stack(pool: Pool) -> str:
    return pool.accelerator.stack if pool.accelerator is not None else pool.stack
