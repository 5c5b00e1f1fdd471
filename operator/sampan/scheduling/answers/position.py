"""Where a waiting job stands in the order of turns, as counts: who the others are is never told."""

from sampan.model.backlog import Bucket
from sampan.model.job import Job
from sampan.model.snapshot import Snapshot
from sampan.scheduling.answers.values import QueuePosition
from sampan.scheduling.queueing.usage import FairShareUsage


def queue_position(snapshot: Snapshot, job: Job) -> QueuePosition:
    """Return how many jobs have their turn before this one as use stands now; of its own queue, and by the queues' use of the others."""
    uses = FairShareUsage(snapshot.queues, snapshot.use)
    own = others = 0
    for bucket in snapshot.backlog:
        if bucket.key.inadmissible is None:
            before = _before(bucket, job, uses)
            if bucket.key.namespace == job.namespace:
                own += before
            else:
                others += before
    return QueuePosition(queue=job.queue, position=own + others + 1, ahead_own=own, ahead_others=others)


def _before(bucket: Bucket, job: Job, uses: FairShareUsage) -> int:
    """Return how many jobs of a bucket come before a job: all, none, or the older ones where the rest of the key is equal."""
    key, same = bucket.key, bucket.key.queue == job.queue
    theirs = (uses.of_namespace(key.queue, key.namespace),) if same else uses.weighted(key.queue)
    mine = (uses.of_namespace(job.queue, job.namespace),) if same else uses.weighted(job.queue)
    if (-key.priority, theirs) != (-job.priority, mine):
        return len(bucket) if (-key.priority, theirs) < (-job.priority, mine) else 0
    return sum((each.created, each.uid) < (job.created, job.uid) for each in bucket)
