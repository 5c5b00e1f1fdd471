"""An edit that changes nothing else, in every phase that a job can rest in: kubectl can wait again, and it costs one write."""

import json
from typing import Any

import pytest

from e2e.history import recorded
from e2e.life import H100, TEAM, World, job, settled
from integration.support import PATIENCE, wait_for

RESTING = {
    "ended": ("Complete", "Succeeded"),
    "held": ("Suspended", "Suspended"),
    "runs": ("Running", "Running"),
    "waits": ("Scheduled=false", "Pending"),
}
"""Jobs by name: the condition to wait for, and the phase in which they rest."""


def generations(found: dict[str, Any]) -> set[int]:
    """The generations that a status and its conditions speak of."""
    return {found["status"]["observedGeneration"], *(each["observedGeneration"] for each in found["status"]["conditions"])}


@pytest.fixture(scope="module")
def rested(world: World) -> World:
    """Four jobs, each in a phase that lasts."""
    world.submit(
        job("ended", "sleep 1"),
        job("held", suspend=True),
        job("runs", "sleep infinity"),
        job("waits", device=(H100, 64)),
    )
    for name, (_, phase) in RESTING.items():
        world.reaches(name, phase)
    world.waits_because("waits", "TooLarge")
    return world


def test_kubectl_waits_again_after_an_edit_and_each_cost_one_write(rested: World, tmp_path: Any) -> None:
    settled(rested)
    with recorded(rested.fed.hub, TEAM, tmp_path / "edits.json") as history:
        for name in RESTING:
            rested.change(name, priority=7)
        for name, (condition, _) in RESTING.items():
            rested.fed.tenant.kubectl("wait", f"--for=condition={condition}", f"cpj/{name}", "-n", TEAM, f"--timeout={PATIENCE}s")
            assert generations(rested.must(name)) == {2}
        rested.submit(job("last", "sleep 1"))
        rested.reaches("last", "Succeeded")
        wait_for(lambda: len(history.versions("last")) >= 4, "the watch has told all that came before")
        versions = {name: len({each["metadata"]["resourceVersion"] for each in history.versions(name)}) for name in RESTING}
    assert versions == dict.fromkeys(RESTING, 3), "as it was, the user's edit, the operator's word"


def test_an_edit_of_an_offer_is_observed_in_all_its_conditions(world: World) -> None:
    before = world.offer("prov-lingang", "lingang-ondemand")["metadata"]["generation"]
    source = {"spec": {"energy": {"source": f"generation {before}"}}}
    world.fed.hub.kubectl("patch", "offer", "lingang-ondemand", "-n", "prov-lingang", "--type=merge", "-p", json.dumps(source))
    try:
        wait = ("wait", "--for=condition=Schedulable", f"--timeout={PATIENCE}s")
        world.fed.hub.kubectl(*wait, "offer/lingang-ondemand", "-n", "prov-lingang")
        assert generations(world.offer("prov-lingang", "lingang-ondemand")) == {before + 1}
    finally:
        world.fed.hub.kubectl(
            "patch", "offer", "lingang-ondemand", "-n", "prov-lingang", "--type=merge", "-p", json.dumps({"spec": {"energy": None}})
        )
