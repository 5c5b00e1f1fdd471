"""Types and reasons are closed lists: each is a word, used, in one list, and quoted nowhere else."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from places import ROOT
from sampan.api.fields.scalars import CamelCase
from sampan.kube.objects.reasons import PodReason, ServerReason
from sampan.model.lifecycle import Outcome
from sampan.model.members.offer_reasons import OfferConditionType, OfferReason, invalid_kubeconfig
from sampan.model.reason import Reason
from sampan.model.status.event_reasons import EventReason
from sampan.model.status.reasons import NO_WORD, STALLS, AttemptReason, JobConditionType, JobReason, stated_reason

PACKAGE = ROOT / "operator" / "sampan"
LISTS: tuple[type[StrEnum], ...] = (
    JobConditionType,
    JobReason,
    AttemptReason,
    OfferConditionType,
    OfferReason,
    PodReason,
    ServerReason,
    EventReason,
)
REASONS = (JobReason, AttemptReason, OfferReason, PodReason)
ELSEWHERE = {
    "api/launch/manifest.py": "what a Job is told to watch its pods for",
    "kube/errors.py": "the name of a class",
    "kube/credentials/kubeconfig.py": "the name of a class",
}
"""Files with words of other lists that read the same."""
SOURCES = {path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text(encoding="utf-8")) for path in PACKAGE.rglob("*.py")}


@pytest.mark.parametrize("reason", [*JobReason, *AttemptReason, *OfferReason, *Reason, invalid_kubeconfig("ExecNotAllowed")])
def test_every_reason_can_be_written(reason: str) -> None:
    assert TypeAdapter(CamelCase).validate_python(str(reason)) == reason


def test_no_reason_of_a_job_is_in_two_lists() -> None:
    counts = Counter(str(reason) for each in (JobReason, AttemptReason, Reason) for reason in each)
    assert [word for word, count in counts.items() if count > 1] == []


def test_what_holds_a_job_up_is_a_condition() -> None:
    assert set(STALLS) < set(JobConditionType)


@pytest.mark.parametrize("members", [Reason, JobReason, AttemptReason, OfferReason, EventReason], ids=lambda each: each.__name__)
def test_the_docs_list_every_reason(members: type[StrEnum]) -> None:
    """And none that nobody says: each list has its section of docs/reasons.md, in the list's own order."""
    sections = (ROOT / "docs" / "reasons.md").read_text(encoding="utf-8").split("\n## ")
    (section,) = [each for each in sections if f"`{members.__name__}` in `" in each]
    assert re.findall(r"^\| ([A-Z]\w+) \|", section, re.MULTILINE) == [str(member) for member in members]


@pytest.mark.parametrize("word", [*JobReason, *AttemptReason, *Reason, *Outcome])
def test_a_stored_reason_is_the_word_of_its_list_again(word: StrEnum) -> None:
    found = stated_reason(str(word))
    assert isinstance(found, StrEnum)
    assert found == word


def test_a_word_of_no_list_is_the_members() -> None:
    assert (stated_reason("OOMKilled"), stated_reason("")) == ("OOMKilled", NO_WORD)


@pytest.mark.parametrize("members", LISTS, ids=lambda each: each.__name__)
def test_every_member_is_used(members: type[StrEnum]) -> None:
    """By its name, or by all at once."""
    if any(members.__name__ in _unpacked(tree) for tree in SOURCES.values()):
        return
    used = {
        node.attr for tree in SOURCES.values() for node in ast.walk(tree) if _is_member(node, members) and isinstance(node, ast.Attribute)
    }
    assert [member.name for member in members if member.name not in used] == [], f"{members.__name__}: delete what nobody says"


@pytest.mark.parametrize("where", SOURCES, ids=str)
def test_no_reason_is_quoted(where: str) -> None:
    """A reason in quotes escapes the list: a typing error in it would be found by nobody."""
    if where in ELSEWHERE or Path(where).parts[0] in ("local", "sim", "catalog"):
        return
    words = {str(reason) for each in REASONS for reason in each if _is_compound(str(reason))}
    quoted = [node for node in _outside_lists(SOURCES[where]) if isinstance(node, ast.Constant) and node.value in words]
    assert not quoted, f"{where}: {[(node.lineno, node.value) for node in quoted]} are in quotes: name the member of the list"


def _is_compound(word: str) -> bool:
    """Tell whether a word is of several, so that nothing but a reason reads like it: Running is a phase of pods as well."""
    return sum(letter.isupper() for letter in word) > 1


def _outside_lists(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield every node that is not within a class of words."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.ClassDef) and any(isinstance(base, ast.Name) and base.id == "StrEnum" for base in child.bases):
            continue
        yield child
        yield from _outside_lists(child)


def _is_member(node: ast.AST, members: type[StrEnum]) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == members.__name__


def _unpacked(tree: ast.AST) -> set[str]:
    starred = (node.value for node in ast.walk(tree) if isinstance(node, ast.Starred))
    return {value.id for value in starred if isinstance(value, ast.Name)}
