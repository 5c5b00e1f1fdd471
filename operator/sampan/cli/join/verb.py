"""`sampan join`: the provider's side of joining, in five steps. Run again, it renews the token and says how the offer stands.

Exit codes: 0 the offer is Schedulable, 1 an API server said no, 2 the offer or the kubeconfig cannot be right, 4 the time ran out.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from sampan.cli.join.kubeconfig import PLACEHOLDER, Address, address_of, credentials_of
from sampan.cli.join.objects import ACCOUNT, MANAGER, POLICIES, MemberPlan, Object, member_objects
from sampan.cli.join.offer import place_of, read_offer, secret_of
from sampan.cli.join.server import Server, path_of
from sampan.cli.join.waiting import standing_of
from sampan.cli.lib.errors import CliError
from sampan.cli.lib.objects import REJECTED
from sampan.cli.lib.options import target_options
from sampan.client.access.connection import client_for
from sampan.client.access.target import Target

TIMED_OUT: Final = 4
TICK: Final = 0.5
_OF_HELM: Final = "Helm"
_MEMBER_RIGHTS: Final = "join with a context of an administrator of the member, or have one apply what --dry-run prints"
_HUB_RIGHTS: Final = "ask the hub's platform team for the ClusterRole sampan-provider in this namespace"


@dataclass(frozen=True, kw_only=True, slots=True)
class Joining:
    """All that is decided before anything is made."""

    offer: Object
    address: Address
    plan: MemberPlan
    hours: int
    """How long the token lasts."""

    @property
    def account(self) -> str:
        """The path of the hub's ServiceAccount on the member."""
        return f"/api/v1/namespaces/{self.plan.namespace}/serviceaccounts/{ACCOUNT}"


@click.command()
@target_options(all_namespaces=False)
@click.option("--kube-context", "member_context", metavar="NAME", required=True, help="Context of the cluster that becomes a member.")
@click.option(
    "--member-kubeconfig", type=click.Path(dir_okay=False, path_type=Path), help="Kubeconfig with that context; default: that of the hub."
)
@click.option("--offer", "source", metavar="FILE", required=True, help="File with the ClusterOffer, or - for stdin.")
@click.option("--server", metavar="URL", help="Address by which the hub reaches the member; default: that of the context.")
@click.option(
    "--certificate-authority", "authority", type=click.Path(dir_okay=False, exists=True, path_type=Path), metavar="FILE",
    help="CA of the member's API server, PEM; default: that of the context, and the public ones where it has none.",
)  # fmt: skip
@click.option(
    "--capacity", type=click.Choice(["direct", "published"]), default="direct", show_default=True,
    help="Whether the hub reads nodes and pods, or a summary that a publisher in the member writes.",
)  # fmt: skip
@click.option("--publisher-image", "image", metavar="IMAGE", default="", help="With --capacity published: the image of Sampan.")
@click.option(
    "--values", type=click.Path(dir_okay=False, exists=True, path_type=Path), metavar="FILE",
    help="Values of the chart sampan-member, for all else that it can do; needs helm.",
)  # fmt: skip
@click.option("--token-hours", "hours", type=click.IntRange(1, 24 * 365), default=720, show_default=True, help="How long the token lasts.")
@click.option("--dry-run", is_flag=True, help="Print all that would be made, for review, and make nothing; the token is left out.")
@click.option("--timeout", type=click.FloatRange(min=0), default=60, show_default=True, metavar="SECONDS", help="0: do not wait.")
@click.pass_context
def join(ctx: click.Context, /, *, target: Target, member_context: str, member_kubeconfig: Path | None, **options: Any) -> None:
    """Join a cluster to a hub as a member, and offer it there.

    On the member it makes a namespace, a ServiceAccount with few rights and a policy that holds the hub to them (the objects of the chart
    sampan-member); on the hub the Secret with a kubeconfig of that account, and the offer. Then it waits until jobs can go there and says
    what is missing. Run again it renews the token. --kubeconfig, --context and -n name the hub and the provider's namespace there.

    Exit codes: 0 jobs can go there, 1 an API server said no, 2 the offer or the kubeconfig cannot be right, 4 the time ran out.
    """
    at_member = Target(kubeconfig=member_kubeconfig or target.kubeconfig, context=member_context)
    joining, notes = _decide(target, at_member, options)
    for note in notes:
        click.echo(f"Note: {note}.", err=True)
    if options["dry_run"]:
        _print_all(joining)
        return
    started = time.monotonic()
    # 1. Who is who. Nothing is made before both are there.
    member, hub = _servers(target, at_member)
    # 2. On the member: what the hub may do there, and a token of its account.
    text = joining.address.text(token=_token(member, joining), namespace=joining.plan.namespace)
    fingerprint = credentials_of(text).fingerprint
    # 3. On the hub: the Secret, then the offer that names it.
    offer = joining.offer
    secret = secret_of(offer, text)
    namespace, name = offer["metadata"]["namespace"], offer["metadata"]["name"]
    shown = f"Secret {namespace}/{secret['metadata']['name']}"
    hub.create_or_replace(f"/api/v1/namespaces/{namespace}/secrets", secret, what=shown)
    click.echo(f"hub: {shown} written, its token ends in {joining.hours} h")
    hub.apply(offer)
    click.echo(f"hub: clusteroffer {namespace}/{name} applied")
    # 4. Wait.
    if options["timeout"]:
        ctx.exit(_wait(hub, offer, fingerprint=fingerprint, started=started, timeout=options["timeout"]))


