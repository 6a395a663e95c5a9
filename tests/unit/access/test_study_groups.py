"""A study group of a list says of which class it is, by what the list states."""

from datetime import date

import pytest

from services.access.roster.rules.bundle import TaughtClass
from services.access.roster.rules.study_groups import Place, place_groups
from services.access.roster.rules.times import Period

_SUBJECTS = {"alg": "Алгебра", "eng": "Иностранный язык (английский)"}
_HOMEROOMS = {"8a": ("8-А", (8,)), "8b": ("8-Б", (8,)), "10a": ("10-А", (10,)), "1a": ("1-А", (1,))}
_YEAR = (date(2026, 9, 1), date(2027, 5, 27))


def _group(sourced_id: str, title: str, course: str = "alg", grades: tuple[int, ...] = ()) -> TaughtClass:
    return TaughtClass(sourced_id, 2, title, False, grades, course, "s", ("y",))


def _time(of_id: str, person_id: str, first: date = _YEAR[0], end: date = _YEAR[1]) -> Period:
    return Period(of_id, person_id, first, end)


def _place(groups: list[TaughtClass], members: list[Period], placements: list[Period]) -> list[Place]:
    return place_groups(groups, _SUBJECTS, _HOMEROOMS, members, placements)


@pytest.mark.parametrize("title", ["Алгебра", "8-А алгебра", "8А Алгебра", "8а класс. Алгебра", "Алгебра (8-А)"])
def test_a_group_is_of_the_class_that_all_its_students_are_of(title: str) -> None:
    group, times = _group("g", title), [_time("8a", "p"), _time("8a", "q")]
    assert _place([group], [_time("g", "p"), _time("g", "q")], times) == [Place("8a", "", True)]


def test_a_group_of_several_classes_names_them_in_their_order() -> None:
    members = [_time("g", "p"), _time("g", "q"), _time("g", "r")]
    placements = [_time("10a", "r"), _time("8b", "q"), _time("8a", "p")]
    assert _place([_group("g", "Алгебра")], members, placements) == [Place(None, "8-А, 8-Б, 10-А", True)]
    assert _place([_group("g", "Алгебра, факультатив")], members, placements) == [
        Place(None, "8-А, 8-Б, 10-А, факультатив", True)
    ]


def test_who_moves_to_another_class_changes_the_class_of_no_group() -> None:
    """Whether the list ends the mover's time in the group with the move, or has never ended it."""
    day = date(2026, 12, 5)
    groups = [_group("a", "8-А алгебра"), _group("b", "8-Б алгебра")]
    placements = [_time("8a", "p", end=day), _time("8b", "p", first=day), _time("8a", "q"), _time("8b", "r")]
    dated = [_time("a", "p", end=day), _time("b", "p", first=day), _time("a", "q"), _time("b", "r")]
    undated = [_time("a", "p"), _time("b", "p"), _time("a", "q"), _time("b", "r")]
    for members in (dated, undated):
        assert _place(groups, members, placements) == [Place("8a", "", True), Place("8b", "", True)]


def test_a_student_of_no_class_leaves_the_group_without_one() -> None:
    assert _place([_group("g", "Алгебра")], [_time("g", "p"), _time("g", "q")], [_time("8a", "p")]) == [
        Place(None, "8-А", True)
    ]


def test_halves_of_a_class_keep_what_tells_them_apart() -> None:
    groups = [_group("1", "8-А английский, 1 группа", "eng"), _group("2", "8-А английский, 2 группа", "eng")]
    members, placements = [_time("1", "p"), _time("2", "q")], [_time("8a", "p"), _time("8a", "q")]
    assert [place.name for place in _place(groups, members, placements)] == ["английский, 1 группа", "английский, 2 группа"]
    alike = [_group("1", "8-А алгебра"), _group("2", "Алгебра 8-А")]
    assert [place.name for place in _place(alike, members, placements)] == ["8-А алгебра", "Алгебра 8-А"]


def test_a_group_of_nobody_is_told_by_its_title_or_its_grades() -> None:
    groups = [_group("1", "Алгебра", grades=(8,)), _group("2", "Алгебра", grades=(9, 10)), _group("3", "ALG-1", grades=(9,))]
    assert _place([*groups, _group("4", "Алгебра")], [], []) == [
        Place(None, "8 класс", True),
        Place(None, "9, 10 классы", True),
        Place(None, "ALG-1", True),
        Place(None, "", True),
    ]


def test_the_first_grade_has_no_marks() -> None:
    groups = [_group("g", "Алгебра"), _group("h", "Алгебра", grades=(1,))]
    assert _place(groups, [_time("g", "p")], [_time("1a", "p")]) == [Place("1a", "", False), Place(None, "1 класс", False)]
