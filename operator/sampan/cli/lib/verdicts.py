"""Answers of the query API as text: pools that can take a job, and those that refuse it, grouped by what is in the way. No calls here."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from typing import Any

import click

from sampan.cli.lib import times
from sampan.cli.lib.render import Column, print_table
from sampan.client.access.hub import Object
from sampan.kube.text import clean_text

NOW = "now"
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
EVERY = (Column("OFFER"), Column("POOL"), *REFUSED[1:-1])
"""The same with every pool on its own."""


def say_pools(view: Object, *, currency: str, every: bool = False) -> None:
    """Print the usable pools, best first, then the refused: by reason, or one by one where `every` is wanted."""
    pools: list[Object] = view.get("pools") or []
    usable = [pool for pool in pools if "score" in pool]
    refused = [pool for pool in pools if "score" not in pool]
    if not pools:
        click.echo("No pools: no offer is open to this namespace, or none has been read yet.")
    if usable:
        scores = [pool["score"] for pool in usable]
        order = "best first" if scores == sorted(scores, reverse=True) else "earlier alternatives first, then the best"
        click.echo(f"Pools that can take it, {order} ({len(usable)}):")
        _say_usable(usable, currency=currency)
        _say_untimed(usable)
    if refused:
        click.echo(("\n" if usable else "") + f"Pools that cannot ({len(refused)}):")
        rows = [row for pool in refused for row in _alone(pool)] if every else _groups(refused)
        _print_known(EVERY if every else REFUSED, rows)


def say_start(view: Object, *, now: datetime) -> None:
    """Print what the job waits for and when it starts: now only where the next scheduling cycle starts it."""
    if view.get("waitsFor"):
        click.echo(f"Waits for:  {clean_text(view['waitsFor'], 512)}")
    start, place = view.get("start"), view.get("startsIn")
    if place:
        click.echo(f"Starts:     now, in pool {clean_text(str(place['pool']))} of {clean_text(offer_name(place))}")
        return
    if not start:
        return
    if start.get("atLatest"):
        at, reserved = moment(start["atLatest"], now=now), start.get("reserved")
        promised = "kept for it" if reserved else "if nobody new comes first"
        click.echo(f"Starts:     {'within moments' if at == NOW else f'{at} at the latest'}, {promised}")
    else:
        click.echo(f"Starts:     not known: {clean_text(str(start.get('unknown') or 'no reason given'))}")
    if start.get("likely") and start.get("likely") != start.get("atLatest"):
        click.echo(
            f"            {moment(start['likely'], now=now)} likely, by what {_jobs(start.get('sample', 0), 'running')} expected to take"
        )


def say_place(place: Object | None) -> None:
    """Print where a job stands in its queue."""
    if place:
        own, others = place["aheadOwn"], place["aheadOthers"]
        ahead = f"{own} job{'s' * (own != 1)} of this namespace and {others} of others before it" if own or others else "none before it"
        click.echo(f"Queue:      {clean_text(str(place['queue']))}, place {place['position']}: {ahead}")


def moment(text: str, *, now: datetime) -> str:
    """A time with how long that is: `now`, or `2026-03-01T12:00:00Z (in 5m)`."""
    at = times.parse(text)
    if at is None:
        return clean_text(text)
    return NOW if (at - now).total_seconds() < 2 else f"{clean_text(text)} (in {times.duration(at - now)})"


def price(text: str) -> str:
    """A price in hundredths, rounded up: what a tenant pays is never told as less."""
    return str(Decimal(text).quantize(Decimal("0.01"), rounding=ROUND_CEILING))


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
    _print_known(columns, [_usable(pool, parts) for pool in pools])


def _say_untimed(pools: list[Object]) -> None:
    """Say which alternatives earn nothing for cost because nobody tells how long the job takes there, while others are told."""
    missing = sorted({pool["alternative"] for pool in pools if "priceExpected" not in pool and pool.get("alternative") is not None})
    if missing and any("priceExpected" in pool for pool in pools):
        fields = ", ".join(f"spec.alternatives[{number}].expectedSeconds" for number in missing)
        click.echo(f"Nothing is earned for cost where the job's time is not known: set {fields}.")


def _usable(pool: Object, parts: Iterable[str]) -> list[str]:
    prices = (pool.get("pricePerHour"), pool.get("priceExpected"), pool.get("priceLimit"))
    return [
        offer_name(pool),
        _named(pool),
        str(pool.get("acceleratorClass") or "-"),
        str(pool["score"]),
        *(str((pool.get("parts") or {}).get(part, 0)) for part in parts),
        "-" if pool.get("room") is None else str(pool["room"]),
        *("-" if each is None else price(each) for each in prices),
    ]


def _named(pool: Object) -> str:
    """The pool, with the alternative where it is not the first."""
    number = pool.get("alternative")
    return f"{pool.get('pool', '')} (alternative {number})" if number else str(pool.get("pool", ""))


def _groups(pools: list[Object]) -> list[list[str]]:
    """Rows of `REFUSED`: for each set of objections one row per objection; the first has how many pools, the change and an example."""
    groups: dict[Any, list[Object]] = {}
    for pool in pools:
        groups.setdefault(tuple(map(tuple, _objections(pool))), []).append(pool)
    rows = []
    for told, members in groups.items():
        first = next((pool for pool in members if pool.get("smallestChange")), members[0])
        rows.append([str(len(members)), *told[0], _change(first), f"{offer_name(first)} {first.get('pool', '')}"])
        rows += [["", *objection, "", ""] for objection in told[1:]]
    return rows


def _alone(pool: Object) -> list[list[str]]:
    """Rows of `EVERY` for one pool: one per objection."""
    first, *others = _objections(pool)
    return [[offer_name(pool), _named(pool), *first, _change(pool)], *(["", "", *objection, ""] for objection in others)]


def _objections(pool: Object) -> list[list[str]]:
    """Reason, what is needed and what is present, of every objection; at least one."""
    told = [[each["reason"], each.get("needed", ""), each.get("present", "")] for each in pool.get("objections") or ()]
    return told or [["-", "", ""]]


def _print_known(columns: Sequence[Column], rows: list[list[str]]) -> None:
    """Print a table without the columns of which nothing is known, as of verdicts that were kept without figures."""
    told = [number for number, _ in enumerate(columns) if any(row[number] not in ("", "-") for row in rows)]
    print_table([columns[number] for number in told], [[row[number] for number in told] for row in rows])


def _jobs(count: int, word: str) -> str:
    return f"1 {word} job is" if count == 1 else f"{count} {word} jobs are"


def _change(pool: Object) -> str:
    """`field: before -> after` of each field of the smallest change."""
    changes = pool.get("smallestChange") or ()
    return ", ".join(f"{each['field']}: {each['before'] or '(unset)'} -> {each['after'] or '(unset)'}" for each in changes) or "-"
