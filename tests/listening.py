"""On what a process listens, as the kernel tells it: what shows that nothing of ours is open to others."""

from pathlib import Path

LOOPBACK = {"0100007F"}
"""127.0.0.1 as /proc/net/tcp writes it."""


def listeners(pid: int) -> list[tuple[str, int]]:
    """Addresses (hexadecimal, as in /proc/net/tcp) and ports on which the process listens."""
    inodes = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = str(entry.readlink())
        except FileNotFoundError:
            continue  # closed since we listed it
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    found = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                address, _, port = fields[1].partition(":")
                found.append((address, int(port, 16)))
    return found
