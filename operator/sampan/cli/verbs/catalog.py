"""`sampan catalog`: the accelerator classes that Sampan knows, and all it knows of one. Works without a hub.

What must never live here: what is shown of a class (`catalog_view.py`), and what is known (catalog).
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import click

from sampan.cli.lib.options import output_option, target_options
from sampan.cli.lib.render import Column, print_data, print_table
from sampan.client.access import connection, hub
from sampan.client.access.target import Target

if TYPE_CHECKING:
    from sampan.catalog import Detection
    from sampan.cli.lib.catalog_view import ClassList
    from sampan.model.members.accelerator import AcceleratorClass

    Declared = dict[str, tuple[AcceleratorClass, Detection]]

COLUMNS: Final = (
    Column("CLASS"),
    Column("VENDOR"),
    Column("FAMILY"),
    Column("STACK"),
    Column("MEMORY", right=True),
    Column("FP16 TFLOPS", right=True),
    Column("GB/S", right=True),
    Column("ORIGIN"),
    Column("COUNTS"),
    Column("FROM"),
)
FIGURES: Final = (Column("FIGURE"), Column("PER DEVICE", right=True), Column("UNIT"), Column("GRADE"), Column("USED"), Column("SOURCE"))
EVIDENCE: Final = (Column("TOLD BY"), Column("WHERE"), Column("VALUES"))
RECIPES: Final = (Column("LAUNCH"), Column("FIELD"), Column("VALUE"), Column("SOURCE"))


@click.command("catalog")
@click.argument("name", required=False)
@click.option("--built-in", is_flag=True, help="Only what comes with Sampan: no hub is asked.")
@target_options(all_namespaces=False)
@output_option("table", "json", "yaml")
def catalog(name: str | None, built_in: bool, target: Target, output: str) -> None:
    """List the accelerator classes, or show all that is known of one.

    Where a kubeconfig names a hub, its AcceleratorClass objects count too: `declared` adds a class, `corrected` replaces one.
    """
    from sampan.catalog import load
    from sampan.cli.lib.catalog_view import ClassList, row

    book = ClassList(built_in=load(), declared={} if built_in else _declared(target))
    if name is not None:
        _show(book, name, output)
    elif output != "table":
        print_data([row(book, facts) for facts in book.classes], output)
    else:
        print_table(COLUMNS, [_cells(row(book, facts)) for facts in book.classes])


def _declared(target: Target) -> "Declared":
    """Return the hub's classes. A hub that only the surroundings name may fail: that is said, and the rest is shown."""
    if not connection.configured(target):
        return {}
    try:
        found = hub.connect(replace(target, namespace=None, all_namespaces=True)).items(hub.CLASSES)
    except Exception as error:
        from sampan.cli.lib.errors import to_cli_error

        trouble = to_cli_error(error)
        if trouble is None or target.kubeconfig or target.context:
            raise
        click.echo(f"AcceleratorClass objects of the hub are not shown: {trouble.message}", err=True)
        return {}
    return _read(found)


def _read(objects: list[hub.Object]) -> "Declared":
    """Return the objects as the operator takes them; one that does not parse is named and left out."""
    from sampan.api.convert.classes import class_of
    from sampan.api.convert.offers import InvalidObjectError
    from sampan.catalog import Detection

    read: Declared = {}
    for item in objects:
        try:
            found = class_of(item)
        except InvalidObjectError as error:
            click.echo(f"{error}; it is left out until it is corrected", err=True)
            continue
        read[found.accelerator.name] = (found.accelerator, Detection(resources=found.resource_names, labels=found.node_selector))
    return read


def _show(book: "ClassList", name: str, output: str) -> None:
    from sampan.cli.lib.catalog_view import detail, nearest
    from sampan.cli.lib.errors import CliError

    facts = book.find(name)
    if facts is None:
        near = ", ".join(nearest(book, name))
        raise CliError(f"no accelerator class is named {name}", f"nearest: {near}" if near else "sampan catalog lists all of them")
    found = detail(book, facts)
    if output != "table":
        print_data(found, output)
        return
    print_table((Column("FACT"), Column("VALUE")), [*_facts(found)])
    for columns, rows in ((FIGURES, _figures(found)), (EVIDENCE, _evidence(found)), (RECIPES, _recipes(found))):
        if rows:
            click.echo()
            print_table(columns, rows)


def _cells(found: dict[str, Any]) -> list[str]:
    """The cells of `COLUMNS`; `-` is unknown."""
    figures = [found["memory"], found["throughput"].get("FP16"), found["memoryBandwidthGBps"]]
    told = [found["name"], found["vendor"], found["family"], found["stack"], *figures, found["origin"], found["counts"], found["from"]]
    return [_or_dash(cell) for cell in told]


def _facts(found: dict[str, Any]) -> list[list[str]]:
    """The lines on top of a class's page."""
    wanted = {
        "class": found["name"],
        "from": found["from"],
        "vendor": found["vendor"],
        "origin": found["origin"],
        "stack": found["stack"],
        "family": found["family"],
        "generation": found["generation"],
        "one image per": found["imagePer"],
        "memory": found["memory"],
        "counts": found["counts"],
        "devices per package": found["devicesPerPackage"],
        "units per device": found["unitsPerDevice"],
        "share rate": None if found["shareRateMilli"] is None else f"{found['shareRateMilli']} milli",
    }
    return [[name, _or_dash(value)] for name, value in wanted.items()]


def _figures(found: dict[str, Any]) -> list[list[str]]:
    rows = []
    for figure in found["figures"]:
        unit = figure["unit"] + (f" ({figure['perPackage']} per package)" if figure["perPackage"] else "")
        used = "yes" if figure["used"] else "no"
        rows.append([figure["name"], figure["value"], unit, _or_dash(figure["grade"]), used, figure["source"]])
    return rows


def _evidence(found: dict[str, Any]) -> list[list[str]]:
    """One line for each place that tells; what it says there stands in the first of them."""
    rows = []
    for told in found["toldBy"]:
        values = ", ".join(told["values"]) or "-"
        keys = told["keys"] or ["-"]
        rows += [[told["what"] if at == 0 else "", key, values if at == 0 else ""] for at, key in enumerate(keys)]
    return rows


def _recipes(found: dict[str, Any]) -> list[list[str]]:
    rows = []
    for each in found["launch"]:
        for at, (field, value) in enumerate(each["recipe"].items()):
            rows.append([each["where"] if at == 0 else "", field, _words(value), _or_dash(each["source"]) if at == 0 else ""])
    return rows


def _words(value: Any) -> str:
    """A field of a recipe on one line."""
    if isinstance(value, dict):
        return ", ".join(f"{key}={each}" for key, each in value.items())
    if isinstance(value, list):
        return ", ".join(" ".join(map(str, each.values())) if isinstance(each, dict) else str(each) for each in value)
    return str(value)


def _or_dash(value: Any) -> str:
    return "-" if value is None or value == "" else str(value)
