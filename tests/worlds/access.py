"""A small school in access's tables, made by the product's own statements, as the server's admin; each call makes another.

By SQL of the tests is what a list brings in (years, classes, orders, study groups): a list is a bundle of CSV files, which says
a school as it is today, and a world stands since 2020.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from chassis.clock import SetClock
from chassis.names import PersonName
from services.access.people.rules.guardianships import GuardianKind, Period
from services.access.people.rules.roles import Role
from services.access.people.store import guardianships, people
from services.access.rights.actions.passwords import hash_password
from services.access.rights.actions.relations import derive_relations
from services.access.rights.store import accounts, grants, sessions

PASSWORD = "Verno-2026-пароль"
_HASH = hash_password(PASSWORD)
# Long ago and far ahead, so that the tests hold on any day.
START, END = date(2020, 9, 1), date(2090, 9, 1)
GRANTED = datetime(2025, 9, 1, 8, tzinfo=UTC)
ZONE = "Europe/Simferopol"

Connection = Any


@dataclass(eq=False)
class Person:
    """A person with an account and a live session."""

    person_id: UUID
    account_id: UUID
    session_id: UUID
    login: str


@dataclass
class SchoolWorld:
    """A school with classes 8-А and 8-Б, a student in each, families and staff."""

    connection: Connection
    school_id: UUID
    code: str
    year_id: UUID
    classes: dict[str, UUID] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    grants: dict[str, UUID] = field(default_factory=dict)

    async def add_person(
        self, key: str, family: str, given: str, patronymic: str = "", *, account_id: UUID | None = None
    ) -> Person:
        """A person; with an account of their own, or another school's."""
        person_id = await people.insert_person(self.connection, self.school_id, PersonName(family, given, patronymic))
        login = f"{key}-{uuid4().hex[:10]}"
        if account_id is None:
            account_id = await accounts.insert_account(self.connection, self.school_id, person_id, login, GRANTED)
            assert account_id is not None
            # As activated long ago; hashing takes its time.
            await self.connection.execute(
                "UPDATE access.accounts SET password_hash = $2 WHERE account_id = $1", account_id, _HASH
            )
        else:
            await self.connection.execute(
                "INSERT INTO access.account_people (account_id, school_id, person_id) VALUES ($1, $2, $3)",
                account_id,
                self.school_id,
                person_id,
            )
        session_id = await add_session(self.connection, account_id)
        self.people[key] = Person(person_id, account_id, session_id, login)
        return self.people[key]

    async def add_student(self, key: str, class_name: str, family: str, given: str) -> Person:
        """A student, enrolled by order and placed in a class."""
        person = await self.add_person(key, family, given)
        await self._execute("INSERT INTO access.students (school_id, student_id) VALUES ($1, $2)", person.person_id)
        await self.enrol(person, self.classes[class_name])
        return person

    async def enrol(self, person: Person, class_id: UUID) -> None:
        """Enrols a student by order and places the student in a class."""
        await self._execute(
            """
            INSERT INTO access.enrolments (school_id, student_id, order_number, order_date, validity)
            VALUES ($1, $2, '15-у', '2020-08-30', daterange($3, NULL))
            """,
            person.person_id,
            START,
        )
        await self._execute(
            """
            INSERT INTO access.placements (school_id, student_id, class_id, validity) VALUES ($1, $2, $3, daterange($4, NULL))
            """,
            person.person_id,
            class_id,
            START,
        )

    async def add_class(self, name: str, grades: list[int]) -> UUID:
        """A class of the current year."""
        class_id: UUID = await self._value(
            "INSERT INTO access.classes (school_id, year_id, name, grades) VALUES ($1, $2, $3, $4) RETURNING class_id",
            self.year_id,
            name,
            grades,
        )
        self.classes[name] = class_id
        return class_id

    async def appoint(self, key: str, role: Role, class_name: str | None = None, to_date: date | None = None) -> UUID:
        """Appoints a person by order."""
        appointment_id: UUID = await self._value(
            """
            INSERT INTO access.appointments (school_id, person_id, role, class_id, order_number, order_date, validity)
            VALUES ($1, $2, $3, $4, '7-к', '2020-08-28', daterange($5, $6)) RETURNING appointment_id
            """,
            self.people[key].person_id,
            role,
            self.classes[class_name] if class_name else None,
            START,
            to_date,
        )
        return appointment_id

    async def grant(self, holder: str, student: str, kind: str = "mother", end_time: datetime | None = None) -> UUID:
        """Gives a guardian (or with holder = student, the student) access."""
        holder_id, student_id = self.people[holder].person_id, self.people[student].person_id
        guardianship_id = None
        if holder != student:
            guardianship_id = await guardianships.insert_guardianship(
                self.connection,
                self.school_id,
                holder_id,
                student_id,
                "Свидетельство о рождении I-АЯ № 123456",
                [Period(GuardianKind(kind), START, None)],
            )
        new = grants.NewGrant(
            student_id=student_id,
            account_id=self.people[holder].account_id,
            holder_id=holder_id,
            role=Role.STUDENT if holder == student else Role.GUARDIAN,
            guardianship_id=guardianship_id,
            application_number="12",
            application_date=date(2025, 8, 29),
            granted_by_account_id=self.people["admin"].account_id,
            granted_by_role=Role.ADMIN,
            grant_time=GRANTED,
        )
        grant_id = await grants.insert_grant(self.connection, self.school_id, new)
        if end_time:
            await self._execute(
                "UPDATE access.grants SET end_time = $3, end_ground = 'revoked' WHERE school_id = $1 AND grant_id = $2",
                grant_id,
                end_time,
            )
        self.grants[holder if holder not in self.grants else f"{holder}:{student}"] = grant_id
        return grant_id

    async def add_study_group(self, class_name: str, subject: str, teacher: str, *students: str) -> UUID:
        """A study group of the year with its teacher and members."""
        group_id: UUID = await self._value(
            """
            INSERT INTO access.study_groups (school_id, year_id, class_id, subject_name, validity)
            VALUES ($1, $2, $3, $4, daterange($5, $6)) RETURNING study_group_id
            """,
            self.year_id,
            self.classes[class_name],
            subject,
            START,
            END,
        )
        await self._execute(
            """
            INSERT INTO access.study_group_teachers (school_id, study_group_id, person_id, validity)
            VALUES ($1, $2, $3, daterange($4, $5))
            """,
            group_id,
            self.people[teacher].person_id,
            START,
            END,
        )
        for student in students:
            await self._execute(
                """
                INSERT INTO access.study_group_members (school_id, study_group_id, student_id, validity)
                VALUES ($1, $2, $3, daterange($4, NULL))
                """,
                group_id,
                self.people[student].person_id,
                START,
            )
        return group_id

    async def derive(self, *keys: str) -> None:
        """Derives relations of the people named, of all when none is."""
        people = [self.people[key].person_id for key in keys or self.people]
        async with self.connection.transaction():
            await derive_relations(self.connection, SetClock(datetime.now(UTC)), self.school_id, people)  # noqa: TID251

    async def end_sessions_of(self, key: str) -> None:
        """Ends the sessions of a person, here only."""
        await self.connection.execute(
            "UPDATE access.sessions SET end_time = $2 WHERE account_id = $1", self.people[key].account_id, GRANTED
        )

    async def _value(self, statement: str, *values: Any) -> Any:
        return await self.connection.fetchval(statement, self.school_id, *values)

    async def _execute(self, statement: str, *values: Any) -> None:
        await self.connection.execute(statement, self.school_id, *values)


