"""`sampan what-if`: the same quote as things are and as they would be, with more nodes in a pool or without an offer."""

from datetime import UTC, datetime

import click

from sampan.cli.lib.options import output_option, target_options
from sampan.cli.lib.render import print_data
from sampan.cli.lib.verdicts import offer_name, say_pools, say_start
from sampan.cli.verbs.quote import ask, one_job, say_head
from sampan.client.access import hub
from sampan.client.access.hub import Object
from sampan.client.access.target import Target
from sampan.kube.text import clean_text

_LOOK = "`sampan pools --why -f FILE` lists offers and pools"


@click.command("what-if")
@target_options(all_namespaces=False)
@output_option("table", "json", "yaml")
@click.option("-f", "--filename", required=True, metavar="FILE", help="File with one ComputeJob, or - for stdin; other kinds are left out.")
@click.option("--add-nodes", metavar="NAMESPACE/OFFER/POOL=N", help="N empty nodes more in a pool, like those that it has.")
@click.option("--without", metavar="NAMESPACE/OFFER", help="The offer is gone.")
def what_if(target: Target, output: str, filename: str, add_nodes: str | None, without: str | None) -> None:
    """Tell what a job would get with more nodes in a pool, or without an offer. Nothing is created or changed."""
    if (add_nodes is None) == (without is None):
        raise click.UsageError("give either --add-nodes NAMESPACE/OFFER/POOL=N or --without NAMESPACE/OFFER")
    change = added(add_nodes) if add_nodes is not None else {"withoutOffer": offer_key(without or "", option="--without")}
    hub_in_use = hub.connect(target)
    answer = ask(hub_in_use, one_job(filename), change)
    if output != "table":
        print_data(answer, output)
        return
    now, status = datetime.now(UTC), answer["status"]
    say_head(answer)
    for title, view in (("As it is", status["now"]), (_title(add_nodes, without), status["whatIf"])):
        click.echo(f"\n{title}: {best(view)}")
        say_start(view, now=now)
        say_pools(view, currency=clean_text(status["currency"]))


def added(text: str) -> Object:
    """`NAMESPACE/OFFER/POOL=N` as the API takes it; anything else is a usage error."""
    where, _, count = text.rpartition("=")
    offer, _, pool = where.rpartition("/")
    if offer.count("/") != 1 or not all((*offer.split("/"), pool)) or not count.isdecimal() or not 1 <= int(count) <= 4096:
        raise click.UsageError(f"--add-nodes {text}: want NAMESPACE/OFFER/POOL=N, with N from 1 to 4096; {_LOOK}")
    return {"addNodes": {"offer": offer_key(offer, option="--add-nodes"), "pool": pool, "count": int(count)}}


def offer_key(text: str, *, option: str) -> Object:
    """`NAMESPACE/OFFER` as the API takes it; anything else is a usage error."""
    namespace, _, name = text.partition("/")
    if not namespace or not name or "/" in name:
        raise click.UsageError(f"{option} {text}: want NAMESPACE/OFFER; {_LOOK}")
    return {"namespace": namespace, "name": name}


def best(view: Object) -> str:
    """The pool that the job would go to, in a few words."""
    pool = next((each for each in view.get("pools") or () if "score" in each), None)
    return "no pool can take it now" if pool is None else clean_text(f"pool {pool['pool']} of {offer_name(pool)}, score {pool['score']}")


def _title(add_nodes: str | None, without: str | None) -> str:
    where, _, count = (add_nodes or "").rpartition("=")
    return clean_text(f"With {count} more node{'s' * (count != '1')} in {where}" if add_nodes else f"Without {without}")
