"""People's own kubeconfigs: which files count, merged as kubectl merges them, and what the chosen context names.

What must never live here: the client, plugins, and judging a provider's kubeconfig (sampan.kube.credentials.kubeconfig does).
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from sampan.client.errors import KubeconfigError
from sampan.client.yaml_text import KubeLoader

Values = dict[str, Any]
VARIABLE = "KUBECONFIG"
_NEXT = "correct that file, or name another with --kubeconfig or KUBECONFIG"
_CHOOSE = "give --context NAME, or --kubeconfig FILE"
_PATHS_OF_CLUSTER = ("certificate-authority",)
_PATHS_OF_USER = ("client-certificate", "client-key", "tokenFile")


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a context names: the values of its cluster and of its user, paths made absolute; an empty namespace: none."""

    name: str
    cluster: Values
    user: Values
    namespace: str


@dataclass(slots=True, kw_only=True)
class Kubeconfig:
    """Several files as one. Per name, and for current-context, the first file that gives a value wins, as with kubectl."""

    current: str = ""
    clusters: dict[str, Values] = field(default_factory=dict)
    users: dict[str, Values] = field(default_factory=dict)
    contexts: dict[str, Values] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    found: list[str] = field(default_factory=list)

    def context(self, name: str | None) -> Context | None:
        """The context of that name, or the current one; None where there is none. Raises `KubeconfigError` for one that is not there."""
        chosen = name or self.current
        if not chosen:
            return None
        if chosen not in self.contexts:
            raise KubeconfigError(f'kubeconfig: context "{chosen}" does not exist{self._choice()}', _CHOOSE)
        values = self.contexts[chosen]
        cluster, user = _text(values, "cluster", chosen), _text(values, "user", chosen)
        if cluster not in self.clusters:
            raise KubeconfigError(f'kubeconfig: context "{chosen}" names cluster "{cluster}", which does not exist', _CHOOSE)
        if user and user not in self.users:
            raise KubeconfigError(f'kubeconfig: context "{chosen}" names user "{user}", which does not exist', _CHOOSE)
        namespace = _text(values, "namespace", chosen)
        return Context(name=chosen, cluster=self.clusters[cluster], user=self.users.get(user, {}), namespace=namespace)

    def no_context(self) -> KubeconfigError:
        """What to say where neither the options nor the files choose a context."""
        if not self.found:
            where = f"{VARIABLE} names no file that exists ({', '.join(self.missing)})" if self.missing else "there is no kubeconfig"
            return KubeconfigError(
                f"no hub is named: {where}", f"give --kubeconfig FILE or set {VARIABLE}; in a pod, mount the ServiceAccount's token"
            )
        return KubeconfigError(f"kubeconfig: no current-context in {', '.join(self.found)}{self._choice()}", _CHOOSE)

    def _choice(self) -> str:
        names = sorted(self.contexts)
        return f"; there are: {', '.join(names[:10])}{', …' if len(names) > 10 else ''}" if names else ""


def load(explicit: Path | None, environ: Mapping[str, str] = os.environ) -> Kubeconfig:
    """The file of --kubeconfig alone, else those of KUBECONFIG, else ~/.kube/config. Raises `KubeconfigError` for one that cannot be read.

    Missing and empty files are passed over, except where --kubeconfig names one.
    """
    named = environ.get(VARIABLE, "")
    listed = [path for path in dict.fromkeys(named.split(os.pathsep)) if path] if named else [str(Path.home() / ".kube" / "config")]
    merged = Kubeconfig()
    for path in listed if explicit is None else [str(explicit)]:
        try:
            _merge(merged, path)
        except FileNotFoundError as error:
            if explicit is not None:
                raise KubeconfigError(f"kubeconfig {path}: no such file", "give another --kubeconfig") from error
            if named:
                merged.missing.append(path)
        else:
            merged.found.append(path)
    return merged


def _merge(merged: Kubeconfig, path: str) -> None:
    document = _read(path)
    base = Path(path).absolute().parent
    current = _text(document, "current-context", path)
    merged.current = merged.current or current
    _add(merged.clusters, document, ("clusters", "cluster", _PATHS_OF_CLUSTER), path=path, base=base)
    _add(merged.users, document, ("users", "user", _PATHS_OF_USER), path=path, base=base)
    _add(merged.contexts, document, ("contexts", "context", ()), path=path, base=base)


def _read(path: str) -> Values:
    """The first document of a file; a missing file raises FileNotFoundError, a broken one `KubeconfigError` with its path."""
    try:
        raw = Path(path).read_bytes()
        document = next(iter(yaml.load_all(raw, Loader=KubeLoader)), None)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise KubeconfigError(f"kubeconfig {path}: {error.strerror or type(error).__name__}", _NEXT) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise KubeconfigError(f"kubeconfig {path}{where}: neither YAML nor JSON", _NEXT) from error
    if document is None:
        return {}
    if not isinstance(document, dict) or document.get("kind", "Config") != "Config":
        raise KubeconfigError(f"kubeconfig {path}: not a kubeconfig (kind: Config)", _NEXT)
    return document


def _add(known: dict[str, Values], document: Values, what: tuple[str, str, Iterable[str]], *, path: str, base: Path) -> None:
    """Add a section's entries whose names are new."""
    section, inner, paths = what
    listed = document.get(section) or []
    if not isinstance(listed, list):
        raise KubeconfigError(f"kubeconfig {path}: {section} is not a list", _NEXT)
    names: set[str] = set()
    for entry in listed:
        mapping = {} if entry is None else entry  # as kubectl: an empty entry is one without a name
        if not isinstance(mapping, dict):
            raise KubeconfigError(f"kubeconfig {path}: an entry of {section} is no mapping", _NEXT)
        name, values = mapping.get("name") or "", mapping.get(inner) or {}
        if not isinstance(name, str) or not isinstance(values, dict):
            raise KubeconfigError(f"kubeconfig {path}: an entry of {section} has a name that is no string, or no mapping {inner}", _NEXT)
        if name in names:
            raise KubeconfigError(f'kubeconfig {path}: {section} has two entries "{name}"', _NEXT)
        names.add(name)
        if name not in known:
            known[name] = _absolute(_present(values), paths, base)


def _present(values: Values) -> Values:
    """The same without what counts as left out: nulls, empty strings, lists and mappings."""
    return {key: value for key, value in values.items() if value not in (None, "", [], {})}


def _absolute(values: Values, paths: Iterable[str], base: Path) -> Values:
    """The same with paths as seen from the file's folder; a plugin that is looked up in PATH is none."""
    resolved = dict(values)
    for key in paths:
        if isinstance(values.get(key), str):
            resolved[key] = os.path.normpath(base / values[key])
    plugin = values.get("exec")
    command = plugin.get("command") if isinstance(plugin, dict) else None
    if isinstance(command, str) and os.sep in command:
        resolved["exec"] = {**values["exec"], "command": os.path.normpath(base / command)}
    return resolved


def _text(values: Values, key: str, where: str) -> str:
    value = values.get(key) or ""
    if isinstance(value, str):
        return value
    raise KubeconfigError(f"kubeconfig: {key} of {where} is not a string", "put it in quotes")
