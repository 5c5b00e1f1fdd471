"""`sampan cancel`: what is deleted, what is waited for, and the exit codes 0, 1, 4."""

from unit.cli.conftest import Sampan
from unit.cli.fakes import FakeApi, a_job, api_error


def test_jobs_are_deleted_and_waited_for(sampan: Sampan, api: FakeApi) -> None:
    one, two = a_job("one"), a_job("two")
    api.objects["computejobs"] = [one, two, a_job("other")]
    api.events = [{"type": "DELETED", "object": one}, {"type": "DELETED", "object": two}]
    shown = sampan("cancel", "one", "two")
    assert shown.exit_code == 0, shown.output
    assert api.deleted == [("team-a", "one"), ("team-a", "two")]
    assert shown.stderr.splitlines() == ["computejob.sampan.dev/one cancelled", "computejob.sampan.dev/two cancelled"]


def test_a_name_that_is_not_there_ends_it_before_anything_is_deleted(sampan: Sampan, api: FakeApi) -> None:
    api.objects["computejobs"] = [a_job("one")]
    shown = sampan("cancel", "one", "tow")
    assert (shown.exit_code, api.deleted) == (1, [])
    assert "no such job: tow" in shown.stderr


def test_one_that_went_meanwhile_is_as_good_as_cancelled(sampan: Sampan, api: FakeApi) -> None:
    api.objects["computejobs"] = [a_job("one")]
    api.refusals = {"one": [api_error(404)]}
    assert sampan("cancel", "--no-wait", "one").exit_code == 0


def test_what_does_not_go_in_time_is_told(sampan: Sampan, api: FakeApi) -> None:
    stays = a_job("one")
    api.objects["computejobs"] = [stays]
    api.delete = lambda *_, uid: None  # type: ignore[method-assign]
    shown = sampan("cancel", "one", "--timeout", "0.05")
    assert shown.exit_code == 4
    assert "not gone within 0.05 s: one" in shown.stderr


def test_a_deadline_needs_a_wait(sampan: Sampan) -> None:
    assert sampan("cancel", "one", "--no-wait", "--timeout", "1").exit_code == 2


def test_of_a_pipeline_s_jobs_only_what_goes_on_is_cancelled(sampan: Sampan, api: FakeApi) -> None:
    ended = a_job("ended", status={"phase": "Failed", "startedAt": "2026-03-01T12:00:03Z"})
    api.objects["computejobs"] = [ended, a_job("going", status={"phase": "Running"})]
    shown = sampan("cancel", "--unfinished", "--no-wait", "ended", "going", "never-created")
    assert (shown.exit_code, api.deleted) == (0, [("team-a", "going")])


def test_nothing_to_cancel_is_no_trouble_for_a_pipeline(sampan: Sampan, api: FakeApi) -> None:
    shown = sampan("cancel", "--unfinished", "never-created")
    assert (shown.exit_code, shown.output) == (0, "")
