"""`sampan offers`: what the providers put on the table, and whether it can be used now."""

from typing import Any

import click

from sampan.cli.lib.conditions import conditions_of
from sampan.cli.lib.options import output_option, target_options
from sampan.cli.lib.render import Column, print_objects, print_table
from sampan.client.access import hub
from sampan.client.access.target import Target
from sampan.model.members.offer_reasons import OfferConditionType

CONDITIONS = (
    OfferConditionType.APPROVED,
    OfferConditionType.CONNECTED,
    OfferConditionType.PERMISSIONS_SUFFICIENT,
    OfferConditionType.SCHEDULABLE,
)
COLUMNS = (
    Column("NAMESPACE"),
    Column("NAME"),
    Column("REGION"),
    Column("JURISDICTION"),
    Column("TERMS"),
    Column("ACCEPTING"),
    Column("SCHEDULABLE"),
    Column("FREE", right=True),
    Column("DEVICES", right=True),
    Column("REASON"),
)


@click.command()
@target_options(everywhere=True)
@output_option("table", "json", "yaml")
def offers(target: Target, output: str) -> None:
    """List offers with their terms, conditions and free devices.

    REASON is the first condition that keeps an offer from being used, with its own words.
    """
    items = visible_offers(hub.connect(target))
    if output != "table":
        print_objects(items, output)
        return
    if not items:
        click.echo("No offers found.", err=True)
        return
    print_table(COLUMNS, [row(item) for item in items])


def visible_offers(hub_in_use: hub.Hub) -> list[hub.Object]:
    """The offers that are asked for; who may not list those of all namespaces, as a provider, gets the own namespace's and is told."""
    from kubernetes.client.exceptions import ApiException

    try:
        return hub_in_use.items(hub.OFFERS)
    except ApiException as error:
        if error.status != 403 or hub_in_use.namespace is not None:
            raise
        own = hub.Hub(hub_in_use.api, namespace=hub_in_use.default_namespace, default_namespace=hub_in_use.default_namespace)
        items = own.items(hub.OFFERS)
    more = "sampan pools --why -f FILE tells which pools are open to a job of yours"
    click.echo(f"Offers of namespace {own.namespace} only: these credentials may not list those of others; {more}.", err=True)
    return items


def row(offer: dict[str, Any]) -> list[str]:
    """The cells of `COLUMNS`."""
    spec, pools = offer.get("spec") or {}, pools_of(offer)
    schedulable = conditions_of(offer).get("Schedulable") or {}
    return [
        offer["metadata"].get("namespace", ""),
        offer["metadata"]["name"],
        str(spec.get("region", "")),
        str(spec.get("jurisdiction", "")),
        str(spec.get("terms", "")),
        "yes" if spec.get("accepting", True) else "no",
        str(schedulable.get("status", "Unknown")),
        str(sum(int(pool.get("free") or 0) for pool in pools)),
        str(sum(int(pool.get("devices") or 0) for pool in pools)),
        blocking(offer),
    ]


def pools_of(offer: dict[str, Any]) -> list[dict[str, Any]]:
    """`status.pools`, empty where the operator has seen none yet."""
    return list((offer.get("status") or {}).get("pools") or [])


def blocking(offer: dict[str, Any]) -> str:
    """`Type=Status Reason: message` of the first condition that is not True; empty where all are."""
    found = conditions_of(offer)
    if not found:
        return "not seen by the operator yet"
    for kind in CONDITIONS:
        condition = found.get(kind)
        if condition and condition.get("status") != "True":
            words = ": ".join(str(word) for word in (condition.get("reason"), condition.get("message")) if word)
            return f"{kind}={condition.get('status')} {words}".strip()
    return ""
