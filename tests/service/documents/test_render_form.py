"""DocumentService.RenderForm over gRPC: blank forms for anyone (Clauses R8, R30, R31)."""

from __future__ import annotations

from uuid import uuid4

import grpc
import pytest

from diary.access.v1 import school_pb2, school_service_pb2
from diary.documents.v1 import form_pb2
from tests.support.papers import needs_poppler, read_texts
from tests.support.services import refused
from tests.worlds.documents import World

SCHOOL = "МБОУ «Александровская школа»"


def _put_school(world: World, **details: str) -> None:
    school = school_pb2.School(school_id=world.school_id, name=SCHOOL)
    world.schools[world.school_id] = school_service_pb2.GetSchoolResponse(
        school=school, details=school_pb2.SchoolDetails(**details)
    )


async def _render(world: World, kind: str, school_id: str = "") -> bytes:
    request = form_pb2.RenderFormRequest(school_id=school_id or world.school_id, kind=kind)
    answer = await world.documents.RenderForm(request)
    assert answer.content_type == "application/pdf"
    data: bytes = answer.data
    return data


@needs_poppler
@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("appendix-2", "не предоставлять мне (нам) услугу"),
        ("appendix-3", "отменить предоставление мне (нам) информации"),
        ("student-statement", "о моих успеваемости"),
        ("paper", "не реже одного раза в неделю"),
    ],
)
async def test_anyone_gets_a_blank_form_in_the_schools_name(world: World, kind: str, words: str) -> None:
    _put_school(world, head_position_dative="Директору", head_name_dative="Супрун И. Е.")
    [page] = read_texts(await _render(world, kind))
    text = " ".join(page.split())
    for part in (words, "Директору", SCHOOL, "Супрун И. Е."):
        assert part in text


@needs_poppler
async def test_a_change_of_the_head_is_on_the_next_form(world: World) -> None:
    _put_school(world, head_position_dative="Директору", head_name_dative="Супрун И. Е.")
    await _render(world, "paper")
    _put_school(world, head_position_dative="И. о. директора", head_name_dative="Петровой Н. И.")
    [page] = read_texts(await _render(world, "paper"))
    assert "Петровой" in page
    assert "Супрун" not in page


async def test_what_is_no_form_and_what_is_no_school_is_not_found(world: World) -> None:
    _put_school(world)
    for call in (_render(world, "appendix-1"), _render(world, "appendix-2", str(uuid4()))):
        assert await refused(call) == (grpc.StatusCode.NOT_FOUND, "FORM_NOT_FOUND")


async def test_access_away_is_told(world: World) -> None:
    _put_school(world)
    world.neighbours.fail("diary.access")
    assert await refused(_render(world, "appendix-2")) == (grpc.StatusCode.UNAVAILABLE, "ACCESS_UNAVAILABLE")
