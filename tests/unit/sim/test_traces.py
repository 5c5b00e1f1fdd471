"""Reading traces: columns by name, windows, and files that are not what they should be."""

from pathlib import Path

import pytest

from sampan.sim.traces import TraceError, openb_nodes, openb_pods, philly_jobs, philly_sizes


def test_the_window_is_inclusive_on_both_ends(tmp_path: Path) -> None:
    rows = "job_id,vc,submit_s,duration_s,gpus\n0,a,9,5,1\n1,a,10,5,2\n2,b,20,5,4\n3,b,21,5,8\n"
    (tmp_path / "jobs.csv").write_text(rows)
    assert [job.name for job in philly_jobs(tmp_path, window=(10, 20))] == ["1", "2"]
    assert [job.devices for job in philly_jobs(tmp_path, window=None)] == [1, 2, 4, 8]


def test_sizes_come_by_virtual_cluster(tmp_path: Path) -> None:
    (tmp_path / "nodes.csv").write_text("vc,nodes,gpus_per_node\na,32,8\nb,64,8\n")
    assert philly_sizes(tmp_path) == {"a": 32, "b": 64}


def test_nodes_without_devices_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "nodes.csv").write_text("sn,cpu_milli,memory_mib,gpu,model\nx,32000,1024,0,\ny,64000,2048,4,G2\n")
    (node,) = openb_nodes(tmp_path)
    assert (node.name, node.cpu, node.devices, node.model) == ("y", 64000, 4, "G2")


def test_pods_keep_their_share(tmp_path: Path) -> None:
    (tmp_path / "pods.csv").write_text("name,cpu_milli,memory_mib,num_gpu,gpu_milli\np,6000,12288,1,460\n")
    (pod,) = openb_pods(tmp_path)
    assert (pod.devices, pod.milli) == (1, 460)


@pytest.mark.parametrize(("text", "want"), [("vc,gpus\n", "nodes.csv: no column nodes"), (None, "No such file")], ids=["column", "file"])
def test_a_wrong_file_is_named(tmp_path: Path, text: str | None, want: str) -> None:
    if text is not None:
        (tmp_path / "nodes.csv").write_text(text)
    with pytest.raises(TraceError, match=want):
        philly_sizes(tmp_path)
