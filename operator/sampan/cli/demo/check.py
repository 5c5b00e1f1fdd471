"""Does each job exist exactly once over all members, and do their API servers say of it what the hub says?

What must never live here: anything of the operator's own code.
This is a second pair of eyes: the labels on the objects and what the members' API servers say (copies.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sampan.cli.lib.render import Column
from sampan.client import jobview
from sampan.client.access.hub import Object

CHECK_COLUMNS = (
    Column("JOB"),
    Column("PHASE"),
    Column("WHERE"),
    Column("DEVICES", right=True),
    Column("HUB SAYS"),
    Column("MEMBER SAYS"),
    Column("CHECK"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Expectation:
    """What a job must come to: its last phase, and a reason where the phase is no end."""

    phase: str = "Succeeded"
    reason: str = ""

    def met_by(self, job: Object) -> bool:
        """Tell whether the job has come to it."""
        return jobview.phase(job) == self.phase and self.reason in jobview.reason(job) and (bool(self.reason) or self._ended(job))

    def hopeless(self, job: Object) -> bool:
        """Tell whether nothing more will happen: met, or ended otherwise."""
        return self.met_by(job) or self._ended(job)

    def _ended(self, job: Object) -> bool:
        return jobview.phase(job) in jobview.ENDED


@dataclass(frozen=True, kw_only=True, slots=True)
class MemberJob:
    """One batch/v1 Job that carries our label, as its member's API server tells it, or told it last."""

    member: str
    cluster_uid: str
    succeeded: int
    failed: int
    outcome: str
    """Complete, Failed, or Open."""
    attempt: int = 1
    gone: bool = False
    """The member has it no more: a finished job's copy goes after a while. The rest is as it was last."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One line of the final table; `problem` is empty where hub and members agree and the job is as expected."""

    name: str
    row: Sequence[str]
    problem: str


def check(jobs: Iterable[Object], expected: Mapping[str, Expectation], *, members: Mapping[str, Sequence[MemberJob]]) -> list[Finding]:
    """One finding per expected job; `members` are all Jobs ever seen on members since, by the job UID they carry."""
    by_name = {job["metadata"]["name"]: job for job in jobs}
    found = []
    for name, wanted in sorted(expected.items()):
        job = by_name.get(name)
        if job is None:
            found.append(Finding(name=name, row=[name, "-", "-", "-", "-", "-", "MISSING"], problem="not on the hub"))
            continue
        copies = _counted(job, members.get(job["metadata"]["uid"], ()))
        problem = _problem(job, wanted, copies)
        found.append(Finding(name=name, row=_row(job, copies, problem), problem=problem))
    return found


def _counted(job: Object, copies: Sequence[MemberJob]) -> list[MemberJob]:
    """What there may be one of: all copies of the attempt that the hub tells, gone or not, and what is left of others.

    An earlier attempt may have had its copy elsewhere, which is gone. A job without a binding may have had none.
    """
    attempt = jobview.binding(job).get("attempt")
    return [copy for copy in copies if not copy.gone or attempt in (None, copy.attempt)]


def _problem(job: Object, wanted: Expectation, copies: Sequence[MemberJob]) -> str:
    """What is wrong with this job; empty where nothing is."""
    if not wanted.met_by(job):
        return f"is {jobview.phase(job)} ({jobview.reason(job)}), expected {wanted.phase} {wanted.reason}".rstrip()
    should = 0 if wanted.phase == "Pending" else 1
    if len(copies) != should:
        return f"{len(copies)} copies on members, expected {should}"
    if not copies:
        return ""
    copy, remote = copies[0], jobview.status(job).get("remote") or {}
    if copy.cluster_uid != jobview.binding(job).get("clusterUID"):
        return f"found on {copy.member}, which is not the cluster of its binding"
    told = (int(remote.get("succeeded") or 0), int(remote.get("failed") or 0))
    if told != (copy.succeeded, copy.failed):
        return f"hub says {told[0]} succeeded {told[1]} failed, member says {copy.succeeded} and {copy.failed}"
    if {"Succeeded": "Complete", "Failed": "Failed"}.get(wanted.phase, copy.outcome) != copy.outcome:
        return f"hub says {wanted.phase}, member says {copy.outcome}"
    return ""


def _row(job: Object, copies: Sequence[MemberJob], problem: str) -> list[str]:
    """The cells of `CHECK_COLUMNS`."""
    remote = jobview.status(job).get("remote") or {}
    hub_says = f"{remote.get('succeeded') or 0} ok, {remote.get('failed') or 0} failed" if copies else jobview.reason(job).partition(":")[0]
    member_says = (
        "; ".join(f"{copy.member}: {copy.succeeded} ok, {copy.failed} failed, {copy.outcome}" for copy in copies) or "no copy anywhere"
    )
    return [
        job["metadata"]["name"],
        jobview.phase(job),
        jobview.place(job) or "-",
        str(jobview.devices(job) or "-"),
        hub_says,
        member_says,
        "MISMATCH" if problem else "ok",
    ]
