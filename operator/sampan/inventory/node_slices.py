"""The ResourceSlices that nodes of one member publish about themselves, by node. What is made of them is in `slices`. No I/O."""

from collections.abc import Iterable

from sampan.model.members.device import DeviceSlice


class NodeSlices:
    """Slices by node and name. Each change returns the nodes that it concerns."""

    def __init__(self) -> None:
        """Start without any."""
        self._by_node: dict[str, dict[str, DeviceSlice]] = {}

    def __bool__(self) -> bool:
        """Tell whether any node has one."""
        return any(self._by_node.values())

    def of(self, node: str) -> tuple[DeviceSlice, ...]:
        """Return the slices of a node, by name."""
        slices = self._by_node.get(node, {})
        return tuple(slices[name] for name in sorted(slices))

    def replace(self, slices: Iterable[DeviceSlice]) -> set[str]:
        """Take the full list."""
        before, self._by_node = set(self._by_node), {}
        for each in slices:
            self.put(each)
        return before | set(self._by_node)

    def put(self, each: DeviceSlice) -> set[str]:
        """Take one slice."""
        self._by_node.setdefault(each.node, {})[each.name] = each
        return {each.node}

    def drop(self, name: str) -> set[str]:
        """Forget a slice."""
        return {node for node, slices in self._by_node.items() if slices.pop(name, None) is not None}