async def add_session(connection: Connection, account_id: UUID) -> UUID:
    """A live session whose refresh token nobody has."""
    digests = uuid4().bytes, uuid4().bytes, b""
    return await sessions.insert_session(connection, account_id, *digests, GRANTED, GRANTED + timedelta(days=36500))


async def make_empty_school(connection: Connection) -> SchoolWorld:
    """A school with a year and nobody in it."""
    code = uuid4().hex[:12]
    school_id = await connection.fetchval(
        """
        INSERT INTO access.schools (code, name, full_name, time_zone) VALUES ($1, 'Школа', 'Средняя школа', $2)
        RETURNING school_id
        """,
        code,
        ZONE,
    )
    year_id = await connection.fetchval(
        """
        INSERT INTO access.school_years (school_id, name, validity) VALUES ($1, '2026/27', daterange($2, $3)) RETURNING year_id
        """,
        school_id,
        START,
        END,
    )
    await connection.execute("UPDATE access.schools SET current_year_id = $2 WHERE school_id = $1", school_id, year_id)
    return SchoolWorld(connection, school_id, code, year_id)


async def make_school(connection: Connection) -> SchoolWorld:
    """Anna of 8-А with mother and father, Boris of 8-Б with his mother; all with grants; staff of five roles."""
    world = await make_empty_school(connection)
    await world.add_class("8-А", [8])
    await world.add_class("8-Б", [8])
    await world.add_person("admin", "Админова", "Ольга", "Сергеевна")
    await world.add_student("anna", "8-А", "Ёлкина", "Анна")
    await world.add_student("boris", "8-Б", "Жуков", "Борис")
    await world.add_person("mother", "Ёлкина", "Мария", "Ивановна")
    await world.add_person("father", "Ёлкин", "Пётр", "Ильич")
    await world.add_person("other_mother", "Жукова", "Вера", "Павловна")
    await world.add_person("class_teacher", "Петрова", "Нина", "Ивановна")
    await world.add_person("other_class_teacher", "Сидорова", "Алла", "Юрьевна")
    await world.add_person("teacher", "Учителев", "Иван", "Ильич")
    await world.appoint("admin", Role.ADMIN)
    await world.appoint("class_teacher", Role.CLASS_TEACHER, "8-А")
    await world.appoint("other_class_teacher", Role.CLASS_TEACHER, "8-Б")
    await world.appoint("teacher", Role.TEACHER)
    await world.grant("anna", "anna")
    await world.grant("mother", "anna")
    await world.grant("father", "anna", "father")
    await world.grant("other_mother", "boris")
    await world.derive()
    return world


async def connect(admin_dsn: str) -> asyncpg.Connection[asyncpg.Record]:
    """A connection as the server's admin with access's tables in its path."""
    return await asyncpg.connect(admin_dsn, server_settings={"search_path": "access"})
