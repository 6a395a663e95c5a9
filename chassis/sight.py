"""Who sees whom, as conditions of SQL made from the enums of diary.options.v1: said here, and in no statement by number.

Every condition is of a relation under an alias (`r` unless told otherwise). Ids are expressions of the statement, such as
`$2` or `c.class_id`.
A relation that is open stands in `relations` with its time; a session that lives is none of `ended_sessions`.
"""

from __future__ import annotations

from dataclasses import dataclass

from diary.options.v1 import options_pb2

STUDENT, CLASS, COURSE, SCHOOL = (
    options_pb2.RELATION_STUDENT,
    options_pb2.RELATION_CLASS,
    options_pb2.RELATION_COURSE,
    options_pb2.RELATION_SCHOOL,
)
_FAMILY = (options_pb2.ROLE_STUDENT, options_pb2.ROLE_GUARDIAN)


def of_kind(kind: int, alias: str = "r") -> str:
    """The relation is of this kind: STUDENT, CLASS, COURSE or SCHOOL."""
    return f"{alias}.kind = {kind}"


def in_role(*roles: int, alias: str = "r") -> str:
    """The relation is in one of these roles of diary.options.v1."""
    return f"{alias}.role IN ({', '.join(map(str, roles))})"


def sees_student(student: str, alias: str = "r") -> str:
    """The student's family: the student and the guardians."""
    return f"({of_kind(STUDENT, alias)} AND {in_role(*_FAMILY, alias=alias)} AND {alias}.object_id = {student})"


def teaches(course: str, alias: str = "r") -> str:
    """The course's teacher."""
    return f"({of_kind(COURSE, alias)} AND {in_role(options_pb2.ROLE_TEACHER, alias=alias)} AND {alias}.object_id = {course})"


def works_with_class(class_id: str, alias: str = "r") -> str:
    """The class's teacher («классный руководитель»)."""
    role = in_role(options_pb2.ROLE_CLASS_TEACHER, alias=alias)
    return f"({of_kind(CLASS, alias)} AND {role} AND {alias}.object_id = {class_id})"


def works_for_school(school: str, *roles: int, alias: str = "r") -> str:
    """Who works for the whole school in one of these roles."""
    return f"({of_kind(SCHOOL, alias)} AND {in_role(*roles, alias=alias)} AND {alias}.object_id = {school})"


def is_open(now: str, alias: str = "r") -> str:
    """The relation holds at this instant."""
    return f"{alias}.valid_from_time <= {now} AND ({alias}.valid_to_time IS NULL OR {alias}.valid_to_time > {now})"


def lives(session: str) -> str:
    """The session has not been ended; a token outlives its session by minutes."""
    return f"NOT EXISTS (SELECT FROM ended_sessions e WHERE e.session_id = {session})"


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks, by the expressions a statement has them under."""

    school: str = "$1"
    account: str = "$2"
    session: str = "$3"
    now: str = "$4"

    def holds(self, *any_of: str, alias: str = "r") -> str:
        """The relation is the viewer's, open, and one of these."""
        own = f"{alias}.school_id = {self.school} AND {alias}.account_id = {self.account}"
        return f"{own} AND {is_open(self.now, alias)} AND ({' OR '.join(any_of)})"

    def lives(self) -> str:
        """The viewer's session has not been ended."""
        return lives(self.session)

    def may(self, *any_of: str) -> str:
        """The viewer has one of these relations `r`, in a session that lives."""
        return f"EXISTS (SELECT FROM relations r WHERE {self.holds(*any_of)}) AND {self.lives()}"
