from apps.portal.views import people
from diary.access.v1.person_name_pb2 import PersonName
from diary.access.v1.session_service_pb2 import CallerSchool, CallerStudent, GetCallerResponse
from diary.options.v1 import options_pb2 as options

CHILDREN = [
    CallerStudent(
        student_id="a",
        display_name="Соколова Анна Дмитриевна",
        name=PersonName(family_name="Соколова", given_name="Анна", patronymic="Дмитриевна"),
        class_name="8-А",
    ),
    CallerStudent(
        student_id="i",
        display_name="Соколов Илья Дмитриевич",
        name=PersonName(family_name="Соколов", given_name="Илья", patronymic="Дмитриевич"),
        class_name="3-Б",
    ),
]


def caller(*roles: options.Role.ValueType, students: list[CallerStudent] | None = None) -> GetCallerResponse:
    school = CallerSchool(
        school_id="s", school_name="Школа", display_name="Соколова М. В.", roles=roles, students=students or []
    )
    return GetCallerResponse(schools=[school])


def test_a_family_begins_at_the_week_of_its_first_child() -> None:
    assert people.home_url(caller(options.ROLE_GUARDIAN, students=CHILDREN)) == "/schools/s/students/a/week"


def test_a_teacher_begins_at_the_own_journals_and_a_head_at_all() -> None:
    assert people.home_url(caller(options.ROLE_TEACHER)) == "/schools/s/courses"
    titles = [link.title for link in people.build_navigation(caller(options.ROLE_HEAD), "/").links]
    assert titles == ["Журналы", "Заявления", "Отказы на подпись", "Соблюдение сроков", "Реквизиты школы", "Второй фактор"]


def test_the_second_factor_is_in_the_menu_of_those_who_have_it_or_must() -> None:
    """Who signs must; of others who has it. Nobody begins there."""
    shown = {}
    for role in (options.ROLE_HEAD, options.ROLE_ADMIN, options.ROLE_SPECIALIST):
        for has in (False, True):
            one = caller(role)
            one.has_second_factor = has
            links = people.build_navigation(one, people.SECOND_FACTOR_URL).links
            shown[role, has] = [link.is_current for link in links if link.title == "Второй фактор"]
            assert people.home_url(one) != people.SECOND_FACTOR_URL
    assert {key for key, found in shown.items() if found == [True]} == {
        (options.ROLE_HEAD, False),
        (options.ROLE_HEAD, True),
        (options.ROLE_ADMIN, True),
        (options.ROLE_SPECIALIST, True),
    }


def test_a_teacher_with_a_child_sees_both() -> None:
    both = caller(options.ROLE_GUARDIAN, options.ROLE_TEACHER, students=CHILDREN)
    links = people.build_navigation(both, "/schools/s/courses/x").links
    assert [(link.title, link.is_current) for link in links] == [
        ("Неделя", False),
        ("Мои журналы", True),
        ("Уведомления", False),
        ("Дневник и распечатки", False),
        ("Мои заявления", False),
    ]


def test_a_secretary_begins_at_the_applications_and_a_specialist_has_nothing_yet() -> None:
    assert people.home_url(caller(options.ROLE_SECRETARY)) == "/schools/s/applications"
    assert people.home_url(caller(options.ROLE_SPECIALIST)) is None


def test_only_class_teacher_and_admin_grant_and_the_head_only_reads() -> None:
    """Clause R9, decision 10."""
    may = {
        role: (people.may_register(caller(role), "s"), people.may_grant(caller(role), "s"))
        for role in (options.ROLE_CLASS_TEACHER, options.ROLE_ADMIN, options.ROLE_SECRETARY, options.ROLE_HEAD)
    }
    assert may == {
        options.ROLE_CLASS_TEACHER: (True, True),
        options.ROLE_ADMIN: (True, True),
        options.ROLE_SECRETARY: (True, False),
        options.ROLE_HEAD: (False, False),
    }
    assert not people.may_register(caller(options.ROLE_ADMIN), "another school")


def test_the_head_signs_refusals_and_admin_and_secretary_bring_the_signed_papers() -> None:
    """Clause R22."""
    titles = {
        role: people.refusals_title(caller(role).schools[0])
        for role in (options.ROLE_HEAD, options.ROLE_ADMIN, options.ROLE_SECRETARY, options.ROLE_CLASS_TEACHER)
    }
    assert titles == {
        options.ROLE_HEAD: "Отказы на подпись",
        options.ROLE_ADMIN: "Решения об отказе",
        options.ROLE_SECRETARY: "Решения об отказе",
        options.ROLE_CLASS_TEACHER: "",
    }
    assert [role for role in titles if people.may_sign(caller(role), "s")] == [options.ROLE_HEAD]
    assert not people.may_sign(caller(options.ROLE_HEAD), "another school")


def test_going_from_child_to_child_keeps_the_week() -> None:
    tabs = people.build_children(caller(students=CHILDREN), "i", "?week=2026-W47")
    assert [(tab.title, tab.note, tab.is_current) for tab in tabs] == [("Анна", "8-А", False), ("Илья", "3-Б", True)]
    assert tabs[0].url == "/schools/s/students/a/week?week=2026-W47"


def test_addresses_hold_no_names() -> None:
    every = [link.url for link in people.build_navigation(caller(options.ROLE_TEACHER, students=CHILDREN), "/").links]
    assert all(url.isascii() for url in every)


def test_children_of_one_family_are_called_by_given_names_and_told_apart_where_these_are_alike() -> None:
    def child(student_id: str, given: str, patronymic: str) -> CallerStudent:
        name = PersonName(family_name="Аль Хасан", given_name=given, patronymic=patronymic)
        return CallerStudent(student_id=student_id, display_name=f"Аль Хасан {given} {patronymic}", name=name)

    three = [child("a", "Омар", "Рашидович"), child("b", "Хуан Карлос", "Рашидович"), child("c", "Омар", "Юсуфович")]
    titles = [tab.title for tab in people.build_children(caller(students=three), "a", "")]
    assert titles == ["Аль Хасан Омар Рашидович", "Хуан Карлос", "Аль Хасан Омар Юсуфович"]


def test_a_child_whose_parts_are_not_told_is_shown_whole() -> None:
    [tab] = people.build_children(caller(students=[CallerStudent(student_id="a", display_name="Аль Хасан Омар")]), "a", "")
    assert tab.title == "Аль Хасан Омар"
