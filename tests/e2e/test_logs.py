"""Logs through the hub's API server, of pods on simulated nodes: who is let in, and that the member's word passes through."""

import subprocess

import pytest

from e2e.life import H100, TEAM, UNTIL_TOLD, World, job
from e2e.test_commands import start
from integration.support import PATIENCE
from sampan.local.up import wait_answering


@pytest.fixture(scope="module", autouse=True)
def answering(world: World) -> None:
    """The hub proxies to the operator."""
    wait_answering(world.fed.federation, world.fed.binaries)


def ends(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    """Exit code and words of a command that must end."""
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out, err


def test_a_job_s_log_is_asked_of_its_member_through_the_hub(world: World) -> None:
    """Simulated nodes have no kubelet: what the member's API server says of that is told, which proves the way there and back."""
    world.submit(job("logged", UNTIL_TOLD, device=(H100, 1)))
    world.reaches("logged", "Running")
    for arguments in ([], ["-f"]):
        following = start(world, "logs", "-n", TEAM, "logged", *arguments)
        if arguments:
            world.finish("logged")
            world.reaches("logged", "Succeeded")
        code, out, err = ends(following)
        assert (code, "of offer prov-lingang/lingang-ondemand: InternalError: " in (out if arguments else err)) == (
            0 if arguments else 1,
            True,
        )
    code, _, err = ends(start(world, "logs", "-n", TEAM, "logged", "--rank", "7"))
    assert code == 1
    assert "rank 7 of attempt 1" in err


def test_a_provider_that_allows_no_shell_is_named_with_its_chart_s_value(world: World) -> None:
    world.submit(job("closed", UNTIL_TOLD, device=(H100, 1)))
    world.reaches("closed", "Running")
    for verb, arguments, value in (("exec", ["--", "id"], "pods.exec"), ("attach", [], "pods.attach")):
        code, _, err = ends(start(world, verb, "-n", TEAM, "closed", *arguments))
        assert code == 1
        assert f"its provider sets {value}=true of the chart sampan-member" in err
    world.finish("closed")


def test_whoever_may_not_read_a_namespace_s_jobs_reads_no_log_there(world: World) -> None:
    code, _, err = ends(start(world, "logs", "-n", "kube-system", "any"))
    assert code == 1
    assert "not allowed" in err
