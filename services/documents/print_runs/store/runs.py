"""Print runs, their sheets, hand-overs and numbers. All in `db.school`."""

# ruff: noqa: S608 - the statements are composed of constants of this room

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from chassis import sight
from chassis.auth import Caller
from chassis.db import Connection
from diary.options.v1 import options_pb2
from services.documents.print_runs.rules.paper_families import NOBODY, Addressee
from services.documents.print_runs.rules.runs import CLAUSE, Channel, Handed, HandOver, Printout, PrintRun, Sheet
from services.documents.print_runs.store.paper_families import STILL_OWED

_COUNTER = "printouts"

# $1 school, $2 account, $3 session, $4 now.
_VIEWER = sight.Viewer()


def _works_with(class_id: str) -> str:
    """Who works with a class's printouts: its class teacher and the school's admin."""
    return _VIEWER.may(sight.works_with_class(class_id), sight.works_for_school("$1", options_pb2.ROLE_ADMIN))


# The newest record of a sheet is its state.
_NEWEST = """
SELECT hand_over_id, channel, handed_date, note, is_receipted, record_time, account_id FROM hand_overs
WHERE school_id = $1 AND print_run_id = {sheet}.print_run_id AND student_id = {sheet}.student_id
  AND guardian_person_id = {sheet}.guardian_person_id
ORDER BY hand_over_id DESC LIMIT 1
"""
# A sheet for nobody in particular is for any guardian of the student's.
_SAME_ADDRESSEE = f"""
{{other}}.student_id = o.student_id AND ({{other}}.guardian_person_id = o.guardian_person_id
    OR {{other}}.guardian_person_id = '{NOBODY}' OR o.guardian_person_id = '{NOBODY}')
"""

_RUNS = f"""
SELECT p.print_run_id, p.class_id, p.class_name, p.monday_date, p.time_zone, p.create_time, p.pdf_sha256,
    d.due_time, d.met_time,
    ARRAY(
        SELECT ROW(o.student_id, o.guardian_person_id, o.recipient_name, o.student_name, o.year, o.sheet_number,
                   o.declaration_number, o.wanted_channel, o.wanted_note,
                   EXISTS (SELECT FROM owed_printouts w
                           WHERE w.school_id = $1 AND w.class_id = p.class_id AND w.monday_date = p.monday_date
                             AND {_SAME_ADDRESSEE.format(other="w")}
                             AND {STILL_OWED.format(owed="w", end="d.due_time")}),
                   EXISTS (SELECT FROM printouts w
                           LEFT JOIN LATERAL ({_NEWEST.format(sheet="w")}) AS n ON true
                           WHERE w.school_id = $1 AND w.monday_date = p.monday_date AND w.print_run_id <> p.print_run_id
                             AND {_SAME_ADDRESSEE.format(other="w")} AND (w.print_run_id > p.print_run_id OR n.channel <
                             {Channel.NOT_HANDED_OVER})),
                   h.channel, h.handed_date, h.note, h.is_receipted, h.record_time, h.account_id)
        FROM printouts o
        LEFT JOIN LATERAL ({_NEWEST.format(sheet="o")}) AS h ON true
        WHERE o.school_id = $1 AND o.print_run_id = p.print_run_id ORDER BY o.list_number
    ) AS printouts
FROM print_runs p
LEFT JOIN deadlines d ON d.school_id = $1 AND d.clause = '{CLAUSE}' AND d.class_id = p.class_id AND d.monday_date =
p.monday_date AND NOT d.is_void
WHERE p.school_id = $1
"""

FIND_RUN = f"{_RUNS} AND p.print_run_id = $5 AND {_works_with('p.class_id')}"
LIST_RUNS = f"""
{_RUNS} AND p.class_id = $2 AND ($3::date IS NULL OR p.monday_date = $3) AND p.print_run_id < $4
ORDER BY p.print_run_id DESC LIMIT $5
"""
LIST_HANDED = f"""
SELECT o.student_id, o.guardian_person_id, n.handed_date, n.record_time, p.time_zone, n.hand_over_id
FROM print_runs p
JOIN printouts o ON o.school_id = $1 AND o.print_run_id = p.print_run_id AND o.student_id = ANY ($3::uuid[])
CROSS JOIN LATERAL ({_NEWEST.format(sheet="o")}) n
WHERE p.school_id = $1 AND p.monday_date = $2 AND n.channel < {Channel.NOT_HANDED_OVER}
"""
_FIND_PDF = f"""
SELECT p.pdf FROM print_runs p
WHERE p.school_id = $1 AND p.print_run_id = $5 AND {_works_with("p.class_id")}
"""


@dataclass(frozen=True, slots=True)
class NewRun:
    """A run to be kept, with its PDF."""

    school_id: UUID
    class_id: UUID
    class_name: str
    monday: date
    time_zone: str
    account_id: UUID
    create_time: datetime
    pdf: bytes
    pdf_sha256: bytes


async def works_with_class(connection: Connection, school_id: UUID, class_id: UUID, who: Caller, now: datetime) -> bool:
    """Whether the caller prepares a class's printouts."""
    statement = f"SELECT {_works_with('$5')}"
    return bool(await connection.fetchval(statement, school_id, who.account_id, who.session_id, now, class_id))


