"""Pure: which limit bound a figure, from who used how much of the machine. Never here: measuring."""

from bench.usage import (
    GENERATOR,
    HUB_API,
    HUB_ETCD,
    HUB_REST,
    MEMBER_API,
    MEMBER_ETCD,
    MEMBER_REST,
    OPERATOR,
    OTHERS,
    PROXY,
    Usage,
)

FULL = 0.9
"""Of a core for a program that runs Python (it has one), of all cores for the machine."""
_GROUPS = {
    "generator": (GENERATOR,),
    "hub API server": (HUB_API, HUB_ETCD, HUB_REST),
    "member": (MEMBER_API, MEMBER_ETCD, MEMBER_REST, PROXY),
    "our CPU": (OPERATOR,),
    "other programs": (OTHERS,),
}


def limit(usage: Usage, *, submitting: float = 0.0) -> str:
    """Return what bound the figure and why; `submitting` is the part of the time in which jobs were still being submitted."""
    used = {group: sum(usage.share(role) for role in parts) for group, parts in _GROUPS.items()}
    for group in ("generator", "our CPU"):
        if used[group] >= FULL:
            return f"{group}: {used[group]:.2f} of its core"
    most = max(used, key=lambda group: used[group])
    if usage.busy >= FULL:
        return f"{most}: {used[most]:.2f} of the machine's cores, which were {100 * usage.busy:.0f} % busy"
    if submitting >= FULL:
        return f"generator: jobs were being submitted {100 * submitting:.0f} % of the time"
    return f"none of them: the machine was {100 * usage.busy:.0f} % busy, most by {most} ({used[most]:.2f} cores); the rest is waiting"
