"""Taking a job back: cancel by delete, suspend and resume, expiry; what may still change once a job is bound."""

import pytest
from kubernetes import client
from kubernetes.client.exceptions import ApiException

from e2e.life import ATTEMPT, H100, REMOTE, Json, World, condition, job, outcomes
from integration.support import wait_for

HOLD = "example.com/hold"


@pytest.fixture(scope="module", autouse=True)
def uids(world: World) -> dict[str, str]:
    """All jobs of this module, submitted at once: their UIDs by name."""
    lingers = {"terminationGracePeriodSeconds": 5}
    return world.submit(
        job("cancelled-running", "sleep 3000", replicas=2, device=(H100, 2), template=lingers),
        job("cancelled-bound", "sleep 3000", template={"image": "registry.example/does-not-exist:1"}),
        job("cancelled-pending", device=(H100, 8), replicas=9),
        job("paused-running", "[ $SAMPAN_ATTEMPT = 1 ] && sleep 3000; sleep 1", retry={"maxRestarts": 1}),
        job("paused-pending", suspend=True),
        job("paused-deleted", suspend=True),
        job("expires", "sleep 1", ttlSecondsAfterFinished=2),
        job("fixed", "sleep 3000", activeDeadlineSeconds=600, retry={"maxRestarts": 3}),
    )


def test_a_running_job_is_cancelled_and_the_finalizer_waits_for_the_last_pod(world: World) -> None:
    """The pods keep their grace; as long as one is there the ComputeJob is there."""
    world.reaches("cancelled-running", "Running")
    uid, (first, last) = world.must("cancelled-running")["metadata"]["uid"], world.pods("cancelled-running")
    try:
        for pod in (first, last):
            set_finalizers(world, pod, [*pod["metadata"].get("finalizers", []), HOLD])
        world.delete("cancelled-running")
        wait_for(lambda: all(map(terminating, world.pods_of(uid))), "both pods are terminating")
        assert {pod["metadata"]["deletionGracePeriodSeconds"] for pod in world.pods_of(uid)} <= {0, 5}
        release(world, [pod for pod in world.pods_of(uid) if pod["metadata"]["name"] == first["metadata"]["name"]])
        wait_for(lambda: len(world.pods_of(uid)) == 1, "one of them is gone")
        assert world.get("cancelled-running") is not None, "the finalizer left too early"
    finally:
        release(world, world.pods_of(uid))

    def look() -> bool:
        gone = world.get("cancelled-running") is None
        if gone:
            assert world.left(uid) == [], "the finalizer left too early"
        return gone

    wait_for(look, "cancelled-running is gone")


def terminating(pod: Json) -> bool:
    """Tell whether a pod is on its way out."""
    return "deletionTimestamp" in pod["metadata"]


def release(world: World, pods: list[Json]) -> None:
    """Let pods go that HOLD keeps."""
    for pod in pods:
        set_finalizers(world, pod, [each for each in pod["metadata"].get("finalizers", []) if each != HOLD])


def set_finalizers(world: World, pod: Json, wanted: list[str]) -> None:
    """As its member's administrator: with HOLD a pod stays, however long its grace has been over."""
    body = [{"op": "add", "path": "/metadata/finalizers", "value": wanted}]
    client.CoreV1Api(world.member(pod["member"]).client()).patch_namespaced_pod(pod["metadata"]["name"], REMOTE, body)


def test_a_bound_job_that_never_ran_is_cancelled(world: World) -> None:
    world.until("cancelled-bound", lambda s: s.get("phase") == "Bound", "is bound")
    uid = world.must("cancelled-bound")["metadata"]["uid"]
    world.copy("cancelled-bound")
    world.delete_gone("cancelled-bound")
    assert world.left(uid) == []


def test_a_pending_job_is_cancelled_at_once(world: World) -> None:
    world.waits_because("cancelled-pending", "TooLarge")
    world.delete_gone("cancelled-pending")


def test_a_running_job_is_suspended_and_resumed_as_a_new_attempt(world: World) -> None:
    world.reaches("paused-running", "Running")
    uid = world.must("paused-running")["metadata"]["uid"]
    world.change("paused-running", suspend=True)
    status = world.reaches("paused-running", "Suspended")
    assert outcomes(status) == [(1, "Cancelled")]
    assert "binding" not in status
    assert condition(status, "Suspended")["status"] == "True"
    assert world.left(uid) == []
    world.change("paused-running", suspend=False)
    status = world.reaches("paused-running", "Succeeded")
    assert outcomes(status) == [(1, "Cancelled"), (2, "Succeeded")]
    assert condition(status, "Suspended")["status"] == "False"
    assert status.get("restarts", 0) == 0


