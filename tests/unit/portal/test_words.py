"""Words around a class, as its school wrote the title."""

import pytest

from apps.portal.views.journal import build_courses
from apps.portal.words import name_class
from diary.journal.v1.journal_service_pb2 import Course


@pytest.mark.parametrize(
    ("title", "said"),
    [("8-А", "8-А класс"), ("8А класс", "8А класс"), ("Подготовительный Класс", "Подготовительный Класс"), ("", "")],
)
def test_a_class_whose_title_has_the_noun_is_not_told_twice(title: str, said: str) -> None:
    assert name_class(title) == said
    [group] = build_courses([Course(class_name=title)], is_own=False)
    assert group.title == (said or "Сборные группы")
