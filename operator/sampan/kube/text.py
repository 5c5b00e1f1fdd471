"""Cleaning of text that somebody else wrote.

Lives here: the one function every remote word passes before it reaches a message, a status or a log.
Must never live here: any knowledge of what the text means.
"""

import re
import unicodedata

_ELLIPSIS = "…"
_VARYING = re.compile(r"[\w.:/@-]*\d[\w.:/@-]*")
"""A word with a digit in it: a time, a port, a count, a generated name."""
_CUT = 32
"""Characters at the end of a cut text that may stem from a word with a digit."""


def clean_text(text: str, limit: int = 256) -> str:
    """Return ``text`` on one line of at most ``limit`` UTF-8 bytes.

    Control, format (bidi, zero-width), surrogate and private characters are taken out; they and runs of white space become
    one space. A cut text ends in an ellipsis. Never raises; cheap for megabytes: only the part that can matter is read.
    """
    if limit < len(_ELLIPSIS.encode()):
        return ""
    head = text[: 4 * limit]
    cleaned = " ".join("".join(_visible(char) for char in head).split())
    data = cleaned.encode()
    if len(data) <= limit and len(text) <= len(head):
        return cleaned
    room = limit - len(_ELLIPSIS.encode())
    return data[:room].decode("utf-8", "ignore").rstrip() + _ELLIPSIS


def same_words(one: str, other: str) -> bool:
    """Tell whether two texts say the same: they may differ in words with digits, such as times, ports, counts and generated names."""
    if one == other:
        return True
    one, other = _VARYING.sub("0", one), _VARYING.sub("0", other)
    if one.endswith(_ELLIPSIS) and other.endswith(_ELLIPSIS):  # cut in different places: what both have counts
        end = max(min(len(one), len(other)) - _CUT, 0)
        return one[:end] == other[:end]
    return one == other


def _visible(char: str) -> str:
    """The character itself, or a space for one that does not print or that moves others (categories C*, Zl, Zp)."""
    category = unicodedata.category(char)
    return " " if category[0] == "C" or category in {"Zl", "Zp"} else char
