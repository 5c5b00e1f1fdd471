"""Pure: the addresses of one cluster's network of real nodes. Each cluster has a network namespace of its own, so all have the same.

Never here: making any of it.
"""

from typing import Final

SERVICES: Final = "10.96.0.0/16"
API_SERVER: Final = "10.96.0.1"
"""The cluster's `kubernetes` Service: its address in the range of Services is the first."""
DNS_SERVER: Final = "10.96.0.10"
SWITCH: Final = "10.77.0.1"
"""Gateway of the nodes."""
PREFIX_LENGTH: Final = 16
MOST_NODES: Final = 200
INSIDE: Final = ("10.77.0.0/16", "10.78.0.0/16", SERVICES)
"""What is reached in the cluster's network alone."""


def node_address(number: int) -> str:
    """The node's InternalIP; nodes are counted from 1."""
    return f"10.77.1.{number}"


def pod_range(number: int) -> str:
    """The range of the pods on that node."""
    return f"10.78.{number}.0/24"
