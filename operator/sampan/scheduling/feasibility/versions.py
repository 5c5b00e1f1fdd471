"""Dotted versions of drivers and of what devices can do, compared number by number."""


def new_enough(have: str, need: str) -> bool:
    """Compare dotted versions number by number; what is not told is not enough."""
    if not need:
        return True
    return bool(have) and version_key(have) >= version_key(need)


def version_key(version: str) -> tuple[int, ...]:
    """Return what versions compare by: their leading numbers without zeros at the end, so that 550 equals 550.0."""
    found: list[int] = []
    for part in version.split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        found.append(int(digits[:9]))
        if digits != part:
            break
    while found and found[-1] == 0:
        found.pop()
    return tuple(found)
