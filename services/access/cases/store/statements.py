"""Who signed a statement of Appendix 2 or 3. In `db.school`."""

from uuid import UUID

from chassis.db import Connection
from services.access.cases.rules.statements import Signer
from services.access.people.rules.declarations import PaperReason, PrintoutWay
from services.access.people.rules.guardianships import GuardianKind
from services.access.people.store.people import read_name


async def list_signers(connection: Connection, school_id: UUID, application_id: UUID) -> list[Signer]:
    """Who signed, in the order of filing."""
    rows = await connection.fetch(
        """
        SELECT m.person_id, p.family_name, p.given_name, p.patronymic, m.guardian_kind, m.paper_reason, m.declines_printouts,
               m.printout_way, m.printout_way_note,
               m.guardian_kind IS NULL OR m.guardianship_id IS NOT NULL AS is_proved
        FROM applicants m JOIN people p USING (school_id, person_id)
        WHERE m.school_id = $1 AND m.application_id = $2 ORDER BY m.place
        """,
        school_id,
        application_id,
    )
    return [
        Signer(
            person_id=row["person_id"],
            name=read_name(row),
            kind=GuardianKind(row["guardian_kind"]) if row["guardian_kind"] else None,
            reason=PaperReason(row["paper_reason"]),
            declines_printouts=row["declines_printouts"],
            way=PrintoutWay(row["printout_way"]),
            way_note=row["printout_way_note"],
            is_proved=row["is_proved"],
        )
        for row in rows
    ]


async def list_ending_their_mode(connection: Connection, school_id: UUID, application_id: UUID) -> list[UUID]:
    """The applicants, as people, who asked that their paper mode end with the granting."""
    rows = await connection.fetch(
        "SELECT person_id FROM applicants WHERE school_id = $1 AND application_id = $2 AND ends_paper_mode",
        school_id,
        application_id,
    )
    return [row["person_id"] for row in rows]
