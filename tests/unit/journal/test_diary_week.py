"""An answer put together of encoded parts reads as one that was built whole."""

from datetime import date
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from diary.journal.v1 import diary_service_pb2, diary_week_pb2
from services.journal.diary.convert.diary_week import Cards, encode_card, write_week_answer
from services.journal.diary.rules.diary_week import LessonContent, Week, WeekAbsence, WeekMark, read_lesson_id, split_keys

MONDAY = date(2026, 11, 16)
words = st.text(st.characters(codec="utf-8"), max_size=300)


@st.composite
def contents(draw: st.DrawFn) -> LessonContent:
    """What a lesson is, short or long."""
    lesson_id = draw(st.uuids())
    return LessonContent(
        key=lesson_id.bytes + draw(st.binary(min_size=16, max_size=16)),
        lesson_id=lesson_id,
        lesson_date=draw(st.dates()),
        lesson_number=draw(st.integers(1, 15)),
        state=draw(st.sampled_from([1, 2])),
        subject_name=draw(words),
        teacher_names=draw(st.lists(words, max_size=2)),
        topic=draw(words),
        homework=draw(words),
        work_type_name=draw(words),
        course_id=draw(st.uuids()),
    )


@given(st.lists(contents(), max_size=5, unique_by=lambda content: content.lesson_id), st.data())
def test_an_answer_of_parts_reads_as_one_built_whole(lessons: list[LessonContent], data: st.DataObject) -> None:
    ids = [content.lesson_id.bytes for content in lessons]
    marked = data.draw(st.lists(st.sampled_from(ids), max_size=4)) if ids else []
    marks = [
        WeekMark(lesson_id, str(UUID(int=number)), data.draw(st.integers(1, 5)), data.draw(st.integers(1, 300)))
        for number, lesson_id in enumerate(marked)
    ]
    absences = [
        WeekAbsence(one, data.draw(st.sampled_from([1, 2, 3, 4])))
        for one in (data.draw(st.sets(st.sampled_from(ids))) if ids else [])
    ]
    week = Week(True, [content.key for content in lessons], marks, absences)
    cards = {content.lesson_id.bytes: encode_card(content) for content in lessons}
    answer = diary_service_pb2.GetDiaryWeekResponse.FromString(write_week_answer("s", MONDAY, week, cards))
    whole = diary_service_pb2.GetDiaryWeekResponse(student_id="s", week="2026-W47", monday_date="2026-11-16")
    for content in lessons:
        lesson = whole.lessons.add(card=_card(content))
        lesson.absence = dict(absences).get(content.lesson_id.bytes, 0)  # type: ignore[assignment]  # a number of the enum
        for mark in marks:
            if mark.lesson_id == content.lesson_id.bytes:
                lesson.marks.add(mark_id=mark.mark_id, value=mark.value, revision=mark.revision)
    assert answer == whole


def _card(content: LessonContent) -> diary_week_pb2.DiaryLessonCard:
    return diary_week_pb2.DiaryLessonCard(
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
    )


def test_an_illness_is_told_only_to_who_may_know() -> None:
    lesson_id = UUID(int=1).bytes
    card = encode_card(LessonContent(lesson_id + bytes(16), UUID(int=1), MONDAY, 1, 2, "", [], "", "", "", UUID(int=2)))
    for sees_illness, code in ((True, 3), (False, 2)):
        week = Week(sees_illness, [], [], [WeekAbsence(lesson_id, 3)])
        encoded = write_week_answer("s", MONDAY, week, {lesson_id: card})
        assert diary_service_pb2.GetDiaryWeekResponse.FromString(encoded).lessons[0].absence == code


@settings(max_examples=40)
@given(st.lists(contents(), min_size=1, max_size=20, unique_by=lambda content: content.key), st.integers(0, 20_000))
def test_kept_cards_are_right_and_bounded(lessons: list[LessonContent], limit: int) -> None:
    cards = Cards(limit)
    for content in lessons:
        cards.add([content])
        assert cards.find(content.key) == encode_card(content)
    kept = sum(len(card.lesson) + len(card.element) for half in (cards._young, cards._old) for card in half.values())
    largest = max(2 * len(encode_card(content).element) for content in lessons)
    assert kept <= limit + 2 * largest


def test_keys_are_split_as_they_were_joined() -> None:
    keys = [UUID(int=number).bytes + bytes([number] * 16) for number in range(3)]
    assert split_keys(b"".join(keys)) == keys
    assert [read_lesson_id(key) for key in keys] == [UUID(int=number).bytes for number in range(3)]
    assert split_keys(b"") == []
