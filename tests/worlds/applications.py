"""Applications for access as the tests file them: one student without any access, and the calls of a case."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from diary.access.v1 import application_pb2, credential_service_pb2, guardianship_pb2
from diary.access.v1 import application_service_pb2 as pb
from services.access.people.rules.regulations import Regulation
from services.access.people.rules.roles import Role
from services.access.people.rules.schools import SchoolDetails
from services.access.people.store import regulations, schools
from tests.worlds.access import Person, SchoolWorld

BIRTH_DATE = date(2012, 5, 14)
DOCUMENT = "свидетельство о рождении I-АЯ № 654321 от 20.05.2012"


async def add_vera(school: SchoolWorld, class_name: str = "8-А", birth_date: date | None = BIRTH_DATE) -> Person:
    """A student to whom nobody has access; a secretary and a head beside the staff that is there; the school's papers can be
    made.
    """
    await say_details(school)
    vera = await school.add_student("vera", class_name, "Иванова", "Вера")
    await set_birth_date(school, vera, birth_date)
    await school.add_person("secretary", "Письмова", "Инна", "Олеговна")
    await school.add_person("head", "Супрун", "Ирина", "Евгеньевна")
    await school.appoint("secretary", Role.SECRETARY)
    await school.appoint("head", Role.HEAD)
    await school.derive("secretary", "head")
    return vera


async def say_details(school: SchoolWorld) -> None:
    """What decisions print of the school: its address, its founder, the regulation that it has adopted."""
    details = SchoolDetails(address="ул. Школьная, 1", founder="администрация района")
    await schools.save_details(school.connection, school.school_id, details)
    adopted = Regulation("Регламент услуги", "213", date(2020, 8, 28), date(2020, 9, 1))
    await regulations.insert_regulation(school.connection, school.school_id, adopted)


async def set_birth_date(school: SchoolWorld, person: Person, birth_date: date | None) -> None:
    """The birth date of a person's card."""
    await school.connection.execute(
        "UPDATE access.people SET birth_date = $3 WHERE school_id = $1 AND person_id = $2",
        school.school_id,
        person.person_id,
        birth_date,
    )


def mother(**other: Any) -> application_pb2.FiledApplicant:
    """A new applicant: the mother, who takes her slip in person."""
    words: dict[str, Any] = {
        "family_name": "Иванова",
        "given_name": "Мария",
        "patronymic": "Петровна",
        "guardian_kind": guardianship_pb2.GUARDIAN_KIND_MOTHER,
        "authority_document": DOCUMENT,
        "credentials_way": application_pb2.CREDENTIALS_WAY_IN_PERSON,
    }
    return application_pb2.FiledApplicant(**{**words, **other})


def by_email(**other: Any) -> application_pb2.FiledApplicant:
    """The mother, who wants the credentials by e-mail."""
    return mother(email="ivanova@example.org", credentials_way=application_pb2.CREDENTIALS_WAY_EMAIL, **other)


def filing(
    school: SchoolWorld, student: Person, *applicants: application_pb2.FiledApplicant, **other: Any
) -> pb.RegisterApplicationRequest:
    """A request to register an application, the mother's when no applicant is given."""
    words: dict[str, Any] = {"request_id": str(uuid4()), "channel": application_pb2.APPLICATION_CHANNEL_IN_PERSON, **other}
    received: datetime | None = words.pop("received", None)
    request = pb.RegisterApplicationRequest(
        school_id=str(school.school_id),
        student_id=str(student.person_id),
        applicants=applicants or [mother()],
        **words,
    )
    if received is not None:
        request.receive_time.FromDatetime(received)
    return request


def granting(school: SchoolWorld, application_id: str, request_id: UUID | None = None) -> pb.GrantApplicationRequest:
    """A request to grant."""
    return pb.GrantApplicationRequest(
        school_id=str(school.school_id), application_id=application_id, request_id=str(request_id or uuid4())
    )


def reading(school: SchoolWorld, application_id: str) -> pb.GetApplicationRequest:
    """A request to read a case."""
    return pb.GetApplicationRequest(school_id=str(school.school_id), application_id=application_id)


def slip_of(school: SchoolWorld, grant_id: str, request_id: UUID | None = None) -> credential_service_pb2.IssueSlipRequest:
    """A request to print a slip."""
    return credential_service_pb2.IssueSlipRequest(
        school_id=str(school.school_id), grant_id=grant_id, request_id=str(request_id or uuid4())
    )


def handing_over(school: SchoolWorld, application: application_pb2.Application, place: int = 0) -> pb.RecordHandOverRequest:
    """A request to note that an applicant's slip was handed over."""
    return pb.RecordHandOverRequest(
        school_id=str(school.school_id),
        application_id=application.application_id,
        applicant_id=application.applicants[place].applicant_id,
        request_id=str(uuid4()),
    )
