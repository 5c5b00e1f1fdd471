"""Answers of the query API as text: pools that can take a job, and those that refuse it, grouped by what is in the way. No calls here."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import click

from sampan.cli import when
from sampan.cli.hub import Object
from sampan.cli.render import Column, print_table
from sampan.kube.text import clean_text

PARTS = ("cost", "packing", "performance", "domestic", "green")
"""Columns of the score; others that an answer has come after these."""
REFUSED = (
    Column("POOLS", right=True),
    Column("REASON"),
    Column("NEEDED"),
    Column("PRESENT"),
    Column("SMALLEST CHANGE"),
    Column("SUCH AS"),
)


def say_pools(view: Object, *, currency: str, every: bool = False) -> None:
    """Print the usable pools, best first, then the refused: by reason, or one by one where `every` is wanted."""
    pools: list[Object] = view.get("pools") or []
    usable = [pool for pool in pools if "score" in pool]
    refused = [pool for pool in pools if "score" not in pool]
    if not pools:
        click.echo("No pools: no offer is open to this namespace, or none has been read yet.")
    if usable:
        click.echo(f"Pools that can take it, best first ({len(usable)}):")
        _say_usable(usable, currency=currency)
    if refused:
        click.echo(("\n" if usable else "") + f"Pools that cannot ({len(refused)}):")
        print_table(REFUSED, [row for group in _groups(refused, every=every) for row in group])


def say_start(start: Object | None, *, now: datetime) -> None:
    """Print when the job starts."""
    if not start:
        return
    if start.get("atLatest"):
        promised = "kept for it" if start.get("reserved") else "if nobody new comes first"
        click.echo(f"Starts:     {moment(start['atLatest'], now=now)} at the latest, {promised}")
    else:
        click.echo(f"Starts:     not known: {clean_text(str(start.get('unknown') or 'no reason given'))}")
    if start.get("likely") and start.get("likely") != start.get("atLatest"):
        click.echo(
            f"            {moment(start['likely'], now=now)} likely, by what {start.get('sample', 0)} running jobs are expected to take"
        )


def say_place(place: Object | None) -> None:
    """Print where a job stands in its queue."""
    if place:
        ahead = f"{place['aheadOwn']} jobs of this namespace and {place['aheadOthers']} of others before it"
        click.echo(f"Queue:      {clean_text(str(place['queue']))}, place {place['position']}: {ahead}")


def moment(text: str, *, now: datetime) -> str:
    """A time with how long that is: `now`, or `2026-03-01T12:00:00Z (in 5m)`."""
    at = when.parse(text)
    if at is None:
        return clean_text(text)
    return "now" if (at - now).total_seconds() < 2 else f"{clean_text(text)} (in {when.duration(at - now)})"


def offer_name(pool: Object) -> str:
    """`namespace/name` of a pool's offer."""
    return f"{pool['offer']['namespace']}/{pool['offer']['name']}"


def _say_usable(pools: list[Object], *, currency: str) -> None:
    told = {part for pool in pools for part in pool.get("parts") or {}}
    parts = [part for part in (*PARTS, *sorted(told - set(PARTS))) if any((pool.get("parts") or {}).get(part) for pool in pools)]
    columns = (
        Column("OFFER"),
        Column("POOL"),
        Column("CLASS"),
        Column("SCORE", right=True),
        *(Column(part.upper(), right=True) for part in parts),
        *(Column(head, right=True) for head in ("ROOM", f"{currency}/H", "EXPECTED", "AT LIMIT")),
    )
    print_table(columns, [_usable(pool, parts) for pool in pools])


def _usable(pool: Object, parts: Iterable[str]) -> list[str]:
    prices = (pool.get("pricePerHour"), pool.get("priceExpected"), pool.get("priceLimit"))
    return [
        offer_name(pool),
        _named(pool),
        str(pool.get("acceleratorClass") or "-"),
        str(pool["score"]),
        *(str((pool.get("parts") or {}).get(part, 0)) for part in parts),
        "-" if pool.get("room") is None else str(pool["room"]),
        *("-" if price is None else str(price) for price in prices),
    ]


def _named(pool: Object) -> str:
    """The pool, with the alternative where it is not the first."""
    number = pool.get("alternative")
    return f"{pool.get('pool', '')} (alternative {number})" if number else str(pool.get("pool", ""))


def _groups(pools: list[Object], *, every: bool) -> list[list[list[str]]]:
    """Rows of `REFUSED`: for each set of objections one row per objection; the first has how many pools, the change and an example."""
    groups: dict[Any, list[Object]] = {}
    for number, pool in enumerate(pools):
        told = tuple((each["reason"], each.get("needed", ""), each.get("present", "")) for each in pool.get("objections") or ())
        groups.setdefault((told, number) if every else told, []).append(pool)
    rows = []
    for key, members in groups.items():
        told = key[0] if every else key
        first = next((pool for pool in members if pool.get("smallestChange")), members[0])
        head = [str(len(members)), *(told[0] if told else ("-", "", "")), _change(first), f"{offer_name(first)} {first.get('pool', '')}"]
        rows.append([head, *(["", *objection, "", ""] for objection in told[1:])])
    return rows


def _change(pool: Object) -> str:
    """`field: before -> after` of each field of the smallest change."""
    changes = pool.get("smallestChange") or ()
    return ", ".join(f"{each['field']}: {each['before'] or '(unset)'} -> {each['after'] or '(unset)'}" for each in changes) or "-"
