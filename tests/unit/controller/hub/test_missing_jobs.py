"""Whoever writes of a job that is not there forgets it, and hears of it."""

import pytest

from sampan.controller.hub.missing_jobs import forgotten_if_missing
from sampan.kube.errors import Conflict, KubeError, NotFound
from unit.controller.hub.refusal_scene import scene


@pytest.mark.parametrize(("error", "known"), [(NotFound(404, "NotFound", "no"), False), (Conflict(409, "Conflict", "no"), True)])
async def test_a_job_that_is_not_there_is_forgotten_and_no_other(error: KubeError, known: bool) -> None:
    async with scene() as sc:
        sc.add()
        with pytest.raises(type(error)), forgotten_if_missing(sc.state, "u1"):
            raise error
        assert ("u1" in sc.state.jobs) is known
