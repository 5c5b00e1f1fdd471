"""Creates the jobs of a replay, each when its time has come, on threads of its own; and the progress that they and the reader share.

What must never live here: printing, and what a job looks like (workload.py).
"""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sampan.cli.replay.workload import Planned
from sampan.client import jobview
from sampan.client.access import hub
from sampan.client.errors import explain_api

THREADS = 8
"""Jobs that may be under way to the API server at once."""
RETRY_PAUSE = 1.0
RETRY_SECONDS = 60.0
"""How long overload and lost connections are tried again before a job counts as refused."""


@dataclass(slots=True)
class Progress:
    """What the submitters and the feed have seen so far, by job name."""

    submitted: dict[str, datetime] = field(default_factory=dict)
    jobs: dict[str, hub.Object] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    stop: threading.Event = field(default_factory=threading.Event)

    def left(self, total: int) -> int:
        """Jobs whose end has not been seen."""
        ended = sum(jobview.phase(job) in jobview.ENDED for name, job in self.jobs.items() if name not in self.gone)
        return total - ended - len(self.refused) - len(self.gone)

    def line(self, total: int) -> str:
        """One line of progress."""
        phases = [jobview.phase(job) for job in self.jobs.values()]
        counts = ", ".join(f"{phases.count(phase)} {phase.lower()}" for phase in sorted(set(phases)))
        return f"{len(self.submitted)} of {total} submitted" + (f"; {counts}" if counts else "")


class Submitter:
    """Creates planned jobs in one namespace and writes down when it did, and what was refused."""

    def __init__(self, api: hub.HubApi, namespace: str, *, progress: Progress) -> None:
        self._api, self._namespace, self._progress = api, namespace, progress

    def start(self, planned: Sequence[Planned]) -> None:
        """Begin on a thread of its own; `progress.stop` ends it."""
        threading.Thread(target=self._submit, args=(planned,), name="replay-submit", daemon=True).start()

    def _submit(self, planned: Sequence[Planned]) -> None:
        """Create each job at its time, several at once where the recorded load asks for it."""
        start = time.monotonic()
        with ThreadPoolExecutor(THREADS) as pool:
            for job in planned:
                if self._progress.stop.wait(max(job.at - (time.monotonic() - start), 0.0)):
                    return
                pool.submit(self.create, job)

    def create(self, job: Planned) -> None:
        """Create one job; overload and lost connections are tried again (the name makes that safe), a refusal is written down."""
        progress = self._progress
        progress.submitted[job.name] = datetime.now(UTC)
        give_up = time.monotonic() + RETRY_SECONDS
        while not progress.stop.is_set():
            refusal, again = self._attempt(job)
            if not refusal:
                return
            if not again or time.monotonic() > give_up:
                progress.refused[job.name] = refusal
                return
            progress.stop.wait(RETRY_PAUSE)

    def _attempt(self, job: Planned) -> tuple[str, bool]:
        """Why the job was not created, and whether trying again may help; an empty reason where it is there."""
        from kubernetes.client.exceptions import ApiException
        from urllib3.exceptions import HTTPError

        try:
            self._api.create(hub.JOBS, self._namespace, job.manifest)
        except ApiException as error:
            status = error.status or 0
            if status == 409:
                return "", False
            return explain_api(status, error.body, reason=error.reason).message, status == 429 or status >= 500
        except HTTPError as error:
            return f"the hub cannot be reached: {error}", True
        return "", False
