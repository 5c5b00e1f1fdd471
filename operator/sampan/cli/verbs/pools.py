"""`sampan pools`: the node pools behind the offers, as the operator sees them now, and what each is to a job."""

from typing import Any

import click

from sampan.cli.lib.options import output_option, target_options
from sampan.cli.lib.render import Column, print_data, print_table
from sampan.cli.lib.verdicts import say_pools
from sampan.cli.verbs.offers import pools_of, visible_offers
from sampan.cli.verbs.quote import ask, one_job
from sampan.client.access import hub
from sampan.client.access.target import Target
from sampan.kube.text import clean_text

COLUMNS = (
    Column("OFFER"),
    Column("POOL"),
    Column("CLASS"),
    Column("VENDOR"),
    Column("DOMESTIC"),
    Column("ARCH"),
    Column("NODES", right=True),
    Column("FREE", right=True),
    Column("DEVICES", right=True),
    Column("CARDS", right=True),
    Column("MEMORY", right=True),
    Column("LARGEST GANG"),
    Column("RESOURCE"),
)


EXCLUDED = (
    Column("OFFER"),
    Column("EXCLUDED"),
    Column("VENDOR"),
    Column("NODES", right=True),
    Column("DEVICES", right=True),
    Column("SUCH AS"),
    Column("DETAIL"),
)


@click.command()
@target_options(everywhere=True)
@output_option("table", "json", "yaml")
@click.option(
    "--why", is_flag=False, flag_value="", metavar="[JOB]", help="Verdict of every pool on a job: one that is there, or with -f a file's."
)
@click.option("-f", "--filename", metavar="FILE", help="With --why: file with one ComputeJob that need not exist, or - for stdin.")
def pools(target: Target, output: str, why: str | None, filename: str | None) -> None:
    """List the node pools of the offers: class, devices, the largest gang that fits now, and what no pool has.

    With --why, tell for every pool on its own what it is to a job.
    """
    hub_in_use = hub.connect(target)
    if why is not None or filename:
        _why(hub_in_use, why or "", filename, output=output)
        return
    items = visible_offers(hub_in_use)
    found = pool_list(items)
    if output != "table":
        print_data(found, output)
        return
    if not found:
        click.echo("No pools found; sampan offers shows the reason.", err=True)
        return
    print_table(COLUMNS, [row(pool) for pool in found])
    left = [cells for offer in items for cells in excluded_nodes(offer)]
    if left:
        click.echo("\nIn no pool:")
        print_table(EXCLUDED, left)


def _why(hub_in_use: hub.Hub, name: str, filename: str | None, *, output: str) -> None:
    """Print what every pool is to one job."""
    if bool(name) == bool(filename):
        raise click.UsageError("give --why JOB, or --why -f FILE")
    if filename:
        status = ask(hub_in_use, one_job(filename))["status"]
        view = status["now"]
    else:
        view = status = hub_in_use.api.explanation(hub_in_use.default_namespace, name)["status"]
    if output != "table":
        print_data(view.get("pools") or [], output)
        return
    say_pools(view, currency=clean_text(status["currency"]), every=True)


def excluded_nodes(offer: dict[str, Any]) -> list[list[str]]:
    """Rows of `EXCLUDED`: nodes and devices of an offer's member that are in no pool, by cause."""
    key = f"{offer['metadata'].get('namespace', '')}/{offer['metadata']['name']}"
    return [
        [
            key,
            str(each.get("cause", "")),
            str(each.get("vendor") or "-"),
            str(each.get("nodes", 0)),
            str(each.get("devices", 0)),
            str(each.get("example") or "-"),
            str(each.get("detail") or "-"),
        ]
        for each in (offer.get("status") or {}).get("excludedNodes") or []
    ]


def pool_list(offers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every pool of `status.pools` with its offer in front."""
    return [
        {"offer": {"namespace": offer["metadata"].get("namespace", ""), "name": offer["metadata"]["name"]}, **pool}
        for offer in offers
        for pool in pools_of(offer)
    ]


def row(pool: dict[str, Any]) -> list[str]:
    """The cells of `COLUMNS`."""
    gang = pool.get("largestGang") or {}
    return [
        f"{pool['offer']['namespace']}/{pool['offer']['name']}",
        str(pool.get("name", "")),
        str(pool.get("acceleratorClass") or "-"),
        str(pool.get("vendor") or "-"),
        _yes_no(pool.get("domestic")),
        str(pool.get("architecture", "")),
        str(pool.get("nodes", 0)),
        str(pool.get("free", 0)),
        str(pool.get("devices", 0)),
        str(pool.get("cards", "-")),
        str(pool.get("memoryPerDevice") or "-"),
        f"{gang['replicas']} x {gang['perReplica']}" if gang else "-",
        str(pool.get("resourceName") or "-"),
    ]


def _yes_no(value: Any) -> str:
    """A boolean in words, `-` where it is unknown."""
    return {True: "yes", False: "no", None: "-"}.get(value, "-")
