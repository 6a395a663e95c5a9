from datetime import UTC, datetime, timedelta
from uuid import UUID

from apps.portal.ids import new_id
from chassis.clock import SetClock


def test_ids_are_of_version_7_and_grow_with_time() -> None:
    clock = SetClock(datetime(2026, 11, 23, tzinfo=UTC))
    first = new_id(clock)
    clock.advance(timedelta(milliseconds=1))
    second = new_id(clock)
    assert UUID(first).version == UUID(second).version == 7
    assert UUID(first).variant == "specified in RFC 4122"
    assert first < second
    assert int(UUID(first).hex[:12], 16) == int(datetime(2026, 11, 23, tzinfo=UTC).timestamp() * 1000)
