"""Carries out statements of Appendix 2 and 3: ends the signers' access and begins their paper mode (Clauses R8, R30-R33)."""

from datetime import date
from uuid import UUID

from chassis import outbox
from chassis.clock import Clock
from chassis.db import Connection
from services.access.cases.rules.applications import State, write_person
from services.access.cases.store import case_log, statements
from services.access.people.actions.declarations import end_paper_mode
from services.access.people.convert import declarations as convert
from services.access.people.rules.declarations import DeclarationForm, Declared, write_declaration
from services.access.people.store import declarations as store
from services.access.rights.actions.ending_grants import end_grants
from services.access.rights.rules.grants import EndGround, Ending
from services.access.rights.store import grants


async def carry_out(
    connection: Connection, clock: Clock, school_id: UUID, application_id: UUID, student_id: UUID, account_id: UUID, day: date
) -> None:
    """Ends what the signers have of the student, nobody else's (Clauses R32, R33); the paper mode of a guardian whose relation
    is proved begins (Clause R8), and of nobody else (Clause R19).

    In the caller's transaction, in `db.school`; the caller then waits for the pushes of the statement.
    """
    signers = await statements.list_signers(connection, school_id, application_id)
    held = await grants.lock_open_grants(connection, school_id, student_id, [signer.person_id for signer in signers])
    await end_grants(connection, clock, school_id, list(held.values()), Ending(EndGround.DECLINED, account_id, application_id))
    await end_paper_mode(connection, clock, school_id, student_id, [signer.person_id for signer in signers])
    for signer in signers:
        words = [f"доступ заявителя прекращён: {write_person(signer.name, signer.kind)}"] if signer.person_id in held else []
        if not signer.is_proved:
            words.append(f"родство не подтверждено, заявление последствий не имеет: {write_person(signer.name, signer.kind)}")
        elif signer.kind is not None:
            form = DeclarationForm.STATEMENT
            declared = Declared(
                signer.person_id, day, signer.reason, signer.declines_printouts, signer.way, signer.way_note, form
            )
            declaration = await store.insert_declaration(
                connection, school_id, application_id, student_id, declared, account_id, day
            )
            await outbox.add(connection, clock, convert.paper_mode_changed(school_id, declaration), school_id)
            words.append(f"{write_person(signer.name, signer.kind)}: {write_declaration(declaration)}")
        for ground in words:
            await case_log.insert_log_entry(
                connection, school_id, application_id, account_id, State.REGISTERED, ground, clock.now()
            )
