"""Two that want one name: foreign objects are left alone, our own are adopted, and nothing is ever there twice."""

import base64
import hashlib
import os
import signal
from typing import Any

from e2e.life import ASCEND, H100, HYGON, JOB_UID, REMOTE, World, condition, job, outcomes
from integration.support import batch_job, wait_for


def derived_name(hub_id: str, job_uid: str) -> str:
    """The name of a job's copy as docs/decisions/0001 describes it, worked out anew."""
    digest = hashlib.sha256()
    for part in (hub_id.encode(), job_uid.encode()):
        digest.update(len(part).to_bytes(8, "big") + part)
    return "sj-" + base64.b32encode(digest.digest()).decode().lower()[:26]


def hub_id(world: World) -> str:
    """The hub's stored identity."""
    return str(world.fed.hub.get("configmap", "sampan-hub-identity", "-n", "sampan-system")["data"]["hubID"])


def squat(world: World, member: str, name: str) -> dict[str, Any]:
    """A Job of somebody else in the namespace of our jobs; returns it as it is there."""
    secure = {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}}
    container = {"securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}}
    body = batch_job(name, ["sleep", "infinity"], namespace=REMOTE, securityContext=secure, container=container)
    world.member(member).apply(body)
    found: dict[str, Any] = world.member(member).get("job", name, "-n", REMOTE)
    return found


def test_a_foreign_job_of_that_name_is_left_alone_and_the_job_goes_elsewhere(world: World) -> None:
    either = [{"accelerator": {"class": name, "count": 1}} for name in (H100, HYGON)]
    world.submit(job("taken", alternatives=either, suspend=True))
    name = derived_name(hub_id(world), world.must("taken")["metadata"]["uid"])
    before = squat(world, "lingang", name)
    try:
        world.change("taken", suspend=False)
        status = world.reaches("taken", "Succeeded")
        assert outcomes(status) == [(1, "Rejected"), (2, "Succeeded")]
        assert status["attempts"][0]["reason"] == "NameConflict"
        assert status["binding"]["offer"]["name"] == "kunshan-ondemand"
        assert world.copy("taken").name == name
        after = world.member("lingang").get("job", name, "-n", REMOTE)
        assert (after["metadata"]["uid"], after["spec"]) == (before["metadata"]["uid"], before["spec"])
        world.delete_gone("taken")
        assert world.member("lingang").get("job", name, "-n", REMOTE)["metadata"]["uid"] == before["metadata"]["uid"]
    finally:
        world.member("lingang").kubectl("delete", "job", name, "-n", REMOTE)


def test_a_job_whose_name_is_taken_everywhere_waits_and_says_why(world: World) -> None:
    world.submit(job("nowhere-free", device=(H100, 1), suspend=True))
    name = derived_name(hub_id(world), world.must("nowhere-free")["metadata"]["uid"])
    squat(world, "lingang", name)
    try:
        world.change("nowhere-free", suspend=False)
        status = world.until("nowhere-free", lambda s: s.get("phase") == "Pending" and outcomes(s), "is rejected")
        assert (status["attempts"][0]["outcome"], status["attempts"][0]["reason"]) == ("Rejected", "NameConflict")
        world.waits_because("nowhere-free", "OfferCoolingDown", "NameConflict")
        world.delete_gone("nowhere-free")
        assert world.member("lingang").get("job", name, "-n", REMOTE)["status"].get("active") == 1
    finally:
        world.member("lingang").kubectl("delete", "job", name, "-n", REMOTE)


def test_a_killed_operator_adopts_the_copy_it_had_made(world: World) -> None:
    """Killed between create and mirror: the member's scheduler is dead, so nothing could be mirrored before."""
    cluster = world.fed.cluster("lingang")
    os.kill(cluster.pids()["kube-scheduler"], signal.SIGKILL)
    try:
        world.submit(job("adopted", replicas=2, device=(H100, 8)))
        copy = wait_for(lambda: next(iter(world.copies("adopted")), None), "the copy is there")
        world.fed.operator.kill()
        assert "uid" not in world.status("adopted")["binding"]["remote"], "killed too late: already mirrored"
        world.fed.operator.start()
        world.fed.operator.wait_ready()
    finally:
        cluster.start(world.fed.binaries)
    status = world.reaches("adopted", "Succeeded")
    assert outcomes(status) == [(1, "Succeeded")]
    assert status["binding"]["remote"]["uid"] == copy.uid
    uid = world.must("adopted")["metadata"]["uid"]
    assert len(world.member("lingang").items("services", "-n", REMOTE, "-l", f"{JOB_UID}={uid}")) == 1


def test_an_operator_killed_between_intent_and_create_makes_one_copy(world: World) -> None:
    """Stopped in its tracks, its member cut off, then killed: the next operator finds the intent and carries it out once."""
    world.submit(job("intended", device=(ASCEND, 1), suspend=True))
    world.reaches("intended", "Suspended")
    pid = world.fed.cluster("pengcheng").pids()["kube-apiserver"]

    def intended() -> bool:
        """Cut the member off, and kill the operator where the intent came before its member was found to be mute."""
        wait_for(lambda: connected(world) == "True", "the member answers")
        os.kill(pid, signal.SIGSTOP)
        try:
            world.change("intended", suspend=False)
            wait_for(lambda: world.status("intended").get("binding") or connected(world) != "True", "has its intent")
            world.fed.operator.kill()
        finally:
            os.kill(pid, signal.SIGCONT)
        there = bool(world.status("intended").get("binding"))
        if not there:
            world.change("intended", suspend=True)
            world.fed.operator.start()
            world.fed.operator.wait_ready()
        return there

    wait_for(intended, "an intent without its copy")
    world.fed.operator.start()
    world.fed.operator.wait_ready()
    status = world.reaches("intended", "Succeeded")
    assert outcomes(status) == [(1, "Succeeded")]
    assert len(world.copies("intended")) == 1


def connected(world: World) -> str:
    """Status of condition Connected of the offer of the member that is cut off."""
    return str(condition(world.offer("prov-pengcheng", "pengcheng-ondemand")["status"], "Connected").get("status"))
