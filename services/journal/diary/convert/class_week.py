"""A class's week as a message."""

from collections.abc import Iterable
from datetime import date

from diary.journal.v1 import class_week_pb2
from diary.journal.v1 import diary_service_pb2 as pb
from services.journal.diary.rules.class_week import ClassFrame, StudentWeek, SubjectWeek
from services.journal.diary.rules.weeks import write_week
from services.journal.lessons.rules.attendance import AbsenceCode
from services.journal.roster.convert import write_name


def write_class_week(
    class_id: str, frame: ClassFrame, monday: date, students: Iterable[StudentWeek]
) -> pb.GetClassWeekResponse:
    """The answer of GetClassWeek."""
    return pb.GetClassWeekResponse(
        class_id=class_id,
        class_name=frame.class_name,
        school_name=frame.school_name,
        time_zone=frame.time_zone,
        week=write_week(monday),
        monday_date=monday.isoformat(),
        period_name=frame.period.name,
        period_week=frame.period.week,
        period_week_count=frame.period.week_count,
        students=[_write_student(student) for student in students],
    )


def _write_student(student: StudentWeek) -> class_week_pb2.ClassWeekStudent:
    return class_week_pb2.ClassWeekStudent(
        student_id=str(student.student_id),
        display_name=student.display_name,
        name=write_name(student.name),
        subjects=[_write_subject(subject) for subject in student.subjects],
        lesson_count=sum(subject.lesson_count for subject in student.subjects),
        unexcused_count=student.absences[AbsenceCode.ABSENT],
        excused_count=student.absences[AbsenceCode.EXCUSED],
        ill_count=student.absences[AbsenceCode.ILL],
        late_count=student.absences[AbsenceCode.LATE],
    )


def _write_subject(subject: SubjectWeek) -> class_week_pb2.ClassWeekSubject:
    return class_week_pb2.ClassWeekSubject(
        course_id=str(subject.course_id),
        subject_name=subject.subject_name,
        is_marked=subject.is_marked,
        lesson_count=subject.lesson_count,
        missed_count=subject.missed_count,
        marks=[
            class_week_pb2.ClassWeekMark(
                value=mark.value or 0,
                work_type_name=mark.work_type_name,
                lesson_date=mark.lesson_date.isoformat(),
                topic=mark.topic,
            )
            for mark in subject.marks
        ],
        mean_hundredths=subject.mean_hundredths,
        corrections=[
            class_week_pb2.ClassWeekCorrection(
                lesson_date=correction.lesson_date.isoformat(),
                old_value=correction.old_value,
                new_value=correction.new_value,
                reason=correction.reason,
            )
            for correction in subject.corrections
        ],
        topics=subject.topics,
    )
