"""Opens an access by an operator's hand: an account with a one-time password, for a family with its grants (Clauses R9-R12)."""

import secrets
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from chassis import outbox
from chassis.clock import Clock, today
from chassis.db import Connection
from diary.access.v1 import events_pb2
from services.access.people.rules.roles import Role
from services.access.rights.actions.passwords import hash_password
from services.access.rights.actions.relations import derive_relations
from services.access.rights.rules.credentials import (
    ALPHABET,
    FIRST_CREDENTIALS_TIME,
    ONE_TIME_PASSWORD_LENGTH,
    normalise_one_time_password,
    write_one_time_password,
)
from services.access.rights.rules.logins import build_login, choose_login
from services.access.rights.store import accounts, credentials, grants
from services.access.roster.rules.opening import Candidate, Diary, Document, OpeningRefusedError, choose_diaries, choose_role
from services.access.roster.store import openings as store


@dataclass(frozen=True, slots=True)
class OpeningWish:
    """Whose access is opened: `person` by our id or another system's. `order` appoints the administrator."""

    school_code: str
    person: str
    role: Role | None
    application: Document | None
    order: Document | None


@dataclass(frozen=True, slots=True)
class Opened:
    """The account; a one-time password only where one was made now, and kept nowhere. `granted` students."""

    role: Role
    login: str
    one_time_password: str | None = field(repr=False)
    is_activated: bool
    granted: list[UUID]


async def open_access(connection: Connection, clock: Clock, wish: OpeningWish) -> Opened:
    """Opens the access in one transaction. As the owner. Raises OpeningRefusedError, with nothing done."""
    async with connection.transaction():
        school = await store.find_school(connection, wish.school_code.strip())
        if school is None:
            raise OpeningRefusedError(f"no school has the code {wish.school_code}")
        return await _Opening(connection, clock, school[0], today(clock, school[1])).run(wish)


class _Opening:
    """One opening at a school, on a day of its zone."""

    def __init__(self, connection: Connection, clock: Clock, school_id: UUID, day: date) -> None:
        self._connection = connection
        self._clock = clock
        self._school_id = school_id
        self._day = day

    async def run(self, wish: OpeningWish) -> Opened:
        """Decides, then writes."""
        connection, school_id = self._connection, self._school_id
        candidate = await store.lock_candidate(connection, school_id, wish.person, self._day, self._clock.now())
        if candidate is None:
            raise OpeningRefusedError(f"the school {wish.school_code} knows no person {wish.person}")
        diaries = await store.list_diaries(connection, school_id, candidate.person_id, self._day)
        role = choose_role(candidate, diaries, wish.role)
        wanted = choose_diaries(diaries, role, wish.application)
        if role is Role.ADMIN and Role.ADMIN not in candidate.roles:
            await self._appoint_admin(candidate, wish.order)
        account_id, login = await self._ensure_account(candidate)
        password = await self._issue(account_id, candidate.slip_count) if candidate.needs_password else None
        if wish.application is not None:
            for diary in wanted:
                await self._grant(diary, candidate.person_id, account_id, wish.application)
        await derive_relations(connection, self._clock, school_id, [candidate.person_id])
        return Opened(role, login, password, candidate.is_activated, [diary.student_id for diary in wanted])

    async def _appoint_admin(self, candidate: Candidate, order: Document | None) -> None:
        if order is None:
            raise OpeningRefusedError("the administrator is appointed by an order: name its number and date")
        await store.insert_admin(self._connection, self._school_id, candidate.person_id, order, self._day)

    async def _ensure_account(self, candidate: Candidate) -> tuple[UUID, str]:
        """The account with its login."""
        if candidate.account_id is not None and candidate.login is not None:
            return candidate.account_id, candidate.login
        taken = await accounts.list_logins(self._connection, build_login(candidate.name))
        login = choose_login(candidate.name, taken)
        account_id = await accounts.insert_account(
            self._connection, self._school_id, candidate.person_id, login, self._clock.now()
        )
        if account_id is None:
            raise OpeningRefusedError(f"the login {login} was taken at this moment: run the command again")
        return account_id, login

    async def _issue(self, account_id: UUID, slip_count: int) -> str:
        """A one-time password as a slip's (Clause R25): whoever prints it must not know the own one."""
        now, number = self._clock.now(), slip_count + 1
        password = write_one_time_password([secrets.choice(ALPHABET) for _ in range(ONE_TIME_PASSWORD_LENGTH)])
        password_hash = hash_password(normalise_one_time_password(password))
        if not await credentials.take_issue(self._connection, account_id, number):
            raise OpeningRefusedError("a slip of this account is being printed at this moment: run the command again")
        await credentials.replace_one_time_password(
            self._connection, account_id, number, password_hash, now, now + FIRST_CREDENTIALS_TIME
        )
        return password

    async def _grant(self, diary: Diary, holder_id: UUID, account_id: UUID, application: Document) -> None:
        granter = await store.find_granter(self._connection, self._school_id, diary.student_id, self._day)
        if granter is None:
            raise OpeningRefusedError(
                "nobody may grant it yet: open the access of the class teacher, or of an administrator by --role admin (R9)"
            )
        grant = grants.NewGrant(
            student_id=diary.student_id,
            account_id=account_id,
            holder_id=holder_id,
            role=Role.GUARDIAN if diary.guardianship_id else Role.STUDENT,
            guardianship_id=diary.guardianship_id,
            application_number=application.number,
            application_date=application.day,
            granted_by_account_id=granter[0],
            granted_by_role=granter[1],
            grant_time=self._clock.now(),
        )
        grant_id = await grants.insert_grant(self._connection, self._school_id, grant)
        issued = events_pb2.GrantIssued(
            school_id=str(self._school_id),
            grant_id=str(grant_id),
            student_id=str(diary.student_id),
            account_id=str(account_id),
        )
        await outbox.add(self._connection, self._clock, issued, self._school_id)
