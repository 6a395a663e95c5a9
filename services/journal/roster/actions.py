"""Work that two doors need: events and the rebuild write the same projection."""

from uuid import UUID

from chassis import relations
from chassis.db import Connection
from services.journal.curriculum import store as curriculum
from services.journal.curriculum.rules import PLANNED_KINDS, PeriodKind, choose_common_kind, plan_periods, plan_work_types
from services.journal.roster import store as roster
from services.journal.roster.convert import Entries


async def apply_entries(connection: Connection, school_id: UUID, entries: Entries) -> None:
    """Writes roster entries of higher versions; a school's years and classes bring their periods. In a transaction."""
    await roster.lock_projection(connection, school_id)
    for school in entries.schools:
        if await roster.update_school(connection, school):
            await roster.insert_work_types(connection, school_id, plan_work_types(school_id))
    if entries.classes:
        await roster.update_classes(connection, school_id, entries.classes)
    if entries.schools or entries.classes:
        await _put_periods(connection, school_id)
    if entries.students:
        await roster.update_students(connection, school_id, entries.students)
    if entries.courses:
        await roster.update_courses(connection, school_id, entries.courses)
    if entries.classes or entries.students or entries.courses:
        await _put_course_kinds(connection, school_id, entries)
    if entries.relations:
        await relations.apply(connection, school_id, entries.relations)


async def _put_periods(connection: Connection, school_id: UUID) -> None:
    """The periods of a school's years, of each kind by which one of its classes goes; quarters in any case."""
    years = await roster.list_years(connection, school_id)
    # Of another kind, which a release to come has told, the periods come by that release.
    for kind in PLANNED_KINDS & ({PeriodKind.QUARTER} | await roster.list_class_kinds(connection, school_id)):
        for first, last in years:
            await curriculum.insert_periods(connection, school_id, kind, plan_periods(school_id, kind, first, last))


async def _put_course_kinds(connection: Connection, school_id: UUID, entries: Entries) -> None:
    """What courses go by, in whatever order they, their classes and their students are told."""
    kinds = await roster.list_course_kinds(
        connection,
        school_id,
        {course.course_id for course in entries.courses},
        {one.class_id for one in entries.classes},
        {student.student_id for student in entries.students},
    )
    chosen = {course_id: choose_common_kind(of_classes) for course_id, of_classes in kinds.items()}
    await roster.update_course_kinds(connection, school_id, chosen)