def test_a_pending_job_that_is_suspended_waits_for_its_user(world: World) -> None:
    status = world.reaches("paused-pending", "Suspended")
    assert condition(status, "Suspended")["reason"] == "SuspendedByUser"
    assert world.copies("paused-pending") == []
    world.change("paused-pending", suspend=False)
    assert outcomes(world.reaches("paused-pending", "Succeeded")) == [(1, "Succeeded")]


def test_a_suspended_job_can_be_deleted(world: World) -> None:
    world.reaches("paused-deleted", "Suspended")
    world.delete_gone("paused-deleted")


def test_a_finished_job_goes_after_its_ttl_with_its_copy(world: World, uids: dict[str, str]) -> None:
    wait_for(lambda: world.get("expires") is None, "expires is gone")
    assert world.left(uids["expires"]) == []


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("replicas", 2, "replicas"),
        ("template", {"image": "registry.example/other:1"}, "template"),
        ("activeDeadlineSeconds", 60, "activeDeadlineSeconds"),
        ("retry", {"maxRestarts": 5}, "retry"),
        ("placement", {"regions": ["cn-east"]}, "placement"),
    ],
)
def test_a_bound_job_keeps_its_spec(world: World, field: str, value: object, words: str) -> None:
    world.reaches("fixed", "Running")
    with pytest.raises(ApiException) as refused:
        world.change("fixed", **{field: value})
    assert refused.value.status == 422
    assert words in str(refused.value.body)


def test_a_bound_job_may_change_priority_ttl_and_a_longer_deadline(world: World) -> None:
    world.reaches("fixed", "Running")
    copy = world.copy("fixed")
    world.change("fixed", priority=7, ttlSecondsAfterFinished=600, activeDeadlineSeconds=900)
    wait_for(lambda: world.copy("fixed").body["spec"].get("activeDeadlineSeconds") == 900, "the copy has the longer deadline")
    assert world.copy("fixed").uid == copy.uid
    assert world.status("fixed")["phase"] == "Running"


def test_a_job_deleted_while_its_member_is_away_waits_for_it(world: World) -> None:
    """Remote gone is what the member itself says; silence is none."""
    world.submit(job("away", "sleep 3000", device=("huawei-910b3-64gb", 1)))
    world.reaches("away", "Running")
    uid, cluster = world.must("away")["metadata"]["uid"], world.fed.cluster("pengcheng")
    cluster.stop(world.fed.binaries)
    try:
        world.delete("away")
        gone_from_view = "Connected=False"
        wait_for(lambda: connected(world, "prov-pengcheng", "pengcheng-ondemand") == "False", gone_from_view)
        assert world.must("away")["metadata"]["finalizers"] == ["sampan.dev/remote-cleanup"]
    finally:
        cluster.start(world.fed.binaries)
    wait_for(lambda: world.get("away") is None, "away is gone")
    assert world.left(uid) == []
    wait_for(lambda: connected(world, "prov-pengcheng", "pengcheng-ondemand") == "True", "it is back")


def test_copies_carry_only_what_sampan_says(world: World) -> None:
    """No label or annotation of the tenant means anything on a member."""
    marked = job("marked", "sleep 3000")
    marked["metadata"] |= {"labels": {"tenant": "label"}, "annotations": {"tenant/note": "text"}}
    world.submit(marked)
    world.reaches("marked", "Running")
    copy = world.copy("marked")
    meta = copy.body["metadata"]
    assert {key for key in meta["labels"] if not key.startswith(("batch.", "job-", "controller-"))} == {
        "app.kubernetes.io/managed-by",
        "sampan.dev/hub",
        "sampan.dev/job-uid",
        ATTEMPT,
    }
    assert set(meta["annotations"]) - {"batch.kubernetes.io/job-tracking"} == {"sampan.dev/job"}
    assert meta["namespace"] == REMOTE
    assert "tenant" not in str(meta)


def connected(world: World, namespace: str, name: str) -> str:
    """Status of an offer's condition Connected."""
    return str(condition(world.offer(namespace, name)["status"], "Connected").get("status"))
