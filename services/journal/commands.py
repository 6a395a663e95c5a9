"""What an operator runs: the history of marks verified."""

from __future__ import annotations

from uuid import UUID

from chassis import db
from services.journal.marks.rules.history import Misfit, find_misfit
from services.journal.marks.store import history


async def verify_history(admin_dsn: str, school_id: UUID | None) -> bool:
    """Recomputes the chains of one school, or of all; prints the first row that does not fit, and returns whether all fit."""
    async with db.owner(admin_dsn, "journal") as connection, connection.transaction(readonly=True, isolation="repeatable_read"):
        for one in [school_id] if school_id else await history.list_schools(connection):
            courses = 0
            async for course_id, head, count, batches in history.list_chains(connection, one):
                courses += 1
                if misfit := find_misfit(course_id, batches, head, count):
                    print(f"verify-history: school {one}: {_describe(misfit)}")
                    return False
            print(f"verify-history: school {one}: {courses} courses fit", flush=True)
    return True


def _describe(misfit: Misfit) -> str:
    place = f"course {misfit.course_id}, batch {misfit.batch_number}"
    if misfit.mark_id:
        place += f", mark {misfit.mark_id}, revision {misfit.revision}"
    return f"{place}: {misfit.what}"
