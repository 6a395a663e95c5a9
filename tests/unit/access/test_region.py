"""Laws of a generated school: nobody without a place, nothing without a teacher, families of every kind, always the same."""

from collections import Counter, defaultdict
from datetime import date
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.access.people.rules.guardianships import GuardianKind, find_reaching
from services.access.people.rules.names import PersonName
from services.access.people.rules.roles import Role
from services.access.seed.region.names import FEMALE
from services.access.seed.region.roster import Roster
from services.access.seed.region.schools import ALGEBRA_TEACHER, MIN_STUDENTS, build_school_name, plan_demo, plan_region
from services.access.seed.region.shown import list_shown_of_town, list_shown_of_village
from tests.unit.access.region_school import SHARED, make, names, plan, town, village

FIRST_DAY = date(2026, 9, 1)
DEMO = pytest.mark.parametrize("school", [town(), village()], ids=["town", "village"])


def _age(born: date, day: date = FIRST_DAY) -> int:
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def test_the_same_seed_gives_the_same_school_ids_included() -> None:
    spec = plan_demo()[1]
    assert make(spec) == make(spec)
    assert make(spec).school.school_id != make(spec, seed=2).school.school_id


def test_the_town_school_has_two_classes_of_25_in_each_grade() -> None:
    sizes = Counter(student.class_id for student in town().students)
    assert [of_class.name for of_class in town().classes[:4]] == ["1-А", "1-Б", "2-А", "2-Б"]
    assert len(town().classes) == 22
    assert set(sizes.values()) == {25}


def test_the_village_school_teaches_two_grades_together_and_has_6_to_9_in_a_class() -> None:
    sizes = Counter(student.class_id for student in village().students)
    assert {of_class.grades for of_class in village().classes if len(of_class.grades) > 1} == {(1, 3), (2, 4)}
    assert all(6 <= size <= 9 for size in sizes.values())
    assert {student.grade for student in village().students} == set(range(1, 12))


@DEMO
def test_every_id_is_used_once_and_is_of_version_7(school: Roster) -> None:
    ids = [
        *(person.person_id for person in school.people),
        *(student.enrolment_id for student in school.students),
        *(group.study_group_id for group in school.study_groups),
        *(guardianship.guardianship_id for guardianship in school.guardianships),
        *(grant.grant_id for grant in school.grants),
    ]
    assert len(set(ids)) == len(ids)
    assert {entry.version for entry in ids} == {7}


@DEMO
def test_every_student_has_a_class_of_the_own_grade_and_an_enrolment_in_force(school: Roster) -> None:
    classes = {of_class.class_id: of_class for of_class in school.classes}
    for student in school.students:
        assert student.grade in classes[student.class_id].grades
        assert student.order_date < student.from_date <= FIRST_DAY
        assert student.order_number


@DEMO
def test_every_grade_of_a_class_has_the_hours_of_the_plan(school: Roster) -> None:
    groups = defaultdict(list)
    for group in school.study_groups:
        groups[group.class_id].append(group)
    for student in school.students:
        taught: dict[str, int] = defaultdict(int)
        for group in groups[student.class_id]:
            if student.person.person_id in group.member_ids:
                taught[group.subject] += group.weekly_hours
        assert taught == {row.subject: row.hours[student.grade] for row in plan() if student.grade in row.hours}
        assert 20 <= sum(taught.values()) <= 34


def test_the_plan_is_that_of_2026() -> None:
    hours = {(row.subject, grade): count for row in plan() for grade, count in row.hours.items()}
    assert [hours["История", grade] for grade in (6, 7, 8)] == [3, 3, 3]
    assert {grade for subject, grade in hours if subject == "Обществознание"} == {9, 10, 11}
    assert {grade for subject, grade in hours if subject == "Основы безопасности и защиты Родины"} == {8, 9, 10, 11}
    assert ("Духовно-нравственная культура России", 5) in hours
    unmarked = {row.subject for row in plan() if not row.has_marks}
    assert {"Разговоры о важном", "Россия — мои горизонты"} <= unmarked
    assert not any(row.is_marked(1) for row in plan())


@DEMO
def test_every_course_has_a_teacher_with_an_appointment_and_members(school: Roster) -> None:
    teachers = {a.person_id for a in school.appointments if a.role is Role.TEACHER}
    for group in school.study_groups:
        assert group.teacher_id in teachers
        assert group.member_ids


