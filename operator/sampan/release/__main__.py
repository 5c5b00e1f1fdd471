"""`python -m sampan.release`: what `make image` and `make release` call."""

import shutil
from pathlib import Path

import click

from sampan.release.artefacts.everything import Plan, build_release
from sampan.release.engine import build_with, running_engine
from sampan.release.errors import ReleaseError
from sampan.release.image import build_image
from sampan.release.source import checkout, refuse_uncommitted

_HERE = Path(__file__).resolve().parents[3]


@click.group()
def release() -> None:
    """Build what a release publishes, from a checkout."""


@release.command()
@click.option("--source", type=click.Path(path_type=Path, file_okay=False), default=_HERE, help="The checkout.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="The archive; default build/image/sampan-ARCHITECTURE.tar.")
@click.option("--reference", help="NAME:TAG; default sampan:VERSION.")
@click.option("--architecture", type=click.Choice(["amd64", "arm64"]), default="amd64", show_default=True)
@click.option(
    "--layers",
    type=click.Path(path_type=Path, file_okay=False),
    help="A folder that keeps what is below Sampan's own layer, and has it next time: for trying out. Default: built anew.",
)
def image(*, source: Path, out: Path | None, reference: str | None, architecture: str, layers: Path | None) -> None:
    """Build the image from Debian's packages, without an engine."""
    try:
        made = checkout(source)
        name = reference or f"sampan:{made.version}"
        file = out or source / "build" / "image" / f"sampan-{architecture}.tar"
        built = build_image(made, file, reference=name, architecture=architecture, layers=layers)
    except ReleaseError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{name} is in {built.archive} ({built.unpacked / 1e6:.0f} MB, {built.packed / 1e6:.0f} MB packed), {built.digest}")
    click.echo(f"its bill of materials is {built.bill}")


@release.command()
@click.option("--source", type=click.Path(path_type=Path, file_okay=False), default=_HERE, help="The checkout.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="The folder, which is emptied; default build/release.")
@click.option("--helm", default="helm", show_default=True, help="The program.")
@click.option("--downloads", help="URL of the folder where the files will be, for krew; default https://releases.example/sampan/vVERSION.")
@click.option("--uncommitted", "dirty", is_flag=True, help="Build even what is in no commit: to try, not to publish.")
def everything(source: Path, out: Path | None, helm: str, downloads: str | None, *, dirty: bool) -> None:
    """Build all that a release publishes, with checksums and notes."""
    try:
        made = checkout(source)
        if not dirty:
            refuse_uncommitted(source)
        plan = Plan(helm=_program(helm), downloads=downloads or f"https://releases.example/sampan/v{made.version}")
        files = build_release(made, out or source / "build" / "release", plan)
    except ReleaseError as error:
        raise click.ClickException(str(error)) from error
    for file in files:
        click.echo(f"{file.stat().st_size / 1e6:7.1f} MB  {file}")
    if downloads is None:
        click.echo("sampan.yaml names https://releases.example, which is nowhere: give --downloads the URL where the files will be")


@release.command()
@click.option("--source", type=click.Path(path_type=Path, file_okay=False), default=_HERE, help="The checkout.")
@click.option("--reference", help="NAME:TAG; default sampan:VERSION.")
@click.option("--base", help="The Dockerfile's BASE.")
def engine(source: Path, reference: str | None, base: str | None) -> None:
    """Have Docker or podman build the Dockerfile."""
    try:
        made, program = checkout(source), running_engine()
        name = reference or f"sampan:{made.version}"
        build_with(program, made, reference=name, base=base)
    except ReleaseError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{name} is in {program}")


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise ReleaseError(f"{name} is no program: make binaries finds or builds it, --helm names it")
    return found


release(prog_name="python -m sampan.release")
