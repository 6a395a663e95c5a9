"""Who is shown which links, and where an account begins."""

from apps.portal import navigation, people, roles
from diary.options.v1 import options_pb2 as options
from tests.unit.portal.test_people import CHILDREN, caller


def _title(part: str, role: options.Role.ValueType) -> str:
    [place] = [place for place in navigation.PLACES if place.part == part]
    return place.title_at(caller(role).schools[0])


def test_a_family_begins_at_the_week_of_its_first_child() -> None:
    assert navigation.begin_url(caller(options.ROLE_GUARDIAN, students=CHILDREN)) == "/schools/s/students/a/week"


def test_who_has_something_due_begins_there_and_a_deputy_at_the_journals() -> None:
    assert navigation.begin_url(caller(options.ROLE_DEPUTY)) == "/schools/s/courses"
    for role in (
        options.ROLE_TEACHER,
        options.ROLE_CLASS_TEACHER,
        options.ROLE_SECRETARY,
        options.ROLE_ADMIN,
        options.ROLE_HEAD,
    ):
        assert navigation.begin_url(caller(role)) == "/"
    assert navigation.begin_url(caller(options.ROLE_SPECIALIST)) is None


def test_the_head_reads_journals_and_signs() -> None:
    titles = [link.title for link in navigation.build_navigation(caller(options.ROLE_HEAD), "/").links]
    assert titles == [
        "Главная",
        "Журналы",
        "Заявления",
        "Отказы на подпись",
        "Соблюдение сроков",
        "Реквизиты школы",
        "Второй фактор",
    ]


def test_the_second_factor_is_in_the_menu_of_those_who_have_it_or_must() -> None:
    """Who signs must; of others who has it. Nobody begins there."""
    shown = {}
    for role in (options.ROLE_HEAD, options.ROLE_ADMIN, options.ROLE_SPECIALIST):
        for has in (False, True):
            one = caller(role)
            one.has_second_factor = has
            links = navigation.build_navigation(one, people.SECOND_FACTOR_URL).links
            shown[role, has] = [link.is_current for link in links if link.title == "Второй фактор"]
            assert navigation.begin_url(one) != people.SECOND_FACTOR_URL
    assert {key for key, found in shown.items() if found == [True]} == {
        (options.ROLE_HEAD, False),
        (options.ROLE_HEAD, True),
        (options.ROLE_ADMIN, True),
        (options.ROLE_SPECIALIST, True),
    }


def test_a_teacher_with_a_child_sees_both() -> None:
    both = caller(options.ROLE_GUARDIAN, options.ROLE_TEACHER, students=CHILDREN)
    links = navigation.build_navigation(both, "/schools/s/courses/x").links
    assert [(link.title, link.is_current) for link in links] == [
        ("Главная", False),
        ("Неделя", False),
        ("Мои журналы", True),
        ("Уведомления", False),
        ("Дневник и распечатки", False),
        ("Мои заявления", False),
    ]


def test_only_class_teacher_and_admin_grant_and_the_head_only_reads() -> None:
    """Clause R9, decision 10."""
    may = {
        role: (roles.may(caller(role), "s", roles.REGISTER), roles.may(caller(role), "s", roles.GRANT))
        for role in (options.ROLE_CLASS_TEACHER, options.ROLE_ADMIN, options.ROLE_SECRETARY, options.ROLE_HEAD)
    }
    assert may == {
        options.ROLE_CLASS_TEACHER: (True, True),
        options.ROLE_ADMIN: (True, True),
        options.ROLE_SECRETARY: (True, False),
        options.ROLE_HEAD: (False, False),
    }
    assert not roles.may(caller(options.ROLE_ADMIN), "another school", roles.REGISTER)


def test_the_head_signs_refusals_and_admin_and_secretary_bring_the_signed_papers() -> None:
    """Clause R22."""
    titles = {
        role: _title("/refusals", role)
        for role in (options.ROLE_HEAD, options.ROLE_ADMIN, options.ROLE_SECRETARY, options.ROLE_CLASS_TEACHER)
    }
    assert titles == {
        options.ROLE_HEAD: "Отказы на подпись",
        options.ROLE_ADMIN: "Решения об отказе",
        options.ROLE_SECRETARY: "Решения об отказе",
        options.ROLE_CLASS_TEACHER: "",
    }
    assert [role for role in titles if roles.may(caller(role), "s", roles.SIGN)] == [options.ROLE_HEAD]
    assert not roles.may(caller(options.ROLE_HEAD), "another school", roles.SIGN)


def test_addresses_hold_no_names() -> None:
    every = [link.url for link in navigation.build_navigation(caller(options.ROLE_TEACHER, students=CHILDREN), "/").links]
    assert all(url.isascii() for url in every)
