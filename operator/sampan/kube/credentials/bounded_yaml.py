"""A YAML reader for documents from strangers.

Lives here: text → mappings, lists, strings and None, with bounds and without anchors, aliases, tags or duplicate keys.
Must never live here: composing or constructing by a YAML library (that is where bombs and objects come from), or what the
document means.
"""

from collections.abc import Iterator

import yaml

from sampan.kube.credentials.codes import Code

MAX_BYTES = 64 * 1024
MAX_DEPTH = 16
MAX_NODES = 10_000
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class UnreadableYaml(Exception):  # noqa: N818
    """The document breaks a rule; ``line`` counts from 1, 0 where there is none. Nothing of the document is in it."""

    def __init__(self, code: Code, line: int = 0) -> None:
        """Remember the rule and the line."""
        self.code = code
        self.line = line
        super().__init__(f"{code.value} at line {line}" if line else code.value)


class YamlMap(dict[str, object]):
    """A mapping that remembers on which line it begins and each key stands."""

    __slots__ = ("line", "lines")

    def __init__(self, line: int = 0) -> None:
        """Start empty."""
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}


def read_yaml(raw: bytes) -> object:
    """The document as YamlMap, list, str or None. All scalars are strings: no numbers, dates or booleans are guessed.

    Raises UnreadableYaml. Takes at most MAX_BYTES, MAX_DEPTH levels and MAX_NODES nodes, in linear time.
    """
    if len(raw) > MAX_BYTES:
        raise UnreadableYaml(Code.TOO_LARGE)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableYaml(Code.NOT_UTF8) from None
    builder = _Builder()
    for event in _events(text):
        builder.take(event)
    return builder.result


def _events(text: str) -> Iterator[yaml.Event]:
    """Parser events one by one, so that a refused document is read no further; the library's texts quote it, so they are dropped."""
    try:
        yield from yaml.parse(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as exc:
        line = exc.problem_mark.line + 1 if exc.problem_mark else 0
    except (yaml.YAMLError, ValueError, RecursionError):
        line = 0
    else:
        return
    raise UnreadableYaml(Code.NOT_YAML, line)


class _Builder:
    """Puts events together on a stack of its own; no recursion."""

    def __init__(self) -> None:
        self.result: object = None
        self._stack: list[YamlMap | list[object]] = []
        self._keys: list[str | None] = []
        self._nodes = 0
        self._documents = 0

    def take(self, event: yaml.Event) -> None:
        """Add one event; raises UnreadableYaml."""
        line = event.start_mark.line + 1 if event.start_mark else 0
        if isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
        elif self._documents > 1 and isinstance(event, yaml.NodeEvent):
            self._further(event, line)
        elif isinstance(event, yaml.NodeEvent):
            self._node(event, line)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._stack.pop()
            self._keys.pop()

    def _further(self, event: yaml.NodeEvent, line: int) -> None:
        """After the first document there may be empty ones alone, as a ``---`` at the end makes."""
        if not isinstance(event, yaml.ScalarEvent) or event.style or event.value not in _NULLS:
            raise UnreadableYaml(Code.SEVERAL_DOCUMENTS, line)

    def _node(self, event: yaml.NodeEvent, line: int) -> None:
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise UnreadableYaml(Code.ANCHORS, line)
        if getattr(event, "tag", None) is not None:
            raise UnreadableYaml(Code.TAGS, line)
        self._nodes += 1
        if len(self._stack) >= MAX_DEPTH or self._nodes > MAX_NODES:
            raise UnreadableYaml(Code.TOO_DEEP, line)
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event, line)
        else:
            child: YamlMap | list[object] = YamlMap(line) if isinstance(event, yaml.MappingStartEvent) else []
            self._add(child, line)
            self._stack.append(child)
            self._keys.append(None)

    def _scalar(self, event: yaml.ScalarEvent, line: int) -> None:
        text = str(event.value)
        if self._stack and isinstance(self._stack[-1], YamlMap) and self._keys[-1] is None:
            if text in self._stack[-1]:
                raise UnreadableYaml(Code.DUPLICATE_KEY, line)
            self._keys[-1] = text
            self._stack[-1].lines[text] = line
            return
        plain = not event.style
        self._add(None if plain and text in _NULLS else text, line)

    def _add(self, value: object, line: int) -> None:
        if not self._stack:
            self.result = value
            return
        parent = self._stack[-1]
        if isinstance(parent, list):
            parent.append(value)
            return
        key = self._keys[-1]
        if key is None:  # a mapping or list as a key
            raise UnreadableYaml(Code.NOT_YAML, line)
        parent[key] = value
        self._keys[-1] = None
