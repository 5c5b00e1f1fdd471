"""A tunnel through an HTTP proxy.

Lives here: CONNECT on a socket that leads to a proxy, and what its answers mean.
Must never live here: TLS to the server behind it, which proxy is allowed, how the proxy is reached.
"""

import asyncio
import socket

from sampan.kube.credentials.credential import Proxy

_MOST = 16 * 1024  # bytes of an answer's head
_END = b"\r\n\r\n"


class ProxyRefused(OSError):  # noqa: N818  (an OSError: a connection that fails)
    """The proxy made no tunnel. ``words`` say why, with nothing of the proxy's own text."""

    def __init__(self, words: str) -> None:
        """Keep the words."""
        self.words = words
        super().__init__(words)


async def open_tunnel(sock: socket.socket, target: str, proxy: Proxy) -> None:
    """Have the proxy connect to ``target``, host:port; afterwards the socket leads there. Raises ProxyRefused and OSError."""
    loop = asyncio.get_running_loop()
    login = "" if proxy.authorization is None else f"Proxy-Authorization: {proxy.authorization.reveal()}\r\n"
    await loop.sock_sendall(sock, f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{login}\r\n".encode("ascii"))
    head = b""
    while _END not in head:
        piece = await loop.sock_recv(sock, _MOST)
        head += piece
        if not piece or len(head) > _MOST:
            raise ProxyRefused("the proxy of the kubeconfig does not answer as an HTTP proxy does")
    _check(head)


def _check(head: bytes) -> None:
    """Raise ProxyRefused for any answer but a tunnel, through which nothing can have come yet: the server waits for us to begin."""
    version, _, code = head[:12].partition(b" ")
    if not version.startswith(b"HTTP/1.") or not code.isdigit():
        raise ProxyRefused("the proxy of the kubeconfig does not answer as an HTTP proxy does")
    if code == b"407":
        raise ProxyRefused("the proxy of the kubeconfig asks for another user and password in proxy-url (407)")
    if not code.startswith(b"2"):
        raise ProxyRefused(f"the proxy of the kubeconfig makes no tunnel to the server ({code.decode()})")
    if head.partition(_END)[2]:
        raise ProxyRefused("the proxy of the kubeconfig says more than a tunnel may")
