"""Vectors: an algebra without surprises, and no room where there is none."""

from hypothesis import given
from hypothesis import strategies as st

from sampan.model.values.vector import CPU, MEMORY, Vector
from strategies import AMOUNTS


@given(AMOUNTS, AMOUNTS, AMOUNTS)
def test_sums_do_not_depend_on_the_order(a: Vector, b: Vector, c: Vector) -> None:
    assert a + b == b + a
    assert (a + b) + c == Vector.total((c, a, b))
    assert a + Vector() == a
    assert (a + b) - b == a


@given(AMOUNTS)
def test_equal_amounts_are_equal_values(a: Vector) -> None:
    assert Vector.of(dict(reversed(list(a)))) == a
    assert hash(Vector.of({**dict(a), "other": 0})) == hash(a)
    assert a.times(0) == Vector()
    assert a.times(3) == a + a + a


@given(AMOUNTS, AMOUNTS, st.integers(0, 50))
def test_what_fits_can_be_taken_and_no_more(free: Vector, need: Vector, most: int) -> None:
    count = free.fits(need, at_most=most)
    assert 0 <= count <= most
    wanted = [(name, amount) for name, amount in need if amount > 0]
    assert all(amount * count <= max(free[name], 0) for name, amount in wanted)
    assert count == most or any(amount * (count + 1) > max(free[name], 0) for name, amount in wanted)


def test_an_overcommitted_node_has_no_room() -> None:
    free = Vector.of({CPU: -1, MEMORY: 100})
    assert free.fits(Vector.of({CPU: 1}), at_most=5) == 0
    assert free.fits(Vector.of({MEMORY: 50}), at_most=5) == 2
