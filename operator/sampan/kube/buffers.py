"""How much an open connection may keep of what its reader does not take.

Lives here: the sizes of the buffers below a connection.
Must never live here: how much is read at once, or how long is waited.
"""

import asyncio
import socket


def bound_buffers(transport: asyncio.BaseTransport, size: int) -> None:
    """Have an open connection keep about so many bytes in each place that has a buffer: kernel, TLS, event loop.

    Left alone, each of the two connections of a stream that nobody reads grows to several MiB in the kernel, which counts as the
    container's memory too, and to 1 MiB here.
    """
    sock = transport.get_extra_info("socket")
    for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        sock.setsockopt(socket.SOL_SOCKET, option, size)
    for name in ("set_write_buffer_limits", "set_read_buffer_limits"):  # the second: only TLS has it
        limit = getattr(transport, name, None)
        if limit is not None:
            limit(high=size)
