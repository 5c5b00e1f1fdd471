"""Tests of sampan.local.federation."""

import fcntl
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TextIO

import pytest

from sampan.local.federation import Federation, exclusive, federation_names, find_federation, load_federation, ports_needed
from sampan.local.paths import LocalError, RefusedError
from sampan.local.scenario import load

DEMO = load("demo")


@pytest.fixture
def federation() -> Federation:
    """A recorded federation without processes."""
    made = Federation(name="one", scenario=DEMO, ports=tuple(range(100, 100 + ports_needed(DEMO))))
    made.folder.mkdir(parents=True)
    return made.save(complete=False)


def test_every_cluster_has_six_ports_of_its_own_and_the_operator_two(federation: Federation) -> None:
    used = [port for cluster in federation.clusters for port in cluster.ports] + [
        federation.operator.metrics_port,
        federation.operator.query_port,
    ]
    assert sorted(port for port in used if port is not None) == sorted(federation.ports)
    assert [cluster.name for cluster in federation.clusters] == ["hub", "lingang", "pengcheng", "kunshan"]


def test_what_is_saved_is_found_again_and_is_private(federation: Federation) -> None:
    assert find_federation("one") == federation
    assert federation_names() == ["one"]
    done = federation.save(complete=True)
    assert load_federation("one") == done
    assert done.complete
    assert (federation.folder / "federation.json").stat().st_mode & 0o777 == 0o600


def test_a_federation_that_is_not_there_says_how_to_make_it(federation: Federation) -> None:
    assert find_federation("other") is None
    with pytest.raises(LocalError, match=r"there are: one.*sampan local up --name other"):
        load_federation("other")


def test_an_unknown_cluster_or_kubeconfig_names_the_known_ones(federation: Federation) -> None:
    with pytest.raises(LocalError, match="lingang, pengcheng"):
        federation.cluster("mars")
    federation.kubeconfig("tenant").parent.mkdir()
    federation.kubeconfig("tenant").write_text("")
    with pytest.raises(LocalError, match="there are: tenant"):
        federation.existing_kubeconfig("hub")
    assert federation.existing_kubeconfig("tenant").name == "tenant.yaml"


def test_status_of_what_does_not_run_has_no_process_ids(federation: Federation) -> None:
    status = federation.status()
    assert [member["pids"] for member in [status["hub"], *status["members"]]] == [{}, {}, {}, {}]
    assert status["operator"]["pid"] is None
    assert status["operator"]["metricsAddress"] == "127.0.0.1:100"
    assert status["complete"] is False


def test_nodes_of_the_hub_reach_the_members_and_load_the_images(federation: Federation) -> None:
    scenario = DEMO.with_real_nodes(1).with_hub_node().model_copy(update={"images": ["/image.tar"], "bare": True})
    made = replace(federation, scenario=scenario)
    hub, member = made.real_nodes
    assert (hub.cluster, member.cluster) == ("hub", "lingang")
    assert [node.name for node in hub.nodes] == ["hub-1"]
    assert hub.beyond == tuple(cluster.ports[2] for cluster in made.members)
    assert member.beyond == ()
    assert hub.images == member.images == (Path("/image.tar"),)
    assert [cluster.name for cluster in made.clusters if cluster.real_nodes] == ["hub", "lingang"]
    flags = dict(made.hub.api_flags)
    assert {"egress-selector-config-file", "proxy-client-cert-file"} <= flags.keys()
    lingang = made.members[0]
    assert made.address_for_operator(lingang) == f"https://10.77.0.1:{lingang.ports[2]}"
    assert federation.address_for_operator(lingang) == lingang.address


def test_one_that_was_made_before_there_was_a_query_api_has_none(federation: Federation) -> None:
    old = Federation(name="one", scenario=DEMO, ports=federation.ports[:-1])
    assert old.query_port is None
    assert old.operator.query_port is None
    assert [cluster.ports for cluster in old.clusters] == [cluster.ports for cluster in federation.clusters]


def test_only_one_at_a_time_makes_or_removes_it(federation: Federation) -> None:
    with exclusive("one"), pytest.raises(LocalError, match="another process"), exclusive("one"):
        pytest.fail("both hold it")
    with exclusive("one"):
        assert federation.folder.is_dir()


def test_who_comes_when_it_has_just_been_removed_is_told_so(federation: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(federation.folder)
    with pytest.raises(RefusedError, match="removed by another process"), exclusive("one"):
        pytest.fail("there is nothing to hold")
    federation.folder.mkdir()
    take = fcntl.flock

    def removed_first(lock: TextIO, operation: int) -> None:
        shutil.rmtree(federation.folder)  # by the one that held the lock while we opened its file
        take(lock, operation)

    monkeypatch.setattr(fcntl, "flock", removed_first)
    with pytest.raises(RefusedError, match="removed by another process"), exclusive("one"):
        pytest.fail("it holds a lock that nobody else sees")