def _decide(target: Target, at_member: Target, options: dict[str, Any]) -> tuple[Joining, list[str]]:
    """Read what was given, without asking any server."""
    from sampan.client.access.kubeconfig import load

    hub_context = load(target.kubeconfig).context(target.context)
    namespace = target.namespace or (hub_context.namespace if hub_context else "") or "default"
    offer = read_offer(options["source"], namespace)
    context = load(at_member.kubeconfig).context(at_member.context)
    assert context is not None  # a name was given
    if hub_context is not None and hub_context.cluster.get("server") == context.cluster.get("server"):
        raise CliError(
            "--kube-context leads to the hub itself", "give the context of the cluster that becomes a member", exit_code=REJECTED
        )
    address, notes = address_of(context, server=options["server"], authority=options["authority"])
    plan = MemberPlan(namespace=place_of(offer), capacity=options["capacity"], image=options["image"], values=options["values"])
    credentials_of(address.text(token=PLACEHOLDER, namespace=plan.namespace))
    return Joining(offer=offer, address=address, plan=plan, hours=options["hours"]), notes


def _servers(target: Target, at_member: Target) -> tuple[Server, Server]:
    member = Server(client_for(at_member)[0], name="the member", rights=_MEMBER_RIGHTS)
    hub = Server(client_for(target)[0], name="the hub", rights=_HUB_RIGHTS)
    return member, hub


def _token(member: Server, joining: Joining) -> str:
    """Make the member's objects, and a token; what a chart of Helm has made is Helm's."""
    known = member.get(joining.account)
    labels = (known or {}).get("metadata", {}).get("labels") or {}
    if labels.get("app.kubernetes.io/managed-by") == _OF_HELM:
        click.echo(f"member: the chart sampan-member is installed for {joining.plan.namespace}: its objects are left as they are")
    else:
        objects = member_objects(joining.plan)
        refused = [each["kind"] for each in objects if not member.apply(each, optional=each["kind"] in POLICIES)]
        click.echo(f"member: {len(objects) - len(refused)} objects applied for {joining.plan.namespace}")
        if refused:
            click.echo("Note: this server has no ValidatingAdmissionPolicy: nothing but its Role holds the hub.", err=True)
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": joining.hours * 3600}}
    made = member.create(f"{joining.account}/token", request, what=f"a token of ServiceAccount {joining.plan.namespace}/{ACCOUNT}")
    return str(made["status"]["token"])


def _wait(hub: Server, offer: Object, *, fingerprint: str, started: float, timeout: float) -> int:
    """Follow the offer; what is missing is said once, each time that it is something else."""
    said, deadline = "", time.monotonic() + timeout
    name = f"clusteroffer {offer['metadata']['namespace']}/{offer['metadata']['name']}"
    while True:
        found = hub.get(path_of(offer))
        if found is None:
            raise CliError(f"the hub: {name} was deleted meanwhile", "join again")
        standing = standing_of(found, fingerprint=fingerprint)
        if not standing.missing:
            click.echo(f"{name} is Schedulable after {time.monotonic() - started:.1f} s: {standing.seen}")
            return 0
        if standing.missing != said:
            said = standing.missing
            click.echo(f"waiting: {said}", err=True)
        if time.monotonic() > deadline:
            click.echo(f"Error: {name} is not Schedulable after {timeout:g} s: {said}", err=True)
            return TIMED_OUT
        time.sleep(TICK)


def _print_all(joining: Joining) -> None:
    """Every object as YAML, the member's first; the token is not among them, for it is not made."""
    kubeconfig = joining.address.text(token=PLACEHOLDER, namespace=joining.plan.namespace)
    click.echo("# On the member, by server-side apply as " + MANAGER)
    for each in _dumped(member_objects(joining.plan)):
        click.echo(each)
    click.echo(f"# On the hub. {PLACEHOLDER} is one of {joining.account} of the member, for {joining.hours} h.")
    for each in _dumped([secret_of(joining.offer, kubeconfig), joining.offer]):
        click.echo(each)


def _dumped(objects: list[Object]) -> Iterator[str]:
    import yaml

    for each in objects:
        yield "---\n" + yaml.safe_dump(each, sort_keys=False, width=120).rstrip()
