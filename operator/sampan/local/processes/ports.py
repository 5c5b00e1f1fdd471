"""Hands out TCP ports on 127.0.0.1 for programs that want to be told theirs. Never here: what listens there."""

import fcntl
import itertools
import json
import socket
import zlib
from pathlib import Path

from sampan.local.kubeconfig import write_private
from sampan.local.paths import LocalError, state_root

# Below Linux's ephemeral range: no outgoing connection can sit on a port between our choice and the program's bind,
# nor while a cluster is stopped.
_RANGE = range(18000, 32000)


def reserve_ports(count: int, record: Path) -> list[int]:
    """Ports that are free now and that no other federation has recorded.

    They are written to `record` (a JSON list) before anyone else may choose.
    """
    state_root().mkdir(parents=True, exist_ok=True)
    with (state_root() / ".ports.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        taken = _recorded()
        chosen = _free(taken, count)
        if len(chosen) < count:
            raise LocalError(f"no {count} free TCP ports between {_RANGE.start} and {_RANGE.stop} on 127.0.0.1: stop a federation first")
        write_private(record, json.dumps(chosen))
    return chosen


def _recorded() -> set[int]:
    taken: set[int] = set()
    for record in state_root().glob("*/ports.json"):
        taken.update(_read(record))
    return taken


def _read(record: Path) -> list[int]:
    """Return the ports of a record; none where it is not one as they are written now: who listens is seen all the same."""
    try:
        found = json.loads(record.read_text())
    except (FileNotFoundError, ValueError):  # it was just removed; it is not whole
        return []
    return [port for port in found if isinstance(port, int)] if isinstance(found, list) else []


def _free(taken: set[int], count: int) -> list[int]:
    chosen: list[int] = []
    # Whoever keeps federations in another folder, another user for one, does not see our record, and may choose at this moment.
    first = zlib.crc32(str(state_root()).encode()) % max(len(_RANGE), 1)
    for port in itertools.chain(_RANGE[first:], _RANGE[:first]):
        if len(chosen) == count:
            break
        if port not in taken and _bindable(port):
            chosen.append(port)
    return chosen


def _bindable(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
