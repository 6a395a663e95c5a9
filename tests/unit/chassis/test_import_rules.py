"""What an import is, whatever its kind: its states, its lines, its problems."""

import pickle
from dataclasses import replace

import pytest

from chassis.imports import (
    Change,
    ImportRefusedError,
    Line,
    Problem,
    State,
    compare,
    demand_as_chosen,
    is_over,
    may_become,
)

_WAS = Line("person 1", "человек", "Осокин Ждан")


def test_nothing_is_written_before_its_word_and_what_is_over_stays_so() -> None:
    assert [state for state in State if may_become(state, State.DONE)] == [State.CONFIRMED]
    assert [state for state in State if is_over(state)] == [State.DONE, State.REFUSED]
    assert all(may_become(state, State.REFUSED) != is_over(state) for state in State)


def test_lines_that_differ_are_changes_and_the_others_none() -> None:
    named, posted = Line("person 1", "человек", "Осокин Ждан Ильич"), Line("post", "Осокин Ждан: учитель", "без срока")
    new, gone = Line("person 2", "человек", "Бажов Тарас"), Line("person 3", "человек", "Рогозин Клим")
    renamed = replace(posted, what="Осокин Ждан Ильич: учитель")
    assert compare({1: _WAS, 3: gone, 4: posted}, {1: named, 2: new, 4: renamed}) == [
        Change("person 1", "человек", "Осокин Ждан", "Осокин Ждан Ильич"),
        Change("person 2", "человек", "", "Бажов Тарас"),
        Change("person 3", "человек", "Рогозин Клим", ""),
    ]
    assert compare({1: _WAS}, {1: _WAS}) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (Change("p", "класс 8-А", "", "параллель 8"), "класс 8-А: новое, параллель 8"),
        (Change("p", "класс 8-А", "параллель 8", "параллель 9"), "класс 8-А: параллель 8 → параллель 9"),
        (Change("p", "класс 8-А", "параллель 8", ""), "класс 8-А: параллель 8 → больше нет"),
    ],
)
def test_a_change_is_a_line_in_russian(change: Change, said: str) -> None:
    assert str(change) == said


def test_what_is_written_is_what_was_confirmed() -> None:
    one, two = Change("a", "а", "1", "2"), Change("b", "б", "", "3")
    demand_as_chosen([one, two], [two, one], "list.zip", is_all=True)
    with pytest.raises(ImportRefusedError, match="с тех пор, как показаны изменения, сведения изменились"):
        demand_as_chosen([one, two], [one], "list.zip", is_all=True)
    with pytest.raises(ImportRefusedError, match="выбранные строки нельзя внести без других"):
        demand_as_chosen([one], [one, two], "list.zip", is_all=False)


def test_whose_new_name_was_left_out_is_changed_under_the_old_one() -> None:
    shown = Change("post", "Осокин Ждан Ильич: учитель", "без срока", "с 01.09.2026")
    demand_as_chosen([replace(shown, what="Осокин Ждан: учитель")], [shown], "list.zip", is_all=False)


def test_a_refusal_comes_out_of_the_quarantine_with_its_places() -> None:
    problem = Problem("list.xlsx", 4, "Имя", "не заполнено", "заполните", sheet="8-А")
    refusal = pickle.loads(pickle.dumps(ImportRefusedError([problem])))
    assert refusal.problems == [problem]
    assert str(refusal) == "list.xlsx, лист «8-А», строка 4, столбец Имя: не заполнено; заполните"
