"""What access says of a signed refusal for its paper, and how the case follows the paper (Clauses R19-R23)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import grpc
import pytest

from chassis.clock import SystemClock, today
from diary.access.v1 import (
    application_pb2,
    decision_service_pb2,
    guardianship_pb2,
    refusal_pb2,
    roster_service_pb2,
    roster_service_pb2_grpc,
)
from tests.support.services import refused, sign_service
from tests.worlds.access import START, ZONE, SchoolWorld
from tests.worlds.applications import by_email, filing, granting, set_birth_date
from tests.worlds.decisions import R19, R20, R21, Office, a_stranger, office, state_against

FOREIGN_SERVICE = (grpc.StatusCode.PERMISSION_DENIED, "SERVICE_NOT_ALLOWED")

__all__ = ["office"]  # pytest finds fixtures by name


async def test_to_a_stranger_the_decision_tells_nothing_of_the_child(office: Office, school: SchoolWorld) -> None:
    """Clause R19: neither name nor class; the reason is frozen with the refusal."""
    case = await office.refuse(filing(school, school.people["vera"], a_stranger()), R19)
    assert case.refusal.reason == refusal_pb2.REFUSAL_REASON_RELATION_NOT_PROVED
    [said] = await office.words(case)
    assert (said.student_name, said.class_name, said.of_age_date) == ("", "", "")
    assert (said.applicant_name, said.applicant_email) == ("Иванова Мария Петровна", "ivanova@example.org")
    assert said.number == case.refusal.number
    assert said.signer_position == "Директор"
    assert said.class_id


async def test_one_who_was_of_age_when_the_head_signed_is_named_with_the_birthday(
    office: Office, school: SchoolWorld, admin: Any
) -> None:
    """Clause R19: the authority was shown, and has ended by age."""
    case = (await office.stub.RegisterApplication(filing(school, school.people["vera"]), metadata=office.teacher)).application
    vera = school.people["vera"].person_id
    await admin.execute("UPDATE people SET birth_date = '2008-02-29' WHERE person_id = $1", vera)
    await office.propose(case.application_id, R19)
    signed = await office.sign(case.application_id)
    assert signed.refusal.reason == refusal_pb2.REFUSAL_REASON_STUDENT_OF_AGE
    [said] = await office.words(signed)
    assert (said.of_age_date, said.left_date, said.student_name) == ("2026-02-28", "", "Иванова Вера")


async def test_a_power_that_has_run_out_is_told_by_its_last_day_and_no_act_is_made_up(
    office: Office, school: SchoolWorld
) -> None:
    """Clause R19."""
    dates = {"authority_date": "2025-02-01", "authority_end_date": "2026-03-01"}
    power = by_email(
        guardian_kind=guardianship_pb2.GUARDIAN_KIND_REPRESENTATIVE,
        authority_document="доверенность № 5 от 01.02.2025",
        **dates,
    )
    signed = await office.refuse(filing(school, school.people["vera"], power), R19)
    assert signed.refusal.reason == refusal_pb2.REFUSAL_REASON_AUTHORITY_ENDED
    assert signed.refusal.authority_ending == guardianship_pb2.AUTHORITY_ENDING_POWER_EXPIRED
    [said] = await office.words(signed)
    assert said.authority_ending_words == "срок действия доверенности истёк 01.03.2026"
    assert (said.authority_end_date, said.authority_act_number, said.authority_act_date) == ("2026-03-01", "", "")
    assert (said.left_date, said.of_age_date, said.student_name) == ("", "", "Иванова Вера")


@pytest.mark.parametrize(
    ("ending", "act", "words"),
    [
        (
            guardianship_pb2.AUTHORITY_ENDING_COURT_ACT,
            {"act_number": "2-145/2026", "act_date": "2026-11-20"},
            "полномочия заявителя прекращены судебным актом от 20.11.2026 № 2-145/2026",
        ),
        (guardianship_pb2.AUTHORITY_ENDING_UNSPECIFIED, {}, "полномочия заявителя прекращены "),
    ],
)
async def test_an_ended_guardianship_is_refused_by_the_act_that_is_recorded(
    channel: grpc.aio.Channel, office: Office, school: SchoolWorld, admin: Any, ending: Any, act: dict[str, str], words: str
) -> None:
    """Clauses R6, R19: at once, the same day, also of a guardianship of that day; a court's act only where one is recorded."""
    roster: Any = roster_service_pb2_grpc.RosterServiceStub(channel)
    anna, father = school.people["anna"], school.people["father"]
    await set_birth_date(school, anna, date(2012, 5, 14))
    day = today(SystemClock(), ZONE)
    guardianship_id = await admin.fetchval(
        """
        UPDATE guardianships SET validity = daterange($2, NULL) WHERE guardian_person_id = $1 RETURNING guardianship_id
        """,
        father.person_id,
        day,
    )
    known = application_pb2.FiledApplicant(
        person_id=str(father.person_id), credentials_way=application_pb2.CREDENTIALS_WAY_IN_PERSON
    )
    case = (await office.stub.RegisterApplication(filing(school, anna, known), metadata=office.teacher)).application
    end = roster_service_pb2.EndGuardianshipRequest(
        school_id=str(school.school_id),
        guardianship_id=str(guardianship_id),
        request_id=str(uuid4()),
        ground="решение суда",
        ending=ending,
        **act,
    )
    await roster.EndGuardianship(end, metadata=office.admin)
    granted = await refused(office.stub.GrantApplication(granting(school, case.application_id), metadata=office.admin))
    assert granted == (grpc.StatusCode.FAILED_PRECONDITION, "CHECKLIST_INCOMPLETE")
    await office.propose(case.application_id, R19)
    signed = await office.sign(case.application_id)
    [said] = await office.words(signed)
    assert said.authority_ending_words.startswith(words)
    assert said.authority_end_date == day.isoformat()
    assert ("судебн" in said.authority_ending_words) == bool(act)


