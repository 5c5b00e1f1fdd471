"""`sampan simulate philly`: a small trace in, the comparison out; a wrong folder is said in one line."""

import json
from pathlib import Path

from unit.cli.conftest import Sampan


def test_the_comparison_names_the_published_figure_first(tmp_path: Path, sampan: Sampan) -> None:
    (tmp_path / "jobs.csv").write_text("job_id,vc,submit_s,duration_s,gpus\n0,a,3724782,50,8\n1,a,3724783,50,8\n")
    (tmp_path / "nodes.csv").write_text("vc,nodes,gpus_per_node\na,1,8\n")
    shown = sampan("simulate", "philly", str(tmp_path), "-o", "json")
    assert shown.exit_code == 0, shown.output
    rows = json.loads(shown.stdout)
    assert rows[0]["run"].startswith("published")
    assert rows[1] == {"run": "fifo-isolated", "jobs": 2, "meanCompletionSeconds": 74, "meanWaitSeconds": 24}


def test_a_folder_without_the_trace_is_named(tmp_path: Path, sampan: Sampan) -> None:
    shown = sampan("simulate", "philly", str(tmp_path))
    assert shown.exit_code == 1
    assert "jobs.csv" in shown.output


def test_packing_is_shown_beside_the_published_figures(tmp_path: Path, sampan: Sampan) -> None:
    (tmp_path / "pods.csv").write_text("name,cpu_milli,memory_mib,num_gpu,gpu_milli\np,1000,1024,1,500\n")
    (tmp_path / "nodes.csv").write_text("sn,cpu_milli,memory_mib,gpu,model\nn,64000,65536,2,T4\n")
    shown = sampan("simulate", "openb", str(tmp_path), "--seed", "42")
    assert shown.exit_code == 0, shown.output
    assert "published FGD" in shown.output
    assert "95.39 %" in shown.output
    assert "100.00 %" in shown.output
    assert sampan("simulate", "openb", str(tmp_path / "missing")).exit_code != 0