async def take_numbers(connection: Connection, school_id: UUID, year: int, count: int) -> int:
    """The first of `count` numbers without gaps of a school and school year; locks until the transaction ends."""
    last: int = await connection.fetchval(
        """
        INSERT INTO counters AS kept (school_id, name, year, value) VALUES ($1, $2, $3, $4)
        ON CONFLICT (school_id, name, year) DO UPDATE SET value = kept.value + $4
        RETURNING value
        """,
        school_id,
        _COUNTER,
        year,
        count,
    )
    return last - count + 1


async def insert_run(connection: Connection, run: NewRun, sheets: Sequence[Sheet]) -> UUID:
    """Keeps a run with its sheets; returns its id."""
    print_run_id: UUID = await connection.fetchval(
        """
        INSERT INTO print_runs (school_id, class_id, class_name, monday_date, time_zone, account_id, create_time, pdf,
                                pdf_sha256)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING print_run_id
        """,
        run.school_id,
        run.class_id,
        run.class_name,
        run.monday,
        run.time_zone,
        run.account_id,
        run.create_time,
        run.pdf,
        run.pdf_sha256,
    )
    await connection.executemany(
        """
        INSERT INTO printouts (school_id, print_run_id, student_id, guardian_person_id, recipient_name, list_number,
                               student_name, year, sheet_number, declaration_number, wanted_channel, wanted_note)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        """,
        [
            (
                run.school_id,
                print_run_id,
                sheet.student.student_id,
                sheet.guardian_id,
                sheet.recipient_name,
                place,
                sheet.student.name,
                sheet.year,
                sheet.number,
                sheet.declaration_number,
                sheet.wanted or 0,
                sheet.wanted_note,
            )
            for place, sheet in enumerate(sheets, 1)
        ],
    )
    await connection.execute(
        "INSERT INTO print_run_digests (pdf_sha256, school_id, print_run_id) VALUES ($1, $2, $3)",
        run.pdf_sha256,
        run.school_id,
        print_run_id,
    )
    return print_run_id


async def find_run(connection: Connection, school_id: UUID, print_run_id: UUID, who: Caller, now: datetime) -> PrintRun | None:
    """A run of a class that the caller works with; None when absent or not the caller's."""
    row = await connection.fetchrow(FIND_RUN, school_id, who.account_id, who.session_id, now, print_run_id)
    return None if row is None else _build_run(row)


async def find_pdf(connection: Connection, school_id: UUID, print_run_id: UUID, who: Caller, now: datetime) -> bytes | None:
    """The PDF of a run of a class that the caller works with."""
    pdf: bytes | None = await connection.fetchval(_FIND_PDF, school_id, who.account_id, who.session_id, now, print_run_id)
    return pdf


async def list_runs(
    connection: Connection, school_id: UUID, class_id: UUID, monday: date | None, before: UUID, limit: int
) -> list[PrintRun]:
    """Runs of a class before a key, the newest first: of one week, or of all."""
    return [_build_run(row) for row in await connection.fetch(LIST_RUNS, school_id, class_id, monday, before, limit)]


async def insert_hand_overs(
    connection: Connection, school_id: UUID, print_run_id: UUID, records: Sequence[tuple[Addressee, HandOver]]
) -> UUID:
    """Adds records; returns the id of the last one."""
    rows = await connection.fetchmany(
        """
        INSERT INTO hand_overs (school_id, print_run_id, student_id, guardian_person_id, channel, handed_date, note,
                                is_receipted, account_id, record_time)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING hand_over_id
        """,
        [
            (
                school_id,
                print_run_id,
                *addressee,
                record.channel,
                record.handed_date,
                record.note,
                record.is_receipted,
                record.account_id,
                record.record_time,
            )
            for addressee, record in records
        ],
    )
    last: UUID = rows[-1]["hand_over_id"]
    return last


async def list_handed(connection: Connection, school_id: UUID, monday: date, student_ids: Sequence[UUID]) -> list[Handed]:
    """Of the sheets of these students for a week those that were handed over, in whichever class they were printed."""
    rows = await connection.fetch(LIST_HANDED, school_id, monday, student_ids)
    return [
        Handed(
            Addressee(row["student_id"], row["guardian_person_id"]),
            row["handed_date"],
            row["record_time"],
            row["time_zone"],
            row["hand_over_id"],
        )
        for row in rows
    ]


def _build_run(row: Any) -> PrintRun:
    printouts = [_build_printout(*values) for values in row["printouts"]]
    is_owed = any(printout.is_owed for printout in printouts)
    return PrintRun(
        print_run_id=row["print_run_id"],
        class_id=row["class_id"],
        class_name=row["class_name"],
        monday=row["monday_date"],
        time_zone=row["time_zone"],
        create_time=row["create_time"],
        pdf_sha256=row["pdf_sha256"],
        due_time=row["due_time"] if is_owed else None,
        met_time=row["met_time"] if is_owed else None,
        printouts=printouts,
    )


def _build_printout(
    student_id: UUID,
    guardian_id: UUID,
    recipient_name: str,
    name: str,
    year: int,
    number: int,
    declaration: str,
    wanted: int,
    wanted_note: str,
    is_owed: bool,
    is_replaced: bool,
    channel: int | None,
    *record: Any,
) -> Printout:
    return Printout(
        student_id=student_id,
        guardian_id=guardian_id,
        recipient_name=recipient_name,
        student_name=name,
        year=year,
        sheet_number=number,
        declaration_number=declaration,
        wanted=Channel(wanted) if wanted else None,
        wanted_note=wanted_note,
        is_owed=is_owed,
        is_replaced=is_replaced,
        hand_over=None if channel is None else HandOver(Channel(channel), *record),
    )
