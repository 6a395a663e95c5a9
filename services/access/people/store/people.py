"""People that applications bring: guardians, their guardianships, accounts and grants. In `db.school`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from asyncpg import Range

from chassis.db import Connection
from services.access.people.rules.guardianships import Authority, GuardianKind, Period
from services.access.people.rules.names import PersonName, build_sort_key


@dataclass(frozen=True, slots=True)
class Guardianship:
    """A guardianship in force."""

    guardianship_id: UUID
    kind: GuardianKind
    authority: Authority


@dataclass(frozen=True, slots=True)
class NewGrant:
    """A grant to be written; `guardianship_id` is None for the student's own."""

    student_id: UUID
    account_id: UUID
    holder_id: UUID
    role: int
    guardianship_id: UUID | None
    application_number: str
    application_date: date
    granted_by_account_id: UUID
    granted_by_role: int
    grant_time: datetime


async def find_guardianship(
    connection: Connection, school_id: UUID, person_id: UUID, student_id: UUID, day: date
) -> Guardianship | None:
    """The guardianship of a person over a student that is in force on a day."""
    row = await connection.fetchrow(
        """
        SELECT guardianship_id, kind, document, upper(validity) AS to_date FROM standing_guardianships
        WHERE school_id = $1 AND student_id = $3 AND guardian_person_id = $2 AND validity @> $4::date
        """,
        school_id,
        person_id,
        student_id,
        day,
    )
    if row is None:
        return None
    kind = GuardianKind(row["kind"])
    # Of the other kinds the end is the law's.
    last_date = row["to_date"] - timedelta(days=1) if kind is GuardianKind.REPRESENTATIVE and row["to_date"] else None
    return Guardianship(row["guardianship_id"], kind, Authority(row["document"], last_date=last_date))


async def may_apply_anew(
    connection: Connection, school_id: UUID, person_id: UUID, student_id: UUID, account_id: UUID, now: datetime
) -> bool:
    """Whether a person without a guardianship in force over a student may be named to have one shown: a guardian, now or
    before, of a student for whom the account acts, or an applicant about one, whom no act has parted from this student.
    """
    may: bool = await connection.fetchval(
        """
        SELECT bool_or(cardinality(roles_towards($1, student_id, $4, $5)) > 0)
               AND bool_and(student_id <> $3 OR end_ground IS NULL)
        FROM (
            SELECT student_id, end_ground FROM guardianships WHERE school_id = $1 AND guardian_person_id = $2
            UNION ALL
            SELECT a.student_id, NULL FROM applicants m JOIN applications a USING (school_id, application_id)
            WHERE m.school_id = $1 AND m.person_id = $2 AND m.guardian_kind IS NOT NULL
        ) known
        """,
        school_id,
        person_id,
        student_id,
        account_id,
        now,
    )
    return bool(may)


async def lock_people(connection: Connection, school_id: UUID, person_ids: Sequence[UUID]) -> None:
    """Holds people until the transaction ends: what each may have one of is then written by one hand at a time."""
    await connection.execute(
        """
        SELECT FROM people WHERE school_id = $1 AND person_id = ANY ($2::uuid[]) ORDER BY person_id FOR NO KEY UPDATE
        """,
        school_id,
        person_ids,
    )


async def insert_person(connection: Connection, school_id: UUID, name: PersonName) -> UUID:
    """A new person of a school."""
    person_id: UUID = await connection.fetchval(
        """
        INSERT INTO people (school_id, family_name, given_name, patronymic, sort_key) VALUES ($1, $2, $3, $4, $5)
        RETURNING person_id
        """,
        school_id,
        name.family_name,
        name.given_name,
        name.patronymic,
        build_sort_key(name.family_name, name.given_name, name.patronymic),
    )
    return person_id


async def insert_guardianship(
    connection: Connection, school_id: UUID, person_id: UUID, student_id: UUID, document: str, periods: Sequence[Period]
) -> UUID:
    """A guardianship by a document, over periods that follow each other; returns the id of the first."""
    rows = await connection.fetch(
        """
        INSERT INTO guardianships (school_id, guardian_person_id, student_id, kind, document, validity)
        SELECT $1, $2, $3, kind, $4, validity FROM unnest($5::text[], $6::daterange[]) AS period (kind, validity)
        RETURNING guardianship_id
        """,
        school_id,
        person_id,
        student_id,
        document,
        [period.kind for period in periods],
        [Range(period.from_date, period.to_date) for period in periods],
    )
    first: UUID = rows[0]["guardianship_id"]
    return first


async def set_guardianship(connection: Connection, school_id: UUID, applicant_id: UUID, guardianship_id: UUID) -> None:
    """Notes the guardianship that an applicant's case has made."""
    await connection.execute(
        "UPDATE applicants SET guardianship_id = $3 WHERE school_id = $1 AND applicant_id = $2",
        school_id,
        applicant_id,
        guardianship_id,
    )


async def list_logins(connection: Connection, start: str) -> list[str]:
    """All logins of the region that begin so; `start` is of the letters of logins."""
    # Above every character of a login.
    rows = await connection.fetch("SELECT login FROM accounts WHERE login >= $1 AND login < $1 || '{'", start)
    return [row["login"] for row in rows]


async def insert_account(connection: Connection, school_id: UUID, person_id: UUID, login: str, now: datetime) -> UUID | None:
    """An account without an own password for a person who has none; None when the login was taken meanwhile."""
    account_id: UUID | None = await connection.fetchval(
        "INSERT INTO accounts (login, create_time) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING account_id", login, now
    )
    if account_id is not None:
        await connection.execute(
            "INSERT INTO account_people (account_id, school_id, person_id) VALUES ($1, $2, $3)",
            account_id,
            school_id,
            person_id,
        )
    return account_id


async def find_open_grant(connection: Connection, school_id: UUID, student_id: UUID, account_id: UUID) -> UUID | None:
    """The open grant of a student to an account, held still."""
    grant_id: UUID | None = await connection.fetchval(
        """
        SELECT grant_id FROM grants WHERE school_id = $1 AND student_id = $2 AND account_id = $3 AND end_time IS NULL FOR SHARE
        """,
        school_id,
        student_id,
        account_id,
    )
    return grant_id


async def insert_grant(connection: Connection, school_id: UUID, grant: NewGrant) -> UUID:
    """A new grant; its relation is derived by actions/relations.py."""
    grant_id: UUID = await connection.fetchval(
        """
        INSERT INTO grants (school_id, student_id, account_id, holder_person_id, role, guardianship_id, application_number,
                            application_date, granted_by_account_id, granted_by_role, grant_time)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING grant_id
        """,
        school_id,
        grant.student_id,
        grant.account_id,
        grant.holder_id,
        grant.role,
        grant.guardianship_id,
        grant.application_number,
        grant.application_date,
        grant.granted_by_account_id,
        grant.granted_by_role,
        grant.grant_time,
    )
    return grant_id
