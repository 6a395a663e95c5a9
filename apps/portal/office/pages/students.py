"""What several pages of the office ask of the roster."""

import asyncio
from datetime import date

from apps.portal.frame import Frame
from apps.portal.gateway import call
from diary.access.v1 import roster_service_pb2 as pb
from diary.access.v1 import student_pb2
from diary.access.v1.session_service_pb2 import GetCallerResponse


async def list_classes(frame: Frame, school_id: str, token: str) -> list[student_pb2.SchoolClass]:
    """All classes that the caller may see."""
    classes: list[student_pb2.SchoolClass] = []
    wanted = pb.ListClassesRequest(school_id=school_id, page_size=500)
    while True:
        answer = await call(frame.gateway.roster.ListClasses, wanted, token)
        classes += answer.classes
        wanted.page_token = answer.next_page_token
        if not wanted.page_token:
            return classes


async def list_students(
    frame: Frame, school_id: str, class_id: str, token: str, monday: date | None = None
) -> list[student_pb2.Student]:
    """All students of a class, in the week of a Monday where one is named, or, with an empty one, of all classes that the
    caller may see.
    """
    students: list[student_pb2.Student] = []
    wanted = pb.ListStudentsRequest(
        school_id=school_id, class_id=class_id, page_size=500, monday_date=monday.isoformat() if monday else ""
    )
    while True:
        answer = await call(frame.gateway.roster.ListStudents, wanted, token)
        students += answer.students
        wanted.page_token = answer.next_page_token
        if not wanted.page_token:
            return students


async def about_student(
    frame: Frame, school_id: str, student_id: str, token: str
) -> tuple[GetCallerResponse, student_pb2.Student, list[student_pb2.Guardianship]]:
    """The caller, a student, and the guardians; a child has fewer of them than a page holds."""
    roster = frame.gateway.roster
    caller, found, guardianships = await asyncio.gather(
        frame.callers.get(token),
        call(roster.GetStudent, pb.GetStudentRequest(school_id=school_id, student_id=student_id), token),
        call(roster.ListGuardianships, pb.ListGuardianshipsRequest(school_id=school_id, student_id=student_id), token),
    )
    return caller, found.student, list(guardianships.guardianships)
