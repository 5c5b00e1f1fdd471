"""Cleaning of text that somebody else wrote.

Lives here: the one function every remote word passes before it reaches a message, a status or a log.
Must never live here: any knowledge of what the text means.
"""

import unicodedata

_ELLIPSIS = "…"


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


def _visible(char: str) -> str:
    """The character itself, or a space for one that does not print or that moves others (categories C*, Zl, Zp)."""
    category = unicodedata.category(char)
    return " " if category[0] == "C" or category in {"Zl", "Zp"} else char
