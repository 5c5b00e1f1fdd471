"""A recorded workload becomes ComputeJobs: sizes, times, names; a bad line is named."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from places import ROOT
from sampan.cli.lib.errors import CliError
from sampan.cli.replay import workload

SMALL = ROOT / "tests" / "data" / "replay-small.csv"
HEADER = "job_id,vc,submit_s,duration_s,gpus"
RECIPE = workload.Recipe(run="r1", speedup=10.0, accelerators=[{"stack": "cuda"}, {"family": "ascend-910b"}], image="registry.example/x:1")


def recorded(**changes: Any) -> workload.Recorded:
    """One line of the file."""
    return workload.Recorded(**{"job_id": 7, "vc": "vca", "submit_s": 100, "duration_s": 600, "gpus": 1, **changes})


def test_the_small_file_is_read() -> None:
    with SMALL.open(encoding="utf-8") as lines:
        jobs = workload.read(lines, source="small", skip=5, jobs=20)
    assert [job.job_id for job in jobs] == list(range(5, 25))
    assert {job.vc for job in jobs} == {"vca", "vcb"}


def test_spaces_other_columns_and_empty_lines_do_not_matter() -> None:
    lines = ["job_id, vc, submit_s, duration_s, gpus, state\r\n", "\r\n", "7, a, 0, 5, 1, Pass, more\r\n"]
    assert workload.read(lines, source="x.csv", skip=0, jobs=10) == [workload.Recorded(7, "a", 0, 5, 1)]


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "w.csv"
    path.write_text("job_id,vc", encoding="utf-16")
    with path.open(encoding="utf-8-sig") as lines, pytest.raises(CliError, match=r"w\.csv: not a text file in UTF-8"):
        workload.read(lines, source=str(path), skip=0, jobs=1)


@pytest.mark.parametrize(
    ("lines", "want"),
    [
        (["job_id,vc,submit_s,gpus", "0,a,0,1"], "x.csv: column duration_s is missing"),
        ([HEADER], "x.csv: no jobs"),
        ([HEADER, "0,a,0,5,1", "1,a,-3,5,1"], "x.csv, line 3: submit_s is '-3'"),
        ([HEADER, "0,a,0,5.5,1"], "x.csv, line 2: duration_s is '5.5'"),
        ([HEADER, "0,a,0,5"], "x.csv, line 2: gpus is ''"),
        ([HEADER, "0,a b,0,5,1"], "x.csv, line 2: vc is 'a b'"),
        ([HEADER, "0,a,0,9999999999999,1"], "x.csv, line 2: duration_s"),
        ([HEADER, "", "0,a,0,x,1"], "x.csv, line 3: duration_s is 'x'"),
        (
            [HEADER.replace(",", ";")],
            "x.csv: column job_id is missing; the first line must be job_id,vc,submit_s,duration_s,gpus, separated by commas",
        ),
        ([HEADER, "0," + "a" * 200_000], "x.csv, line 2: not CSV: field larger than field limit"),
        ([], "x.csv: column job_id is missing"),
    ],
)
def test_a_bad_file_is_refused_by_line_and_column(lines: list[str], want: str) -> None:
    with pytest.raises(CliError) as raised:
        workload.read(lines, source="x.csv", skip=0, jobs=10)
    assert raised.value.message.startswith(want)


@pytest.mark.parametrize(
    ("gpus", "want_replicas", "want_count"),
    [(0, 1, None), (1, 1, 1), (8, 1, 8), (16, 2, 8), (24, 3, 8), (32, 4, 8), (12, 2, 8)],
)
def test_more_than_eight_devices_become_a_gang_of_eights(gpus: int, want_replicas: int, want_count: int | None) -> None:
    spec = workload.manifest(recorded(gpus=gpus), RECIPE)["spec"]
    assert spec["replicas"] == want_replicas
    assert [alternative["accelerator"]["count"] for alternative in spec.get("alternatives", [])] == ([want_count] * 2 if want_count else [])


def test_a_job_sleeps_its_scaled_duration() -> None:
    spec = workload.manifest(recorded(duration_s=123), RECIPE)["spec"]
    assert spec["template"]["command"] == ["sh", "-c", "sleep 12.30"]
    assert spec["expectedSeconds"] == 12
    assert workload.manifest(recorded(duration_s=0), RECIPE)["spec"]["template"]["command"] == ["sh", "-c", "sleep 0.10"]


def test_submissions_start_at_once_and_keep_their_distances() -> None:
    jobs = [recorded(job_id=1, submit_s=150), recorded(job_id=0, submit_s=100), recorded(job_id=2, submit_s=150)]
    assert [(job.at, job.name) for job in workload.plan(jobs, RECIPE)] == [(0.0, "replay-r1-0"), (5.0, "replay-r1-1"), (5.0, "replay-r1-2")]


@given(
    st.lists(st.builds(recorded, job_id=st.integers(0, 10**6), submit_s=st.integers(0, 10**9), gpus=st.integers(0, 512)), min_size=1),
    st.floats(min_value=0.001, max_value=10**6),
)
def test_no_job_is_lost_and_time_never_runs_backwards(jobs: list[workload.Recorded], speedup: float) -> None:
    planned = workload.plan(jobs, RECIPE._replace(speedup=speedup))
    times = [job.at for job in planned]
    assert times == sorted(times)
    assert times[0] == 0.0
    assert sorted(job.name for job in planned) == sorted(f"replay-r1-{job.job_id}" for job in jobs)
    for job in planned:
        alternatives = job.manifest["spec"].get("alternatives", [])
        assert all(1 <= alternative["accelerator"]["count"] <= 8 for alternative in alternatives)
