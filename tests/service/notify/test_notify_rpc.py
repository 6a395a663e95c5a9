"""Preferences of families, and deliveries as staff and families see them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import grpc
import pytest
import pytest_asyncio

from diary.access.v1 import events_pb2, roster_pb2
from diary.notify.v1 import (
    delivery_pb2,
    delivery_service_pb2,
    delivery_service_pb2_grpc,
    preference_service_pb2,
    preference_service_pb2_grpc,
)
from diary.options.v1 import options_pb2
from services.notify.letters.rules import State
from tests.support.services import refused, sign_in
from tests.worlds.notify import MOTHER, Family, Refused, World, make_relation

SENT = int(State.SENT)
NOT_FOUND = grpc.StatusCode.NOT_FOUND


@pytest_asyncio.fixture(scope="module")
async def channel(world: World) -> AsyncIterator[grpc.aio.Channel]:
    """notify, serving."""
    async with world.serving() as channel:
        yield channel


@pytest_asyncio.fixture
async def preferences(channel: grpc.aio.Channel) -> preference_service_pb2_grpc.PreferenceServiceAsyncStub:
    return preference_service_pb2_grpc.PreferenceServiceStub(channel)


@pytest_asyncio.fixture
async def deliveries(channel: grpc.aio.Channel) -> delivery_service_pb2_grpc.DeliveryServiceAsyncStub:
    return delivery_service_pb2_grpc.DeliveryServiceStub(channel)


def _get(family: Family) -> preference_service_pb2.GetPreferencesRequest:
    return preference_service_pb2.GetPreferencesRequest(school_id=str(family.school_id))


def _switch(family: Family, *, is_on: bool, request_id: str = "") -> preference_service_pb2.UpdatePreferencesRequest:
    return preference_service_pb2.UpdatePreferencesRequest(
        school_id=str(family.school_id),
        request_id=request_id or str(uuid4()),
        student_id=str(family.student_id),
        is_marks_letter_on=is_on,
    )


def _list(family: Family, size: int = 0, token: str = "") -> delivery_service_pb2.ListDeliveriesRequest:
    return delivery_service_pb2.ListDeliveriesRequest(school_id=str(family.school_id), page_size=size, page_token=token)


async def _relate(world: World, family: Family, account_id: UUID, kind: str, object_id: UUID, role: str) -> None:
    relation, number = options_pb2.Relation.Value(f"RELATION_{kind}"), options_pb2.Role.Value(f"ROLE_{role}")
    await world.relate(family.school_id, make_relation(account_id, relation, object_id, number))


async def test_letters_are_on_from_the_first_day_for_an_account_with_an_address(
    world: World, preferences: preference_service_pb2_grpc.PreferenceServiceAsyncStub
) -> None:
    family = await world.family()
    answer = await preferences.GetPreferences(
        _get(family), metadata=sign_in(world.keys_dir, family.account_id, uuid4(), "guardian")
    )
    assert answer.email == MOTHER
    assert [(p.student_id, p.is_marks_letter_on) for p in answer.preferences] == [(str(family.student_id), True)]


async def test_a_switch_is_kept_and_a_repeat_of_it_changes_nothing(
    world: World, preferences: preference_service_pb2_grpc.PreferenceServiceAsyncStub
) -> None:
    family = await world.family()
    metadata = sign_in(world.keys_dir, family.account_id, uuid4(), "guardian")
    off = _switch(family, is_on=False)
    await preferences.UpdatePreferences(off, metadata=metadata)
    await preferences.UpdatePreferences(_switch(family, is_on=True), metadata=metadata)
    await preferences.UpdatePreferences(off, metadata=metadata)
    answer = await preferences.GetPreferences(_get(family), metadata=metadata)
    assert answer.preferences[0].is_marks_letter_on
    other = _switch(family, is_on=True, request_id=off.request_id)
    assert await refused(preferences.UpdatePreferences(other, metadata=metadata)) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "REQUEST_ID_REUSED",
    )


async def test_letters_cannot_be_switched_on_without_an_address(
    world: World, preferences: preference_service_pb2_grpc.PreferenceServiceAsyncStub
) -> None:
    family = await world.family(address="")
    metadata = sign_in(world.keys_dir, family.account_id, uuid4(), "guardian")
    answer = await preferences.GetPreferences(_get(family), metadata=metadata)
    assert not answer.preferences[0].is_marks_letter_on
    call = preferences.UpdatePreferences(_switch(family, is_on=True), metadata=metadata)
    assert await refused(call) == (grpc.StatusCode.FAILED_PRECONDITION, "CONTACT_NOT_FOUND")


async def test_a_stranger_an_ended_session_and_an_ended_relation_find_nothing(
    world: World, preferences: preference_service_pb2_grpc.PreferenceServiceAsyncStub
) -> None:
    family, session_id = await world.family(), uuid4()
    mine = sign_in(world.keys_dir, family.account_id, session_id, "guardian")
    stranger = sign_in(world.keys_dir, uuid4(), uuid4(), "guardian")
    assert await refused(preferences.GetPreferences(_get(family), metadata=stranger)) == (NOT_FOUND, "SCHOOL_NOT_FOUND")
    switch = _switch(family, is_on=False)
    assert await refused(preferences.UpdatePreferences(switch, metadata=stranger)) == (NOT_FOUND, "STUDENT_NOT_FOUND")
    await world.end_session(session_id)
    ended = (grpc.StatusCode.UNAUTHENTICATED, "SESSION_ENDED")
    assert await refused(preferences.UpdatePreferences(switch, metadata=mine)) == ended
    other_session = sign_in(world.keys_dir, family.account_id, uuid4(), "guardian")
    await preferences.UpdatePreferences(switch, metadata=other_session)
    await world.rows("UPDATE relations SET valid_to_time = now() WHERE relation_id = $1", family.relation_id)
    assert await refused(preferences.GetPreferences(_get(family), metadata=other_session)) == (NOT_FOUND, "SCHOOL_NOT_FOUND")


async def test_deliveries_are_listed_newest_first_by_pages(
    world: World, deliveries: delivery_service_pb2_grpc.DeliveryServiceAsyncStub
) -> None:
    family = await world.family()
    for count in range(1, 4):
        await world.record_marks(family)
        await world.until(family, *[(SENT, 1)] * count)
    metadata = sign_in(world.keys_dir, family.account_id, uuid4(), "guardian")
    first = await deliveries.ListDeliveries(_list(family, 2), metadata=metadata)
    second = await deliveries.ListDeliveries(_list(family, 2, first.next_page_token), metadata=metadata)
    listed = [*first.deliveries, *second.deliveries]
    assert second.next_page_token == ""
    assert [d.delivery_id for d in listed] == sorted((d.delivery_id for d in listed), reverse=True)
    assert len(listed) == 3
    assert {d.state for d in listed} == {delivery_pb2.DELIVERY_STATE_SENT}
    assert {d.provider_answer for d in listed} == {"250 2.0.0 Ok"}


async def test_each_sees_the_deliveries_that_concern_them(
    world: World, deliveries: delivery_service_pb2_grpc.DeliveryServiceAsyncStub
) -> None:
    family, class_id = await world.family(), uuid4()
    sibling = Family(school_id=family.school_id)
    await _relate(world, family, sibling.account_id, "STUDENT", sibling.student_id, "GUARDIAN")
    await world.place(family.school_id, family.student_id, class_id)
    await world.credentials_ready(sibling)
    await world.until(family, (SENT, 1))
    await world.credentials_ready(family)
    await world.record_marks(family)
    await world.until(family, *[(SENT, 1)] * 3)
    accounts = {"class teacher": uuid4(), "other class teacher": uuid4(), "admin": uuid4(), "teacher of courses": uuid4()}
    await _relate(world, family, accounts["class teacher"], "CLASS", class_id, "CLASS_TEACHER")
    await _relate(world, family, accounts["other class teacher"], "CLASS", uuid4(), "CLASS_TEACHER")
    await _relate(world, family, accounts["admin"], "SCHOOL", family.school_id, "ADMIN")
    await _relate(world, family, accounts["teacher of courses"], "COURSE", uuid4(), "TEACHER")
    accounts |= {"mother": family.account_id, "other mother": sibling.account_id}
    seen = {}
    for name, account_id in accounts.items():
        # Roles in a token are a hint: all of them are in each.
        metadata = sign_in(world.keys_dir, account_id, uuid4(), "guardian", "class_teacher", "admin")
        answer = await deliveries.ListDeliveries(_list(family), metadata=metadata)
        seen[name] = len(answer.deliveries)
    assert seen == {
        "class teacher": 2,
        "other class teacher": 0,
        "admin": 3,
        "teacher of courses": 0,
        "mother": 2,
        "other mother": 1,
    }
    stranger = sign_in(world.keys_dir, uuid4(), uuid4(), "admin")
    assert await refused(deliveries.ListDeliveries(_list(family), metadata=stranger)) == (NOT_FOUND, "SCHOOL_NOT_FOUND")


async def test_a_decisions_delivery_is_seen_by_admin_and_the_class_teacher_of_the_students_class(
    world: World, deliveries: delivery_service_pb2_grpc.DeliveryServiceAsyncStub
) -> None:
    family, class_id = await world.family(), uuid4()
    in_class, in_none = Refused(family.school_id), Refused(family.school_id)
    await world.sign_decision(in_class, class_id=class_id)
    await world.until(family, (SENT, 1))
    await world.sign_decision(in_none)
    await world.until(family, (SENT, 1), (SENT, 1))
    accounts = {"class teacher": uuid4(), "other class teacher": uuid4(), "teacher": uuid4(), "admin": uuid4()}
    await _relate(world, family, accounts["class teacher"], "CLASS", class_id, "CLASS_TEACHER")
    await _relate(world, family, accounts["other class teacher"], "CLASS", uuid4(), "CLASS_TEACHER")
    await _relate(world, family, accounts["teacher"], "CLASS", class_id, "TEACHER")
    await _relate(world, family, accounts["admin"], "SCHOOL", family.school_id, "ADMIN")
    accounts["mother"] = family.account_id
    seen = {}
    for name, account_id in accounts.items():
        metadata = sign_in(world.keys_dir, account_id, uuid4(), "guardian", "class_teacher", "admin")
        answer = await deliveries.ListDeliveries(_list(family), metadata=metadata)
        assert all((d.kind, d.account_id, d.student_id) == (3, "", "") for d in answer.deliveries)
        seen[name] = len(answer.deliveries)
    assert seen == {"class teacher": 1, "other class teacher": 0, "teacher": 0, "admin": 2, "mother": 0}


async def test_a_warning_is_seen_by_whom_it_tells_and_by_the_students_class_teacher(
    world: World, deliveries: delivery_service_pb2_grpc.DeliveryServiceAsyncStub
) -> None:
    family, class_id, teacher = await world.family(), uuid4(), uuid4()
    await world.place(family.school_id, family.student_id, class_id)
    await _relate(world, family, teacher, "CLASS", class_id, "CLASS_TEACHER")
    await world.warn(family)
    await world.until(family, (SENT, 1))
    for account_id in (family.account_id, teacher):
        metadata = sign_in(world.keys_dir, account_id, uuid4(), "guardian", "class_teacher")
        [delivery] = (await deliveries.ListDeliveries(_list(family), metadata=metadata)).deliveries
        assert delivery.kind == delivery_pb2.NOTICE_KIND_ACCESS_ENDS
        assert delivery.account_id == str(family.account_id)


@pytest.mark.parametrize("token", ["not a token", "AAAA"])
async def test_a_foreign_page_token_is_refused(
    world: World, deliveries: delivery_service_pb2_grpc.DeliveryServiceAsyncStub, token: str
) -> None:
    family = await world.family()
    metadata = sign_in(world.keys_dir, family.account_id, uuid4(), "guardian")
    call = deliveries.ListDeliveries(_list(family, 2, token), metadata=metadata)
    assert await refused(call) == (grpc.StatusCode.INVALID_ARGUMENT, "PAGE_TOKEN_INVALID")


async def test_students_and_relations_follow_the_roster(world: World, channel: grpc.aio.Channel) -> None:
    family, class_id = Family(), str(uuid4())
    key = str(family.student_id)
    for version, placed in ((2, class_id), (1, "")):
        student = roster_pb2.RosterStudent(student_id=key, class_id=placed, version=version)
        world.roster.put(str(family.school_id), roster_pb2.RosterEntry(student=student))
        changed = events_pb2.RosterChanged(school_id=str(family.school_id), kind=roster_pb2.ROSTER_KIND_STUDENT, ids=[key])
        await world.until_handled(await world.tell(changed, family.school_id))
    world.roster.put_relation(str(family.school_id), family.relation())
    changed = events_pb2.RosterChanged(
        school_id=str(family.school_id), kind=roster_pb2.ROSTER_KIND_RELATION, ids=[str(family.relation_id)]
    )
    await world.until_handled(await world.tell(changed, family.school_id))
    students = await world.rows("SELECT class_id::text, version FROM students WHERE student_id = $1", family.student_id)
    assert [tuple(row) for row in students] == [(class_id, 2)]
    assert await world.rows("SELECT 1 FROM relations WHERE relation_id = $1", family.relation_id)
