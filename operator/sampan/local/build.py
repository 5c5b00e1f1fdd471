"""Builds Kubernetes, etcd, kwok, helm, containerd, CoreDNS and promtool once with Go (the machine's, or in a container), from the
wrapper modules in `go/`, into the user's cache.

Never here: finding programs that are there already.
"""

import fcntl
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sampan.local.binaries import CONTAINERD_VERSION, KUBERNETES_VERSION, Say, find, stamp, wanted_version
from sampan.local.paths import LocalError, cache_root

GO_IMAGE = "golang:1.26"
"""Where Go runs when there is Docker but no Go."""

_MAJOR, _MINOR = KUBERNETES_VERSION.removeprefix("v").split(".")[:2]
# Without these, the server's discovery says v0.0.0 and clients gate features wrongly.
_KUBERNETES_FLAGS = " ".join(
    [
        f"-s -w -X k8s.io/component-base/version.gitVersion={KUBERNETES_VERSION}",
        f"-X k8s.io/component-base/version.gitMajor={_MAJOR} -X k8s.io/component-base/version.gitMinor={_MINOR}",
        f"-X k8s.io/client-go/pkg/version.gitVersion={KUBERNETES_VERSION}",
    ]
)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one program is built: the wrapper module, the package in it, and a word on how long it takes on two cores."""

    module: str
    package: str
    ldflags: str
    minutes: float
    tags: str = ""


_CONTAINERD = "github.com/containerd/containerd/v2"
_CONTAINERD_FLAGS = f"-s -w -X {_CONTAINERD}/version.Version={CONTAINERD_VERSION.removeprefix('v')}"
# Snapshotters that nodes on one machine never use; btrfs would need cgo.
_CONTAINERD_TAGS = "no_btrfs,no_zfs,no_devmapper,no_aufs"

RECIPES = {
    "etcd": Recipe("etcd", "go.etcd.io/etcd/server/v3", "-s -w", 1),
    "kwok": Recipe("kwok", "sigs.k8s.io/kwok/cmd/kwok", "-s -w", 1),
    "kwokctl": Recipe("kwok", "sigs.k8s.io/kwok/cmd/kwokctl", "-s -w", 0.5),
    "kube-apiserver": Recipe("kubernetes", "k8s.io/kubernetes/cmd/kube-apiserver", _KUBERNETES_FLAGS, 3),
    "kube-controller-manager": Recipe("kubernetes", "k8s.io/kubernetes/cmd/kube-controller-manager", _KUBERNETES_FLAGS, 1),
    "kube-scheduler": Recipe("kubernetes", "k8s.io/kubernetes/cmd/kube-scheduler", _KUBERNETES_FLAGS, 0.5),
    "kubectl": Recipe("kubernetes", "k8s.io/kubernetes/cmd/kubectl", _KUBERNETES_FLAGS, 0.5),
    "helm": Recipe("helm", "helm.sh/helm/v3/cmd/helm", "-s -w", 1),
    "kubelet": Recipe("kubernetes", "k8s.io/kubernetes/cmd/kubelet", _KUBERNETES_FLAGS, 1),
    "containerd": Recipe("containerd", f"{_CONTAINERD}/cmd/containerd", _CONTAINERD_FLAGS, 1.5, _CONTAINERD_TAGS),
    "containerd-shim-runc-v2": Recipe("containerd", f"{_CONTAINERD}/cmd/containerd-shim-runc-v2", _CONTAINERD_FLAGS, 0.5, _CONTAINERD_TAGS),
    "ctr": Recipe("containerd", f"{_CONTAINERD}/cmd/ctr", _CONTAINERD_FLAGS, 0.5, _CONTAINERD_TAGS),
    "coredns": Recipe("coredns", ".", "-s -w", 1),
    # Without the clients of all clouds that Prometheus can discover targets in: rules need none of them.
    "promtool": Recipe("prometheus", "github.com/prometheus/prometheus/cmd/promtool", "-s -w", 6, "remove_all_sd"),
}
"""By program, in the order they are built."""


def build(programs: list[str], say: Say) -> None:
    """Puts the programs into the cache, each whole or not at all. A second builder waits for the first and then finds its work done."""
    compiler = _compiler()
    if compiler is None:
        raise LocalError(
            f"missing {', '.join(programs)} and neither Go nor a running Docker to build them: install Go (https://go.dev/dl), "
            "or set SAMPAN_KUBE_ASSETS to a folder that has them"
        )
    target = cache_root() / "bin"
    target.mkdir(parents=True, exist_ok=True)
    with _one_builder(target, say):
        left = [program for program in RECIPES if program in programs and not find((program,))]
        minutes = sum(RECIPES[program].minutes for program in left)
        if left:
            say(f"building {len(left)} programs once, about {minutes:g} minutes on two cores: {', '.join(left)}")
        for number, program in enumerate(left, 1):
            _build_one(compiler, program, target, say=_numbered(say, f"[{number} of {len(left)}]"))


def _numbered(say: Say, head: str) -> Say:
    return lambda text: say(f"{head} {text}")


@contextmanager
def _one_builder(target: Path, say: Say) -> Iterator[None]:
    with (target / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another process is building the same programs: waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@dataclass(frozen=True, slots=True)
class Compiler:
    """Go on this machine, or in a container where there is only Docker. `command` runs it in `module`, with `out` to write to."""

    command: Callable[[Path, Path], list[str]]
    out: Callable[[Path], str]
    """Where a file of the output folder is, as the compiler sees it."""


def _compiler() -> Compiler | None:
    """Return Go from PATH, else Go in a container, else None."""
    go = shutil.which("go")
    if go is not None:
        return Compiler(command=lambda _module, _out: [go], out=str)
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "info"], capture_output=True, check=False, timeout=30).returncode != 0:
        return None
    return Compiler(command=lambda module, out: _in_container(docker, module, out), out=lambda file: f"/out/{file.name}")


def _in_container(docker: str, module: Path, out: Path) -> list[str]:
    """Return the command that runs Go in a container: the module read-only, its caches in ours, as the caller's user."""
    cache = cache_root() / "go"
    cache.mkdir(parents=True, exist_ok=True)
    volumes = (f"{module}:/src:ro", f"{out}:/out", f"{cache}:/cache")
    settings = ("CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off", "GOCACHE=/cache/build", "GOMODCACHE=/cache/mod", "HOME=/tmp")
    mounted = [part for volume in volumes for part in ("--volume", volume)]
    set_up = [part for setting in settings for part in ("--env", setting)]
    user = f"{os.getuid()}:{os.getgid()}"
    return [docker, "run", "--rm", "--user", user, *mounted, *set_up, "--workdir", "/src", GO_IMAGE, "go"]


