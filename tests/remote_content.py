"""What travels with jobs in unit and integration tests: a template that takes everything along, and what the hub has of it."""

from typing import Any

from sampan.api.launch.dependents import Payload
from sampan.api.launch.remote_job import RemoteJobSpec
from sampan.api.launch.travelling import DOCKER_CONFIG, TravelKind, Travelling

_CONFIG_MAPS = {"llama": Payload(data={"train.yaml": "lr: 1e-4\n"}, binary_data={"vocab.bin": "AAEC"}), "extra": Payload(data={"a": "b"})}
_SECRETS = {"hub-token": Payload(data={"token": "Y2FuYXJ5LXNlY3JldA=="}), "registry": Payload(data={DOCKER_CONFIG: "e30="})}


def content(c: RemoteJobSpec) -> dict[Travelling, Payload]:
    """What the hub has of what travels with a job."""
    stores = {TravelKind.CONFIG_MAP: _CONFIG_MAPS, TravelKind.SECRET: _SECRETS}
    return {each: stores[each.kind][each.name] for each in c.travelling if each.name in stores[each.kind]}


_TOKEN = {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "hub-token", "key": "token"}}}
PRIVATE: dict[str, Any] = {
    "image": "registry.example/private:1",
    "imagePullSecrets": [{"name": "registry"}],
    "env": [_TOKEN, {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "extra", "key": "a", "optional": True}}}],
    "envFrom": [{"configMapRef": {"name": "extra", "optional": True}}, {"prefix": "S_", "secretRef": {"name": "hub-token"}}],
    "volumes": [
        {
            "name": "files",
            "secret": {
                "secretName": "hub-token",
                "items": [{"key": "token", "path": "sub/t", "mode": 0o400}],
                "defaultMode": 0o440,
            },
        }
    ],
    "volumeMounts": [{"name": "files", "mountPath": "/files", "readOnly": True}],
    "initContainers": [
        {
            "name": "fetch",
            "image": "registry.example/fetch:1",
            "command": ["fetch", "$(TOKEN)"],
            "env": [_TOKEN],
            "resources": {"requests": {"cpu": "2"}},
            "volumeMounts": [{"name": "files", "mountPath": "/files"}],
        },
        {"name": "proxy", "image": "registry.example/proxy:1", "restartPolicy": "Always"},
    ],
}
