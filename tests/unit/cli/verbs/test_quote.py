"""`sampan quote`: one job of a file, nothing created."""

import json

import pytest
import yaml

from unit.cli.answers import USABLE, quotation
from unit.cli.conftest import Sampan
from unit.cli.fakes import FakeApi, a_job, api_error


def test_the_job_is_sent_and_the_answer_shown(sampan: Sampan, api: FakeApi) -> None:
    api.answer = quotation(USABLE)
    shown = sampan("quote", "-f", "-", text=yaml.safe_dump(a_job()))
    assert shown.stdout.splitlines()[:3] == [
        "Job:        team-a/train, not submitted",
        "Queue:      default",
        "Starts:     now, in pool h100-x8 of prov-a/lingang",
    ]
    ((namespace, question),) = api.asked
    assert (namespace, question["kind"], question["spec"]) == ("team-a", "Quote", {"job": a_job()})
    assert api.created == []


def test_a_queue_that_bars_it_is_named(sampan: Sampan, api: FakeApi) -> None:
    api.answer = quotation(barred="PriorityNotAllowed")
    assert "would not let it compete: PriorityNotAllowed" in sampan("quote", "-f", "-", text=yaml.safe_dump(a_job())).stdout


def test_as_json_it_is_the_answer_itself(sampan: Sampan, api: FakeApi) -> None:
    api.answer = quotation(USABLE)
    assert json.loads(sampan("quote", "-f", "-", "-o", "json", text=yaml.safe_dump(a_job())).stdout) == api.answer


@pytest.mark.parametrize("around", [(0,), (1,), (0, 2)], ids=["before", "after", "both"])
def test_what_else_is_in_the_file_is_passed_over(sampan: Sampan, api: FakeApi, around: tuple[int, ...]) -> None:
    api.answer = quotation(USABLE)
    objects = [a_job()]
    for at in around:
        objects.insert(at, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"c{at}"}})
    assert sampan("quote", "-f", "-", text=yaml.safe_dump_all(objects)).exit_code == 0
    assert [question["spec"]["job"] for _, question in api.asked] == [a_job()]


@pytest.mark.parametrize(
    "text",
    [
        "",
        yaml.safe_dump_all([a_job("a"), a_job("b")]),
        yaml.safe_dump({"apiVersion": "v1", "kind": "ConfigMap"}),
        yaml.safe_dump_all([a_job("a"), {"apiVersion": "sampan.dev/v9", "kind": "ComputeJob"}]),
        yaml.safe_dump_all([a_job("a"), {"no": "kind"}]),
    ],
    ids=["none", "two", "another kind alone", "of an unknown version", "no object"],
)
def test_one_job_at_a_time(sampan: Sampan, api: FakeApi, text: str) -> None:
    assert sampan("quote", "-f", "-", text=text).exit_code == 2
    assert api.asked == []


def test_what_the_operator_refuses_names_the_field(sampan: Sampan, api: FakeApi) -> None:
    api.answer = api_error(422, "spec.template.image: is required")
    assert "spec.template.image" in sampan("quote", "-f", "-", text=yaml.safe_dump(a_job())).stderr
