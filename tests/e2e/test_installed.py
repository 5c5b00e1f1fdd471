"""A hub and a member as their owners have them: charts, our own image, real nodes. The tests are one story, in the order of the file.

helm puts the operator on the hub's node and the publisher on the member's; a job goes from `kubectl apply` to a real container and back;
the hub is upgraded, rolled back and uninstalled. Skipped where the machine cannot have real nodes.
"""

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from e2e.life import REMOTE, TEAM, World, condition
from e2e.test_commands import start
from e2e.test_real_nodes import MEMBER, real_job
from integration.charts.support import HUB_CHART, MEMBER_CHART, Helm
from integration.charts.test_upgrade import next_version
from integration.support import PATIENCE, Api, wait_for
from sampan.local import objects
from sampan.local.binaries import Binaries
from sampan.local.nodes.machine import Parts
from sampan.local.scenario import Scenario, load
from sampan.local.up import member_kubeconfig
from servers import IMAGE, REAL_NODES, federation_of

HUB_NS, MEMBER_NS, RELEASE = "gpu-federation", "gpu-provider", "sampan"
OFFER = "east-ondemand"
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}
VALUES: dict[str, Any] = {
    "operator.image.repository": IMAGE,
    "providerNamespaces": ["prov-east"],
    "catalogueReaderGroups": [f"system:serviceaccounts:{TEAM}"],
}


def scenario(image: Path) -> Scenario:
    """A hub with a real node and a member with one, and nothing on them yet."""
    told = load(REAL_NODES).with_hub_node()
    (member,) = told.members
    node = member.real_nodes[0].model_copy(update={"count": 1})
    alone = member.model_copy(update={"nodes": [], "real_nodes": [node]})
    return told.model_copy(update={"members": [alone], "images": [str(image)], "bare": True})


@dataclass(frozen=True)
class Installed(World):
    """The federation, and helm on its two clusters."""

    charts: Path = field(kw_only=True)
    """A chart of the next version, with a field more."""

    def helm(self, where: str, *arguments: str, check: bool = True) -> str:
        """What helm says on the hub or the member."""
        api = self.fed.hub if where == "hub" else self.member(where)
        helm = Helm(binary=self.fed.binaries["helm"], cache=api.cache / where, kubeconfig=api.kubeconfig)
        done = helm.run(*arguments, check=check)
        return done.stdout + done.stderr

    def rolled_out(self, api: Api, namespace: str, deployment: str) -> None:
        """Wait until it is."""
        api.kubectl("rollout", "status", f"deployment/{deployment}", "-n", namespace, f"--timeout={PATIENCE}s")

    def operator_pod(self) -> str:
        """The UID of the pod that is the operator."""
        (pod,) = self.fed.hub.items("pods", "-n", HUB_NS, "-l", "app.kubernetes.io/component=operator")
        return str(pod["metadata"]["uid"])

    def answers(self) -> None:
        """Wait until the hub's API server proxies questions to the operator's pod."""
        self.fed.hub.kubectl("wait", "--for=condition=Available", f"--timeout={PATIENCE}s", "apiservice/v1alpha1.query.sampan.dev")


