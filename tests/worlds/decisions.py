"""A school's office that refuses, with the head's second factor."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import grpc
import pyotp
import pytest

from chassis.clock import SystemClock
from diary.access.v1 import (
    application_pb2,
    application_service_pb2_grpc,
    decision_pb2,
    decision_service_pb2,
    decision_service_pb2_grpc,
    refusal_pb2,
    session_service_pb2,
    session_service_pb2_grpc,
)
from diary.access.v1 import application_service_pb2 as pb
from tests.support.services import sign_service
from tests.worlds.access import PASSWORD, SchoolWorld
from tests.worlds.access_service import Backends
from tests.worlds.applications import add_vera, by_email, filing, reading

R19, R20, R21 = (
    refusal_pb2.REFUSAL_GROUND_NOT_AN_APPLICANT,
    refusal_pb2.REFUSAL_GROUND_NOT_A_STUDENT,
    refusal_pb2.REFUSAL_GROUND_OWN_STATEMENT,
)


class Office:
    """The calls of a school's office about one case, with the head's second factor."""

    def __init__(self, channel: grpc.aio.Channel, backends: Backends, school: SchoolWorld, totp: pyotp.TOTP) -> None:
        self.stub: Any = application_service_pb2_grpc.ApplicationServiceStub(channel)
        self.decisions: Any = decision_service_pb2_grpc.DecisionServiceStub(channel)
        self.school = school
        self.backends = backends
        self.teacher = backends.sign_in(school.people["class_teacher"], "class_teacher")
        self.admin = backends.sign_in(school.people["admin"], "admin")
        self._head = backends.sign_in(school.people["head"], "head")
        self._totp = totp

    async def refuse(self, request: pb.RegisterApplicationRequest, ground: Any) -> application_pb2.Application:
        """Registered, proposed and signed."""
        case = (await self.stub.RegisterApplication(request, metadata=self.teacher)).application
        await self.propose(case.application_id, ground)
        return await self.sign(case.application_id)

    async def propose(self, application_id: str, ground: Any) -> application_pb2.Application:
        proposal = pb.ProposeRefusalRequest(
            school_id=str(self.school.school_id), application_id=application_id, request_id=str(uuid4()), ground=ground
        )
        case: application_pb2.Application = (await self.stub.ProposeRefusal(proposal, metadata=self.admin)).application
        return case

    async def sign(self, application_id: str) -> application_pb2.Application:
        code = self._totp.at(datetime.now(UTC) + timedelta(seconds=30))  # noqa: TID251
        request = pb.SignRefusalsRequest(
            school_id=str(self.school.school_id),
            request_id=str(uuid4()),
            application_ids=[application_id],
            one_time_code=code,
        )
        [case] = (await self.stub.SignRefusals(request, metadata=self._head)).applications
        signed: application_pb2.Application = case
        return signed

    async def read(self, case: application_pb2.Application) -> application_pb2.Application:
        found: application_pb2.Application = (
            await self.stub.GetApplication(reading(self.school, case.application_id), metadata=self.admin)
        ).application
        return found

    async def words(self, case: application_pb2.Application, service: str = "documents") -> list[decision_pb2.Decision]:
        request = decision_service_pb2.GetDecisionsRequest(
            school_id=str(self.school.school_id), application_id=case.application_id
        )
        metadata = sign_service(self.backends.keys_dir, service, SystemClock())
        return list((await self.decisions.GetDecisions(request, metadata=metadata)).decisions)


@pytest.fixture
async def office(channel: grpc.aio.Channel, backends: Backends, school: SchoolWorld) -> Office:
    await add_vera(school)
    head = backends.sign_in(school.people["head"], "head")
    sessions = session_service_pb2_grpc.SessionServiceStub(channel)
    enrol = session_service_pb2.EnrolTotpRequest(request_id=str(uuid4()), password=PASSWORD)
    totp = pyotp.TOTP((await sessions.EnrolTotp(enrol, metadata=head)).secret)
    code = totp.at(datetime.now(UTC) - timedelta(seconds=30))  # noqa: TID251
    await sessions.ConfirmTotp(
        session_service_pb2.ConfirmTotpRequest(request_id=str(uuid4()), one_time_code=code), metadata=head
    )
    return Office(channel, backends, school, totp)


def state_against(
    school: SchoolWorld, signer: str, kind: Any = application_pb2.APPLICATION_KIND_APPENDIX_3
) -> pb.RegisterApplicationRequest:
    applicant = application_pb2.FiledApplicant(
        person_id=str(school.people[signer].person_id), credentials_way=application_pb2.CREDENTIALS_WAY_IN_PERSON
    )
    return filing(school, school.people["anna"], applicant, kind=kind)


def a_stranger(**other: Any) -> application_pb2.FiledApplicant:
    return by_email(authority_document="", **other)
