"""`sampan publish`: starts the publisher of a member's capacity. Everything it does lives in `sampan.gate`."""

from pathlib import Path

import click


@click.command()
@click.option(
    "--kubeconfig",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The member's kubeconfig; default: the cluster we run in.",
)
@click.option("--namespace", default="sampan-jobs", show_default=True, help="Namespace of the jobs, where the summary lies.")
@click.option("--tenant-namespace", "tenants", multiple=True, metavar="NAME", help="Namespace of one tenant's jobs; may be given again.")
@click.option("--interval", type=click.IntRange(1, 300), default=10, show_default=True, help="Seconds between heartbeats.")
@click.option("--health-address", default="", metavar="HOST:PORT", help="Where /healthz is served; default: nowhere.")
def publish(kubeconfig: Path | None, namespace: str, tenants: tuple[str, ...], interval: int, health_address: str) -> None:
    """Publish this member's capacity, so that the hub needs no right on its nodes and pods.

    The member chart runs this with capacity=published. It ends on SIGTERM or SIGINT.
    """
    from sampan.controller.runtime.logs import configure
    from sampan.member.health import address_of
    from sampan.member.process import main
    from sampan.member.publisher import PublisherSettings

    configure("INFO")
    try:
        asked_at = address_of(health_address)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--health-address") from error
    settings = PublisherSettings(namespace=namespace, tenant_namespaces=tenants, interval=interval)
    raise SystemExit(main(kubeconfig=kubeconfig, settings=settings, asked_at=asked_at))
