"""First credentials, kept as digests: one-time passwords as argon2id, activation tokens as SHA-256 (Clauses R25, R26)."""

# ruff: noqa: S608 - the statements are composed of constants of this room and of chassis/sight.py

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chassis import sight
from chassis.db import Connection
from services.access.people.rules.names import PersonName
from services.access.people.rules.roles import Role
from services.access.rights.rules.credentials import DeliveryGrant, SlipGrant


@dataclass(frozen=True, slots=True)
class FirstCredentials:
    """An account with what it may be activated by. `one_time_hash` is None when no one-time password is live."""

    account_id: UUID
    login: str
    is_operator: bool
    one_time_hash: str | None


async def find_slip_grant(
    connection: Connection, school_id: UUID, grant_id: UUID, account_id: UUID, now: datetime
) -> SlipGrant | None:
    """A grant with the words of its slip, and the roles of an account towards its student. In `db.school`."""
    row = await connection.fetchrow(
        f"""
        SELECT g.grant_id, g.account_id, a.login, g.end_time IS NULL AS is_open, a.is_activated, a.slip_count,
               g.holder_person_id AS holder_id, h.family_name AS holder_family_name, h.given_name AS holder_given_name,
               h.patronymic AS holder_patronymic, g.student_id, s.family_name AS student_family_name,
               s.given_name AS student_given_name, s.patronymic AS student_patronymic, k.class_name,
               t.family_name AS teacher_family_name, t.given_name AS teacher_given_name, t.patronymic AS teacher_patronymic,
               b.family_name AS giver_family_name, b.given_name AS giver_given_name, b.patronymic AS giver_patronymic,
               g.application_number, g.application_date, m.application_id, c.name AS school_name, c.time_zone,
               roles_towards($1, g.student_id, $3, $4) AS caller_roles
        FROM grants g
        JOIN schools c USING (school_id)
        JOIN accounts a USING (account_id)
        JOIN people h ON h.school_id = g.school_id AND h.person_id = g.holder_person_id
        JOIN people s ON s.school_id = g.school_id AND s.person_id = g.student_id
        CROSS JOIN LATERAL student_card($1, g.student_id, $4) k
        LEFT JOIN LATERAL (
            SELECT p.family_name, p.given_name, p.patronymic
            FROM appointments f JOIN people p USING (school_id, person_id)
            WHERE f.school_id = $1 AND f.class_id = k.class_id AND {sight.in_role(Role.CLASS_TEACHER, alias="f")}
              AND f.validity @> ($4::timestamptz AT TIME ZONE c.time_zone)::date
            ORDER BY lower(f.validity) DESC, f.appointment_id LIMIT 1
        ) t ON true
        LEFT JOIN account_people w ON w.school_id = g.school_id AND w.account_id = $3
        LEFT JOIN people b ON b.school_id = w.school_id AND b.person_id = w.person_id
        LEFT JOIN LATERAL (
            SELECT application_id FROM applicants
            WHERE school_id = $1 AND applicants.grant_id = g.grant_id ORDER BY applicant_id DESC LIMIT 1
        ) m ON true
        WHERE g.school_id = $1 AND g.grant_id = $2
        """,
        school_id,
        grant_id,
        account_id,
        now,
    )
    if row is None:
        return None
    plain = {key: value for key, value in row.items() if not key.endswith(("_family_name", "_given_name", "_patronymic"))}
    people = {
        key: PersonName(row[f"{word}_family_name"], row[f"{word}_given_name"], row[f"{word}_patronymic"])
        if row[f"{word}_family_name"]
        else None
        for key, word in (("holder", "holder"), ("student", "student"), ("class_teacher", "teacher"), ("handed_by", "giver"))
    }
    return SlipGrant(**{**plain, **people, "caller_roles": frozenset(row["caller_roles"])})


async def take_issue(connection: Connection, account_id: UUID, issue_number: int) -> bool:
    """Takes the number of a slip; False when another has taken it, or the account was activated meanwhile. In `db.school`."""
    status = await connection.execute(
        "UPDATE accounts SET slip_count = $2 WHERE account_id = $1 AND slip_count = $2 - 1 AND NOT is_activated",
        account_id,
        issue_number,
    )
    return status == "UPDATE 1"


async def replace_one_time_password(
    connection: Connection, account_id: UUID, issue_number: int, password_hash: str, now: datetime, expire_time: datetime
) -> None:
    """Voids the live one-time password of an account and keeps the hash of the next. In `db.school`."""
    await void_one_time_passwords(connection, account_id, now)
    await connection.execute(
        """
        INSERT INTO one_time_passwords (account_id, issue_number, password_hash, create_time, expire_time)
        VALUES ($1, $2, $3, $4, $5)
        """,
        account_id,
        issue_number,
        password_hash,
        now,
        expire_time,
    )


