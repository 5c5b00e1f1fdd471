"""The operator's own endpoint: what is measured, whether it lives, whether it is ready."""

from aiohttp import ClientSession
from prometheus_client import CollectorRegistry, Gauge

from sampan.controller.runtime.health import health_server


async def get(port: int, path: str) -> tuple[int, str, str]:
    async with ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as reply:
        return reply.status, await reply.text(), reply.headers["Content-Type"]


async def test_metrics_health_and_readiness(unused_tcp_port: int) -> None:
    registry = CollectorRegistry()
    Gauge("sampan_test", "A test.", registry=registry).set(4)
    state = {"ready": False, "healthy": True}
    port = unused_tcp_port
    async with health_server("127.0.0.1", port, registry, ready=lambda: state["ready"], healthy=lambda: state["healthy"]):
        code, text, kind = await get(port, "/metrics")
        assert (code, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
        assert "sampan_test 4.0" in text
        assert (await get(port, "/healthz"))[0] == 200
        assert (await get(port, "/readyz"))[0] == 503
        state |= {"ready": True, "healthy": False}
        assert (await get(port, "/healthz"))[0] == 500
        assert (await get(port, "/readyz"))[0] == 200
        assert (await get(port, "/debug"))[0] == 404


async def test_the_port_is_free_again_afterwards(unused_tcp_port: int) -> None:
    for _ in range(2):
        async with health_server("127.0.0.1", unused_tcp_port, CollectorRegistry(), ready=lambda: True, healthy=lambda: True):
            assert (await get(unused_tcp_port, "/readyz"))[0] == 200
