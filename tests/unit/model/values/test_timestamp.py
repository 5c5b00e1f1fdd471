"""Times as Kubernetes writes them."""

from jobs import NOW
from sampan.model.values.timestamp import from_rfc3339, to_rfc3339


def test_times_survive_a_round_trip_and_nonsense_is_no_time() -> None:
    assert from_rfc3339(to_rfc3339(NOW)) == NOW
    assert from_rfc3339("yesterday") is None
    assert to_rfc3339(from_rfc3339("0001-01-01T00:00:00Z") or 0) == "0001-01-01T00:00:00Z", "a year of four digits"
    assert to_rfc3339(from_rfc3339("0001-01-01T00:00:00+12:00") or 0) == "0001-01-01T00:00:00Z"
    assert to_rfc3339(from_rfc3339("9999-12-31T23:59:59-12:00") or 0) == "9999-12-31T23:59:59Z"
    assert from_rfc3339(None) is None
