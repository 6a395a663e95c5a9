from datetime import date

from apps.portal.family.views.week import build_week
from diary.journal.v1 import diary_service_pb2 as pb
from diary.journal.v1 import diary_week_pb2, lesson_pb2

MONDAY = date(2026, 11, 23)


def lesson(day: str, number: int, *marks: tuple[int, int], absence: int = 0) -> diary_week_pb2.DiaryLesson:
    return diary_week_pb2.DiaryLesson(
        card=diary_week_pb2.DiaryLessonCard(lesson_date=day, lesson_number=number, subject_name="Алгебра"),
        marks=[diary_week_pb2.DiaryMark(value=value, revision=revision) for value, revision in marks],
        absence=lesson_pb2.AbsenceCode.ValueType(absence),
    )


def week(*lessons: diary_week_pb2.DiaryLesson) -> pb.GetDiaryWeekResponse:
    return pb.GetDiaryWeekResponse(week="2026-W48", monday_date="2026-11-23", lessons=lessons)


def test_lessons_lie_under_their_days_and_free_school_days_are_shown() -> None:
    built = build_week(week(lesson("2026-11-23", 1), lesson("2026-11-23", 2), lesson("2026-11-26", 1)), MONDAY)
    counts = [[len(day.lessons) for day in leaf] for leaf in built.leaves]
    assert counts == [[2, 0, 0], [1, 0]]


def test_saturday_is_shown_only_when_it_is_taught() -> None:
    days = [day.weekday for leaf in build_week(week(lesson("2026-11-28", 1)), MONDAY).leaves for day in leaf]
    assert days[-1] == "Суббота"
    assert len(days) == 6


def test_a_week_without_lessons_has_no_days() -> None:
    assert build_week(week(), MONDAY).leaves == ()


def test_today_is_marked_and_the_way_back_to_this_week_is_there() -> None:
    taught = week(lesson("2026-11-24", 1))
    present = build_week(taught, date(2026, 11, 24))
    assert [day.label for leaf in present.leaves for day in leaf if day.is_today] == ["24\u00a0ноября"]
    assert (present.previous, present.next, present.current) == ("2026-W47", "2026-W49", "")
    assert build_week(taught, date(2026, 12, 1)).current == "2026-W49"


def test_the_summary_counts_marks_absences_and_late_comings_apart() -> None:
    lessons = week(
        lesson("2026-11-23", 1, (5, 1), (4, 2)), lesson("2026-11-23", 2, absence=3), lesson("2026-11-24", 1, absence=4)
    )
    built = build_week(lessons, MONDAY)
    assert built.summary.replace("\u00a0", " ") == "2 отметки · пропущено уроков: 1 · 1 опоздание"
    assert [absence.letter for absence in built.absences] == ["Б", "О"]
    assert build_week(week(lesson("2026-11-23", 1)), MONDAY).summary == "отметок нет · пропусков нет"


def test_a_mark_that_was_changed_is_known_by_its_revision() -> None:
    built = build_week(week(lesson("2026-11-23", 1, (5, 1), (4, 2))), MONDAY)
    assert [mark.is_changed for mark in built.leaves[0][0].lessons[0].marks] == [False, True]
    assert built.is_any_changed