async def test_an_act_is_recorded_whole_or_not_at_all(
    channel: grpc.aio.Channel, office: Office, school: SchoolWorld, admin: Any
) -> None:
    """Clause R19."""
    roster: Any = roster_service_pb2_grpc.RosterServiceStub(channel)
    guardianship_id = await admin.fetchval(
        "SELECT guardianship_id FROM guardianships WHERE guardian_person_id = $1", school.people["father"].person_id
    )
    for ending, act in (
        (guardianship_pb2.AUTHORITY_ENDING_COURT_ACT, {"act_number": "2-145"}),
        (guardianship_pb2.AUTHORITY_ENDING_COURT_ACT, {}),
        (guardianship_pb2.AUTHORITY_ENDING_GUARDIANSHIP_ACT, {"act_number": "5", "act_date": "2999-01-01"}),
        (guardianship_pb2.AUTHORITY_ENDING_OTHER, {"act_number": "5", "act_date": "2026-11-20"}),
        (guardianship_pb2.AUTHORITY_ENDING_POWER_EXPIRED, {}),
        (guardianship_pb2.AUTHORITY_ENDING_COURT_ACT, {"act_number": "5", "act_date": "2026-02-30"}),
    ):
        end = roster_service_pb2.EndGuardianshipRequest(
            school_id=str(school.school_id),
            guardianship_id=str(guardianship_id),
            request_id=str(uuid4()),
            ground="решение суда",
            ending=ending,
            **act,
        )
        answer = await refused(roster.EndGuardianship(end, metadata=office.admin))
        assert answer == (grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_INVALID")


@pytest.mark.parametrize("missing", ["address", "founder", "regulation"])
async def test_no_refusal_is_proposed_or_signed_while_its_paper_cannot_be_made(
    office: Office, school: SchoolWorld, admin: Any, missing: str
) -> None:
    """Clauses R1, R22: no act that nobody adopted, no complaint to nowhere."""
    wanted = (grpc.StatusCode.FAILED_PRECONDITION, "SCHOOL_DETAILS_MISSING")
    request = filing(school, school.people["vera"], a_stranger())
    case = (await office.stub.RegisterApplication(request, metadata=office.teacher)).application
    await office.propose(case.application_id, R19)
    if missing == "regulation":
        statement = "UPDATE regulation_versions SET order_number = NULL, order_date = NULL WHERE school_id = $1"
    else:
        statement = f"UPDATE school_details SET {missing} = '' WHERE school_id = $1"
    await admin.execute(statement, school.school_id)
    assert await refused(office.propose(case.application_id, R19)) == wanted
    assert await refused(office.sign(case.application_id)) == wanted
    assert (
        await admin.fetchval("SELECT count(*) FROM refusals WHERE sign_time IS NOT NULL AND school_id = $1", school.school_id)
        == 0
    )


async def test_one_who_left_is_refused_with_the_last_day_and_the_order(office: Office, school: SchoolWorld, admin: Any) -> None:
    """Clause R20: the enrolment check as it was at decision time."""
    vera = school.people["vera"].person_id
    case = (await office.stub.RegisterApplication(filing(school, school.people["vera"]), metadata=office.teacher)).application
    await admin.execute("DELETE FROM placements WHERE student_id = $1", vera)
    left = (
        "UPDATE enrolments SET validity = daterange($2, $3), end_order_number = $4, end_order_date = $3 WHERE student_id = $1"
    )
    await admin.execute(left, vera, START, START + timedelta(days=30), "77-к")
    await office.propose(case.application_id, R20)
    signed = await office.sign(case.application_id)
    assert signed.refusal.reason == refusal_pb2.REFUSAL_REASON_LEFT
    [said] = await office.words(signed)
    assert (said.left_date, said.left_order_number) == ((START + timedelta(days=29)).isoformat(), "77-к")


async def test_a_statements_decision_names_its_paper_and_when_the_access_ended(office: Office, school: SchoolWorld) -> None:
    """Clauses R8, R21, R33."""
    case = await office.refuse(state_against(school, "mother"), R21)
    [said] = await office.words(case)
    assert said.reason == refusal_pb2.REFUSAL_REASON_STATEMENT_TO_CANCEL
    assert said.paper_number.startswith("1-Р/")
    assert said.HasField("access_end_time")
    assert not said.is_own_statement_of_student
    assert (said.keeps_student_access, said.keeps_guardian_access) == (True, True)
    not_to_provide = await office.propose(
        (
            await office.stub.RegisterApplication(
                state_against(school, "father", application_pb2.APPLICATION_KIND_APPENDIX_2), metadata=office.teacher
            )
        ).application.application_id,
        R21,
    )
    assert not_to_provide.refusal.reason == refusal_pb2.REFUSAL_REASON_STATEMENT_NOT_TO_PROVIDE


async def test_a_decision_tells_of_no_access_that_nobody_has(office: Office, school: SchoolWorld, admin: Any) -> None:
    """Clause R21: the paper claims that others' access goes on only where it does."""
    others = [school.people[name].account_id for name in ("anna", "father")]
    await admin.execute("UPDATE grants SET end_time = now(), end_ground = 'revoked' WHERE account_id = ANY ($1)", others)
    [said] = await office.words(await office.refuse(state_against(school, "mother"), R21))
    assert (said.keeps_student_access, said.keeps_guardian_access) == (False, False)


async def test_an_acting_head_signs_by_the_order(office: Office, school: SchoolWorld, admin: Any) -> None:
    """Clause R22."""
    acting = "UPDATE appointments SET is_acting = true, order_number = '5', order_date = $2 WHERE person_id = $1 AND role = 11"
    await admin.execute(acting, school.people["head"].person_id, date(2026, 9, 1))
    [said] = await office.words(await office.refuse(state_against(school, "mother"), R21))
    assert said.signer_position == "Исполняющий обязанности руководителя (приказ от 01.09.2026 № 5)"


async def test_only_documents_reads_the_words_and_only_notify_the_receiver(office: Office, school: SchoolWorld) -> None:
    case = await office.refuse(filing(school, school.people["vera"], a_stranger()), R19)
    for service in ("journal", "notify"):
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await office.words(case, service)
        assert error.value.code() is grpc.StatusCode.PERMISSION_DENIED
    wanted = decision_service_pb2.GetDecisionReceiverRequest(
        school_id=str(school.school_id), applicant_id=case.applicants[0].applicant_id
    )
    foreign = sign_service(office.backends.keys_dir, "documents", SystemClock())
    assert await refused(office.decisions.GetDecisionReceiver(wanted, metadata=foreign)) == FOREIGN_SERVICE
    notify = sign_service(office.backends.keys_dir, "notify", SystemClock())
    assert (await office.decisions.GetDecisionReceiver(wanted, metadata=notify)).email == "ivanova@example.org"


async def test_nobody_is_written_to_who_takes_the_decision_in_person(office: Office, school: SchoolWorld) -> None:
    """Clause R23."""
    case = await office.refuse(state_against(school, "mother"), R21)
    wanted = decision_service_pb2.GetDecisionReceiverRequest(
        school_id=str(school.school_id), applicant_id=case.applicants[0].applicant_id
    )
    notify = sign_service(office.backends.keys_dir, "notify", SystemClock())
    not_wanted = (grpc.StatusCode.FAILED_PRECONDITION, "DELIVERY_NOT_WANTED")
    assert await refused(office.decisions.GetDecisionReceiver(wanted, metadata=notify)) == not_wanted
