"""A job's place follows priority, the queues' use, the namespaces' turns and age."""

from dataclasses import replace

import pytest

from builders import NOW, job, snapshot
from sampan.model.job import Job
from sampan.model.queues import QueueUse
from sampan.model.reason import Reason
from sampan.scheduling.answers.position import queue_position
from sampan.scheduling.answers.values import QueuePosition

MINE = job("mine", created=NOW - 500)
OTHER = replace(job("other", created=NOW - 400), namespace="team-b")
CASES = [
    ("alone", (), {}, (0, 0)),
    ("an older one of mine", (job("old", created=NOW - 900),), {}, (1, 0)),
    ("a younger one of mine", (job("young", created=NOW - 100),), {}, (0, 0)),
    ("a higher one", (replace(OTHER, priority=5),), {}, (0, 1)),
    ("one whose namespace used less", (OTHER,), {"default": QueueUse(total=9, namespaces={"team-a": 9})}, (0, 1)),
    ("one whose queue used less", (replace(OTHER, queue="b"),), {"default": QueueUse(total=9)}, (0, 1)),
    ("one whose queue used more", (replace(OTHER, queue="b", created=0),), {"b": QueueUse(total=9)}, (0, 0)),
    ("one that may not compete", (replace(OTHER, created=0, inadmissible=Reason.QUEUE_NOT_ALLOWED),), {}, (0, 0)),
]


@pytest.mark.parametrize(("jobs", "use", "ahead"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_who_comes_first(jobs: tuple[Job, ...], use: dict[str, QueueUse], ahead: tuple[int, int]) -> None:
    world = replace(snapshot((MINE, *jobs)), use=use)
    assert queue_position(world, MINE) == QueuePosition(queue="default", position=sum(ahead) + 1, ahead_own=ahead[0], ahead_others=ahead[1])
