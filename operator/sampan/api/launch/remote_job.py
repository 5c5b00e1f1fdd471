"""What is sent to a member for one attempt of a job, as a value: the input of `manifest`, `pod` and `dependents`.

Lives here: the spec, and the names and labels that follow from it.
Must never live here: bodies of objects, and anything that is not already decided by the plan.
"""

from dataclasses import dataclass, field

from sampan.api.kinds.computejob import ComputeJobSpec
from sampan.api.launch.resolved_alternative import ResolvedAlternative, resolve_alternative
from sampan.api.launch.travelling import TravelKind, Travelling, travelling
from sampan.model.job import Share
from sampan.model.launch import NO_LAUNCH, Launch
from sampan.model.members.device import ClaimSource
from sampan.model.members.taint import Taint
from sampan.model.values import names


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteJobSpec:
    """One attempt of one job on one pool of one member."""

    hub_id: str
    job_namespace: str
    job_name: str
    job_uid: str
    attempt: int
    """Numbered from 1, never reused."""
    remote_namespace: str
    spec: ComputeJobSpec
    alternative: int | None
    """Index in `spec.alternatives`; None for the template alone."""
    replicas: int
    """Pods at once: all of a gang, the width of a sweep."""
    device: tuple[str, int] | None = None
    """Extended resource and its units per replica; None without an accelerator, and where devices are had by claim only."""
    share: Share | None = None
    """The part of the one device that is meant; None: all of it."""
    claim: ClaimSource | None = None
    """How the way's devices are claimed; None: by `device`."""
    launch: Launch = NO_LAUNCH
    """What the class and the offer add to the pod."""
    queue: str = ""
    """Kueue's LocalQueue in the remote namespace: Kueue then starts the Job, nobody else."""
    required_labels: tuple[tuple[str, str], ...] = ()
    """The pool's telling labels."""
    architecture: str = "amd64"
    tolerated: tuple[Taint, ...] = ()
    preferred_hostnames: tuple[str, ...] = ()
    """The plan's nodes by their label kubernetes.io/hostname; empty strings are skipped."""
    image_pull_secrets: tuple[str, ...] = ()
    """Names in the remote namespace, the provider's."""
    isolated: bool = False
    """Pods there reach each other only where a NetworkPolicy lets them."""
    alternative_spec: ResolvedAlternative = field(init=False)
    travelling: tuple[Travelling, ...] = field(init=False)
    """What of the tenant's namespace goes along."""

    def __post_init__(self) -> None:
        """Work out the way once. Raises ValueError for an attempt or a width below 1, IndexError for an unknown alternative."""
        if self.attempt < 1 or self.replicas < 1:
            raise ValueError("attempt and replicas count from 1")
        if self.claim is not None and (self.device is not None or self.share is not None):
            raise ValueError("devices are had by claim or by resource, not by both; a share is none of a claim")
        object.__setattr__(self, "alternative_spec", resolve_alternative(self.spec, self.alternative))
        object.__setattr__(self, "travelling", travelling(self.spec, self.alternative_spec))

    @property
    def name(self) -> str:
        """Return the name of the member's Job: the same for every attempt, so that two cannot live side by side."""
        return names.remote_name(self.hub_id, self.job_uid)

    @property
    def labels(self) -> dict[str, str]:
        """Return the labels of everything that is sent; nothing of a tenant's labels is among them."""
        return names.remote_labels(hub_id=self.hub_id, job_uid=self.job_uid, attempt=self.attempt)

    @property
    def sweep(self) -> bool:
        """Tell whether the replicas are independent of each other."""
        return not self.spec.gang

    @property
    def networked(self) -> bool:
        """Tell whether the pods must find each other by name: a gang of more than one."""
        return self.spec.gang and self.replicas > 1

    @property
    def has_dependents(self) -> bool:
        """Tell whether other objects must be there before a pod may start; the Job is then created suspended."""
        return self.networked or self.claim is not None or bool(self.travelling)

    @property
    def service(self) -> str:
        """Return the name of the gang's headless Service.

        Like every dependent's, it ends in the attempt: what an earlier attempt left to the member's garbage collector is never
        taken for this one's.
        """
        return f"{self.name}-{self.attempt}"

    @property
    def pod_labels(self) -> dict[str, str]:
        """Return the labels that tell the job's pods, of whichever attempt, from all others."""
        return {names.LABEL_HUB: self.hub_id, names.LABEL_JOB_UID: self.job_uid}

    @property
    def claim_template(self) -> str:
        """Return the name of the ResourceClaimTemplate that gives each pod its devices."""
        return f"{self.name}-{self.attempt}-devices"

    def renamed(self, kind: TravelKind, tenant_name: str) -> str:
        """Return the name on the member of what travels. Raises ValueError for an object that the spec does not name."""
        known = [each.name for each in self.travelling if each.kind is kind]
        return f"{self.name}-{self.attempt}-{kind[0].lower()}{known.index(tenant_name)}"
