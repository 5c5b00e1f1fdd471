"""Tables and data, plain in a pipe, harmless on a terminal."""

import json

import pytest
import yaml

from sampan.cli.lib.render import Column, print_data, print_objects, print_table

COLUMNS = (Column("NAME"), Column("FREE", right=True), Column("REASON"))


def test_a_table_in_a_pipe_is_plain_and_uncut(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(COLUMNS, [["a", "7", ""], ["b" * 100, "12", "no " * 60]])
    shown = capsys.readouterr().out
    lines = shown.splitlines()
    assert lines[0] == "NAME" + " " * 99 + "FREE   REASON"
    assert lines[1] == "a" + " " * 105 + "7"
    assert lines[2] == "b" * 100 + "     12   " + " ".join(["no"] * 60)
    assert "\x1b" not in shown


def test_remote_cells_are_cleaned_and_hold_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(COLUMNS, [["[red]a[/red]", "1", "\x1b[2Jx\u202ey\nz"]])
    shown = capsys.readouterr().out
    assert "[red]a[/red]" in shown
    assert len(shown.splitlines()) == 2
    assert not set("\x1b\u202e") & set(shown)


def test_wide_letters_take_two_columns_and_marks_none(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(COLUMNS, [["昆山", "1", "x"], ["e\u0301a", "12", "y"]])
    assert capsys.readouterr().out.splitlines() == ["NAME   FREE   REASON", "昆山      1   x", "e\u0301a       12   y"]


def test_a_terminal_gets_colours_unless_it_asks_for_none(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    for plain in ("", "1"):
        monkeypatch.setenv("NO_COLOR", plain)
        print_table(COLUMNS, [["a", "1", "Running"]])
        heading, row = capsys.readouterr().out.splitlines()
        assert ("\x1b" in heading, "\x1b" in row) == (not plain, not plain)


@pytest.mark.parametrize("output", ["json", "yaml"])
def test_data_comes_back_as_it_was_and_in_ascii(capsys: pytest.CaptureFixture[str], output: str) -> None:
    data = {"name": "a\u202e\x1b[2J", "count": 3, "none": None}
    print_data(data, output)
    shown = capsys.readouterr().out
    assert shown.isascii()
    assert "\x1b" not in shown
    assert (json.loads(shown) if output == "json" else yaml.safe_load(shown)) == data


def test_objects_are_printed_as_kubectl_prints_them(capsys: pytest.CaptureFixture[str]) -> None:
    print_objects([{"kind": "ComputeJob"}], "json")
    shown = json.loads(capsys.readouterr().out)
    assert (shown["apiVersion"], shown["kind"], shown["items"]) == ("v1", "List", [{"kind": "ComputeJob"}])
