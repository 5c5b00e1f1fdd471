"""One compute job as a program holds it. Never here: calls (sampan.client.client makes them)."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Unpack

from sampan.client import jobview
from sampan.client.access.hub import Object
from sampan.client.errors import NotFoundError
from sampan.client.log_stream import LogOptions
from sampan.client.waiting import Ending, Outcome, ending_of

if TYPE_CHECKING:
    from sampan.client.client import Client


class Job:
    """A ComputeJob as the hub had it when it was last read: by `submit`, `get`, `jobs` or `refresh`."""

    def __init__(self, client: "Client", found: Object) -> None:
        """`found` is the object as the API server returned it."""
        self._client = client
        self.object = found

    def __repr__(self) -> str:
        """Name and phase, for a notebook."""
        return f"<Job {jobview.key(self.object)} {self.phase}>"

    @property
    def namespace(self) -> str:
        """Its namespace."""
        return str(self.object["metadata"]["namespace"])

    @property
    def name(self) -> str:
        """Its name; made by the server where the manifest has `generateName`."""
        return str(self.object["metadata"]["name"])

    @property
    def uid(self) -> str:
        """What tells it from another of that name."""
        return str(self.object["metadata"]["uid"])

    @property
    def phase(self) -> str:
        """`status.phase`: Pending, Suspended, Bound, Running, Succeeded or Failed."""
        return jobview.phase(self.object)

    @property
    def place(self) -> str:
        """Offer and pool, `namespace/offer pool`; empty where it is bound nowhere."""
        return jobview.place(self.object)

    @property
    def reason(self) -> str:
        """Why it is where it is, `Reason: message`; may be empty."""
        return jobview.reason(self.object)

    @property
    def ending(self) -> Ending | None:
        """How it ended; None where it had not."""
        return ending_of(self.object)

    @property
    def replicas(self) -> int:
        """Into how many ranks it is split; more than one have a prefix in the log of all."""
        spec = self.object["spec"]
        return int(spec.get("completions") or spec.get("replicas") or 1)

    def refresh(self) -> "Job":
        """Read it again and return it. Raises `NotFoundError` where it is gone, or another of that name is there."""
        found = self._client.get(self.name, namespace=self.namespace)
        if found.uid != self.uid:
            raise NotFoundError(f"computejob {self.namespace}/{self.name} is gone", "another of that name is there: get that")
        self.object = found.object
        return self

    def wait(self, timeout: float | None = None) -> Outcome:
        """Wait until it has ended, at most so many seconds; the outcome says how, and `exit_code` what a script ends with."""
        return self._client.wait([self], timeout=timeout)[0]

    def logs(self, **options: Unpack[LogOptions]) -> Iterator[str]:
        """See `Client.logs`."""
        return self._client.logs(self, **options)

    def log_bytes(self, **options: Unpack[LogOptions]) -> Iterator[bytes]:
        """See `Client.log_bytes`."""
        return self._client.log_bytes(self, **options)

    def cancel(self, *, wait: bool = True, timeout: float | None = None) -> None:
        """See `Client.cancel`."""
        self._client.cancel(self, wait=wait, timeout=timeout)
