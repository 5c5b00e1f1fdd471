"""The client of a hub: submit, wait, logs, cancel. What the verbs of the command line call, and notebooks and CI scripts with them.

What must never live here: printing, options of the command line, and an import of the official client (it costs half a second).
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from sampan.client.access.hub import JOBS, Hub, HubApi, KubernetesApi, Object
from sampan.client.access.target import Target
from sampan.client.errors import ConflictError, NotAllowedError, NotFoundError, RefusedError, RejectedError, explained
from sampan.client.job import Job
from sampan.client.log_stream import LogOptions, LogStream, is_passing, lines, params_of
from sampan.client.waiting import Follower, Outcome, until_gone

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

Manifest = Mapping[str, Any]


class Client:
    """One hub, and the namespace that is meant where none is named. Every method raises `ClientError` for trouble of the world."""

    def __init__(self, api: HubApi, *, namespace: str) -> None:
        """See `from_kubeconfig` and its kin, which make one."""
        self.api = api
        self.namespace = namespace

    @classmethod
    def from_environment(cls, *, namespace: str | None = None) -> "Client":
        """A client for the hub that `sampan` would speak to without options.

        SAMPAN_HUB_SERVER with SAMPAN_HUB_TOKEN, SAMPAN_HUB_CA and SAMPAN_HUB_NAMESPACE, else a kubeconfig, else the pod's own cluster.
        """
        from sampan.client.access.connection import client_for

        return cls._connected(partial(client_for, Target()), namespace)

    @classmethod
    def from_kubeconfig(cls, path: str | Path | None = None, *, context: str | None = None, namespace: str | None = None) -> "Client":
        """A client for a context of a kubeconfig: that file, else those of KUBECONFIG, else ~/.kube/config, merged as kubectl does."""
        from sampan.client.access.connection import client_of_kubeconfig

        target = Target(kubeconfig=None if path is None else Path(path), context=context)
        return cls._connected(partial(client_of_kubeconfig, target), namespace)

    @classmethod
    def from_token(cls, server: str, token: str, *, ca: str | Path = "", namespace: str | None = None) -> "Client":
        """A client for a server by its `https://` address and a token. `ca`: PEM, base64 of it, or a file; empty: a public certificate."""
        from sampan.client.access.connection import client_of
        from sampan.client.access.variables import context

        return cls._connected(lambda: client_of(context(server, token, ca=str(ca))), namespace)

    @classmethod
    def from_own_cluster(cls, *, namespace: str | None = None) -> "Client":
        """A client for the cluster that this pod runs in, as its ServiceAccount and in its namespace."""
        from sampan.client.access.connection import client_of_own_cluster

        return cls._connected(client_of_own_cluster, namespace)

    @classmethod
    def _connected(cls, connect: Callable[[], tuple["ApiClient", str]], namespace: str | None) -> "Client":
        with explained():
            client, default = connect()
            return cls(KubernetesApi(client), namespace=namespace or default)

    @classmethod
    def of(cls, hub: Hub) -> "Client":
        """A client on a connection that is there."""
        return cls(hub.api, namespace=hub.default_namespace)

    def submit(self, manifest: Manifest | str | Path, *, name: str | None = None) -> Job:
        """Create a job from a manifest, or from a file that holds one; `name` takes the place of the manifest's.

        Raises `RejectedError` for what no server would take, or what this one refused; `submit_all` takes files with several.
        """
        from sampan.client.manifests import read_all

        if isinstance(manifest, Mapping):
            return self._create(manifest, name)
        found = read_all([str(manifest)])
        if len(found) > 1:
            raise RejectedError(f"{manifest}: {len(found)} ComputeJobs", "give a file with one, or call submit_all")
        return self._create(found[0], name)

    def submit_all(self, source: str | Path) -> list[Job]:
        """Create every job of a file, a folder or, for `-`, of stdin, after all of them were read. Stops at the first refusal."""
        from sampan.client.manifests import read_all

        return [self._create(manifest, None) for manifest in read_all([str(source)])]

    def get(self, name: str, *, namespace: str | None = None) -> Job:
        """The job of that name. Raises `NotFoundError`."""
        with explained():
            return Job(self, self.api.get(JOBS, namespace or self.namespace, name))

    def jobs(self, *, namespace: str | None = None, everywhere: bool = False) -> list[Job]:
        """The jobs of a namespace, or of all, by namespace and name."""
        with explained():
            found = self.api.list(JOBS, None if everywhere else namespace or self.namespace)["items"]
        jobs = [Job(self, item) for item in found]
        return sorted(jobs, key=lambda job: (job.namespace, job.name))

    def explain(self, job: Job) -> Object:
        """The operator's Explanation: why the job waits and when it starts, or why it went where it is."""
        with explained():
            return self.api.explanation(job.namespace, job.name)

    def follow(self, jobs: Sequence[Job], *, timeout: float | None = None) -> Follower:
        """What iterates over each change of these jobs until all have ended; a lost watch is taken up again."""
        return Follower(self.api, [job.object for job in jobs], timeout=timeout)

    def wait(self, jobs: Sequence[Job], *, timeout: float | None = None) -> list[Outcome]:
        """Wait until all have ended, at most so many seconds in all; how they did, in the same order."""
        follower = self.follow(jobs, timeout=timeout)
        for _ in follower:
            pass
        return follower.outcomes

    def logs(self, job: Job | str, **options: Unpack[LogOptions]) -> Iterator[str]:
        """Yield the lines that a job, or the job of that name, prints, without their ends; bytes that are no UTF-8 are replaced.

        With `follow` until the job ends, across attempts and broken connections; without, what is there now.
        """
        for line in lines(self.log_bytes(job, **options)):
            yield line.decode(errors="replace")

    def log_bytes(self, job: Job | str, **options: Unpack[LogOptions]) -> Iterator[bytes]:
        """Yield the same as it comes, in pieces and byte for byte."""
        namespace, name = (self.namespace, job) if isinstance(job, str) else (job.namespace, job.name)
        stream = LogStream(partial(self.api.log, namespace, name), params_of(options), broken=is_passing)
        with explained(), contextlib.closing(stream.chunks()) as chunks:
            yield from chunks

    def cancel(self, job: Job, *, wait: bool = True, timeout: float | None = None) -> None:
        """Delete the job, which stops it on its member; with `wait` until nothing is left. One that is gone by now is as good.

        Raises `NotInTimeError` where something is left after so many seconds.
        """
        with contextlib.suppress(NotFoundError, ConflictError), explained():
            self.api.delete(JOBS, job.namespace, job.name, uid=job.uid)
        if wait:
            self.until_gone([job], timeout=timeout)

    def until_gone(self, jobs: Sequence[Job], *, timeout: float | None = None) -> None:
        """Wait until nothing is left of cancelled jobs of one namespace. Raises `NotInTimeError`."""
        with explained():
            until_gone(self.api, [job.object for job in jobs], timeout=timeout)

    def _create(self, manifest: Manifest, name: str | None) -> Job:
        from sampan.client.manifests import check, renamed

        if name is not None:
            manifest = renamed(manifest, name)
        check(manifest, where="the manifest")
        metadata = manifest["metadata"]
        namespace, name = metadata.get("namespace") or self.namespace, metadata.get("name") or metadata["generateName"]
        try:
            with explained():
                return Job(self, self.api.create(JOBS, namespace, manifest))
        except (RefusedError, NotAllowedError, ConflictError) as error:
            if getattr(error.__cause__, "status", None) == 401:
                raise
            raise RejectedError(f"computejob {namespace}/{name}: {error.message}") from error
