"""kubectl's own option names, packed into one value."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from sampan.cli.lib.options import output_option, target_options
from sampan.client.access.target import Target

SEEN: list[tuple[Target, str]] = []


@click.command()
@target_options()
@output_option("table", "json")
def probe(target: Target, output: str) -> None:
    """Remember what came in."""
    SEEN.append((target, output))


@pytest.mark.parametrize(
    ("arguments", "want"),
    [
        ([], Target()),
        (["-n", "team-a"], Target(namespace="team-a")),
        (["--namespace", "team-a"], Target(namespace="team-a")),
        (["-A"], Target(all_namespaces=True)),
        (["--kubeconfig", "/k", "--context", "c"], Target(kubeconfig=Path("/k"), context="c")),
    ],
)
def test_options_arrive_as_a_target(arguments: list[str], want: Target) -> None:
    SEEN.clear()
    assert CliRunner().invoke(probe, arguments).exit_code == 0
    assert [(want, "table")] == SEEN


@pytest.mark.parametrize("arguments", [["-n", "a", "-A"], ["-o", "xml"], ["--kubecfg", "x"]])
def test_nonsense_is_a_usage_error(arguments: list[str]) -> None:
    assert CliRunner().invoke(probe, arguments).exit_code == 2


def test_all_namespaces_can_be_left_out() -> None:
    @click.command()
    @target_options(all_namespaces=False)
    def one(target: Target) -> None:
        """Nothing."""

    assert CliRunner().invoke(one, ["-A"]).exit_code == 2
    assert CliRunner().invoke(one, ["-n", "a"]).exit_code == 0


def test_a_default_of_the_verb_itself_is_the_only_one_that_help_tells() -> None:
    @click.command()
    @target_options(all_namespaces=False, default="sampan-system")
    def one(target: Target) -> None:
        """Nothing."""

    told = CliRunner().invoke(one, ["--help"]).stdout
    assert "default: sampan-system" in told
    assert "the context's" not in told
