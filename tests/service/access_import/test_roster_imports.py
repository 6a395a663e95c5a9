"""The administrator loads a list by calls: sees what would change, says the word or gives it up, in the own school alone."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import AsyncIterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pytest_asyncio
from pydantic import SecretStr

from chassis.clock import SystemClock
from diary.access.v1 import (
    credential_service_pb2,
    credential_service_pb2_grpc,
    roster_import_service_pb2_grpc,
)
from diary.access.v1 import roster_import_service_pb2 as pb
from services.access import __main__ as access
from services.access.config import Settings
from services.access.people.rules.roles import Role
from services.access.roster.actions.open_access import OpeningWish, open_access
from services.access.roster.rules.opening import Document
from services.access.roster.rules.rosters import Wish
from tests.service.access_import.conftest import read_files, write_files
from tests.support.backends import Clone
from tests.support.eventually import eventually
from tests.support.services import refused, served

_CASES = Path(__file__).parents[2] / "cases/roster"


class _Office:
    """The administrator of the school of a list, and the stub."""

    def __init__(self, channel: grpc.aio.Channel, school_id: str, token: str) -> None:
        self.stub: Any = roster_import_service_pb2_grpc.RosterImportServiceStub(channel)
        self.school_id = school_id
        self.metadata = (("authorization", f"Bearer {token}"),)

    async def upload(self, files: dict[str, str], **said: str) -> str:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as bundle:
            for name, text in files.items():
                bundle.writestr(name, text)
        wanted = pb.CreateRosterImportRequest(
            school_id=self.school_id, request_id=str(uuid4()), file_name="list.zip", file=archive.getvalue(), **said
        )
        made = await self.stub.CreateRosterImport(wanted, metadata=self.metadata)
        again = await self.stub.CreateRosterImport(wanted, metadata=self.metadata)
        assert again.import_id == made.import_id
        return str(made.import_id)

    async def until(self, import_id: str, *states: int) -> pb.RosterImport:
        async def look() -> pb.RosterImport | None:
            wanted = pb.GetRosterImportRequest(school_id=self.school_id, import_id=import_id)
            kept = (await self.stub.GetRosterImport(wanted, metadata=self.metadata)).roster_import
            return kept if kept.state in states else None

        found: pb.RosterImport = await eventually(look, 90, "the import", every=0.5)
        return found

    async def changes(self, import_id: str, page_size: int = 500, token: str = "") -> pb.ListRosterImportChangesResponse:
        wanted = pb.ListRosterImportChangesRequest(
            school_id=self.school_id, import_id=import_id, page_size=page_size, page_token=token
        )
        listed: pb.ListRosterImportChangesResponse = await self.stub.ListRosterImportChanges(wanted, metadata=self.metadata)
        return listed

    def confirm(self, import_id: str, numbers: Sequence[int] = ()) -> Any:
        wanted = pb.ConfirmRosterImportRequest(
            school_id=self.school_id,
            import_id=import_id,
            request_id=str(uuid4()),
            lines=[pb.ChosenRosterImportLine(number=number) for number in numbers],
        )
        return self.stub.ConfirmRosterImport(wanted, metadata=self.metadata)

    def cancel(self, import_id: str) -> Any:
        wanted = pb.CancelRosterImportRequest(school_id=self.school_id, import_id=import_id, request_id=str(uuid4()))
        return self.stub.CancelRosterImport(wanted, metadata=self.metadata)


@pytest_asyncio.fixture
async def channel(clone: Clone, nats_url: str, keys_dir: Path) -> AsyncIterator[grpc.aio.Channel]:
    """access, serving, with its jobs."""
    settings = Settings(
        port=0,
        metrics_port=0,
        database_url=SecretStr(clone.app_dsns["access"]),
        nats_url=SecretStr(nats_url),
        keys_dir=keys_dir,
    )
    async with served("access", settings, lambda frame: access.build(settings, frame)) as channel:
        yield channel


async def _open_office(keeper: Any, channel: grpc.aio.Channel, case: str, code: str) -> _Office:
    """The school that the operator made of a list, and its administrator."""
    await write_files(keeper, SystemClock(), read_files(_CASES / f"{case}.zip"), Wish(code, enrolled_from=date(2026, 9, 1)))
    school_id = await keeper.fetchval("SELECT school_id FROM schools WHERE code = $1", code.lower())
    order = Document("7", date(2026, 8, 20))
    opened = await open_access(keeper, SystemClock(), OpeningWish(code, "T1", Role.ADMIN, None, order))
    own = credential_service_pb2.ActivateAccountRequest(
        login=opened.login, one_time_password=opened.one_time_password or "", new_password="Свой-пароль-учителя-5"
    )
    tokens = (await credential_service_pb2_grpc.CredentialServiceStub(channel).ActivateAccount(own)).tokens
    return _Office(channel, str(school_id), tokens.access_token)


async def test_a_list_is_shown_confirmed_in_part_and_the_rest_is_left(keeper: Any, channel: grpc.aio.Channel) -> None:
    office = await _open_office(keeper, channel, "08-any-good", "N08")
    files = read_files(_CASES / "08-any-good.zip")
    users = csv.DictReader(io.StringIO(files["users.csv"]))
    # A student whose other line is chosen.
    name = next(user["familyName"] for user in users if user["role"] == "student")
    files["users.csv"] = files["users.csv"].replace(f",{name},", f",{name}ов,")
    import_id = await office.upload(files, enrolment_order_number="12-у", enrolment_order_date="2026-08-31")
    planned = await office.until(import_id, pb.ROSTER_IMPORT_STATE_PLANNED, pb.ROSTER_IMPORT_STATE_REFUSED)
    assert planned.state == pb.ROSTER_IMPORT_STATE_PLANNED, planned
    listed = await office.changes(import_id, page_size=1)
    lines = [*listed.changes, *(await office.changes(import_id, token=listed.next_page_token)).changes]
    assert len(lines) == planned.change_count == 4
    orders = [line for line in lines if line.after.endswith("приказ № 12-у от 31.08.2026")]
    assert len(orders) == 3
    assert await keeper.fetchval("SELECT count(*) FROM enrolments WHERE order_number IS NOT NULL") == 0
    await office.confirm(import_id, [line.number for line in orders])
    done = await office.until(import_id, pb.ROSTER_IMPORT_STATE_DONE, pb.ROSTER_IMPORT_STATE_REFUSED)
    assert done.state == pb.ROSTER_IMPORT_STATE_DONE, done
    assert await keeper.fetchval("SELECT count(*) FROM enrolments WHERE order_number = '12-у'") == 3
    assert await keeper.fetchval("SELECT count(*) FROM people WHERE family_name = $1", f"{name}ов") == 0
    assert await refused(office.confirm(import_id)) == (grpc.StatusCode.FAILED_PRECONDITION, "IMPORT_NOT_PLANNED")


async def test_what_cannot_be_read_is_told_and_what_is_given_up_writes_nothing(keeper: Any, channel: grpc.aio.Channel) -> None:
    office = await _open_office(keeper, channel, "08-any-good", "N08")
    files = read_files(_CASES / "08-any-good.zip")
    broken = {**files, "users.csv": files["users.csv"].replace(",true,", ",maybe,")}
    refusal = await office.until(await office.upload(broken), pb.ROSTER_IMPORT_STATE_REFUSED)
    assert {(problem.file, problem.column) for problem in refusal.problems} == {("users.csv", "enabledUser")}
    import_id = await office.upload(files, enrolment_order_number="12-у", enrolment_order_date="2026-08-31")
    await office.until(import_id, pb.ROSTER_IMPORT_STATE_PLANNED)
    assert await refused(office.confirm(import_id, [999])) == (grpc.StatusCode.FAILED_PRECONDITION, "IMPORT_NOT_PLANNED")
    await office.cancel(import_id)
    assert (await office.until(import_id, pb.ROSTER_IMPORT_STATE_REFUSED)).problems[0].what == "загрузка отменена"
    assert await keeper.fetchval("SELECT count(*) FROM enrolments WHERE order_number IS NOT NULL") == 0


async def test_another_schools_import_and_an_order_by_halves_are_refused(keeper: Any, channel: grpc.aio.Channel) -> None:
    office = await _open_office(keeper, channel, "08-any-good", "N08")
    other = await _open_office(keeper, channel, "05-open-end-9999-12-31", "N05")
    files = read_files(_CASES / "08-any-good.zip")
    assert await refused(office.upload(files, enrolment_order_number="12-у")) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "ENROLMENT_ORDER_INVALID",
    )
    import_id = await office.upload(files)
    assert await refused(other.cancel(import_id)) == (grpc.StatusCode.NOT_FOUND, "IMPORT_NOT_FOUND")
    other.school_id = office.school_id
    assert await refused(other.cancel(import_id)) == (grpc.StatusCode.NOT_FOUND, "SCHOOL_NOT_FOUND")
