"""The RuntimeClasses of one member, fed by an optional watch or a summary. No I/O and no clock; what follows is decided in `scheduling`."""

from collections.abc import Callable, Iterable, Mapping

from sampan.kube.objects import runtime_class as kube
from sampan.kube.objects.amounts import to_vector
from sampan.model.members.runtime_class import RuntimeClass
from sampan.model.members.taint import Toleration


class RuntimeClasses:
    """The mapping is a value, replaced whole at every change."""

    def __init__(self, changed: Callable[[], None]) -> None:
        """Nothing is known. `changed` is told after each change; it must not block."""
        self._changed = changed
        self.known: Mapping[str, RuntimeClass] | None = None
        """By name; None: nobody let us look."""

    def replace(self, classes: Iterable[kube.RuntimeClass]) -> None:
        """Take the full list."""
        self._set({each.metadata.name: _of(each) for each in classes})

    def put(self, each: kube.RuntimeClass) -> None:
        """Take one."""
        self._set({**(self.known or {}), each.metadata.name: _of(each)})

    def drop(self, name: str) -> None:
        """Forget one."""
        self._set({known: value for known, value in (self.known or {}).items() if known != name})

    def forget(self) -> None:
        """Forget them: they may not be read any more."""
        self._set(None)

    def _set(self, fresh: Mapping[str, RuntimeClass] | None) -> None:
        if fresh != self.known:
            self.known = fresh
            self._changed()


def _of(each: kube.RuntimeClass) -> RuntimeClass:
    return RuntimeClass(
        name=each.metadata.name,
        overhead=to_vector(each.overhead.pod_fixed),
        selector=tuple(sorted(each.scheduling.node_selector.items())),
        tolerations=tuple(Toleration(t.key, None if t.operator == "Exists" else t.value, t.effect) for t in each.scheduling.tolerations),
    )
