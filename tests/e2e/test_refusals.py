"""A member that refuses, undoes or never starts what it is sent: few calls, its own words, another pool, and an end.

All jobs are submitted at once, because each of them needs its time; what is counted are the member's and the operator's own figures.
"""

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes import client
from kubernetes.client.exceptions import ApiException

from e2e.history import History, recorded
from e2e.life import ASCEND, H100, HYGON, JOB_UID, REMOTE, TEAM, World, condition, job, outcomes
from e2e.test_offers import offer, through, until
from integration.support import PATIENCE, wait_for

ADMISSION = "admissionregistration.k8s.io/v1"
RBAC = "rbac.authorization.k8s.io/v1"
NOWHERE = {"image": "registry.example/does-not-exist:1"}
PULLING = ("ErrImagePull", "ImagePullBackOff")
SUSPENDER = "keep-suspended"
HOOK = "validate.example.com"
SUSPENDED = "Object{spec: Object.spec{suspend: true}}"


def suspending(*names: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A policy that sets spec.suspend of these jobs' copies at every write, as a queueing system does."""
    ours = " || ".join(f"object.metadata.annotations['sampan.dev/job'] == '{TEAM}/{name}'" for name in names)
    rules = [{"apiGroups": ["batch"], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["jobs"]}]
    spec = {
        "failurePolicy": "Fail",
        "reinvocationPolicy": "Never",
        "matchConstraints": {"resourceRules": rules},
        "matchConditions": [{"name": "ours", "expression": f"has(object.metadata.annotations) && ({ours})"}],
        "mutations": [
            {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": "Object{spec: Object.spec{suspend: true}}"}}
        ],
    }
    return (
        {"apiVersion": ADMISSION, "kind": "MutatingAdmissionPolicy", "metadata": {"name": SUSPENDER}, "spec": spec},
        {
            "apiVersion": ADMISSION,
            "kind": "MutatingAdmissionPolicyBinding",
            "metadata": {"name": SUSPENDER},
            "spec": {"policyName": SUSPENDER},
        },
    )


def absent_webhook() -> dict[str, Any]:
    """A webhook with failurePolicy Fail whose server is away."""
    hook = {
        "name": HOOK,
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "failurePolicy": "Fail",
        "timeoutSeconds": 2,
        "clientConfig": {"url": "https://127.0.0.1:1/validate"},
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": REMOTE}},
        "rules": [{"apiGroups": ["batch"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["jobs"]}],
    }
    return {"apiVersion": ADMISSION, "kind": "ValidatingWebhookConfiguration", "metadata": {"name": "absent"}, "webhooks": [hook]}


class Kubelet:
    """Refuses every pod of one job at once, as a kubelet whose device plugin is broken does."""

    def __init__(self, world: World, member: str, name: str) -> None:
        self.refused: set[str] = set()
        self._world, self._member = world, member
        self._uid = world.must(name)["metadata"]["uid"]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Kubelet":
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        core = client.CoreV1Api(self._world.member(self._member).client())
        words = "Allocate failed due to requested number of devices unavailable for nvidia.com/gpu. Requested: 1, Available: 0"
        status = {"phase": "Failed", "reason": "UnexpectedAdmissionError", "message": words, "containerStatuses": None}
        while not self._stop.wait(0.2):
            for pod in core.list_namespaced_pod(REMOTE, label_selector=f"{JOB_UID}={self._uid}").items:
                if pod.spec.node_name and pod.metadata.uid not in self.refused and _told(core, pod.metadata.name, status):
                    self.refused.add(pod.metadata.uid)


def _told(core: client.CoreV1Api, name: str, status: dict[str, Any]) -> bool:
    """Write a pod's status; whether the pod was still there."""
    try:
        core.patch_namespaced_pod_status(name, REMOTE, {"status": status})
    except ApiException as error:
        if error.status != 404:
            raise
        return False
    return True


def calls(world: World, verb: str, resource: str) -> float:
    """How often the operator has called members for this, by its own count."""
    wanted = ('target="member"', f'verb="{verb}"', f'resource="{resource}')
    lines = (line for line in world.metrics().splitlines() if line.startswith("sampan_api_calls_total{"))
    return sum(float(line.rpartition(" ")[2]) for line in lines if all(part in line for part in wanted))


def explained(world: World, name: str) -> str:
    """What the operator answers about a job."""
    path = f"/apis/query.sampan.dev/v1alpha1/namespaces/{TEAM}/explanations/{name}"
    return str(json.loads(world.fed.tenant.kubectl("get", "--raw", path))["status"]["message"])


@pytest.fixture(scope="module", autouse=True)
def refusing(world: World) -> Iterator[None]:
    """Members that refuse; they are as before afterwards."""
    lingang, kunshan = world.member("lingang"), world.member("kunshan")
    lingang.apply(*suspending("fought-over"))
    kunshan.apply(absent_webhook())
    policy = "mutatingadmissionpolicy,mutatingadmissionpolicybinding"
    try:
        wait_for(lambda: _refuses(world), "policy and webhook are in force")
        yield
    finally:
        lingang.kubectl("delete", policy, SUSPENDER, "--ignore-not-found")
        kunshan.kubectl("delete", "validatingwebhookconfiguration", "absent", "--ignore-not-found")


def _refuses(world: World) -> bool:
    """Tell whether policy and webhook are in force: that takes a moment."""
    meta = {"name": "probe", "annotations": {"sampan.dev/job": f"{TEAM}/fought-over"}}
    pod = {"restartPolicy": "Never", "containers": [{"name": "main", "image": "registry.example/a:1"}]}
    body = {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": {"template": {"spec": pod}}}
    lingang, kunshan = (client.BatchV1Api(world.member(name).client()) for name in ("lingang", "kunshan"))
    try:
        kunshan.create_namespaced_job(REMOTE, body, dry_run="All")
    except ApiException as error:
        return HOOK in error.body and bool(lingang.create_namespaced_job("default", body, dry_run="All").spec.suspend)
    return False


@pytest.fixture(scope="module")
def history(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    """Every version of every job of this module: what a job says may be over by the time that one looks."""
    with recorded(world.fed.hub, TEAM, tmp_path_factory.mktemp("history") / "jobs.json") as history:
        yield history


@pytest.fixture(scope="module")
def before(world: World, refusing: None, history: History) -> dict[str, float]:
    """Submits the jobs of this module; what had been called before them."""
    found = {"patch": calls(world, "patch", "jobs"), "create": calls(world, "create", "jobs"), "events": calls(world, "list", "events")}
    world.submit(
        job("fought-over", "sleep 60", device=(H100, 1)),
        job("hooked", "sleep 1", device=(HYGON, 1)),
        job("typo", template=NOWHERE, device=(ASCEND, 1), startDeadlineSeconds=30, retry={"maxRejected": 1}),
        job("refused", template=NOWHERE, device=(H100, 2), retry={"maxRejected": 2}),
    )
    return found


@pytest.fixture(scope="module", autouse=True)
def kubelet(world: World, before: dict[str, float]) -> Iterator[Kubelet]:
    """The kubelets of the first member, as job `refused` finds them."""
    with Kubelet(world, "lingang", "refused") as made:
        yield made


def test_what_a_kubelet_refused_is_told_while_its_pool_cools_down(world: World, history: History, kubelet: Kubelet) -> None:
    words = "requested number of devices unavailable"
    status = world.until("refused", lambda s: s.get("attempts"), "the first attempt ended")
    assert (status["attempts"][0]["outcome"], status["attempts"][0]["reason"]) == ("Rejected", "UnexpectedAdmissionError")
    assert words in status["attempts"][0]["message"]
    cooling = history.ever("refused", lambda s: condition(s, "Scheduled").get("reason") == "OfferCoolingDown", "its pool cools down")
    waits = condition(cooling, "Scheduled")
    assert waits["status"] == "False"
    assert words in waits["message"]
    assert "even if nothing else ran there" not in waits["message"]
    wait_for(lambda: words in explained(world, "refused"), "so says the answer")


def test_a_webhook_that_is_down_is_told(world: World) -> None:
    status = world.until("hooked", lambda s: s.get("attempts"), "the first attempt ended")
    assert (status["attempts"][0]["outcome"], status["attempts"][0]["reason"]) == ("Rejected", "WebhookFailed")
    assert HOOK in status["attempts"][0]["message"]
    wait_for(lambda: HOOK in explained(world, "hooked"), "so says the answer")
    world.member("kunshan").kubectl("delete", "validatingwebhookconfiguration", "absent")


def test_an_image_that_does_not_exist_is_told_and_ends_the_job(world: World, history: History, before: dict[str, float]) -> None:
    history.ever("typo", lambda s: s["phase"] == "Bound" and condition(s, "Running").get("reason") in PULLING, "says why")
    status = world.reaches("typo", "Failed")
    assert (status["reason"], outcomes(status)) == ("ImageCannotBePulled", [(1, "Rejected")])
    assert "does-not-exist" in status["message"]
    assert "no alternative is left" in status["message"]


def test_pods_that_a_kubelet_refuses_are_few_and_end_the_job(world: World, kubelet: Kubelet) -> None:
    status = world.reaches("refused", "Failed")
    assert (status["reason"], outcomes(status)) == ("UnexpectedAdmissionError", [(1, "Rejected"), (2, "Rejected")])
    assert len(kubelet.refused) == 2


def test_a_member_that_suspends_what_is_started_is_asked_four_times(world: World, before: dict[str, float]) -> None:
    status = world.until("fought-over", lambda s: s.get("attempts"), "the first attempt ended")
    assert (status["attempts"][0]["outcome"], status["attempts"][0]["reason"]) == ("Rejected", "SuspendedByMember")
    assert "spec.suspend" in status["attempts"][0]["message"]
    patches = calls(world, "patch", "jobs") - before["patch"]
    begun, others = attempts_begun(world, "fought-over"), sum(attempts_begun(world, name) for name in ("hooked", "typo", "refused"))
    assert patches <= 4 * begun + others, "four for each of its attempts, one start for each of the others'"
    wait_for(lambda: "spec.suspend" in explained(world, "fought-over"), "so says the answer, of a second attempt too")
    assert "job.status" in world.fed.operator.log.read_text(encoding="utf-8")


def test_a_job_that_a_webhook_stopped_runs_once_that_is_up(world: World, before: dict[str, float]) -> None:
    # On a slow machine the webhook stopped it often enough for its pool to cool down for as long as a pool does: 300 s.
    status = world.reaches("hooked", "Succeeded", seconds=PATIENCE + 300)
    assert "rejections" not in status
    creates = calls(world, "create", "jobs") - before["create"]
    fought = len(world.status("fought-over")["attempts"])
    stopped = sum(each["outcome"] == "Rejected" for each in status["attempts"])
    assert creates <= 6 + 4 * stopped + fought, "four for each attempt that the webhook stopped, one for each other"


def attempts_begun(world: World, name: str) -> int:
    """How many attempts a job has had, the one that may have begun since its last end included."""
    return len(world.status(name).get("attempts") or ()) + 1


@pytest.fixture
def doomed(world: World) -> Iterator[str]:
    """An offer whose jobs go to a namespace of their own, which is about to be deleted for good."""
    member, name = world.member("lingang"), "doomed"
    hub = {"kind": "ServiceAccount", "name": "sampan-hub", "namespace": REMOTE}
    rules = member.get("role", "sampan-hub", "-n", REMOTE)["rules"]
    look = [{"apiGroups": [""], "resources": ["namespaces"], "resourceNames": [name], "verbs": ["get"]}]
    member.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    member.apply(
        {"apiVersion": RBAC, "kind": "Role", "metadata": {"name": name, "namespace": name}, "rules": rules},
        {"apiVersion": RBAC, "kind": "RoleBinding", "metadata": {"name": name, "namespace": name}, **bound(hub, "Role", name)},
        {"apiVersion": RBAC, "kind": "ClusterRole", "metadata": {"name": name}, "rules": look},
        {"apiVersion": RBAC, "kind": "ClusterRoleBinding", "metadata": {"name": name}, **bound(hub, "ClusterRole", name)},
    )
    world.fed.hub.apply(offer(name, remoteNamespace=name))
    try:
        until(world, name, "Schedulable", "True")
        yield name
    finally:
        world.fed.hub.kubectl("delete", "clusteroffer", name, "-n", "prov-lingang", "--ignore-not-found", f"--timeout={PATIENCE}s")
        member.kubectl("patch", "configmap", "hold", "-n", name, "--type=merge", "-p", '{"metadata": {"finalizers": null}}')
        member.kubectl("delete", "clusterrole,clusterrolebinding", name)


def bound(subject: dict[str, str], kind: str, role: str) -> dict[str, Any]:
    """What binds a role to somebody."""
    return {"roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role}, "subjects": [subject]}


def test_a_namespace_that_is_being_deleted_frees_what_is_refused_there_and_is_told_on_the_offer(world: World, doomed: str) -> None:
    """The offer is not looked at for minutes: the first job that is refused has it looked at."""
    member = world.member("lingang")
    hold = {"name": "hold", "namespace": doomed, "finalizers": ["example.com/hold"]}
    member.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": hold})
    member.kubectl("delete", "namespace", doomed, "--wait=false")
    wait_for(lambda: not member.items("rolebinding", "-n", doomed), "the namespace's own rights are gone")
    world.submit(through("homeless", doomed))
    status = world.until(
        "homeless", lambda s: s.get("attempts") or condition(s, "Scheduled").get("reason") == "PermissionsMissing", "is told"
    )
    assert "binding" not in world.until("homeless", lambda s: "binding" not in s, "nothing is kept")
    assert all(attempt["outcome"] == "Rejected" for attempt in status.get("attempts") or ())
    told = until(world, doomed, "PermissionsSufficient", "False")
    assert told["reason"] == "NamespaceMissing"
    assert f"namespace {doomed} of the member is being deleted" in told["message"]
    assert world.waits_because("homeless", "PermissionsMissing")["status"] == "False"
    world.delete_gone("homeless")
