"""No secret anywhere but in Secrets: canaries are planted, jobs and offers run and fail with them, then everything is searched."""

import base64
import json

from e2e.life import JOB_UID, REMOTE, TEAM, UNTIL_TOLD, World, condition, job
from e2e.test_dependents import SHARED
from integration.support import PATIENCE, wait_for
from sampan.local.up import member_kubeconfig

NAMESPACE = "prov-lingang"
SECRET_CANARY = "canary-7f3a91-secret"
PULL_CANARY = "canary-7f3a91-pull"
MAP_CANARY = "canary-7f3a91-map"
ENV_CANARY = "canary-7f3a91-env"
BROKEN_CANARY = "canary-7f3a91-token"


def spread(canary: str) -> tuple[str, str]:
    """A canary as it is and in base64, but for the ends that depend on what is around it."""
    return canary, base64.b64encode(canary.encode()).decode().rstrip("=")[:-2]


def test_secrets_are_nowhere_but_in_secrets(world: World) -> None:
    fed = world.fed
    good = member_kubeconfig(fed.federation, "lingang", fed.binaries)
    token = next(line.split("token:")[1].strip() for line in good.splitlines() if "token:" in line)
    broken = good.replace(token, BROKEN_CANARY)
    offer = fed.hub.get("clusteroffer", "lingang-ondemand", "-n", NAMESPACE)
    secrets = [
        secret("canary-kubeconfig", NAMESPACE, {"kubeconfig": broken}),
        secret("canary-garbage", NAMESPACE, {"kubeconfig": f"users: [{BROKEN_CANARY}: {{"}),
        {**secret("canary", TEAM, {"key": SECRET_CANARY}), "metadata": {"name": "canary", "namespace": TEAM, "labels": {SHARED: "true"}}},
        registry_login("canary-login", PULL_CANARY),
    ]
    config_map = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "canary", "namespace": TEAM}, "data": {"k": MAP_CANARY}}
    offers = [
        {
            "apiVersion": offer["apiVersion"],
            "kind": "ClusterOffer",
            "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {**offer["spec"], "kubeconfigSecretRef": {"name": name}},
        }
        for name in ("canary-kubeconfig", "canary-garbage")
    ]
    volumes = [{"name": "s", "secret": {"secretName": "canary"}}, {"name": "c", "configMap": {"name": "canary"}}]
    mounts = [{"name": "s", "mountPath": "/s"}, {"name": "c", "mountPath": "/c"}]
    by_name = {"name": "S", "valueFrom": {"secretKeyRef": {"name": "canary", "key": "key"}}}
    carrying = {
        "volumes": volumes,
        "volumeMounts": mounts,
        "env": [{"name": "E", "value": ENV_CANARY}, by_name],
        "envFrom": [{"prefix": "ALL_", "secretRef": {"name": "canary"}}],
        "imagePullSecrets": [{"name": "canary-login"}],
        "initContainers": [{"name": "first", "image": "registry.example/tool:1", "command": ["true"], "env": [by_name]}],
    }
    try:
        fed.hub.apply(*secrets, config_map, *offers)
        world.submit(job("carries", UNTIL_TOLD, template=carrying), job("fails-with-it", "sleep 1; exit 3", template=carrying))
        # 1. They did travel, and the broken credentials were tried.
        world.reaches("carries", "Running")
        copy, uid = world.copy("carries"), world.must("carries")["metadata"]["uid"]
        travelled = world.member(copy.member).items("secrets,configmaps", "-n", REMOTE, "-l", f"{JOB_UID}={uid}")
        assert spread(SECRET_CANARY)[1] in json.dumps(travelled)
        logins = [item for item in travelled if item.get("type") == "kubernetes.io/dockerconfigjson"]
        assert [PULL_CANARY in base64.b64decode(item["data"][".dockerconfigjson"]).decode() for item in logins] == [True]
        assert MAP_CANARY in json.dumps(travelled)
        for name in ("canary-kubeconfig", "canary-garbage"):
            refused = wait_for(lambda name=name: not_connected(world, name), f"{name} is refused")  # type: ignore[misc]
            assert BROKEN_CANARY not in json.dumps(refused)
        world.finish("carries")
        world.reaches("carries", "Succeeded")
        world.reaches("fails-with-it", "Failed")
        # 2. Nowhere else is any of them, nor the token that the federation itself works with.
        for place, text in searched(world).items():
            for canary in (SECRET_CANARY, PULL_CANARY, MAP_CANARY, BROKEN_CANARY, token):
                hits = [form for form in spread(canary) if form in text]
                assert not hits, f"{canary[:20]} is in {place}"
            assert ENV_CANARY not in text, f"{ENV_CANARY} is in {place}"
    finally:
        names = [f"clusteroffer/{o['metadata']['name']}" for o in offers] + ["secret/canary-kubeconfig", "secret/canary-garbage"]
        fed.hub.kubectl("delete", "-n", NAMESPACE, "--ignore-not-found", f"--timeout={PATIENCE}s", *names)
        fed.hub.kubectl("delete", "-n", TEAM, "--ignore-not-found", "secret/canary", "secret/canary-login", "configmap/canary")


def secret(name: str, namespace: str, data: dict[str, str]) -> dict[str, object]:
    """A Secret."""
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace}, "stringData": data}


def registry_login(name: str, password: str) -> dict[str, object]:
    """Registry credentials of the tenant, shared with jobs."""
    metadata = {"name": name, "namespace": TEAM, "labels": {SHARED: "true"}}
    logins = {"auths": {"registry.example": {"username": "team-a", "password": password}}}
    data = {".dockerconfigjson": json.dumps(logins)}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "kubernetes.io/dockerconfigjson", "stringData": data}


def not_connected(world: World, name: str) -> dict[str, object] | None:
    """The condition Connected once it is False."""
    found = condition(world.offer(NAMESPACE, name).get("status") or {}, "Connected")
    return found if found.get("status") == "False" and found.get("reason") != "Connecting" else None


def searched(world: World) -> dict[str, str]:
    """Everything where a secret must not be: log, metrics, events everywhere, statuses of our kinds, metadata of the copies."""
    hub = world.fed.hub
    kinds = "computejobs.sampan.dev,clusteroffers.sampan.dev"
    statuses = [item.get("status", {}) for item in hub.items(kinds, "--all-namespaces")]
    members = {f"events of {name}": json.dumps(api.items("events", "--all-namespaces")) for name, api in world.fed.members.items()}
    copies = [api.items("jobs.batch", "-n", REMOTE) for api in world.fed.members.values()]
    return {
        "log": world.fed.operator.log.read_text(errors="replace"),
        "metrics": world.metrics(),
        "events of the hub": json.dumps(hub.items("events", "--all-namespaces")),
        "statuses": json.dumps(statuses),
        "metadata of copies": json.dumps([item["metadata"] for items in copies for item in items]),
        **members,
    }
