"""The kinds of news: each number has its file, its words, and what it says of itself; no statement of SQL says it instead."""

import ast
import re
from pathlib import Path
from uuid import uuid4

from diary.documents.v1 import document_pb2
from diary.documents.v1 import events_pb2 as document_events
from diary.journal.v1 import events_pb2 as journal_events
from diary.notify.v1 import delivery_pb2
from services.notify.news.kinds import NOTICES, decision, marks
from services.notify.news.rules import Fact

_HOME = Path(__file__).parents[3] / "services/notify"


def test_each_number_of_a_notice_is_a_kind_with_its_words() -> None:
    numbers = set(delivery_pb2.NoticeKind.values()) - {delivery_pb2.NOTICE_KIND_UNSPECIFIED}
    assert set(NOTICES) == numbers
    for notice in NOTICES.values():
        assert delivery_pb2.NoticeKind.Name(notice.kind) == f"NOTICE_KIND_{notice.name.upper()}"  # type: ignore[arg-type]
        written = {path.name for path in (_HOME / "templates" / notice.name).iterdir()}
        assert {"subject.txt", "text.txt", "body.html"} <= written


def test_an_event_makes_news_of_one_kind() -> None:
    heard = [one.message.DESCRIPTOR.full_name for notice in NOTICES.values() for one in notice.hears]
    assert len(heard) == len(set(heard))


def test_what_families_are_told_needs_sight_of_the_student_when_it_is_sent() -> None:
    assert all(notice.needs_sight for notice in NOTICES.values() if notice.is_for_families or notice.may_be_off)


def test_marks_taken_back_are_no_news() -> None:
    student_id, mark_id = uuid4(), uuid4()
    given = journal_events.RecordedMark(mark_id=str(mark_id), student_id=str(student_id), value=5, revision=2)
    taken_back = journal_events.RecordedMark(mark_id=str(uuid4()), student_id=str(student_id), revision=3)
    recorded = journal_events.MarksRecorded(marks=[given, taken_back])
    told = [Fact(mark_id, student_id=student_id, revision=2)]
    assert list(marks.read_recorded(recorded)) == told
    assert list(marks.read_class_recorded(journal_events.ClassRecorded(marks=recorded))) == told
    assert list(marks.read_corrected(journal_events.MarkCorrected(mark=given))) == told
    assert list(marks.read_corrected(journal_events.MarkCorrected(mark=taken_back))) == []


def test_a_signed_paper_is_news_only_when_it_is_a_refusal() -> None:
    signed = document_events.DocumentSigned(applicant_id=str(uuid4()), document_id=str(uuid4()))
    assert list(decision.read_signed(signed)) == []
    signed.kind = document_pb2.DOCUMENT_KIND_REFUSAL
    [fact] = decision.read_signed(signed)
    assert str(fact.object_id) == str(fact.key) == signed.document_id


def test_no_statement_names_a_kind_of_news_or_a_role_by_its_number() -> None:
    found = []
    for path in sorted(_HOME.rglob("*.py")):
        if "migrations" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found += re.findall(r"\b(?:kind|role)\s*(?:=|<>|IN\s*\()\s*\d", node.value)
    assert found == []
