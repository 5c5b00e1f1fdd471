"""`python -m sampan.local.nodes.switch FOLDER`: the network of one cluster's real nodes, for as long as this process lives.

A network namespace with a bridge that the nodes are plugged into, the address of the API server's Service, and the name server. The
machine's own network has no part in it: connections are carried between its loopback and the namespace. Pods reach their API server
at its Service's address; the API server reaches kubelets and pods through a proxy on a Unix socket. Never here: the nodes.
"""

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Final

from sampan.local.nodes import addresses, namespaces
from sampan.local.nodes.relay import Reader, Writer, forwarder, proxy

PLAN: Final = "switch.json"
READY: Final = "switch.namespace"
"""The file that says where the namespace is, once everything stands."""
_CONNECT_SECONDS: Final = 10.0
_INSIDE: Final = tuple(ip_network(each) for each in addresses.INSIDE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the process is to do; as JSON in FOLDER/switch.json."""

    api_port: int
    """Of the API server on 127.0.0.1."""
    beyond: list[int]
    """More ports on 127.0.0.1, each reached at the switch's own address."""
    socket: str
    """Where the API server's proxy listens."""
    coredns: str
    """The program; its Corefile is in the folder."""


def run(folder: Path) -> None:
    """Run the switch until it is told to end, or its name server has ended."""
    plan = Plan(**json.loads((folder / PLAN).read_text()))
    Path(plan.socket).unlink(missing_ok=True)
    asyncio.run(_run(folder, plan))


async def _run(folder: Path, plan: Plan) -> None:
    loop = asyncio.get_running_loop()
    # The thread is the first, and while nobody is plugged in the only one in the namespace.
    with ThreadPoolExecutor(max_workers=1, initializer=_make) as inside:
        thread = await loop.run_in_executor(inside, threading.get_native_id)

        async def connect(host: str, port: int) -> tuple[Reader, Writer]:
            if not is_inside(host):
                return await asyncio.wait_for(asyncio.open_connection(host, port), _CONNECT_SECONDS)
            made = await loop.run_in_executor(inside, socket.socket)
            made.setblocking(False)
            await asyncio.wait_for(loop.sock_connect(made, (host, port)), _CONNECT_SECONDS)
            return await asyncio.open_connection(sock=made)

        carried = [(addresses.API_SERVER, 443, plan.api_port), *((addresses.SWITCH, port, port) for port in plan.beyond)]
        for host, port, outside in carried:
            listening = await loop.run_in_executor(inside, _listen, host, port)
            await asyncio.start_server(forwarder(connect, "127.0.0.1", outside), sock=listening)
        await asyncio.start_unix_server(proxy(connect), plan.socket)
        names = await loop.run_in_executor(inside, _name_server, folder, plan.coredns)
        ready = folder / f".{READY}"
        ready.write_text(f"/proc/{os.getpid()}/task/{thread}/ns/net")
        ready.replace(folder / READY)
        await loop.run_in_executor(None, names.wait)


def is_inside(host: str) -> bool:
    """Whether the host is an address of the cluster's network."""
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return any(address in network for network in _INSIDE)


def _make() -> None:
    """Take this thread to a network namespace of its own and build the switch there; its child processes are there as well."""
    namespaces.leave(namespaces.NETWORK)
    for command in (
        "link set lo up",
        "link add nodes type bridge",
        f"address add {addresses.SWITCH}/{addresses.PREFIX_LENGTH} dev nodes",
        "link set nodes up",
        f"address add {addresses.API_SERVER}/32 dev lo",
        f"address add {addresses.DNS_SERVER}/32 dev lo",
    ):
        subprocess.run(["ip", *command.split()], check=True, stdin=subprocess.DEVNULL)
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")


def _listen(host: str, port: int) -> socket.socket:
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((host, port))
    made.listen(128)
    made.setblocking(False)
    return made


def _name_server(folder: Path, program: str) -> "subprocess.Popen[bytes]":
    """Start CoreDNS from the thread in the namespace; the kernel ends it with that thread, and so with us."""
    command = ["setpriv", "--pdeathsig", "KILL", program, "-conf", f"{folder}/Corefile"]
    with (folder / "coredns.log").open("ab") as log:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


if __name__ == "__main__":
    run(Path(sys.argv[1]))