@DEMO
def test_nobody_teaches_two_groups_of_a_class_at_once(school: Roster) -> None:
    taught = Counter((g.class_id, g.subject, g.grades, g.teacher_id) for g in school.study_groups)
    assert max(taught.values()) == 1


@DEMO
def test_loads_of_teachers_are_those_of_people(school: Roster) -> None:
    loads: dict[UUID, dict[tuple[UUID, str], int]] = defaultdict(dict)
    for group in school.study_groups:
        key = (group.class_id, group.subject)
        loads[group.teacher_id][key] = max(group.weekly_hours, loads[group.teacher_id].get(key, 0))
    assert max(sum(load.values()) for load in loads.values()) <= 34


@DEMO
def test_every_class_has_one_class_teacher_and_every_role_is_filled(school: Roster) -> None:
    led = [a.class_id for a in school.appointments if a.role is Role.CLASS_TEACHER]
    assert sorted(led, key=str) == sorted((c.class_id for c in school.classes), key=str)
    assert {a.role for a in school.appointments} == {role for role in Role if Role.TEACHER <= role <= Role.HEAD}


@DEMO
def test_families_of_every_kind_are_there(school: Roster) -> None:
    kinds = Counter(g.kind for g in school.guardianships)
    assert set(kinds) == set(GuardianKind)
    guardians = defaultdict(set)
    for g in school.guardianships:
        guardians[g.student_id].add((g.kind, g.guardian_id))
    held = [{kind for kind, _ in kinds} for kinds in guardians.values()]
    assert {GuardianKind.MOTHER} in held
    assert {GuardianKind.FATHER} in held
    assert {GuardianKind.MOTHER, GuardianKind.FATHER} in held
    siblings = Counter(g.guardian_id for g in school.guardianships if g.kind is GuardianKind.MOTHER)
    assert max(siblings.values()) >= 2


@DEMO
def test_a_child_has_one_birth_certificate_whoever_shows_it(school: Roster) -> None:
    shown: dict[UUID, list[str]] = defaultdict(list)
    for g in school.guardianships:
        if g.document.startswith("Свидетельство о рождении"):
            shown[g.student_id].append(g.document)
    assert max(map(len, shown.values())) == 2
    assert all(len(set(documents)) == 1 for documents in shown.values())
    assert len({documents[0] for documents in shown.values()}) > 0.99 * len(shown)


@DEMO
def test_a_guardian_to_14_becomes_a_trustee_on_the_14th_birthday(school: Roster) -> None:
    born = {student.person.person_id: student.person.birth_date for student in school.students}
    for g in school.guardianships:
        assert g.from_date < g.end_date
        if g.kind is GuardianKind.GUARDIAN_TO_14:
            assert g.end_date == find_reaching(born[g.student_id], 14)
            assert any(other.from_date == g.end_date for other in school.guardianships if other.student_id == g.student_id)
        elif g.kind is not GuardianKind.REPRESENTATIVE:
            assert _age(born[g.student_id], g.end_date) == 18


@DEMO
def test_a_student_of_18_has_no_guardian_but_a_representative(school: Roster) -> None:
    grown = [s.person for s in school.students if _age(s.person.birth_date) >= 18]
    assert grown
    for person in grown:
        in_force = [g.kind for g in school.guardianships if g.student_id == person.person_id and g.end_date > FIRST_DAY]
        assert in_force == [GuardianKind.REPRESENTATIVE]


@DEMO
def test_surnames_of_siblings_and_their_father_agree(school: Roster) -> None:
    people = {person.person_id: person for person in school.people}
    books = (names().slavic, names().turkic)
    of_men = {surname.male: surname.female for book in books for surname in book.surnames}
    for g in school.guardianships:
        father, child = people[g.guardian_id].name, people[g.student_id]
        if g.kind is GuardianKind.FATHER and child.name.given_name:
            parts = father.family_name.split("-")
            expected = [of_men[part] for part in parts] if child.gender == FEMALE else parts
            assert child.name.family_name.split("-") == expected


