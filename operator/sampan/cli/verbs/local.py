"""`sampan local …`: a federation on this machine. Never here: how it is made (sampan.local)."""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import click


@click.group()
def local() -> None:
    """A federation on this machine: a hub, member clusters with simulated nodes, the operator, joined offers."""


def _name_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Which federation; the function gets a name that was told or is the only one."""

    def chosen(_: click.Context, __: click.Parameter, name: str | None) -> str:
        from sampan.cli.lib.errors import to_cli_error
        from sampan.local.federation import the_name
        from sampan.local.paths import RefusedError

        try:
            return the_name(name)
        except RefusedError as error:
            raise to_cli_error(error) or error from None

    return click.option("--name", metavar="NAME", callback=chosen, help="Name of the federation; default: the only one there is.")(command)


@local.command("up")
@click.option("--name", default="sampan", show_default=True, metavar="NAME", help="Name of the federation.")
@click.option("--scenario", default="demo", show_default=True, metavar="FILE", help="Scenario file, or the name of a packaged scenario.")
@click.option("--members", type=click.IntRange(1, 100), metavar="K", help="Number of members; default: as the scenario has.")
@click.option(
    "--real-nodes",
    type=click.IntRange(1, 50),
    metavar="N",
    help="Give the members N nodes with a kubelet and containers; needs root on Linux.",
)
@click.option("--hub-node", is_flag=True, help="Give the hub such a node too, with a volume of 1Gi.")
@click.option(
    "--image",
    "images",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, resolve_path=True),
    metavar="FILE",
    help="Load this OCI archive on every such node; can be given again.",
)
@click.option("--bare", is_flag=True, help="Control planes, nodes and people only: no chart, no operator, no offer.")
@click.option("--no-operator", is_flag=True, help="Do not start the operator, do not wait for the offers.")
def up_command(
    *,
    name: str,
    scenario: str,
    members: int | None,
    real_nodes: int | None,
    hub_node: bool,
    images: tuple[str, ...],
    bare: bool,
    no_operator: bool,
) -> None:
    """Bring the federation up and return when every offer is Schedulable."""
    from sampan.local.paths import RefusedError, typed
    from sampan.local.scenario import load
    from sampan.local.up import UpRequest, up

    started = time.monotonic()
    plan = load(scenario)
    if members is not None:
        plan = plan.with_members(members)
    if real_nodes is not None:
        plan = plan.with_real_nodes(real_nodes)
    if hub_node:
        plan = plan.with_hub_node()
    plan = plan.model_copy(update={"images": [*plan.images, *images], "bare": plan.bare or bare})
    clean_up = f"clean up with: {typed(f'local down --name {name}')}"
    try:
        federation = up(UpRequest(name=name, scenario=plan, operator=not no_operator), say)
    except KeyboardInterrupt as error:
        raise click.ClickException(f"interrupted; {clean_up}") from error
    except RefusedError:
        raise
    except Exception:
        click.echo(f"not finished; {clean_up}", err=True)
        raise
    say(f"federation {name}: hub and {len(federation.members)} members in {time.monotonic() - started:.1f} s")
    click.echo(f"export KUBECONFIG=$({typed(f'local kubeconfig tenant --name {name}')})")


@local.command("down")
@_name_option
def down_command(name: str) -> None:
    """End all processes of the federation and remove all its files."""
    from sampan.local.down import down

    if not down(name, say):
        say(f"there is no federation {name}")


@local.command("kubeconfig")
@click.argument("who")
@_name_option
def kubeconfig_command(who: str, name: str) -> None:
    """Print the path of a kubeconfig: hub, a member's name, tenant, provider-NAME, operator."""
    from sampan.local.federation import load_federation

    click.echo(load_federation(name).existing_kubeconfig(who))


@local.command("status")
@_name_option
@click.option("-o", "--output", type=click.Choice(["table", "json", "yaml"]), default="table", show_default=True, help="Output format.")
def status_command(name: str, output: str) -> None:
    """Addresses, kubeconfigs and process ids of hub, members and operator."""
    from sampan.local.federation import load_federation

    status = load_federation(name).status()
    if output == "json":
        click.echo(json.dumps(status, indent=2))
    elif output == "yaml":
        import yaml

        click.echo(yaml.safe_dump(status, sort_keys=False), nl=False)
    else:
        _print_table(status)


@local.command("list")
def list_command() -> None:
    """Names of the federations on this machine."""
    from sampan.local.federation import federation_names

    for name in federation_names():
        click.echo(name)


@local.command("binaries")
@click.option("--real-nodes", is_flag=True, help="Also what real nodes are made of, where this machine can have them.")
@click.option("--promtool", is_flag=True, help="Also promtool, which tries the chart's alert rules; it takes minutes to build.")
def binaries_command(real_nodes: bool, promtool: bool) -> None:
    """Find the programs that a federation needs, build those that are missing, print their paths."""
    from sampan.local.binaries import ALERT_PROGRAMS, PROGRAMS, ensure
    from sampan.local.nodes.machine import NoRealNodesError, provide

    paths = dict(ensure(say, (*PROGRAMS, *(ALERT_PROGRAMS if promtool else ()))).paths)
    if real_nodes:
        try:
            paths |= provide(say).programs
        except NoRealNodesError as error:
            say(str(error))
    for program, path in sorted(paths.items()):
        click.echo(f"{program}\t{path}")


@local.command("operator")
@click.argument("action", type=click.Choice(["start", "stop", "restart"]))
@_name_option
def operator_command(action: str, name: str) -> None:
    """Start, stop or restart the operator of the federation."""
    from sampan.local.federation import load_federation

    operator = load_federation(name).operator
    if action in {"stop", "restart"}:
        operator.stop()
    if action in {"start", "restart"}:
        say(f"operator runs with process id {operator.start()}")
        operator.wait_ready()


def say(text: str) -> None:
    """One line of progress on stderr, dimmed on a terminal."""
    if sys.stderr.isatty():
        from rich.console import Console

        Console(stderr=True, highlight=False).print(text, style="dim", markup=False)
    else:
        click.echo(text, err=True)


def _print_table(status: dict[str, Any]) -> None:
    from sampan.cli.lib.render import Column, print_table

    rows = []
    for cluster in [status["hub"], *status["members"]]:
        running = [f"{name}={pid}" for name, pid in cluster["pids"].items()]
        processes = " ".join([*(f"{name}=ENDED" for name in cluster["ended"]), *running]) if running else "stopped"
        rows.append([cluster["name"], cluster["address"], f"{cluster['memoryBytes'] >> 20}Mi", cluster["kubeconfig"], processes])
    operator = status["operator"]
    processes = f"operator={operator['pid']}" if operator["running"] else "stopped"
    used = f"{operator['memoryBytes'] >> 20}Mi"
    rows += [[node["name"], node["cluster"], "", "", f"node={node['pid'] or 'ENDED'}"] for node in status["realNodes"]]
    rows.append(["operator", f"http://{operator['metricsAddress']}/metrics", used, operator["kubeconfig"], processes])
    columns = (Column("CLUSTER"), Column("ADDRESS"), Column("MEMORY", right=True), Column("KUBECONFIG"), Column("PROCESSES"))
    print_table(columns, rows)