def _build_one(compiler: Compiler, program: str, target: Path, *, say: Say) -> None:
    recipe = RECIPES[program]
    say(f"{program} {wanted_version(program)}")
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix=f".{program}-", dir=target) as folder:
        made = Path(folder) / program
        module = Path(__file__).parent / "go" / recipe.module
        flags = ["-mod=readonly", "-trimpath", "-tags", recipe.tags, "-ldflags", recipe.ldflags, "-o", compiler.out(made)]
        command = [*compiler.command(module, made.parent), "build", *flags, recipe.package]
        with tempfile.TemporaryFile("w+") as output:
            _run(command, module, output=output, tick=lambda seconds: say(f"{program}: {seconds:.0f} s"))
        made.replace(target / program)
    stamp(target / program).write_text(wanted_version(program) + "\n")
    say(f"{program} built in {time.monotonic() - started:.0f} s")


def _run(command: list[str], folder: Path, *, output: IO[str], tick: Callable[[float], None]) -> None:
    env = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"}
    started = time.monotonic()
    with subprocess.Popen(command, cwd=folder, env=env, stdout=output, stderr=subprocess.STDOUT) as process:
        while True:
            try:
                code = process.wait(timeout=30)
                break
            except subprocess.TimeoutExpired:
                tick(time.monotonic() - started)
            except BaseException:
                process.terminate()
                raise
    if code != 0:
        output.seek(0)
        tail = "".join(output.readlines()[-15:])
        raise LocalError(f"{' '.join(command[:2])} {command[-1]} failed with exit code {code}:\n{tail}")
