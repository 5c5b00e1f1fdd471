"""The hub's own service ranges: as its API server tells them, else the address by which a pod reaches that."""

import json
from ipaddress import ip_network
from pathlib import Path

import pytest

from sampan.controller.hub.networks import service_networks
from sampan.kube.credentials.hub import InCluster, KubeconfigFile, Source
from sampan.kube.transport.client import Client
from unit.kube.raw_server import raw_server, writing

FOUND = {
    "metadata": {"resourceVersion": "1"},
    "items": [
        {"metadata": {"name": "kubernetes"}, "spec": {"cidrs": ["10.96.0.0/12", "fd12::/108"]}},
        {"metadata": {"name": "more"}, "spec": {"cidrs": ["10.200.0.0/24"]}},
    ],
}
OLD = {"kind": "Status", "code": 404, "reason": "NotFound", "message": "the server could not find the requested resource"}
FILE = KubeconfigFile(Path("hub.kubeconfig"))
POD = InCluster(host="10.96.0.1", port=443)


@pytest.mark.parametrize(
    ("code", "body", "source", "want"),
    [
        (200, FOUND, FILE, {"10.96.0.0/12", "fd12::/108", "10.200.0.0/24"}),
        (404, OLD, POD, {"10.96.0.1/32"}),
        (403, {"kind": "Status", "code": 403, "reason": "Forbidden"}, InCluster(host="fd12::1", port=443), {"fd12::1/128"}),
        (404, OLD, InCluster(host="kubernetes.default.svc", port=443), set()),
        (404, OLD, FILE, set()),
    ],
    ids=["ranges", "before 1.33", "not allowed", "a name", "outside"],
)
async def test_service_networks(code: int, body: dict[str, object], source: Source, want: set[str]) -> None:
    data = json.dumps(body)
    async with raw_server() as raw:
        raw.answers = [
            writing(f"HTTP/1.1 {code} X\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n{data}".encode())
        ]
        async with Client(raw.credentials()) as client:
            assert set(await service_networks(client, source)) == {ip_network(text) for text in want}
        assert raw.requests[0].startswith(b"GET /apis/networking.k8s.io/v1/servicecidrs")
