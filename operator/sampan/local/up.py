"""`sampan local up`: the steps from nothing to offers that take jobs. Never here: how a cluster, a chart or a process is run."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from sampan.local import objects
from sampan.local.binaries import Binaries, Say, ensure
from sampan.local.charts import HUB_NAMESPACE, MEMBER_NAMESPACE, Helm
from sampan.local.cluster import Cluster
from sampan.local.federation import HUB, Federation, exclusive, find_federation, ports_needed
from sampan.local.kubeconfig import TokenUser, kubeconfig_text, write_kubeconfig
from sampan.local.nodes.machine import provide
from sampan.local.paths import LocalError, RefusedError, federation_folder, typed
from sampan.local.patience import PATIENCE
from sampan.local.processes.kubectl import Kubectl
from sampan.local.processes.ports import reserve_ports
from sampan.local.query_certificates import make_certificates
from sampan.local.restarts import Restarts
from sampan.local.scenario import Scenario

_ONE_YEAR = "8760h"
_SAY_AFTER = 10.0
"""Seconds of waiting after which, and again after which, a user is told what is waited for."""
_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class UpRequest:
    """What is asked for: the federation's name, its scenario, and whether the operator runs."""

    name: str
    scenario: Scenario
    operator: bool = True


def up(wish: UpRequest, say: Say) -> Federation:
    """A running federation. Does nothing to one that runs, starts again one that was stopped. Raises LocalError with the way out."""
    planned = (find_federation(wish.name) or wish).scenario
    parts = provide(say) if planned.has_real_nodes else None
    federation_folder(wish.name).mkdir(parents=True, exist_ok=True, mode=0o700)
    with exclusive(wish.name):
        known = find_federation(wish.name)
        if known is not None and not known.complete:
            raise RefusedError(f"federation {wish.name} is half made: remove it with: {typed(f'local down --name {wish.name}')}")
        binaries = ensure(say)
        federation = known or _make(wish, binaries, say)
        if known is not None:
            _resume(known, binaries, say)
        restarts = Restarts(binaries, say, way_out=run_again(federation))
        restarts.look_after(federation.clusters)
        if parts is not None:
            _each(federation.real_nodes, lambda nodes: nodes.start(parts, federation.kubectl(binaries, nodes.cluster), say))
        for publisher in federation.publishers:
            say(f"publisher of {publisher.member} runs with process id {publisher.start()}, log {publisher.log}")
        if wish.operator and not planned.bare:
            _run_operator(federation, binaries, restarts)
    return federation


def _make(wish: UpRequest, binaries: Binaries, say: Say) -> Federation:
    folder = federation_folder(wish.name)
    ports = tuple(reserve_ports(ports_needed(wish.scenario), folder / "ports.json"))
    federation = Federation(name=wish.name, scenario=wish.scenario, ports=ports).save(complete=False)
    make_certificates(federation.query_folder)
    for nodes in federation.real_nodes:
        nodes.prepare()
    # 1. control planes, each with its chart and nodes, two at a time: a machine has at least two cores
    restarts = Restarts(binaries, say, way_out=f"remove what is there and try anew: {typed(f'local down --name {wish.name}')}")
    _each(federation.clusters, lambda cluster: _make_cluster(federation, cluster, binaries, restarts=restarts))
    # 2. who may use the hub, and what its platform team says
    hub = federation.kubectl(binaries)
    hub.apply(objects.identities(wish.scenario))
    _write_kubeconfigs(federation, hub)
    if wish.scenario.bare:
        return federation.save(complete=True)
    hub.apply(objects.platform(wish.scenario))
    # 3. the members join: a kubeconfig of the member's own ServiceAccount, and the offer that names it
    _each(wish.scenario.offers, lambda offer: _join(federation, offer.name, binaries))
    say(f"joined {len(wish.scenario.offers)} offers")
    return federation.save(complete=True)


def _each(items: Sequence[_Item], work: Callable[[_Item], None]) -> None:
    with ThreadPoolExecutor(max_workers=2) as pool:
        list(pool.map(work, items))


