from apps.portal import people
from diary.access.v1.person_name_pb2 import PersonName
from diary.access.v1.session_pb2 import CallerSchool, CallerStudent
from diary.access.v1.session_service_pb2 import GetCallerResponse
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


def test_going_from_child_to_child_keeps_the_week() -> None:
    tabs = people.build_children(caller(students=CHILDREN), "i", "?week=2026-W47")
    assert [(tab.title, tab.note, tab.is_current) for tab in tabs] == [("Анна", "8-А", False), ("Илья", "3-Б", True)]
    assert tabs[0].url == "/schools/s/students/a/week?week=2026-W47"


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
