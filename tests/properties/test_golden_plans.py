"""Worlds written down with the plan they lead to: a change of the algorithm shows here as a readable difference."""

import json
from pathlib import Path
from typing import Any

import pytest

from builders import NOW, cluster, demand, job, node, offer, price, selector, shape, snapshot, vector
from sampan.model.job import Demand, Job, Placement, Requirement
from sampan.model.members.cluster import Cluster, Node
from sampan.model.members.offer import Offer, PoolRule, Terms
from sampan.model.plan import Plan
from sampan.model.values.quantity import parse_micro
from sampan.model.values.selector import Selector
from sampan.model.values.vector import Vector
from sampan.scheduling.answers.wording import headline
from sampan.scheduling.cache import Memo
from sampan.scheduling.cycle import schedule

SCENARIOS = sorted((Path(__file__).parent.parent / "golden" / "scheduling").glob("*.json"))
Entry = dict[str, Any]


def member(uid: str, entries: list[Entry]) -> Cluster:
    made: list[Node] = []
    used: dict[str, Vector] = {}
    for entry in entries:
        one = node(entry["name"], entry.get("class"), entry.get("devices", 0), cpu=entry.get("cpu", 128), labels=entry.get("labels"))
        made.append(one)
        if "used" in entry:
            resource = next((name for name, _ in one.allocatable if "/" in name), "")
            units = Vector.of({resource: entry["used"].get("devices", 0)}) if resource else Vector()
            used[one.name] = vector(cpu=entry["used"]["cpu"]) + units
    return cluster(*made, uid=uid, used=used)


def offered(entry: Entry) -> Offer:
    chosen = selector(rack=entry["rack"]) if "rack" in entry else Selector()
    rules = [PoolRule(selector=chosen, max_devices=entry.get("maxDevices"))] if {"rack", "maxDevices"} & set(entry) else []
    return offer(
        entry["name"],
        cluster_uid=entry["member"],
        region=entry["region"],
        terms=Terms(entry.get("terms", "OnDemand")),
        prices=[price(name, parse_micro(amount), id_=name) for name, amount in entry["prices"].items()],
        rules=rules,
    )


def way(index: int, entry: Entry) -> Demand:
    need = None
    if "count" in entry:
        need = Requirement(count=entry["count"], accelerator_class=entry.get("class"), family=entry.get("family"))
    return demand(need, replicas=entry.get("replicas", 1), least=entry.get("least"), cpu=entry.get("cpu", 4), alternative=index)


def waiting(index: int, entry: Entry) -> Job:
    ways = [way(number, each) for number, each in enumerate(entry["ways"])]
    placement = Placement(terms=tuple(Terms(each) for each in entry.get("terms", Terms)))
    return job(entry["name"], shape(*ways, placement=placement), priority=entry.get("priority", 0), created=NOW - 1000 + index)


def written(plan: Plan) -> dict[str, str]:
    """One line per job, as a person would tell it."""
    lines = {
        done.job.name: f"{done.offer.name}/{done.pool} score {done.verdicts[0].score}: "
        + ", ".join(f"{replicas} on {name}" for name, replicas in done.nodes)
        for done in plan.assignments
    }
    return lines | {refused.job.name: headline(refused) for refused in plan.refusals}


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_the_plan_is_as_written(path: Path) -> None:
    scenario = json.loads(path.read_text(encoding="utf-8"))
    world = snapshot(
        [waiting(index, entry) for index, entry in enumerate(scenario["jobs"])],
        [offered(entry) for entry in scenario["offers"]],
        [member(uid, entries) for uid, entries in scenario["members"].items()],
    )
    assert written(schedule(world, Memo())[0]) == scenario["plan"]


def test_there_are_scenarios() -> None:
    assert SCENARIOS
