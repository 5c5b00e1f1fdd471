"""Who comes first: the order of jobs and of their alternatives. Nothing about cells."""

from sampan.model.job import Job


def order_key(job: Job) -> tuple[int, int, str]:
    """Return the key of the total order: higher priority, then older, then by UID."""
    return -job.priority, job.created, job.uid


def eligible(job: Job, now: int) -> tuple[int, ...]:
    """Return which demands of the shape may be tried at `now` (milliseconds).

    A demand is eligible once the job is as old as its `wait_seconds`, and never before one that ranks above it. The first of those that
    are not closed always is: nothing above it is left to wait for.
    """
    if len(job.shape.demands) == 1:
        return (0,)
    age, longest = now - job.created, 0
    allowed: list[int] = []
    for index, demand in enumerate(job.shape.demands):
        if index in job.closed:
            continue
        longest = max(longest, demand.wait_seconds) if allowed else 0
        if age >= longest * 1000 or not allowed:
            allowed.append(index)
    return tuple(allowed)


def next_eligible_at(job: Job, now: int) -> int | None:
    """Return when (milliseconds) a further demand of the job becomes eligible after `now`, None if all are."""
    open_ = (demand for index, demand in enumerate(job.shape.demands) if index not in job.closed)
    waits = (job.created + demand.wait_seconds * 1000 for demand in open_)
    return min((at for at in waits if at > now), default=None)
