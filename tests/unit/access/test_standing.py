"""Who has a place in a school."""

import pytest

from chassis.errors import NotFound, Unauthenticated
from services.access.people.rules.roles import STAFF, Role
from services.access.rights.rules.standing import Standing, require_place


def test_an_ended_session_has_no_place_whatever_its_roles() -> None:
    with pytest.raises(Unauthenticated, match="SESSION_ENDED"):
        require_place(Standing(False, frozenset({Role.ADMIN}), True), STAFF, or_family=True)


@pytest.mark.parametrize(("roles", "is_family"), [(frozenset(), False), (frozenset(), True), (frozenset({Role.HEAD}), False)])
def test_a_place_is_asked_for_by_role(roles: frozenset[int], is_family: bool) -> None:
    with pytest.raises(NotFound, match="SCHOOL_NOT_FOUND"):
        require_place(Standing(True, roles, is_family), frozenset({Role.ADMIN}))


def test_a_family_has_a_place_only_where_families_are_let_in() -> None:
    require_place(Standing(True, frozenset(), True), frozenset({Role.ADMIN}), or_family=True)
    require_place(Standing(True, frozenset({Role.ADMIN}), False), frozenset({Role.ADMIN}))
