"""A student's week as bytes, put together of parts that are already encoded.

Building protobuf messages in Python costs many times their encoding, and a lesson's card is the same for a whole class: it is
encoded once, kept by the versions of all that it is made of, and concatenated, since a protobuf's concatenation is its merge.
Only what is a student's own is built for each call, and no student's answer is kept.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import NamedTuple
from uuid import UUID

from diary.journal.v1 import diary_service_pb2
from services.journal.rules.attendance import AbsenceCode, show_code
from services.journal.rules.diary_week import LessonContent, LessonKey, Week, WeekMark
from services.journal.rules.weeks import write_week

# Field numbers of the messages put together here, as tags of length-delimited fields.
_LESSONS_TAG = b"\x22"  # GetDiaryWeekResponse.lessons = 4
_CARD_TAG = b"\x0a"  # DiaryLesson.card = 1
# What a kept card costs besides its bytes: key, tuple, slots of the dict.
_OVERHEAD = 500


class Card(NamedTuple):
    """An encoded card. `lesson`: the DiaryLesson that has nothing but it; `element`: that one as a field of the answer."""

    order: int
    lesson: bytes
    element: bytes


class Cards:
    """Cards by key, in two generations: when the young ones fill half the room, the old ones are dropped."""

    def __init__(self, limit_bytes: int) -> None:
        self._half = limit_bytes // 2
        self._young: dict[LessonKey, Card] = {}
        self._old: dict[LessonKey, Card] = {}
        self._young_bytes = 0

    def find(self, key: LessonKey) -> Card | None:
        """The card kept under a key."""
        card = self._young.get(key)
        if card is None and (card := self._old.get(key)) is not None:
            self._keep(key, card)
        return card

    def add(self, contents: Iterable[LessonContent]) -> dict[UUID, Card]:
        """Encodes and keeps cards; returns them by lesson."""
        added = {}
        for content in contents:
            added[content.key.lesson_id] = card = encode_card(content)
            self._keep(content.key, card)
        return added

    def _keep(self, key: LessonKey, card: Card) -> None:
        if self._young_bytes > self._half:
            self._old, self._young, self._young_bytes = self._young, {}, 0
        self._young[key] = card
        self._young_bytes += 2 * len(card.element) + _OVERHEAD


def encode_card(content: LessonContent) -> Card:
    """Encodes what a lesson is."""
    encoded = diary_service_pb2.DiaryLessonCard(
        lesson_id=str(content.key.lesson_id),
        lesson_date=content.lesson_date.isoformat(),
        lesson_number=content.lesson_number,
        state=content.state,  # type: ignore[arg-type]  # a number of the enum
        subject_name=content.subject_name,
        teacher_names=content.teacher_names,
        topic=content.topic,
        homework=content.homework,
        work_type_name=content.work_type_name,
        course_id=str(content.course_id),
    ).SerializeToString()
    lesson = _CARD_TAG + _encode_length(len(encoded)) + encoded
    order = content.lesson_date.toordinal() * 16 + content.lesson_number
    return Card(order, lesson, _LESSONS_TAG + _encode_length(len(lesson)) + lesson)


def write_week_answer(student_id: UUID, monday: date, week: Week, cards: Mapping[UUID, Card]) -> bytes:
    """The encoded GetDiaryWeekResponse of a week whose lessons have these cards."""
    head = diary_service_pb2.GetDiaryWeekResponse(
        student_id=str(student_id), week=write_week(monday), monday_date=monday.isoformat()
    ).SerializeToString()
    lessons = []
    for lesson_id, card in cards.items():
        marks, absence = week.marks.get(lesson_id), week.absences.get(lesson_id)
        if marks or absence:
            own = _encode_own(marks or [], absence or 0, week.sees_illness)
            element = _LESSONS_TAG + _encode_length(len(card.lesson) + len(own)) + card.lesson + own
            lessons.append((card.order, element))
        else:
            lessons.append((card.order, card.element))
    lessons.sort()
    return head + b"".join([element for _, element in lessons])


def _encode_own(marks: list[WeekMark], absence: int, sees_illness: bool) -> bytes:
    """The part of a DiaryLesson that is the student's own."""
    return diary_service_pb2.DiaryLesson(
        marks=[diary_service_pb2.DiaryMark(mark_id=str(m.mark_id), value=m.value, revision=m.revision) for m in marks],
        absence=show_code(AbsenceCode(absence), sees_illness),  # type: ignore[arg-type]  # a number of the enum
    ).SerializeToString()


def _encode_length(length: int) -> bytes:
    """A protobuf varint."""
    encoded = bytearray()
    while length > 0x7F:
        encoded.append(length & 0x7F | 0x80)
        length >>= 7
    encoded.append(length)
    return bytes(encoded)
