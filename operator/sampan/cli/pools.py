"""`sampan pools`: the node pools behind the offers, as the operator sees them now."""

from typing import Any

import click

from sampan.cli import hub
from sampan.cli.offers import pools_of
from sampan.cli.options import Target, output_option, target_options
from sampan.cli.render import Column, print_data, print_table

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
    Column("MEMORY", right=True),
    Column("LARGEST GANG"),
    Column("RESOURCE"),
)


@click.command()
@target_options(everywhere=True)
@output_option("table", "json", "yaml")
def pools(target: Target, output: str) -> None:
    """List the node pools of the offers: class, devices, the largest gang that fits now."""
    found = pool_list(hub.connect(target).items(hub.OFFERS))
    if output != "table":
        print_data(found, output)
        return
    if not found:
        click.echo("No pools found; sampan offers shows the reason.", err=True)
        return
    print_table(COLUMNS, [row(pool) for pool in found])


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
        str(pool.get("memoryPerDevice") or "-"),
        f"{gang['replicas']} x {gang['perReplica']}" if gang else "-",
        str(pool.get("resourceName") or "-"),
    ]


def _yes_no(value: Any) -> str:
    """A boolean in words, `-` where it is unknown."""
    return {True: "yes", False: "no", None: "-"}.get(value, "-")
