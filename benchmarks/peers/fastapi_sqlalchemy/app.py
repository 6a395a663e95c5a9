import os
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Annotated

import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import joinedload, selectinload

from benchmarks.peers.fastapi_sqlalchemy.models import Attendance, Course, Grant, Guardian, Lesson, Mark

SECRET = "a yardstick has no secrets, but HS256 wants 32 bytes"
engine = create_async_engine(os.environ["PEER_DATABASE_URL"])
sessions = async_sessionmaker(engine, expire_on_commit=False)
app = FastAPI()
bearer = HTTPBearer()


class MarkOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: int
    value: int
    revision: int


class LessonOut(BaseModel):
    id: int
    lesson_date: date
    lesson_number: int
    subject: str
    teachers: list[str]
    topic: str
    homework: str
    work_type: str
    marks: list[MarkOut]
    absence: str | None


class WeekOut(BaseModel):
    student: int
    monday: date
    lessons: list[LessonOut]


async def session() -> AsyncIterator[AsyncSession]:
    async with sessions() as session:
        yield session


async def caller(credentials: Annotated[HTTPAuthorizationCredentials, Depends(bearer)]) -> int:
    try:
        return int(jwt.decode(credentials.credentials, SECRET, algorithms=["HS256"])["sub"])
    except jwt.InvalidTokenError:
        raise HTTPException(401) from None


Session = Annotated[AsyncSession, Depends(session)]
Caller = Annotated[int, Depends(caller)]


@app.get("/api/students/{student_id}/week")
async def get_week(student_id: int, monday: date, session: Session, account_id: Caller) -> WeekOut:
    """The week of a student, for a guardian with a grant."""
    today = date.today()
    grant = await session.scalar(
        select(Grant)
        .join(Grant.guardian)
        .where(Guardian.account_id == account_id, Grant.student_id == student_id, Grant.start_date <= today)
        .where(or_(Grant.end_date.is_(None), Grant.end_date > today))
        .options(joinedload(Grant.student))
    )
    if grant is None:
        raise HTTPException(404)
    lessons = await session.scalars(
        select(Lesson)
        .join(Lesson.course)
        .where(Course.school_class_id == grant.student.school_class_id)
        .where(Lesson.lesson_date.between(monday, monday + timedelta(days=6)))
        .order_by(Lesson.lesson_date, Lesson.lesson_number)
        .options(
            joinedload(Lesson.course).options(joinedload(Course.subject), selectinload(Course.teachers)),
            selectinload(Lesson.marks.and_(Mark.student_id == student_id)),
            selectinload(Lesson.attendance.and_(Attendance.student_id == student_id)),
        )
    )
    return WeekOut(student=student_id, monday=monday, lessons=[lesson_out(lesson) for lesson in lessons])


def lesson_out(lesson: Lesson) -> LessonOut:
    return LessonOut(
        id=lesson.id,
        lesson_date=lesson.lesson_date,
        lesson_number=lesson.lesson_number,
        subject=lesson.course.subject.name,
        teachers=[teacher.display_name for teacher in lesson.course.teachers],
        topic=lesson.topic,
        homework=lesson.homework,
        work_type=lesson.work_type,
        marks=[MarkOut.model_validate(mark) for mark in lesson.marks],
        absence=lesson.attendance[0].code if lesson.attendance else None,
    )
