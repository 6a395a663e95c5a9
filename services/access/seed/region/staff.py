"""Courses of a school by the plan, and teachers for them with loads as real teachers have them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from random import Random
from uuid import UUID

from services.access.seed.region.names import FEMALE, MALE
from services.access.seed.region.plan import PlanRow, Split
from services.access.seed.region.roster import Class, Ids, Student, StudyGroup

CLASS_TEACHER = "class teacher"
# A class from this size on is divided for languages, informatics and crafts.
_DIVIDED_FROM = 20
# Hours a week that a teacher takes; in a small school people teach several subjects and more hours.
_TOWN_LOAD, _VILLAGE_LOAD = 25, 30
_VILLAGE_SPECIALTIES = {
    "informatics": "maths",
    "physics": "maths",
    "geography": "history",
    "chemistry": "biology",
    "crafts": "sport",
    "safety": "sport",
}


@dataclass(frozen=True, slots=True)
class Course:
    """A class or part of it with a subject, still without a teacher."""

    of_class: Class
    grades: tuple[int, ...]
    row: PlanRow
    group_name: str
    member_ids: tuple[UUID, ...]

    @property
    def hours(self) -> int:
        """Hours a week."""
        return self.row.hours[self.grades[0]]


@dataclass(slots=True)
class Teacher:
    """A teacher to be: what is taught, and when the whole school is covered, whose class it is."""

    specialty: str
    courses: list[Course] = field(default_factory=list)
    classes: list[Class] = field(default_factory=list)

    @property
    def load(self) -> int:
        """Hours a week; grades taught together in one class count once."""
        together: dict[tuple[UUID, str], int] = defaultdict(int)
        for course in self.courses:
            key = (course.of_class.class_id, course.row.subject)
            together[key] = max(together[key], course.hours)
        return sum(together.values())

    def hours_in(self, of_class: Class) -> int:
        """Hours a week in one class."""
        return sum(course.hours for course in self.courses if course.of_class == of_class)

    def teaches(self, of_class: Class, subject: str) -> bool:
        """Whether the subject is taught to the class by this teacher."""
        return any(course.of_class == of_class and course.row.subject == subject for course in self.courses)


def build_courses(plan: Sequence[PlanRow], classes: Iterable[Class], students: Sequence[Student]) -> list[Course]:
    """All courses of a school: each grade's subjects in each class, divided where the class is large."""
    members: dict[UUID, list[Student]] = defaultdict(list)
    for student in students:
        members[student.class_id].append(student)
    return [
        course
        for of_class in classes
        for row in plan
        for grades in _taught_together(row, of_class)
        for course in _divide(row, of_class, grades, [s for s in members[of_class.class_id] if s.grade in grades])
    ]


def _taught_together(row: PlanRow, of_class: Class) -> list[tuple[int, ...]]:
    """The grades of a class that have the subject, one by one, or all when they have it together and alike."""
    grades = tuple(grade for grade in of_class.grades if row.hours.get(grade))
    alike = {(row.hours[grade], row.is_marked(grade)) for grade in grades}
    return [grades] if row.is_joint and len(alike) == 1 else [(grade,) for grade in grades]


def _divide(row: PlanRow, of_class: Class, grades: tuple[int, ...], students: Sequence[Student]) -> list[Course]:
    name = f"{grades[0]} класс" if len(grades) < len(of_class.grades) else ""
    parts: dict[str, list[Student]] = {name: list(students)}
    if row.split is not Split.NONE and len(students) >= _DIVIDED_FROM:
        if row.split is Split.HALVES:
            parts = {"1 группа": list(students[::2]), "2 группа": list(students[1::2])}
        else:
            parts = {
                "мальчики": [s for s in students if s.person.gender == MALE],
                "девочки": [s for s in students if s.person.gender == FEMALE],
            }
    return [
        Course(of_class, grades, row, part, tuple(student.person.person_id for student in taught))
        for part, taught in parts.items()
        if taught
    ]


def appoint_teachers(courses: Sequence[Course], is_village: bool) -> list[Teacher]:
    """Teachers for all courses but those of class teachers, as few as the loads allow."""
    pools: dict[tuple[str, str], list[Teacher]] = defaultdict(list)
    limit = _VILLAGE_LOAD if is_village else _TOWN_LOAD
    for course in sorted(courses, key=lambda course: course.grades[0]):
        specialty = course.row.specialty
        if specialty == CLASS_TEACHER:
            continue
        if is_village:
            specialty = _VILLAGE_SPECIALTIES.get(specialty, specialty)
        # In grades 1-4 one teacher has the class.
        pool = pools[specialty, course.of_class.name if specialty == "primary" else ""]
        _teacher_for(course, pool, specialty, limit).courses.append(course)
    return [teacher for teachers in pools.values() for teacher in teachers]


def _teacher_for(course: Course, pool: list[Teacher], specialty: str, limit: int) -> Teacher:
    """One who teaches the class already, then one with hours left, then a new one; never two groups of a class at once."""
    free = [t for t in pool if not _is_taken(t, course) and t.load + _added_hours(t, course) <= limit]
    if not free:
        pool.append(Teacher(specialty))
        return pool[-1]
    return max(free, key=lambda teacher: teacher.hours_in(course.of_class))


def _is_taken(teacher: Teacher, course: Course) -> bool:
    return any(
        taught.of_class == course.of_class and taught.row == course.row and taught.grades == course.grades
        for taught in teacher.courses
    )


def _added_hours(teacher: Teacher, course: Course) -> int:
    return Teacher("", [*teacher.courses, course]).load - teacher.load


def appoint_class_teachers(courses: Sequence[Course], classes: Sequence[Class], teachers: Sequence[Teacher]) -> None:
    """Gives each class one of its teachers, and that teacher the courses that class teachers teach.

    The first class of grade 8 gets its teacher of algebra, whom the pages and examples show.
    """
    for of_class in sorted(classes, key=lambda c: c.grades != (8,)):
        chosen = max(
            teachers,
            key=lambda t: (
                not t.classes and t.hours_in(of_class) > 0,
                not t.classes,
                of_class.grades == (8,) and t.teaches(of_class, "Алгебра"),
                t.hours_in(of_class),
            ),
        )
        chosen.classes.append(of_class)
        chosen.courses += [c for c in courses if c.of_class == of_class and c.row.specialty == CLASS_TEACHER]


def build_study_groups(teachers: Iterable[tuple[UUID, Teacher]], ids: Ids) -> list[StudyGroup]:
    """The study groups of teachers with their person ids."""
    return [
        StudyGroup(
            study_group_id=ids.next(),
            class_id=course.of_class.class_id,
            grades=course.grades,
            subject=course.row.subject,
            group_name=course.group_name,
            is_marked=course.row.is_marked(course.grades[0]),
            weekly_hours=course.hours,
            teaching_id=ids.next(),
            teacher_id=person_id,
            member_ids=course.member_ids,
        )
        for person_id, teacher in teachers
        for course in teacher.courses
    ]


def choose_gender(rng: Random, specialty: str) -> str:
    """Women teach most subjects, men more often crafts, sport and safety."""
    men = 60 if specialty in ("sport", "crafts", "safety") else 12
    return MALE if rng.randrange(100) < men else FEMALE
