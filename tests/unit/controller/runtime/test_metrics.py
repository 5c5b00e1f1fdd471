"""One table of metrics: names Prometheus accepts, samples that fit their labels, and every family in every scrape."""

import re

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from sampan.controller.runtime import metrics as m
from sampan.controller.runtime.metrics import Calls, Family, Sample, StateCollector


def scrape(samples: dict[Family, list[Sample]]) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """Scrape, and read it as Prometheus does."""
    registry = CollectorRegistry()
    registry.register(StateCollector(lambda: samples))
    found = text_string_to_metric_families(generate_latest(registry).decode())
    return {family.name: {tuple(sorted(s.labels.items())): s.value for s in family.samples} for family in found}


def test_every_family_of_the_module_is_in_the_table_once() -> None:
    defined = [value for value in vars(m).values() if isinstance(value, Family)]
    assert sorted(f.name for f in defined) == sorted(f.name for f in m.FAMILIES)
    assert len({f.name for f in m.FAMILIES}) == len(m.FAMILIES)


@pytest.mark.parametrize("family", m.FAMILIES, ids=lambda f: f.name)
def test_names_labels_and_help_are_as_prometheus_wants_them(family: Family) -> None:
    assert re.fullmatch(r"sampan_[a-z][a-z0-9_]*[a-z]", family.name)
    assert not family.name.endswith(("_total", "_count", "_sum", "_bucket")), "the suffix is the exposition's"
    assert all(re.fullmatch(r"[a-z][a-z_]*", label) for label in family.labels)
    assert family.help.endswith(".")
    assert not {"uid", "job", "name", "namespace"} & set(family.labels), "labels are few: no tenant's object makes a series"


def test_all_families_are_in_a_scrape_even_without_samples() -> None:
    assert set(scrape({})) == {family.name for family in m.FAMILIES}


def test_samples_arrive_with_their_labels() -> None:
    found = scrape({m.JOBS: [(("Running",), 3), (("Pending",), 1)], m.CREATED: [((), 7)], m.CALLS: [(("hub", "get", "jobs", "200"), 5)]})
    assert found["sampan_jobs"] == {(("phase", "Running"),): 3, (("phase", "Pending"),): 1}
    assert found["sampan_remote_creates"] == {(): 7}
    assert found["sampan_api_calls"] == {(("code", "200"), ("resource", "jobs"), ("target", "hub"), ("verb", "get")): 5}


def test_a_scrape_reads_what_is_true_then() -> None:
    now: dict[Family, list[Sample]] = {m.WAITING: [((), 1.0)]}
    registry = CollectorRegistry()
    registry.register(StateCollector(lambda: now))
    now[m.WAITING] = [((), 2.0)]
    assert "sampan_jobs_waiting 2.0" in generate_latest(registry).decode()


def test_calls_are_counted_by_target_verb_resource_and_code() -> None:
    calls = Calls()
    hub, member = calls.observer("hub"), calls.observer("member")
    for observe in (hub, hub, member):
        observe("get", "jobs", "200", 0.1)
    assert calls.counts == {("hub", "get", "jobs", "200"): 2, ("member", "get", "jobs", "200"): 1}
