"""Words around a class, as its school wrote the title, and around a blocked login."""

from datetime import UTC, datetime, timedelta

import pytest

from apps.portal.reasons import wait_for_retry
from apps.portal.teacher.views.journal import build_courses
from apps.portal.words import name_class
from diary.journal.v1.course_pb2 import Course


@pytest.mark.parametrize(
    ("title", "said"),
    [("8-А", "8-А класс"), ("8А класс", "8А класс"), ("Подготовительный Класс", "Подготовительный Класс"), ("", "")],
)
def test_a_class_whose_title_has_the_noun_is_not_told_twice(title: str, said: str) -> None:
    assert name_class(title) == said
    [group] = build_courses([Course(class_name=title)], is_own=False)
    assert group.title == (said or "Сборные группы")


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({}, "Слишком много попыток. Попробуйте через 7\u00a0минут."),
        ({"counted": "everywhere"}, "через 7\u00a0минут или там, где вы уже входили с этим логином."),
    ],
)
def test_whom_a_blocked_login_keeps_out_is_told_how_long_and_where_it_is_open(metadata: dict[str, str], said: str) -> None:
    now = datetime(2026, 11, 30, 9, tzinfo=UTC)
    retry_time = (now + timedelta(minutes=6, seconds=30)).isoformat()
    assert said in wait_for_retry("SIGN_IN_BLOCKED", {"retry_time": retry_time, **metadata}, now)
