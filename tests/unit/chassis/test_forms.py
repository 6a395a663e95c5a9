"""What a faulty request is told, and what telling it costs."""

from typing import Any
from uuid import uuid4

import pytest
from google.protobuf.message import Message

from chassis import forms
from chassis.errors import InvalidArgument
from diary.access.v1 import application_pb2, application_service_pb2
from diary.journal.v1 import journal_service_pb2, mark_pb2


def _told(request: Message) -> list[str]:
    descriptor: Any = request.DESCRIPTOR
    with pytest.raises(InvalidArgument, match="REQUEST_INVALID") as refusal:
        forms.check(forms.Form(descriptor), request)
    return [violation.field for violation in refusal.value.violations]


def test_a_form_is_told_each_of_its_fields_that_is_amiss() -> None:
    unknown: Any = 99
    applicants = [application_pb2.FiledApplicant(email="x", guardian_kind=unknown) for _ in range(2)]
    told = _told(application_service_pb2.RegisterApplicationRequest(school_id="x", applicants=applicants))
    assert {"school_id", "request_id", "applicants[0].email", "applicants[1].email", "applicants[1].guardian_kind"} <= {*told}


def test_of_many_items_one_fault_is_told_since_each_costs_as_much_as_many_right_ones() -> None:
    cells = [mark_pb2.MarkCell(student_id="x", value=-7) for _ in range(500)]
    request = journal_service_pb2.RecordMarksRequest(
        school_id=str(uuid4()), course_id=str(uuid4()), request_id=str(uuid4()), cells=cells
    )
    assert len(_told(request)) == 1
    del request.cells[2:]
    assert len(_told(request)) > 2


@pytest.mark.parametrize("sign", ["\u061c", "\u200e", "\u200f", "\u202e", "\u2066"])
def test_what_turns_the_text_around_it_stands_in_no_text(sign: str) -> None:
    request = journal_service_pb2.RecordLessonRequest(topic=f"Дроби{sign}")
    assert _told(request) == ["topic"]
