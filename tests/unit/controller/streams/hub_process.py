"""The query API of one bound job in a process of its own, as the operator runs it: its memory can be measured. No assertion here."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvloop

import builders as b
import jobs
from sampan.controller.query.front_proxy import FrontProxy, server_context
from sampan.controller.query.server import QueryApi, serving
from sampan.controller.streams.limits import OpenStreams
from sampan.kube.credentials.credential import Credentials
from sampan.kube.credentials.secret import Secret
from sampan.kube.transport.client import Client
from sampan.kube.transport.limits import Limits
from unit.controller.logs.world import RUNNING, pod
from unit.controller.query.worlds import StillWorld
from unit.controller.streams.hub import Rights
from unit.kube.certs import authority, issue
from unit.kube.fake_api import LOOPBACK, FakeApi

TESTS = Path(__file__).parents[3]


class HubProcess:
    """The running process."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        self._process = process
        self.port = int(process.stdout.readline())

    @property
    def memory(self) -> int:
        """Bytes that are resident now."""
        return int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


@contextmanager
def hub_process(member: FakeApi) -> Iterator[HubProcess]:
    """Run one whose job is on that member; anybody with the front proxy's certificate may open as much as they like."""
    own = issue(authority(), name="sampan-query", hosts=["127.0.0.1"])
    given = {"port": member.port, "ca": authority().cert_pem, "cert": own.cert_pem, "key": own.key_pem}
    given["proxies"] = authority("front-proxy-ca").cert_pem
    env = {**os.environ, "PYTHONPATH": f"{TESTS.parent / 'operator'}:{TESTS}"}
    command = [sys.executable, "-m", "unit.controller.streams.hub_process"]
    with subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        process.stdin.write(json.dumps(given))
        process.stdin.close()
        try:
            yield HubProcess(process)
        finally:
            process.kill()


async def serve(given: dict[str, Any]) -> None:
    """Serve until killed."""
    tls = server_context(certificate=given["cert"], key=given["key"], client_ca=given["proxies"])
    credentials = Credentials(host="127.0.0.1", port=given["port"], ca_pem=given["ca"], token=Secret("good"), policy=LOOPBACK)
    async with Client(credentials, limits=Limits(timeout=60, connect_timeout=60, qps=1000, burst=1000)) as client:
        world = StillWorld(b.snapshot(), [jobs.record("u1", status=jobs.bound_status(running=True))], (pod(0, RUNNING),), client=client)
        limits = OpenStreams(in_all=1000, of_namespace=1000, of_user=1000)
        query = QueryApi(world, FrontProxy(frozenset({"front-proxy-client"})), Rights(), open_streams=limits)
        query.budget.burst = query.budget_of_namespaces.burst = 10_000
        async with serving(query, ("127.0.0.1", 0), tls) as served:
            print(served.port, flush=True)  # noqa: T201  whoever started us reads it
            await asyncio.sleep(3600)


if __name__ == "__main__":
    uvloop.run(serve(json.load(sys.stdin)))