def _make_cluster(federation: Federation, cluster: Cluster, binaries: Binaries, *, restarts: Restarts) -> None:
    started = time.monotonic()
    cluster.create(binaries)
    kubectl = federation.kubectl(binaries, cluster.name)
    if cluster.name == HUB:
        _fill_hub(federation, binaries, kubectl)
    else:
        _fill_member(federation, cluster, binaries, restarts=restarts)
    restarts.say(f"{cluster.name} runs at {cluster.address} ({time.monotonic() - started:.1f} s)")


def _helm(federation: Federation, cluster: Cluster, binaries: Binaries) -> Helm:
    return Helm(binary=binaries["helm"], kubeconfig=cluster.kubeconfig, cache=federation.folder / "cache" / cluster.name)


def _fill_hub(federation: Federation, binaries: Binaries, kubectl: Kubectl) -> None:
    scenario = federation.scenario
    kubectl.apply(objects.namespaces(scenario))
    for nodes in federation.real_nodes:
        if nodes.cluster == HUB:
            kubectl.apply(objects.volumes({node.name: node.volume for node in nodes.nodes}))
    if scenario.bare:
        return
    _helm(federation, federation.hub, binaries).install_hub(
        provider_namespaces=[provider.namespace for provider in scenario.providers],
        tenant_namespaces=[tenant.namespace for tenant in scenario.tenants],
        query=_query(federation),
    )
    kubectl.run("wait", "--for=condition=Established", f"--timeout={PATIENCE:.0f}s", "customresourcedefinitions", "--all")


def _fill_member(federation: Federation, cluster: Cluster, binaries: Binaries, *, restarts: Restarts) -> None:
    kubectl = federation.kubectl(binaries, cluster.name)
    plan = next(member for member in federation.scenario.members if member.name == cluster.name)
    if not federation.scenario.bare:
        _helm(federation, cluster, binaries).install_member(plan.values)
    kubectl.create_nodes(objects.nodes(plan))
    kubectl.apply(plan.objects)
    restarts.look_after([cluster])  # what gave up a moment after the API server had answered at last
    if plan.published and not federation.scenario.bare:
        _write_publisher_kubeconfig(federation, cluster, kubectl)


def _query(federation: Federation) -> tuple[int, str] | None:
    port = federation.query_port
    return None if port is None else (port, (federation.query_folder / "tls.crt").read_text())


def _token(kubectl: Kubectl, account: str, namespace: str) -> TokenUser:
    return TokenUser(token=kubectl.run("create", "token", account, "--namespace", namespace, "--duration", _ONE_YEAR).strip())


def _write_publisher_kubeconfig(federation: Federation, cluster: Cluster, kubectl: Kubectl) -> None:
    write_kubeconfig(
        federation.kubeconfig(f"publisher-{cluster.name}"),
        server=cluster.address,
        ca=cluster.ca(),
        user=_token(kubectl, "sampan-publisher", HUB_NAMESPACE),
        namespace=MEMBER_NAMESPACE,
    )


def _write_kubeconfigs(federation: Federation, hub: Kubectl) -> None:
    """Operator, tenants and providers get tokens of their ServiceAccounts, nobody but the administrator a certificate."""
    wanted = [] if federation.scenario.bare else [("operator", "sampan-operator", HUB_NAMESPACE)]
    for number, tenant in enumerate(federation.scenario.tenants):
        names = [f"tenant-{tenant.namespace}", "tenant"][: 1 if number else 2]
        wanted += [(name, objects.TENANT_ACCOUNT, tenant.namespace) for name in names]
    wanted += [(f"provider-{p.name}", objects.PROVIDER_ACCOUNT, p.namespace) for p in federation.scenario.providers]
    for who, account, namespace in wanted:
        write_kubeconfig(
            federation.kubeconfig(who),
            server=federation.hub.address,
            ca=federation.hub.ca(),
            user=_token(hub, account, namespace),
            namespace=namespace,
        )


def _join(federation: Federation, offer_name: str, binaries: Binaries) -> None:
    offer = next(offer for offer in federation.scenario.offers if offer.name == offer_name)
    made = objects.offer_objects(
        offer,
        namespace=federation.scenario.provider_of(offer).namespace,
        kubeconfig=member_kubeconfig(federation, offer.member, binaries),
    )
    federation.kubectl(binaries).apply(made)


