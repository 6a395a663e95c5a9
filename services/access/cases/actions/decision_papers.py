"""Notes in a refused case how its papers were made, signed and given (Clauses R22, R23): as events tell, or who hands over."""

from datetime import datetime
from uuid import UUID

from chassis.db import Connection
from chassis.errors import NotFound
from services.access.cases.rules.applications import State
from services.access.cases.rules.decisions import CONFIRMED, GIVEN, NOT_DELIVERED, UPLOADED, DecisionChannel, Signing
from services.access.cases.store import applications, case_log
from services.access.cases.store import decisions as store


async def note_issued(
    connection: Connection, school_id: UUID, document_id: UUID, application_id: UUID, applicant_id: UUID, time: datetime
) -> None:
    """The paper of an applicant's copy was made. Once."""
    if await store.insert_paper(connection, school_id, document_id, application_id, applicant_id, time):
        await applications.touch_case(connection, school_id, application_id)


async def note_signed(
    connection: Connection, school_id: UUID, document_id: UUID, application_id: UUID, signing: Signing, time: datetime
) -> None:
    """A known paper was signed by the head: the log names who brought it and who confirmed it (Clauses R2, R22). Once."""
    if await store.sign_paper(connection, school_id, document_id, signing.way, time):
        await _log(connection, school_id, application_id, UPLOADED[signing.way], signing.uploader_account_id, time)
        if signing.confirmer_account_id is not None:
            await _log(connection, school_id, application_id, CONFIRMED, signing.confirmer_account_id, time)


async def note_given(
    connection: Connection,
    school_id: UUID,
    document_id: UUID,
    channel: DecisionChannel,
    account_id: UUID | None,
    time: datetime,
) -> None:
    """A signed paper was given to its applicant. Once; of a paper not known or not signed yet it raises, so that an event that
    came too early comes again.
    """
    application_id, _ = await _lock(connection, school_id, document_id)
    if await store.give_paper(connection, school_id, document_id, channel, account_id, time):
        await _log(connection, school_id, application_id, GIVEN[channel], account_id, time)


async def note_not_delivered(connection: Connection, school_id: UUID, document_id: UUID, time: datetime) -> None:
    """A letter with a paper was given up: the case asks to hand it over, unless it was given meanwhile."""
    application_id, is_given = await _lock(connection, school_id, document_id)
    if not is_given:
        await _log(connection, school_id, application_id, NOT_DELIVERED, None, time)


async def _lock(connection: Connection, school_id: UUID, document_id: UUID) -> tuple[UUID, bool]:
    found = await store.lock_paper(connection, school_id, document_id)
    if found is None:
        raise NotFound("DECISION_NOT_READY", "documents has not told of this paper yet")
    return found


async def _log(
    connection: Connection, school_id: UUID, application_id: UUID, words: str, account_id: UUID | None, time: datetime
) -> None:
    await case_log.insert_log_entry(connection, school_id, application_id, account_id, State.REFUSED, words, time)
    await applications.touch_case(connection, school_id, application_id)
