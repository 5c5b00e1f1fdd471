"""What real containers print, read by the tenant through the hub: followed, of all ranks, of the attempt before, and after all is gone."""

import subprocess
from collections.abc import Iterator

import pytest

from e2e.life import TEAM, World
from e2e.test_commands import start
from e2e.test_real_nodes import real_job
from integration.support import PATIENCE, FederationUnderTest, wait_for
from sampan.local.up import wait_answering


@pytest.fixture(scope="module")
def world(real_nodes: FederationUnderTest) -> Iterator[World]:
    """Hub, a member with real nodes, and the operator; every job is gone when the module ends."""
    made = World(real_nodes)
    wait_answering(real_nodes.federation, real_nodes.binaries)
    yield made
    made.clear()


def logs(world: World, *arguments: str) -> "subprocess.Popen[str]":
    """`sampan logs …` as the tenant."""
    return start(world, "logs", "-n", TEAM, *arguments)


def printed(reading: "subprocess.Popen[str]") -> list[str]:
    """The lines of a command that must succeed."""
    out, err = reading.communicate(timeout=PATIENCE)
    assert (reading.returncode, err) == (0, "")
    return out.splitlines()


def test_a_job_is_followed_from_before_its_start_to_its_end(world: World) -> None:
    world.submit(real_job("followed", "for n in 1 2 3; do echo line $n; sleep 1; done; printf end"))
    following = logs(world, "-f", "followed")
    world.reaches("followed", "Succeeded")
    assert printed(following) == ["line 1", "line 2", "line 3", "end"]


def test_a_line_is_read_while_its_job_goes_on(world: World) -> None:
    world.submit(real_job("long", "echo up; sleep 100000 & wait"))
    following = logs(world, "-f", "long")
    assert following.stdout is not None
    assert following.stdout.readline() == "up\n"
    world.delete_gone("long")
    assert printed(following) == []


def test_all_ranks_of_a_gang_are_read_with_their_rank(world: World) -> None:
    world.submit(real_job("ranks", 'echo "rank $RANK"; echo again', count=2, replicas=2))
    following = logs(world, "-f", "--all-ranks", "ranks")
    world.reaches("ranks", "Succeeded")
    assert sorted(printed(following)) == ["[0] again", "[0] rank 0", "[1] again", "[1] rank 1"]
    assert printed(logs(world, "--rank", "1", "--tail", "1", "ranks")) == ["again"]


def test_output_is_there_after_the_copy_has_gone_and_goes_with_the_job(world: World) -> None:
    uid = world.submit(real_job("kept", "echo one; echo two"))["kept"]
    world.reaches("kept", "Succeeded")
    wait_for(lambda: not world.copies_of(uid), "the copy is removed", seconds=PATIENCE)
    assert printed(logs(world, "kept")) == ["one", "two"]
    (line,) = printed(logs(world, "--tail", "1", "--timestamps", "kept"))
    assert line.endswith("Z two")
    world.delete_gone("kept")
    reading = logs(world, "kept")
    assert "not found" in reading.communicate(timeout=PATIENCE)[1]


def test_the_attempt_before_is_read_after_a_retry(world: World) -> None:
    world.submit(real_job("again", "echo attempt $SAMPAN_ATTEMPT; exit 3", retry={"maxRestarts": 1, "backoffSeconds": 1}))
    world.reaches("again", "Failed")
    assert printed(logs(world, "again")) == ["attempt 2"]
    assert printed(logs(world, "--previous", "again")) == ["attempt 1"]
