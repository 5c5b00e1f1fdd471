"""Whatever a member writes, an observation is bounded, and a result needs the Job's own word."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from remote_objects import T1
from sampan.controller.observation.attempt import Observation, observe
from sampan.controller.observation.pod_tally import PodTally
from sampan.kube.objects.workloads import Job, Pod

Json = dict[str, Any]

_TEXT = st.text(max_size=12) | st.sampled_from(["Failed", "Complete", "True", "Pending", "Running", "Evicted", "DisruptionTarget", T1])
_CONDITIONS = st.lists(
    st.fixed_dictionaries({"type": _TEXT, "status": _TEXT, "reason": _TEXT, "message": _TEXT, "lastTransitionTime": _TEXT}), max_size=3
)
_STATE = st.fixed_dictionaries({"exitCode": st.integers(), "reason": _TEXT, "message": _TEXT, "finishedAt": _TEXT})
_PODS = st.lists(
    st.fixed_dictionaries(
        {
            "metadata": st.fixed_dictionaries({"name": _TEXT, "deletionTimestamp": st.none() | _TEXT}),
            "status": st.fixed_dictionaries(
                {
                    "phase": _TEXT,
                    "reason": _TEXT,
                    "conditions": _CONDITIONS,
                    "containerStatuses": st.lists(
                        st.fixed_dictionaries({"state": st.fixed_dictionaries({"terminated": _STATE})}), max_size=2
                    ),
                }
            ),
        }
    ),
    max_size=3,
)


@given(
    conditions=_CONDITIONS,
    pods=_PODS,
    numbers=st.lists(st.integers(-5, 2**31 - 1), min_size=4, max_size=4),
    gang=st.booleans(),
    indexes=_TEXT,
)
def test_whatever_a_member_writes_gives_a_bounded_observation(
    conditions: list[Json], pods: list[Json], numbers: list[int], gang: bool, indexes: str
) -> None:
    status = dict(zip(("active", "ready", "succeeded", "failed"), (max(n, 0) for n in numbers), strict=True))
    raw = {"status": {**status, "conditions": conditions, "failedIndexes": indexes}}
    tally = PodTally.of(msgspec.convert({**pod, "metadata": {**pod["metadata"], "uid": str(n)}}, Pod) for n, pod in enumerate(pods))
    assert len(tally) == len(pods)
    got = observe(msgspec.convert(raw, Job, strict=False), tally, gang=gang, replicas=numbers[0])
    _check_bounds(got)
    if not any(c["type"] in ("Complete", "Failed") and c["status"] == "True" for c in conditions):
        assert not got.state.final


def _check_bounds(got: Observation) -> None:
    assert all(0 <= n <= 1_000_000 for n in (got.active, got.ready, got.succeeded, got.failed, got.pending))
    assert len(got.message.encode()) <= 256
    assert len(got.reason) <= 63
    assert got.message == "" or got.message.isprintable()
