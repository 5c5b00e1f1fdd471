"""ComputeJob, the operator's side: where the job is and what happened to it. Tenants only read this."""

from typing import Annotated

from pydantic import Field

from sampan.api.fields.common import Condition, ObjectKey, Observed, as_atomic, as_map
from sampan.api.fields.quantities import Decimal
from sampan.api.fields.scalars import CamelCase, Count, DnsLabel, DnsSubdomain, Int, Message, Replicas, Timestamp, Uid, Word
from sampan.model.lifecycle import Outcome, Phase
from sampan.model.status.attempt import MAX_REJECTIONS

Generation = Annotated[Int, Field(ge=0, le=2**53)]
AttemptNumber = Annotated[Int, Field(ge=1, le=1_000_000)]
VerdictLine = Annotated[str, Field(min_length=1, max_length=1024)]
ExitCode = Annotated[Int, Field(ge=-(2**31), le=2**31 - 1)]


class RemoteObjectView(Observed):
    """The copy of the job on the member cluster."""

    namespace: DnsLabel = Field(description="Namespace on the member cluster.")
    name: DnsSubdomain = Field(description="Name on the member cluster, derived from the hub's identity and the job's UID.")
    uid: Uid | None = Field(None, description="UID of the copy; absent until it was seen.")


class ChargedUseView(Observed):
    """What the attempt counts for when turns are given; not money."""

    unit_hours: Decimal = Field(description="Hours of the common unit (one A100 80 GB) that its queue is charged for it.")
    seconds: Count = Field(description="Span it is charged for: the declared one, a day where none is; once it has ended the real one.")


class BindingView(Observed):
    """The one place where the job may run now. Written before anything is created there."""

    offer: ObjectKey = Field(description="The ClusterOffer.")
    cluster_uid: Uid = Field(alias="clusterUID", description="UID of the member cluster (of its kube-system namespace).")
    attempt: AttemptNumber = Field(description="Number of this attempt, from 1, never used again.")
    pool: Word = Field(description="Pool of the offer.")
    accelerator_class: DnsLabel | None = Field(None, description="Class of the devices; absent for CPU-only jobs.")
    alternative: Int | None = Field(None, ge=0, le=7, description="Index of the chosen alternative; absent where the template alone runs.")
    replicas: Replicas | None = Field(None, description="Pods that run at once.")
    remote: RemoteObjectView | None = Field(None, description="The copy on the member cluster.")
    bound_at: Timestamp = Field(description="When the binding was decided.")
    use: ChargedUseView | None = Field(None, description="What its queue is charged for it.")


class AttemptView(Observed):
    """One binding of the job and how it ended."""

    number: AttemptNumber = Field(description="Number of the attempt, from 1.")
    offer: ObjectKey = Field(description="The ClusterOffer it was bound to.")
    pool: Word | None = Field(None, description="Pool of the offer.")
    cluster_uid: Uid | None = Field(None, alias="clusterUID", description="UID of the member cluster.")
    started_at: Timestamp | None = Field(None, description="When it was bound.")
    ended_at: Timestamp | None = Field(None, description="When it ended.")
    outcome: Outcome | None = Field(
        None,
        description="How it ended: AppFailed is the program's fault, Disrupted a node's; Rejected by the member; Lost without trace.",
    )
    reason: CamelCase | None = Field(None, description="Machine-readable word that tells more, such as OOMKilled or DeadlineExceeded.")
    exit_code: ExitCode | None = Field(None, description="Exit code of the container that failed first.")
    message: Message = Field("", description="Its last words, cut to 256 bytes.")


class RejectionsView(Observed):
    """How often attempts by one alternative ended, for one reason, before anything ran."""

    alternative: Int | None = Field(None, ge=0, le=7, description="Index of the alternative; absent for the template alone.")
    reason: CamelCase = Field(description="Why, as in attempts, such as UnexpectedAdmissionError or ImagePullBackOff.")
    attempts: Count = Field(description="How many attempts; at retry.maxRejected the alternative is closed for this job.")


class RemoteView(Observed):
    """What the member cluster last said about the job's pods."""

    active: Count = Field(0, description="Pods that are pending or running.")
    ready: Count = Field(0, description="Pods that are ready.")
    pending: Count = Field(0, description="Pods that do not run yet.")
    succeeded: Count = Field(0, description="Pods that ended with exit code 0.")
    failed: Count = Field(0, description="Pods that failed.")
    message: Message = Field("", description="Last words of a failed pod, or the member scheduler's own while pods wait; cut to 256 bytes.")
    reason: CamelCase | None = Field(None, description="Machine-readable word for message, such as Unschedulable or Error.")
    exit_code: ExitCode | None = Field(None, description="Exit code of the container that failed first.")
    observed_at: Timestamp | None = Field(None, description="When the member said so.")


class ReservationView(Observed):
    """A place kept for the job while it waits."""

    offer: ObjectKey = Field(description="The ClusterOffer.")
    pool: Word = Field(description="Pool of the offer, or one fabric domain of it: pool@domain.")
    alternative: Int | None = Field(None, ge=0, le=7, description="Index of the alternative that is meant to run there.")
    start_at_latest: Timestamp = Field(
        description="When it starts at the latest, if jobs keep their declared ends, no node is lost and nothing of higher priority comes."
    )
    made_at: Timestamp = Field(description="When the place was first kept.")


class ComputeJobStatus(Observed):
    """Where the job is and what happened to it; written by the operator alone."""

    phase: Phase = Field(Phase.PENDING, description="Pending, Bound, Running, Succeeded, Failed or Suspended.")
    reason: CamelCase | None = Field(None, description="The newest word about the job, such as Bound, InsufficientCapacity or OOMKilled.")
    message: Message = Field("", description="The same in a sentence.")
    observed_generation: Generation | None = Field(None, description="metadata.generation that this status is about.")
    binding: BindingView | None = Field(None, description="The one place where the job may run now; absent while it waits.")
    attempts: Annotated[tuple[AttemptView, ...], as_map("number", 16)] = Field((), description="The last attempts, oldest first.")
    restarts: Count = Field(
        0,
        description="Restarts after failures of the program, counted against retry.maxRestarts. With gang false the member restarts "
        "indexes by itself: remote.failed counts those.",
    )
    rejections: Annotated[tuple[RejectionsView, ...], as_atomic(MAX_REJECTIONS)] = Field(
        (), description="Attempts that never ran, by alternative and reason; those of an alternative are dropped once it runs."
    )
    verdicts: Annotated[tuple[VerdictLine, ...], as_atomic(64)] = Field(
        (),
        description="What each pool was to this job when it was bound, the chosen one first: NAMESPACE/OFFER POOL, then its score of 0 to "
        "100 with the weighted parts that sum to it, or why it was refused, worst first. `sampan explain` shows it as a table.",
    )
    reservation: ReservationView | None = Field(None, description="The place kept for the job while it waits; absent where none is.")
    remote: RemoteView | None = Field(None, description="What the member cluster last said.")
    started_at: Timestamp | None = Field(None, description="When the current or last attempt began to run.")
    finished_at: Timestamp | None = Field(None, description="When the job ended for good.")
    conditions: Annotated[tuple[Condition, ...], as_map("type", 16)] = Field(
        (),
        description="Scheduled, Running, Complete, Failed, Suspended; kubectl wait --for=condition=Complete works. Degraded: a node or the "
        "member is lost. Deleting: what the removal of a copy waits for.",
    )
