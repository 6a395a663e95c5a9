"""A generated year of one school: timetable, lessons, absences and marks up to a day. Pure but for the random numbers given."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from services.journal.curriculum.rules import Period, find_current_period
from services.journal.lessons.rules.attendance import AbsenceCode
from services.journal.lessons.rules.lessons import LessonState
from services.journal.marks.rules.history import SALT_BYTES, Batch, BatchHeader, build_batch
from services.journal.marks.rules.marks import MarkValue, Revision, five_point
from services.journal.seed.subjects import Subjects
from services.journal.seed.tables import SeedCourse, SeedSchool
from services.journal.seed.timetable import PlannedLesson, Slot, Wish, lay_out_lessons, lay_out_week

_NOBODY = UUID(int=0)
_BEGINS_THE_WEEK = "Разговоры о важном"
_FIRST_BELL = time(8, 30)
_LESSON_AND_BREAK = timedelta(minutes=55)
# A test in every seventh lesson; marks a quarter: 4 in the median, 90 % up to 8, more where a subject has more hours.
_TEST_EVERY = 7
_MARKS_MEDIAN, _MARKS_SPREAD, _MARKS_MOST = 4.2, 0.55, 18
_HOURS_FACTOR = {1: 0.75, 2: 0.95, 3: 1.1}
_MANY_HOURS_FACTOR = 1.4
_MARKS_MEAN, _MARKS_NOISE, _ABILITY_WEIGHT = 3.95, 0.65, 0.55
_SETS_HOMEWORK_AHEAD = 0.6
# Illness and other absences: about 4 % of lessons.
_FALLS_ILL, _MISSES_DAY, _COMES_LATE = 0.006, 0.008, 0.004
# The public holidays that no vacation covers; 18 March is Crimea's, where the generated schools lie.
_DAYS_OFF = {(2, 23), (3, 8), (3, 18), (5, 1), (5, 9)}


@dataclass(frozen=True, slots=True)
class Generated:
    """Lessons of a course and what stands in them. `is_held` of those before the day."""

    course: SeedCourse
    lessons: Sequence[PlannedLesson]
    ids: Sequence[UUID]
    tests: frozenset[int]


class Year:
    """A school's year up to `until`: lessons before it are held, later ones of the current period planned."""

    def __init__(self, school: SeedSchool, subjects: Subjects, seed: int, until: date) -> None:
        self._school = school
        self._subjects = subjects
        self._until = until
        self._rng = Random(f"{seed} {school.school_id}")
        self._zone = ZoneInfo(school.time_zone)
        current = find_current_period(school.periods, until)
        self._periods = [period for period in school.periods if current and period.start_date <= current.start_date]
        self._absences = self._draw_absences()
        students = sorted({member.student_id for course in school.courses for member in course.members})
        self._ability = {student_id: self._rng.gauss(0, 1) for student_id in students}

    def slots(self) -> list[Slot]:
        """The week's timetable."""
        signatures: dict[UUID, list[UUID]] = defaultdict(list)
        for course in self._school.courses:
            for member in course.members:
                signatures[member.student_id].append(course.course_id)
        pupils: dict[UUID, set[Hashable]] = defaultdict(set)
        for course_ids in signatures.values():
            for course_id in course_ids:
                pupils[course_id].add(tuple(course_ids))
        first, last = self._periods[0].start_date, self._school.periods[-1].end_date
        wishes = [
            Wish(
                course_id=course.course_id,
                hours=self._subjects.find(course.subject_name).choose_hours(course.taught_grades),
                pupils=frozenset(pupils[course.course_id]),
                teachers=frozenset(course.teacher_ids),
                room=course.class_id if len(course.grades) > 1 else course.course_id,
                of_class=course.class_id or course.course_id,
                subject=course.subject_name,
                is_first=course.subject_name == _BEGINS_THE_WEEK,
            )
            for course in self._school.courses
        ]
        self._rng.shuffle(wishes)
        return lay_out_week(wishes, first, last, self._rng)

    def courses(self, slots: Sequence[Slot]) -> Iterator[Generated]:
        """Each course's lessons of the periods so far."""
        by_course: dict[UUID, list[Slot]] = defaultdict(list)
        for slot in slots:
            by_course[slot.course_id].append(slot)
        for course in self._school.courses:
            lessons = [
                lesson
                for period in self._periods
                for lesson in lay_out_lessons(
                    by_course[course.course_id], period.start_date, period.end_date, _days_off(period)
                )
            ]
            has_tests = course.is_marked and bool(self._subjects.find(course.subject_name).work_types)
            tests = frozenset(range(_TEST_EVERY - 1, len(lessons), _TEST_EVERY)) if has_tests else frozenset()
            yield Generated(course, lessons, [self._new_id(self._time(lesson)) for lesson in lessons], tests)

    def lesson_rows(self, generated: Generated) -> Iterator[tuple[Any, ...]]:
        """Rows of lessons. Of those to come this week's have a topic, and the homework where it was set ahead."""
        course, subject = generated.course, self._subjects.find(generated.course.subject_name)
        topics, week = subject.list_topics(course.taught_grades), self._until.isocalendar()[:2]
        sets_ahead = self._rng.random() < _SETS_HOMEWORK_AHEAD
        for number, (lesson, lesson_id) in enumerate(zip(generated.lessons, generated.ids, strict=True)):
            place = (course.class_id, lesson.lesson_date, lesson.lesson_number)
            topic = topics[number // 2 % len(topics)]
            if lesson.lesson_date >= self._until:
                is_near = lesson.lesson_date.isocalendar()[:2] == week
                homework = subject.write_homework(self._rng, course.taught_grades) if is_near and sets_ahead else ""
                planned = (LessonState.PLANNED, topic if is_near else "", homework, None, 0)
                yield (self._school.school_id, lesson_id, course.course_id, *place, *planned)
                continue
            kind = self._school.work_types.get(self._rng.choice(subject.work_types)) if number in generated.tests else None
            homework = subject.write_homework(self._rng, course.taught_grades)
            yield (self._school.school_id, lesson_id, course.course_id, *place, LessonState.HELD, topic, homework, kind, 1)

    def absence_rows(self, generated: Generated) -> Iterator[tuple[Any, ...]]:
        """Rows of absences from held lessons."""
        course = generated.course
        teacher = course.teacher_ids[0] if course.teacher_ids else _NOBODY
        for lesson, lesson_id in zip(generated.lessons, generated.ids, strict=True):
            if lesson.lesson_date >= self._until:
                return
            for member in course.members:
                code = self._absences[member.student_id].get(lesson.lesson_date)
                if code is None and self._rng.random() < _COMES_LATE:
                    code = AbsenceCode.LATE
                if code is not None and _covers(member.from_date, member.to_date, lesson.lesson_date):
                    yield (
                        self._school.school_id,
                        lesson_id,
                        member.student_id,
                        course.course_id,
                        lesson.lesson_date,
                        code,
                        teacher,
                        self._time(lesson),
                    )

    def batches(self, generated: Generated) -> list[Batch]:
        """The marks of a course: a batch for each held lesson that has any."""
        course = generated.course
        if not course.is_marked:
            return []
        given: dict[int, list[UUID]] = defaultdict(list)
        for period in self._periods:
            first = bisect_left(generated.lessons, period.start_date, key=lambda lesson: lesson.lesson_date)
            past = bisect_left(generated.lessons, period.end_date + timedelta(days=1), key=lambda lesson: lesson.lesson_date)
            places = range(first, past)
            tests = [place for place in places if place in generated.tests]
            others = [place for place in places if place not in generated.tests]
            for member in course.members:
                for place in self._choose_places(tests, others):
                    lesson = generated.lessons[place]
                    if lesson.lesson_date < self._until and self._is_present(member.student_id, member, lesson.lesson_date):
                        given[place].append(member.student_id)
        teacher = course.teacher_ids[0] if course.teacher_ids else _NOBODY
        return [
            self._build_batch(generated, number, place, given[place], teacher) for number, place in enumerate(sorted(given), 1)
        ]

    def _choose_places(self, tests: Sequence[int], others: Sequence[int]) -> list[int]:
        """Where a student gets marks in a period: in its tests first."""
        hours = max(1, round((len(tests) + len(others)) / 8))
        factor = _HOURS_FACTOR.get(hours, _MANY_HOURS_FACTOR)
        count = min(_MARKS_MOST, round(_MARKS_MEDIAN * factor * self._rng.lognormvariate(0, _MARKS_SPREAD)))
        chosen = self._rng.sample(tests, min(count, len(tests)))
        return chosen + self._rng.sample(others, min(count - len(chosen), len(others)))

    def _build_batch(self, generated: Generated, number: int, place: int, student_ids: Sequence[UUID], teacher: UUID) -> Batch:
        lesson, lesson_id = generated.lessons[place], generated.ids[place]
        moment = self._time(lesson)
        header = BatchHeader(self._school.school_id, generated.course.course_id, number, teacher, moment)
        revisions = [
            Revision(self._new_id(moment), 1, lesson_id, student_id, lesson.lesson_date, self._draw_mark(student_id))
            for student_id in student_ids
        ]
        return build_batch(header, revisions, self._rng.randbytes(SALT_BYTES * len(revisions)))

    def _draw_mark(self, student_id: UUID) -> MarkValue | None:
        mark = round(self._rng.gauss(_MARKS_MEAN + _ABILITY_WEIGHT * self._ability[student_id], _MARKS_NOISE))
        return five_point(min(5, max(2, mark)))

    def _is_present(self, student_id: UUID, member: Any, day: date) -> bool:
        return day not in self._absences[student_id] and _covers(member.from_date, member.to_date, day)

    def _draw_absences(self) -> Mapping[UUID, Mapping[date, AbsenceCode]]:
        """Days missed by student: illnesses of some days, and single days."""
        absences: dict[UUID, dict[date, AbsenceCode]] = defaultdict(dict)
        if not self._periods:
            return absences
        first = self._periods[0].start_date
        days = [first + timedelta(days=number) for number in range((self._until - first).days)]
        for student_id in sorted({member.student_id for course in self._school.courses for member in course.members}):
            missed = absences[student_id]
            for day in days:
                if self._rng.random() < _FALLS_ILL:
                    for offset in range(self._rng.randrange(3, 8)):
                        missed[day + timedelta(days=offset)] = AbsenceCode.ILL
                elif self._rng.random() < _MISSES_DAY:
                    missed.setdefault(day, self._rng.choice((AbsenceCode.ABSENT, AbsenceCode.EXCUSED)))
        return absences

    def _time(self, lesson: PlannedLesson) -> datetime:
        """When a lesson's marks are recorded: at its end."""
        begun = datetime.combine(lesson.lesson_date, _FIRST_BELL, self._zone)
        return (begun + _LESSON_AND_BREAK * lesson.lesson_number).astimezone(UTC)

    def _new_id(self, moment: datetime) -> UUID:
        """A UUID of version 7 that depends on nothing but the random numbers."""
        noise = self._rng.getrandbits(74)
        high = (int(moment.timestamp() * 1000) << 16) | 0x7000 | (noise >> 62)
        return UUID(int=(high << 64) | (0b10 << 62) | (noise & ((1 << 62) - 1)))


def _covers(first: date, last: date | None, day: date) -> bool:
    return first <= day and (last is None or day <= last)


def _days_off(period: Period) -> set[date]:
    years = {period.start_date.year, period.end_date.year}
    return {date(year, *day) for year in years for day in _DAYS_OFF}
