"""`sampan join` as a provider types it: from a cluster and an offer's file to Schedulable, on real API servers of hub and member."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from integration.offers_harness import MARKED, Harness, harness
from integration.support import PATIENCE, Api, FederationUnderTest
from sampan.model.members.offer import OfferKey

HUB_NAMESPACE = "prov-lingang"
PLACE = "joined-jobs"


@pytest.fixture
async def joining(unmanaged: FederationUnderTest) -> AsyncIterator[Harness]:
    """An OfferManager that runs beside the command."""
    async with harness(unmanaged) as made:
        yield made


def offer(name: str, **spec: Any) -> str:
    """An offer's file."""
    base = {"region": "cn-east", "jurisdiction": "CN", "terms": "OnDemand", "remoteNamespace": PLACE}
    body = {"apiVersion": "sampan.dev/v1alpha1", "kind": "ClusterOffer", "metadata": {"name": name, "labels": MARKED}, "spec": base | spec}
    return yaml.safe_dump(body)


def _context(path: Path) -> str:
    return str(yaml.safe_load(path.read_text())["current-context"])


async def sampan(
    joining: Harness, text: str, *more: str, hub: str = "provider-lingang", member: Api | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command, as the provider on the hub and the member's administrator."""
    fed = joining.fed
    at = member or fed.members["lingang"]
    context = _context(at.kubeconfig)
    command = [sys.executable, "-m", "sampan", "join", "--kubeconfig", str(fed.federation.existing_kubeconfig(hub)), "-n", HUB_NAMESPACE]
    command += ["--member-kubeconfig", str(at.kubeconfig), "--kube-context", context, "--offer", "-", *more]
    run = lambda: subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=2 * PATIENCE)  # noqa: E731
    done: subprocess.CompletedProcess[str] = await joining.admin(run)
    assert "eyJ" not in done.stdout + done.stderr, "no token is printed"
    assert "Traceback" not in done.stderr, done.stderr
    return done


async def test_one_command_joins_a_cluster_and_the_same_again_renews_its_token(joining: Harness) -> None:
    text = offer("joined")
    done = await sampan(joining, text, "--timeout", str(PATIENCE))
    assert done.returncode == 0, done.stderr
    assert "clusteroffer prov-lingang/joined is Schedulable after" in done.stdout
    key = OfferKey(HUB_NAMESPACE, "joined")
    status = await joining.status(key)
    reasons = {each["type"]: each["reason"] for each in status["conditions"]}
    assert reasons["PermissionsSufficient"] == "PermissionsSufficient"
    assert "may not look at" not in json.dumps(status["conditions"])
    again = await sampan(joining, text, "--timeout", str(PATIENCE))
    assert again.returncode == 0, again.stderr
    assert (await joining.status(key))["kubeconfigFingerprint"] != status["kubeconfigFingerprint"], "the hub uses the new token"


async def test_a_dry_run_makes_nothing_and_prints_what_servers_take(joining: Harness) -> None:
    done = await sampan(joining, offer("dry", remoteNamespace="never-made"), "--dry-run")
    assert done.returncode == 0, done.stderr
    at_member, at_hub = done.stdout.split("# On the hub.")
    member, hub = joining.fed.members["lingang"], joining.fed.hub
    assert member.try_kubectl("get", "namespace", "never-made").returncode != 0
    assert hub.try_kubectl("get", "clusteroffer", "-n", HUB_NAMESPACE, "dry").returncode != 0
    documents = [each for each in yaml.safe_load_all(at_member) if each]
    assert {each["kind"] for each in documents} >= {"Namespace", "ServiceAccount", "Role", "RoleBinding", "ValidatingAdmissionPolicy"}
    wide = [each for each in documents if "namespace" not in each["metadata"]]  # the others' namespace is not there
    told = member.kubectl("create", "--dry-run=server", "--validate=strict", "-f", "-", input=yaml.safe_dump_all(wide))
    assert told.count("created (server dry run)") == len(wide)
    told = hub.kubectl("create", "--dry-run=server", "--validate=strict", "-f", "-", input=at_hub.partition("\n")[2])
    assert told.count("created (server dry run)") == 2


async def test_what_is_missing_is_said_with_who_can_mend_it(joining: Harness) -> None:
    done = await sampan(joining, offer("abroad", region="mars"), "--timeout", "8")
    assert done.returncode == 4
    assert "not Schedulable after 8 s" in done.stderr
    assert "Approved is False (RegionNotGranted)" in done.stderr
    assert "[the hub's platform team can mend that]" in done.stderr


async def test_where_the_chart_is_installed_its_objects_are_left_alone(joining: Harness) -> None:
    member = joining.fed.members["lingang"]
    before = member.get("role", "sampan-hub", "-n", "sampan-jobs")["metadata"]["resourceVersion"]
    done = await sampan(joining, offer("charted", remoteNamespace="sampan-jobs"), "--timeout", str(PATIENCE))
    assert done.returncode == 0, done.stderr
    assert "the chart sampan-member is installed" in done.stdout
    assert member.get("role", "sampan-hub", "-n", "sampan-jobs")["metadata"]["resourceVersion"] == before


async def test_who_lacks_rights_is_told_what_to_do(joining: Harness) -> None:
    tenant = joining.fed.api("tenant")
    try:
        done = await sampan(joining, offer("powerless"), hub="tenant")
        assert done.returncode == 1
        assert "the hub does not allow it" in done.stderr
        assert "ClusterRole sampan-provider" in done.stderr
        done = await sampan(joining, offer("hub-itself"), member=tenant)
        assert done.returncode == 2
        assert "leads to the hub itself" in done.stderr
    finally:
        tenant.close()


async def test_an_offer_that_no_server_takes_is_named(joining: Harness) -> None:
    done = await sampan(joining, offer("wrong", terms="Forever"))
    assert done.returncode == 1
    assert "the hub refused ClusterOffer prov-lingang/wrong (422)" in done.stderr
    assert "spec.terms" in done.stderr