@DEMO
def test_names_of_every_sort_are_there(school: Roster) -> None:
    given = [student.person.name for student in school.students]
    assert any("-" in name.family_name for name in given)
    assert any(name.patronymic.endswith((" оглы", " кызы")) for name in given)
    assert any(name.given_name and not name.patronymic for name in given)
    assert any(not name.given_name for name in given)
    assert any("ё" in name.family_name for name in given)


@DEMO
def test_a_grant_follows_an_application_in_force_and_some_families_have_none(school: Roster) -> None:
    guardianships = {g.guardianship_id: g for g in school.guardianships}
    students = {student.person.person_id: student for student in school.students}
    for grant in school.grants:
        assert grant.application_number
        assert grant.grant_time.date() > grant.application_date >= students[grant.student_id].from_date
        assert grant.application_date.weekday() < 5
        if grant.guardianship_id is not None:
            held = guardianships[grant.guardianship_id]
            assert (held.guardian_id, held.student_id) == (grant.holder_id, grant.student_id)
            assert held.from_date <= grant.application_date
    without = set(students) - {grant.student_id for grant in school.grants}
    assert 0.02 * len(students) < len(without) < 0.3 * len(students)


@DEMO
def test_a_holder_has_at_most_one_grant_for_a_student(school: Roster) -> None:
    assert max(Counter((g.account_id, g.student_id) for g in school.grants).values()) == 1


def test_logins_are_unique_in_the_region() -> None:
    logins = [account.login for school in (town(), village()) for account in school.accounts if account.is_new]
    assert len(set(logins)) == len(logins)
    assert all(login == login.lower() and login.isascii() for login in logins)


def test_a_mother_has_children_in_both_schools_by_one_account() -> None:
    for school in (town(), village()):
        account = next(a for a in school.accounts if a.account_id == SHARED)
        person = next(p for p in school.people if p.person_id == account.person_id)
        assert person.name == PersonName("Королёва", "Ольга", "Сергеевна")
        assert any(grant.account_id == SHARED for grant in school.grants)
    assert [a.is_new for school in (town(), village()) for a in school.accounts if a.account_id == SHARED] == [True, False]


def test_those_who_are_shown_are_found_in_the_school() -> None:
    shown = list(list_shown_of_town(town(), SHARED))
    assert [one.role for one in shown[:2]] == [Role.TEACHER, Role.TEACHER]
    teacher = next(p for p in town().people if p.person_id == shown[0].person_id)
    assert teacher.name == ALGEBRA_TEACHER
    assert shown[0].login == "petrova.ni"
    mother = next(one for one in shown if one.login == "mama.soloveva")
    father = next(one for one in shown if one.login == "papa.solovev")
    student = next(one for one in shown if one.role is Role.STUDENT)
    assert [child.class_name for child in mother.students] == ["8-А", "5-А"]
    assert mother.students == father.students
    assert student.students == mother.students[:1]
    assert {Role.HEAD, Role.DEPUTY, Role.SECRETARY, Role.ADMIN, Role.SPECIALIST} <= {one.role for one in shown}
    assert [one.role for one in list_shown_of_village(village())] == [Role.TEACHER]


def test_two_of_the_families_shown_have_an_address_for_letters() -> None:
    addresses = {one.login: one.email for one in list_shown_of_town(town(), SHARED) if one.email}
    assert addresses == {login: f"{login}@family.example" for login in ("mama.soloveva", "mama.koroleva")}


@pytest.mark.parametrize("seed", [2, 3])
def test_families_that_are_shown_have_their_logins_whatever_the_seed(seed: int) -> None:
    logins = {one.login for one in list_shown_of_town(make(plan_demo()[0], seed), SHARED)}
    assert {"petrova.ni", "mama.soloveva", "papa.solovev", "artem.solovev", "mama.koroleva"} <= logins


@settings(max_examples=8, deadline=None)
@given(schools=st.integers(1, 6), students=st.integers(0, 600))
def test_a_region_of_any_size_has_the_wanted_students(schools: int, students: int) -> None:
    wanted = schools * MIN_STUDENTS + students
    specs = plan_region(schools, wanted)
    assert sum(spec.student_count for spec in specs) == wanted
    assert len({build_school_name(spec) for spec in specs}) == schools
    assert len(make(specs[-1]).students) == specs[-1].student_count


def test_too_few_students_for_the_schools_are_refused() -> None:
    with pytest.raises(ValueError, match="for 3 schools 162 or more"):
        plan_region(3, 161)
