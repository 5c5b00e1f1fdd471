"""`sampan inspect`: what the operator would see of a cluster, from its objects in a file. Needs no hub.

What must never live here: how devices are told (catalog) and counted (`inspect_view.py`).
"""

from collections.abc import Iterable, Set
from typing import TYPE_CHECKING, Any

import click

from sampan.cli.lib.objects import read_objects, typed
from sampan.cli.lib.options import output_option
from sampan.cli.lib.render import Column, print_data, print_table

if TYPE_CHECKING:
    from sampan.kube.objects.dra import ResourceSlice

NODES = (
    Column("NODE"),
    Column("VENDOR"),
    Column("CLASS"),
    Column("SHARING"),
    Column("SCHEDULABLE", right=True),
    Column("FREE", right=True),
    Column("DEVICES", right=True),
    Column("CARDS", right=True),
    Column("MEMORY", right=True),
    Column("EVIDENCE"),
    Column("IGNORED"),
)
EXCLUDED = (Column("EXCLUDED"), Column("NODES", right=True), Column("DEVICES", right=True), Column("SUCH AS"), Column("DETAIL"))
POOLS = (Column("POOL"), Column("CLASS"), Column("NODES", right=True), Column("DEVICES", right=True), Column("RESOURCE"))


@click.command("inspect")
@click.option("-f", "--filename", required=True, metavar="FILE", help="Nodes, Pods and ResourceSlices in YAML or JSON; - for stdin.")
@output_option("table", "json", "yaml")
def inspect(filename: str, output: str) -> None:
    """Show what Sampan would see of a cluster: devices by node, why, what is ignored, what is free, and the pools that follow.

    kubectl get nodes,pods,resourceslices -A -o yaml | sampan inspect -f -

    An API server before 1.34 may know no resourceslices, and kubectl then prints nothing: leave them out.
    """
    from sampan.catalog import load
    from sampan.cli.lib.inspect_view import inspected_cluster, pools, rows, unused
    from sampan.inventory.slices import to_slice
    from sampan.kube.objects import workloads
    from sampan.kube.objects.dra import ResourceSlice

    kinds: dict[str, list[tuple[str, dict[str, Any]]]] = {"Node": [], "Pod": [], "ResourceSlice": []}
    for where, item in read_objects(filename):
        kinds.get(str(item.get("kind")), []).append((where, item))
    nodes = [typed(item, workloads.Node, where=where) for where, item in kinds["Node"]]
    published = [typed(item, ResourceSlice, where=where) for where, item in kinds["ResourceSlice"]]
    _warn_foreign(published, {node.metadata.name for node in nodes})
    slices = [to_slice(each) for each in published]
    seen = inspected_cluster(
        nodes,
        [typed(item, workloads.Pod, where=where) for where, item in kinds["Pod"]],
        [each for each in slices if each is not None],
        catalog=load(),
    )
    found = rows(seen, load())
    if output != "table":
        print_data(found, output)
        return
    if not found:
        click.echo("No accelerators found; nodes without extended resources and ResourceSlices are CPU-only.", err=True)
    print_table(NODES, [_cells(row) for row in found])
    click.echo()
    print_table(POOLS, [_pool(pool) for pool in pools(seen, load())])
    left = unused(seen, load())
    if left:
        click.echo("\nIn no pool:")
        print_table(EXCLUDED, [[each.cause, str(each.nodes), str(each.devices), each.example, each.detail or "-"] for each in left])
    if not seen.pods_given:
        click.echo(
            "\nNo pod is among the objects, so what is free cannot be told: add pods to kubectl get, if the cluster runs any.", err=True
        )
    elif any(row["free"] is None for row in found):
        click.echo("\nFREE is ? where devices are taken by claims: which are held is not read from these objects.", err=True)
    if not published and not all(any(group.devices for group in groups) for groups in seen.cluster.devices.values()):
        click.echo(
            "\nNo ResourceSlice is among the objects, so devices that are had by claim alone cannot be told: add resourceslices to "
            "kubectl get, if the API server knows them.",
            err=True,
        )


def _warn_foreign(slices: "Iterable[ResourceSlice]", nodes: Set[str]) -> None:
    """Say which slices are of no node that was given: their devices count nowhere."""
    for each in slices:
        if each.spec.node_name not in nodes:
            whose = f"of node {each.spec.node_name}, which was not given" if each.spec.node_name else "of no single node"
            click.echo(f"ResourceSlice {each.metadata.name} is {whose}: its {len(each.spec.devices)} devices are not counted.", err=True)


def _cells(row: dict[str, Any]) -> list[str]:
    """The cells of `NODES`."""
    shown = ("node", "vendor", "acceleratorClass", "sharing", "schedulable", "free", "devices", "cards", "memoryPerDevice")
    plain = [row[key] for key in shown]
    return [*("?" if cell is None else str(cell) for cell in plain), "; ".join(row["evidence"]) or "-", "; ".join(row["ignored"]) or "-"]


def _pool(pool: Any) -> list[str]:
    """The cells of `POOLS`."""
    return [pool.name, pool.accelerator_class or "-", str(pool.nodes), str(pool.devices), pool.resource_name or "-"]