def member_kubeconfig(federation: Federation, member: str, binaries: Binaries) -> str:
    """A fresh kubeconfig of the hub's ServiceAccount on a member, as a provider would hand it over."""
    cluster = federation.cluster(member)
    user = _token(federation.kubectl(binaries, member), "sampan-hub", MEMBER_NAMESPACE)
    server = federation.address_for_operator(cluster)
    return kubeconfig_text(server=server, ca=cluster.ca(), user=user, namespace=MEMBER_NAMESPACE, name=member)


def _resume(federation: Federation, binaries: Binaries, say: Say) -> None:
    stopped = [cluster for cluster in federation.clusters if cluster.ended()]
    if not stopped:
        say(f"federation {federation.name} is running")
        return
    say(f"starting again: {', '.join(cluster.name for cluster in stopped)}")
    _each(stopped, lambda cluster: cluster.start(binaries))


def run_again(federation: Federation) -> str:
    """What to do where processes of a federation that is made have ended, as it can be typed."""
    return f"run {typed(f'local up --name {federation.name}')} again: what ended is started again"


def _run_operator(federation: Federation, binaries: Binaries, restarts: Restarts) -> None:
    pid = federation.operator.start()
    restarts.say(f"operator runs with process id {pid}, log {federation.operator.log}")
    federation.operator.wait_ready()
    wait_schedulable(federation, binaries, restarts)
    if federation.query_port is not None:
        wait_answering(federation, binaries)
    restarts.say("every offer is Schedulable")


def wait_schedulable(federation: Federation, binaries: Binaries, restarts: Restarts, *, seconds: float = PATIENCE) -> None:
    """Returns once every offer has condition Schedulable=True, and says meanwhile which have not. Starts again what ends.

    Raises LocalError that says of each other offer why not, `seconds` after the last time that anything was started.
    """
    hub, deadline = federation.kubectl(binaries), time.monotonic() + seconds
    said, say_at = "", time.monotonic() + _SAY_AFTER
    while True:
        if restarts.look_after(federation.clusters):
            deadline = time.monotonic() + seconds
        waiting = "; ".join(_not_schedulable(hub.get("clusteroffers.sampan.dev", "--all-namespaces")["items"]))
        if not waiting:
            return
        operator = federation.operator
        if operator.pid is None:
            raise LocalError(f"the operator has ended; {run_again(federation)}\nthe end of {operator.log}:\n{operator.log_tail()}")
        if time.monotonic() > deadline:
            raise LocalError(f"offers are not Schedulable: {waiting}\nthe end of {operator.log}:\n{operator.log_tail()}")
        if time.monotonic() > say_at and waiting != said:
            said, say_at = waiting, time.monotonic() + _SAY_AFTER
            restarts.say(f"waiting for offers: {waiting}")
        time.sleep(0.2)


def wait_answering(federation: Federation, binaries: Binaries, seconds: float = PATIENCE) -> None:
    """Returns once the hub proxies questions to the operator. Raises KubectlError where it does not."""
    hub = federation.kubectl(binaries)
    # The hub looks again only every 30 s at an API that was down; a change of its Service makes it look now.
    hub.run("annotate", "service/sampan-query", "-n", HUB_NAMESPACE, f"sampan.dev/started={time.time_ns()}", "--overwrite")
    hub.run("wait", "--for=condition=Available", f"--timeout={seconds:.0f}s", "apiservice/v1alpha1.query.sampan.dev")


def _not_schedulable(offers: list[dict[str, Any]]) -> list[str]:
    found = []
    for offer in offers:
        conditions = {condition["type"]: condition for condition in offer.get("status", {}).get("conditions", [])}
        if conditions.get("Schedulable", {}).get("status") != "True":
            bad = [_condition_words(condition) for condition in conditions.values() if condition["status"] != "True"]
            found.append(f"{offer['metadata']['name']} ({', '.join(bad) or 'no condition yet'})")
    return found


def _condition_words(condition: dict[str, Any]) -> str:
    return f"{condition['type']}={condition['status']} {condition.get('reason', '')}: {condition.get('message', '')}"
