"""What travels with a job: ConfigMaps, and Secrets where the tenant opted in; how it waits for them, and that they go with it."""

import base64
from typing import Any

from e2e.life import JOB_UID, REMOTE, TEAM, UNTIL_TOLD, World, job
from integration.support import wait_for


def using(name: str, script: str = "sleep 2", **source: Any) -> dict[str, Any]:
    """A job that mounts one volume."""
    mounts = {"volumes": [{"name": "v", **source}], "volumeMounts": [{"name": "v", "mountPath": "/data"}]}
    return job(name, script, template=mounts)


def config_map(name: str) -> dict[str, Any]:
    """A ConfigMap of the tenant with metadata that must stay at home."""
    labels = {"tenant": "label", "app": "web"}
    metadata = {"name": name, "namespace": TEAM, "labels": labels, "annotations": {"note": "text"}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"lr": "0.1"}, "binaryData": {"bin": "AAEC"}}


SHARED = "sampan.dev/share-with-jobs"


def test_a_config_map_travels_without_its_metadata_and_goes_with_the_job(world: World) -> None:
    world.fed.tenant.apply(config_map("settings"))
    try:
        world.submit(using("with-map", UNTIL_TOLD, configMap={"name": "settings"}))
        world.reaches("with-map", "Running")
        copy, uid = world.copy("with-map"), world.must("with-map")["metadata"]["uid"]
        (there,) = world.member(copy.member).items("configmaps", "-n", REMOTE, "-l", f"{JOB_UID}={uid}")
        assert (there["data"], there["binaryData"], there["immutable"]) == ({"lr": "0.1"}, {"bin": "AAEC"}, True)
        assert not {"tenant", "app"} & set(there["metadata"]["labels"])
        assert "annotations" not in there["metadata"]
        assert [owner["uid"] for owner in there["metadata"]["ownerReferences"]] == [copy.uid]
        (pod,) = world.pods("with-map")
        assert {v["configMap"]["name"] for v in pod["spec"]["volumes"] if "configMap" in v} == {there["metadata"]["name"]}
        world.finish("with-map")
        world.reaches("with-map", "Succeeded")
        world.delete_gone("with-map")
        wait_for(lambda: not world.left(uid), "everything of it is gone")
    finally:
        world.fed.tenant.kubectl("delete", "configmap", "settings", "-n", TEAM)


def test_a_job_waits_for_its_config_map_and_binds_once_it_is_there(world: World) -> None:
    world.submit(using("early", configMap={"name": "later"}))
    found = world.waits_because("early", "ConfigMapNotFound")
    assert "later" in found["message"]
    assert TEAM in found["message"]
    assert world.copies("early") == []
    world.fed.tenant.apply(config_map("later"))
    try:
        world.reaches("early", "Succeeded")
    finally:
        world.fed.tenant.kubectl("delete", "configmap", "later", "-n", TEAM)


def test_an_optional_config_map_is_not_waited_for(world: World) -> None:
    world.submit(using("optional", configMap={"name": "nowhere", "optional": True}))
    world.reaches("optional", "Succeeded")


def test_a_secret_travels_only_where_the_tenant_said_so(world: World) -> None:
    """By a label that role edit can set. Absent or not shared: the answer is the same, so that nobody learns which Secrets there are."""
    tenant = world.fed.tenant
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "token", "namespace": TEAM}, "stringData": {"key": "s3cr3t"}}
    tenant.apply(secret)
    variable = {"env": [{"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "token", "key": "key"}}}]}
    wrong = {"env": [{"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "token", "key": "no-such-key"}}}]}
    try:
        world.submit(
            using("sealed", UNTIL_TOLD, secret={"secretName": "token"}),
            using("unknown", secret={"secretName": "no-such"}),
            job("by-name", UNTIL_TOLD, template=variable),
            job("wrong-key", template=wrong),
        )
        told = [world.waits_because(name, "SecretNotShared")["message"] for name in ("sealed", "unknown")]
        assert told[0].replace("token", "X") == told[1].replace("no-such", "X")
        assert world.copies("sealed") == []
        assert SHARED in told[0]
        tenant.kubectl("label", "secret", "token", "-n", TEAM, f"{SHARED}=true")
        assert "no-such-key" in world.waits_because("wrong-key", "KeyNotFound")["message"]
        for name in ("sealed", "by-name"):
            world.reaches(name, "Running")
            copy, uid = world.copy(name), world.must(name)["metadata"]["uid"]
            (there,) = world.member(copy.member).items("secrets", "-n", REMOTE, "-l", f"{JOB_UID}={uid}")
            assert base64.b64decode(there["data"]["key"]) == b"s3cr3t"
            assert (there["type"], there["immutable"]) == ("Opaque", True)
            assert SHARED not in there["metadata"]["labels"]
            world.finish(name)
            world.reaches(name, "Succeeded")
            world.delete_gone(name)
            wait_for(lambda uid=uid: not world.left(uid), "everything of it is gone")  # type: ignore[misc]
        assert world.waits_because("unknown", "SecretNotShared")["status"] == "False"
    finally:
        tenant.kubectl("delete", "secret", "token", "-n", TEAM, "--ignore-not-found")
