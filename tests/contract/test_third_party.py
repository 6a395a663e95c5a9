"""Our subset of protovalidate's rules means what the wheel's engine reads."""

import protovalidate
import pytest

from buf.validate import validate_pb2
from diary.journal.v1 import journal_service_pb2

_ID = "0190b0a0-0000-7000-8000-000000000000"


def test_the_subset_keeps_the_numbers_of_the_engine() -> None:
    assert validate_pb2.field.number == 1159
    assert validate_pb2.FieldRules.DESCRIPTOR.fields_by_name["string"].number == 14
    assert validate_pb2.FieldRules.DESCRIPTOR.fields_by_name["repeated"].number == 18


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"school_id": "x"}, "school_id"),
        ({"lesson_number": 16}, "lesson_number"),
        ({"topic": "т" * 501}, "topic"),
        ({"lesson_date": "17.03.2026"}, "lesson_date"),
    ],
)
def test_the_engine_reads_our_rules(change: dict[str, object], field: str) -> None:
    good = {
        "school_id": _ID,
        "course_id": _ID,
        "request_id": _ID,
        "lesson_date": "2026-03-17",
        "lesson_number": 1,
        "topic": "Дроби",
    }
    protovalidate.validate(journal_service_pb2.RecordLessonRequest(**good))  # type: ignore[arg-type]
    with pytest.raises(protovalidate.ValidationError) as found:
        protovalidate.validate(journal_service_pb2.RecordLessonRequest(**{**good, **change}))  # type: ignore[arg-type]
    assert [v.proto.field.elements[0].field_name for v in found.value.violations if v.proto.field] == [field]
