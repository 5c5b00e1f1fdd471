"""A hub for programs: submit compute jobs, wait for them, read what they print, cancel them. What the command line is made of.

    from sampan.client import Client

    client = Client.from_kubeconfig()
    job = client.submit("job.yaml")
    for line in job.logs(follow=True):
        print(line)
    raise SystemExit(job.wait().exit_code)

Importing it costs little: the official client is loaded when a hub is first spoken to. `docs/client.md` has the reference.
"""

from sampan.client.client import Client
from sampan.client.errors import (
    ClientError,
    ConflictError,
    KubeconfigError,
    NotAllowedError,
    NotFoundError,
    NotInTimeError,
    RefusedError,
    RejectedError,
    UnavailableError,
    UnreachableError,
)
from sampan.client.job import Job
from sampan.client.waiting import Ending, Follower, Outcome, Step

__all__ = [
    "Client",
    "ClientError",
    "ConflictError",
    "Ending",
    "Follower",
    "Job",
    "KubeconfigError",
    "NotAllowedError",
    "NotFoundError",
    "NotInTimeError",
    "Outcome",
    "RefusedError",
    "RejectedError",
    "Step",
    "UnavailableError",
    "UnreachableError",
]
