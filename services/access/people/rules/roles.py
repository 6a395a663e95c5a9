"""Roles and kinds of relations, by the numbers of diary.options.v1."""

from enum import IntEnum


class Role(IntEnum):
    """A role that stands in relations and tokens."""

    STUDENT = 3
    GUARDIAN = 4
    TEACHER = 5
    CLASS_TEACHER = 6
    DEPUTY = 7
    SECRETARY = 8
    SPECIALIST = 9
    ADMIN = 10
    HEAD = 11
    OPERATOR = 12


class RelationKind(IntEnum):
    """What ties an account to an object."""

    STUDENT = 3
    CLASS = 4
    COURSE = 5
    SCHOOL = 6


STAFF = frozenset(role for role in Role if Role.TEACHER <= role <= Role.HEAD)