async def void_one_time_passwords(connection: Connection, account_id: UUID, now: datetime) -> None:
    """Voids the live one-time password; its hash is forgotten. In `db.school` or `db.region`."""
    await connection.execute(
        "UPDATE one_time_passwords SET void_time = $2, password_hash = NULL WHERE account_id = $1 AND void_time IS NULL",
        account_id,
        now,
    )


async def lock_delivery_grant(connection: Connection, school_id: UUID, grant_id: UUID) -> DeliveryGrant | None:
    """A grant whose credentials are to be sent; its account is held, so that mints and activation go one by one.
    In `db.school`.
    """
    row = await connection.fetchrow(
        """
        SELECT g.account_id, coalesce(m.email, '') AS email, g.end_time IS NULL AS is_open, a.is_activated,
               s.name AS school_name, s.time_zone, a.login, g.application_number, g.application_date,
               p.family_name, p.given_name, p.patronymic
        FROM grants g
        JOIN schools s USING (school_id)
        JOIN accounts a USING (account_id)
        JOIN people p ON p.school_id = g.school_id AND p.person_id = g.student_id
        LEFT JOIN LATERAL (
            SELECT email FROM applicants
            WHERE school_id = $1 AND grant_id = $2 AND credentials_way = 2 ORDER BY applicant_id DESC LIMIT 1
        ) m ON true
        WHERE g.school_id = $1 AND g.grant_id = $2
        FOR UPDATE OF a
        """,
        school_id,
        grant_id,
    )
    if row is None:
        return None
    values = dict(row)
    name = PersonName(values.pop("family_name"), values.pop("given_name"), values.pop("patronymic"))
    return DeliveryGrant(**values, student_name=name)


async def insert_token(
    connection: Connection, account_id: UUID, token_digest: bytes, now: datetime, expire_time: datetime, most: int
) -> None:
    """Keeps the digest of an activation token; of more than `most` the oldest goes. In `db.school`, with the account held."""
    await connection.execute(
        """
        WITH gone AS (
            DELETE FROM activation_tokens WHERE token_digest IN (
                SELECT token_digest FROM activation_tokens WHERE account_id = $1
                ORDER BY create_time DESC, token_digest OFFSET $5 - 1
            )
        )
        INSERT INTO activation_tokens (token_digest, account_id, create_time, expire_time) VALUES ($2, $1, $3, $4)
        """,
        account_id,
        token_digest,
        now,
        expire_time,
        most,
    )


async def find_by_token(connection: Connection, token_digest: bytes, now: datetime) -> FirstCredentials | None:
    """The account that a live token activates. In `db.region`."""
    row = await connection.fetchrow(
        """
        SELECT a.account_id, a.login, a.is_operator, NULL AS one_time_hash
        FROM activation_tokens t JOIN accounts a USING (account_id)
        WHERE t.token_digest = $1 AND t.expire_time > $2 AND NOT a.is_activated
        """,
        token_digest,
        now,
    )
    return FirstCredentials(**row) if row else None


async def find_by_login(connection: Connection, login: str, now: datetime) -> FirstCredentials | None:
    """The account of a lower-case login that is not activated. In `db.region`."""
    row = await connection.fetchrow(
        """
        SELECT a.account_id, a.login, a.is_operator, o.password_hash AS one_time_hash
        FROM accounts a
        LEFT JOIN one_time_passwords o ON o.account_id = a.account_id AND o.void_time IS NULL AND o.expire_time > $2
        WHERE a.login = $1 AND NOT a.is_activated
        """,
        login,
        now,
    )
    return FirstCredentials(**row) if row else None


async def activate(
    connection: Connection, found: FirstCredentials, token_digest: bytes, password_hash: str, now: datetime
) -> bool:
    """Sets the own password, if what was shown still holds: the token, or the one-time password where none was shown.
    All first credentials are void from then on. False when they were replaced or used meanwhile. In `db.region`.
    """
    status = await connection.execute(
        """
        UPDATE accounts SET password_hash = $2, activated_time = $3
        WHERE account_id = $1 AND NOT is_activated AND (
            EXISTS (SELECT FROM activation_tokens WHERE token_digest = $4 AND account_id = $1)
            OR EXISTS (SELECT FROM one_time_passwords WHERE account_id = $1 AND password_hash = $5))
        """,
        found.account_id,
        password_hash,
        now,
        token_digest,
        found.one_time_hash,
    )
    if status != "UPDATE 1":
        return False
    await void_one_time_passwords(connection, found.account_id, now)
    await connection.execute("DELETE FROM activation_tokens WHERE account_id = $1", found.account_id)
    return True


async def delete_old_tokens(connection: Connection, now: datetime) -> None:
    """Forgets tokens that ran out. In `db.region`."""
    await connection.execute("DELETE FROM activation_tokens WHERE expire_time < $1", now)
