"""`sampan operator run`: starts the operator process. Everything it does lives in `sampan.controller`."""

from pathlib import Path

import click


@click.group()
def operator() -> None:
    """Run the operator."""


@operator.command()
@click.option(
    "--kubeconfig",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The hub's kubeconfig; default: the cluster we run in. Settings come from SAMPAN_* variables.",
)
def run(kubeconfig: Path | None) -> None:
    """Run until told to stop by SIGTERM or SIGINT."""
    from sampan.controller.app import main

    raise SystemExit(main(kubeconfig=kubeconfig))