@pytest.fixture(scope="module")
def world(binaries: Binaries, real_parts: Parts, image: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """Two bare clusters, each with a node that has loaded our image."""
    with federation_of(binaries, "installed", scenario(image)) as made:
        yield Installed(made, charts=next_version(tmp_path_factory.mktemp("charts")))


def test_helm_installs_an_operator_that_becomes_ready(world: Installed) -> None:
    world.fed.hub.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": HUB_NS, "labels": RESTRICTED}})
    began = time.monotonic()
    world.helm("hub", "install", RELEASE, str(HUB_CHART), "-n", HUB_NS, *Helm.values(VALUES))
    world.rolled_out(world.fed.hub, HUB_NS, "sampan-operator")
    sys.stderr.write(f"helm install to Ready: {time.monotonic() - began:.1f} s\n")
    world.answers()
    (pod,) = world.fed.hub.items("pods", "-n", HUB_NS, "-l", "app.kubernetes.io/component=operator")
    assert pod["spec"]["nodeName"] == "hub-1"
    (container,) = pod["status"]["containerStatuses"]
    assert (container["restartCount"], container["containerID"].partition(":")[0]) == (0, "containerd")


def test_a_member_with_a_publisher_on_its_node_joins(world: Installed) -> None:
    member, plan = world.member(MEMBER), world.fed.federation.scenario
    world.fed.hub.apply(*objects.platform(plan))
    values = {"capacity": "published", "publisher.image.repository": IMAGE, "publisher.interval": 2}
    world.helm(MEMBER, "install", "sampan-member", str(MEMBER_CHART), "-n", MEMBER_NS, "--create-namespace", *Helm.values(values))
    world.rolled_out(member, MEMBER_NS, "sampan-publisher")
    (offer,) = plan.offers
    kubeconfig = member_kubeconfig(world.fed.federation, MEMBER, world.fed.binaries)
    world.fed.hub.apply(*objects.offer_objects(offer, namespace="prov-east", kubeconfig=kubeconfig))
    world.fed.hub.kubectl("wait", "--for=condition=Schedulable", f"clusteroffer/{OFFER}", "-n", "prov-east", f"--timeout={PATIENCE}s")
    status = world.offer("prov-east", OFFER)["status"]
    assert condition(status, "Connected")["message"] == "capacity is published by the member"
    assert [(pool["acceleratorClass"], pool["devices"]) for pool in status["pools"]] == [("nvidia-a10-24gb", 2)]


def test_the_publisher_says_what_it_writes(world: Installed) -> None:
    told = world.member(MEMBER).kubectl("logs", "-n", MEMBER_NS, "deployment/sampan-publisher")
    assert "publisher.started" in told
    assert "publisher.published" in told


def test_a_job_that_a_tenant_applies_runs_as_a_container_and_its_output_comes_back(world: Installed) -> None:
    world.submitted.add("hello")
    world.fed.tenant.apply(real_job("hello", "echo hello from $(hostname); sleep 2"))
    world.fed.tenant.kubectl("wait", "--for=condition=Complete", "cpj/hello", "-n", TEAM, f"--timeout={PATIENCE}s")
    reading = start(world, "logs", "-n", TEAM, "hello")
    out, err = reading.communicate(timeout=PATIENCE)
    assert (reading.returncode, err) == (0, "")
    assert out.startswith("hello from ")
    (attempt,) = world.status("hello")["attempts"]
    assert (attempt["number"], attempt["outcome"]) == (1, "Succeeded")


def test_an_upgrade_brings_a_new_field_and_a_new_operator_and_no_job_notices(world: Installed) -> None:
    world.submit(real_job("stays", "echo up; sleep 100000 & wait"))
    world.reaches("stays", "Running")
    (pod,), operator = world.pods("stays"), world.operator_pod()
    new = {**VALUES, "settings.logLevel": "DEBUG"}
    world.helm("hub", "upgrade", RELEASE, str(world.charts), "-n", HUB_NS, *Helm.values(new))
    world.rolled_out(world.fed.hub, HUB_NS, "sampan-operator")
    assert world.operator_pod() != operator

    def kept() -> bool:
        world.fed.tenant.kubectl("patch", "cpj/stays", "-n", TEAM, "--type=merge", "--patch", '{"spec": {"addedField": "new"}}')
        return bool(world.must("stays")["spec"].get("addedField") == "new")

    wait_for(kept, "the new field is stored")
    world.answers()
    assert [each["metadata"]["uid"] for each in world.pods("stays")] == [pod["metadata"]["uid"]]
    assert world.status("stays")["binding"]["attempt"] == 1


def test_a_rollback_takes_operator_and_kinds_back(world: Installed) -> None:
    before = world.operator_pod()
    world.helm("hub", "rollback", RELEASE, "1", "-n", HUB_NS)
    world.rolled_out(world.fed.hub, HUB_NS, "sampan-operator")
    assert world.operator_pod() != before
    spec = world.fed.hub.get("crd", "computejobs.sampan.dev")["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    assert "addedField" not in spec["properties"]
    world.answers()
    assert world.reaches("stays", "Running")["binding"]["attempt"] == 1


def test_uninstall_is_refused_while_a_job_runs_and_done_afterwards(world: Installed) -> None:
    refused = world.helm("hub", "uninstall", RELEASE, "-n", HUB_NS, check=False)
    assert "sampan-uninstall-guard" in refused
    assert "stays" in world.fed.hub.kubectl("logs", "-n", HUB_NS, "job/sampan-uninstall-guard")
    world.helm("hub", "rollback", RELEASE, "3", "-n", HUB_NS)  # as the chart's notes say: the revision that was to be uninstalled
    world.rolled_out(world.fed.hub, HUB_NS, "sampan-operator")
    assert world.status("stays")["binding"]["attempt"] == 1
    world.delete_gone("stays")
    world.delete_gone("hello")
    world.fed.hub.kubectl("delete", "clusteroffer", OFFER, "-n", "prov-east", f"--timeout={PATIENCE}s")
    world.helm("hub", "uninstall", RELEASE, "-n", HUB_NS)
    wait_for(lambda: not world.fed.hub.items("pods", "-n", HUB_NS), "nothing runs on the hub")
    world.fed.hub.get("crd", "computejobs.sampan.dev", "clusteroffers.sampan.dev")  # the kinds stay
    assert not world.member(MEMBER).items("pods,jobs", "-n", REMOTE)
