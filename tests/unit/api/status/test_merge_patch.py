"""JSON merge patches: only differences, and all of them."""

from hypothesis import given
from hypothesis import strategies as st

from sampan.api.status.merge_patch import merge_difference

JSON = st.recursive(
    st.integers() | st.text(max_size=4) | st.booleans() | st.lists(st.integers(), max_size=3),
    lambda inner: st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.text(max_size=3), JSON, max_size=5)


def merged(target: object, patch: object) -> object:
    """RFC 7386, written anew."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


@given(OBJECTS, OBJECTS)
def test_the_difference_turns_the_old_into_the_new(old: dict[str, object], new: dict[str, object]) -> None:
    patch = merge_difference(old, new)
    assert merged(old, patch) == new
    assert (not patch) == (old == new)
