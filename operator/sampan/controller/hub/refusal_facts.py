"""What a message about a refusal says but for its numbers: reasons, and names that nobody knows. When to write one is in `refusals`."""

import re
from collections.abc import Set
from typing import Final

from sampan.model.plan import Refusal
from sampan.scheduling.answers.wording import unknown_words

_REASON: Final = re.compile(r"[0-9] pools? ([A-Za-z]+) \(")
_UNKNOWN: Final = re.compile(r"no class (?:of [a-z]+ )?\S+ is known")


def facts_of(refusal: Refusal) -> Set[str]:
    """Return what a message about a refusal says."""
    return frozenset((*map(str, refusal.counts), *_UNKNOWN.findall(unknown_words(refusal.unknown))))


def facts_in(message: str) -> Set[str]:
    """Return what a message says, such as one that was written before a restart."""
    return frozenset((*_REASON.findall(message), *_UNKNOWN.findall(message)))
