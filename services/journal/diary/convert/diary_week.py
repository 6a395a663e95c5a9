"""A student's week as bytes, put together of parts that are already encoded.

Building protobuf messages in Python costs many times their encoding, and a lesson's card is the same for a whole class: it is
encoded once, kept by the versions of all that it is made of, and concatenated, since a protobuf's concatenation is its merge.
Only what is a student's own is built for each call, and no student's answer is kept.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import NamedTuple

from diary.journal.v1 import diary_service_pb2, diary_week_pb2
from services.journal.diary.rules.diary_week import LessonContent, Week, read_lesson_id
from services.journal.diary.rules.weeks import write_week
from services.journal.lessons.rules.attendance import AbsenceCode, show_code

# Field numbers of the messages put together here, as tags of length-delimited fields.
_LESSONS_TAG = b"\x22"  # GetDiaryWeekResponse.lessons = 4
_CARD_TAG = b"\x0a"  # DiaryLesson.card = 1
# What a kept card costs besides its bytes: key, tuple, slots of the dict.
_OVERHEAD_BYTES = 400


class Card(NamedTuple):
    """An encoded card. `lesson`: the DiaryLesson that has nothing but it; `element`: that one as a field of the answer."""

    lesson: bytes
    element: bytes


class Cards:
    """Cards by key, in two generations: when the young ones fill half the room, the old ones are dropped."""

    def __init__(self, limit_bytes: int) -> None:
        self._half = limit_bytes // 2
        self._young: dict[bytes, Card] = {}
        self._old: dict[bytes, Card] = {}
        self._young_bytes = 0

    def find(self, key: bytes) -> Card | None:
        """The card kept under a key."""
        card = self._young.get(key)
        if card is None and (card := self._old.get(key)) is not None:
            self._keep(key, card)
        return card

    def add(self, contents: Iterable[LessonContent]) -> dict[bytes, Card]:
        """Encodes and keeps cards; returns them by lesson."""
        added = {}
        for content in contents:
            added[read_lesson_id(content.key)] = card = encode_card(content)
            self._keep(content.key, card)
        return added

    def _keep(self, key: bytes, card: Card) -> None:
        if self._young_bytes > self._half:
            self._old, self._young, self._young_bytes = self._young, {}, 0
        self._young[key] = card
        self._young_bytes += len(card.lesson) + len(card.element) + _OVERHEAD_BYTES


def encode_card(content: LessonContent) -> Card:
    """Encodes what a lesson is."""
    encoded = diary_week_pb2.DiaryLessonCard(
        lesson_id=str(content.lesson_id),
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
    return Card(lesson, _encode_element(lesson))


def write_week_answer(student_id: str, monday: date, week: Week, cards: Mapping[bytes, Card]) -> bytes:
    """The encoded GetDiaryWeekResponse. `cards` by lesson, in the order of the answer."""
    head = diary_service_pb2.GetDiaryWeekResponse(
        student_id=student_id, week=write_week(monday), monday_date=monday.isoformat()
    )
    own = _build_own(week)
    parts = [head.SerializeToString()]
    for lesson_id, card in cards.items():
        part = own.get(lesson_id)
        parts.append(card.element if part is None else _encode_element(card.lesson + part.SerializeToString()))
    return b"".join(parts)


def _build_own(week: Week) -> dict[bytes, diary_week_pb2.DiaryLesson]:
    """What is the student's own, by lesson."""
    own: dict[bytes, diary_week_pb2.DiaryLesson] = {}
    for lesson_id, mark_id, value, revision in week.marks:
        lesson = own.get(lesson_id)
        if lesson is None:
            lesson = own[lesson_id] = diary_week_pb2.DiaryLesson()
        lesson.marks.add(mark_id=mark_id, value=value, revision=revision)
    for lesson_id, code in week.absences:
        lesson = own.setdefault(lesson_id, diary_week_pb2.DiaryLesson())
        lesson.absence = show_code(AbsenceCode(code), week.sees_illness)  # type: ignore[assignment]  # a number of the enum
    return own


def _encode_element(lesson: bytes) -> bytes:
    return _LESSONS_TAG + _encode_length(len(lesson)) + lesson


def _encode_length(length: int) -> bytes:
    """A protobuf varint; lessons are shorter than 16 KiB as a rule."""
    if length < 0x80:
        return bytes((length,))
    return bytes((length & 0x7F | 0x80,)) + _encode_length(length >> 7)
