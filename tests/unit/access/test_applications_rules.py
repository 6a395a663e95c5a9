"""What decides a case, as values: terms, ages, the checklist (Clauses R6, R10-R12, R15)."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.calendar import WorkingCalendar, federal_layer
from chassis.errors import FailedPrecondition, InvalidArgument
from services.access.rules import applications as rules
from services.access.rules import filing
from services.access.rules.applications import Applicant, Case, Enrolment, State, StudentCard, Way
from services.access.rules.filing import Filed
from services.access.rules.guardianships import GuardianKind, find_birthday, plan_guardianship
from services.access.rules.names import PersonName
from services.access.rules.roles import Role
from services.access.rules.statements import ApplicationKind

ZONE = ZoneInfo("Europe/Simferopol")
CALENDAR = WorkingCalendar((federal_layer(),))
NOW = datetime(2026, 3, 17, 7, tzinfo=UTC)
DAY = date(2026, 3, 17)
STUDENT = StudentCard(
    UUID(int=1), PersonName("Иванова", "Вера", ""), date(2012, 5, 14), Enrolment("15-у", DAY, DAY), "8-А", is_placed=True
)
_FIRST = datetime(2022, 1, 1, tzinfo=UTC)
INSTANTS = st.integers(0, 5 * 365 * 24 * 60 - 60 * 24 * 60).map(lambda minutes: _FIRST + timedelta(minutes=minutes))


def _applicant(kind: GuardianKind | None = GuardianKind.MOTHER, *, in_force: bool = True, document: str = "акт") -> Applicant:
    return Applicant(
        applicant_id=uuid4(),
        application_id=UUID(int=2),
        person_id=uuid4(),
        name=PersonName("Иванова", "Мария", "Петровна"),
        kind=kind,
        document=document,
        email="",
        way=Way.IN_PERSON,
        guardianship_id=None,
        is_guardianship_in_force=in_force,
        due_time=None,
        met_time=None,
        grant_id=None,
        account_id=None,
        login="",
        is_activated=False,
        slip_time=None,
        hand_over_time=None,
    )


def _case(student: StudentCard = STUDENT, *applicants: Applicant) -> Case:
    return Case(
        application_id=UUID(int=2),
        kind=ApplicationKind.APPENDIX_1,
        year=2026,
        number=15,
        receive_time=NOW,
        register_time=NOW,
        register_date=DAY,
        channel=1,
        state=State.REGISTERED,
        start_time=NOW,
        version=1,
        regulation=rules.MODEL_REGULATION,
        student=student,
        applicants=applicants or (_applicant(),),
    )


def _lacking(case: Case) -> list[str]:
    return [item.clause for item in rules.build_checklist(case, DAY) if not item.is_met]


@pytest.mark.parametrize(
    ("student", "lacking"),
    [
        (STUDENT, []),
        (replace(STUDENT, enrolment=None), ["R10"]),
        (replace(STUDENT, enrolment=Enrolment("15-у", DAY, DAY + timedelta(days=1))), ["R10"]),
        # Brought by a list, which knows no order.
        (replace(STUDENT, enrolment=Enrolment(None, None, DAY)), ["R10"]),
        (replace(STUDENT, is_placed=False), ["R11"]),
        (replace(STUDENT, birth_date=None), ["R11"]),
        (replace(STUDENT, name=PersonName("Иванова", "", "")), ["R11"]),
    ],
)
def test_the_checklist_asks_for_enrolment_and_card(student: StudentCard, lacking: list[str]) -> None:
    """Clauses R10, R11."""
    assert _lacking(_case(student)) == lacking


@pytest.mark.parametrize(
    ("applicants", "lacking"),
    [
        ([_applicant()], []),
        ([_applicant(in_force=False)], ["R6"]),
        ([_applicant(document="")], ["R6"]),
        ([_applicant(), _applicant(GuardianKind.FATHER, in_force=False)], ["R6"]),
        ([_applicant(None)], ["R6"]),
        ([_applicant(None), _applicant()], []),
    ],
)
def test_the_checklist_asks_for_each_applicants_relation(applicants: list[Applicant], lacking: list[str]) -> None:
    """Clause R6; a student of 13 needs a guardian beside (decision 7)."""
    assert _lacking(_case(STUDENT, *applicants)) == lacking


def test_a_student_of_14_needs_nobody_beside() -> None:
    """Clause R5."""
    assert _lacking(_case(replace(STUDENT, birth_date=date(2012, 3, 17)), _applicant(None))) == []


def test_what_lacks_is_named() -> None:
    items = rules.build_checklist(_case(replace(STUDENT, enrolment=None, birth_date=None)), DAY)
    with pytest.raises(FailedPrecondition) as caught:
        rules.require_complete(items)
    assert caught.value.metadata == {"clauses": "R10,R11"}


@given(INSTANTS, st.dates(date(2022, 1, 10), date(2026, 11, 30)))
def test_the_term_starts_with_the_later_of_receipt_and_enrolment(received: datetime, enrolled: date) -> None:
    """Clause R15."""
    term = rules.begin(received, received, Enrolment("1", enrolled, enrolled), CALENDAR, ZONE)
    midnight = datetime.combine(enrolled, datetime.min.time(), ZONE)
    assert term.start_time == max(received, midnight)
    assert term.due_time is not None
    assert term.due_time > term.start_time + timedelta(days=1)
    assert (term.state is State.WAITS_FOR_ENROLMENT) == (midnight > received)


def test_a_term_into_an_unknown_year_is_refused() -> None:
    enrolment = Enrolment("1", date(2021, 9, 1), date(2021, 9, 1))
    with pytest.raises(FailedPrecondition) as caught:
        rules.begin(datetime(2021, 12, 30, tzinfo=UTC), NOW, enrolment, CALENDAR, ZONE)
    assert (caught.value.reason, caught.value.metadata) == ("CALENDAR_UNKNOWN", {"year": "2021"})


BIRTHS = st.dates(date(2005, 1, 1), date(2019, 12, 31))


@given(BIRTHS, st.dates(date(2022, 1, 1), date(2030, 12, 31)), st.sampled_from(GuardianKind))
def test_a_guardianship_follows_the_age(born: date, day: date, kind: GuardianKind) -> None:
    """Clause R6: опекун to 14, then попечитель without a gap, to 24:00 of the 18th birthday; then by own power of attorney."""
    of_age = find_birthday(born, 18) + timedelta(days=1)
    fits = {
        GuardianKind.GUARDIAN_TO_14: day < find_birthday(born, 14),
        GuardianKind.TRUSTEE_TO_18: find_birthday(born, 14) <= day < of_age,
        GuardianKind.REPRESENTATIVE: True,
    }.get(kind, day < of_age)
    if not fits:
        with pytest.raises(FailedPrecondition, match="GUARDIAN_UNDER_AGE"):
            plan_guardianship(kind, born, day)
        return
    periods = plan_guardianship(kind, born, day)
    assert (periods[0].kind, periods[0].from_date) == (kind, day)
    assert periods[-1].to_date == (of_age if day < of_age else None)
    assert [p.to_date for p in periods[:-1]] == [p.from_date for p in periods[1:]]
    assert len(periods) == (2 if kind is GuardianKind.GUARDIAN_TO_14 else 1)


def test_who_was_born_on_29_february_has_a_birthday_every_year() -> None:
    assert [find_birthday(date(2012, 2, 29), years) for years in (14, 16)] == [date(2026, 3, 1), date(2028, 2, 29)]


NEW = Filed(None, PersonName("Иванова", "Мария", ""), GuardianKind.MOTHER, "акт", "", Way.IN_PERSON)


def test_names_are_kept_as_one_clean_line() -> None:
    name = PersonName(" Иванова\t", "Мария\0\n Анна", "")
    [planned] = filing.plan_applicants([replace(NEW, name=name, document="акт\r\n№ 1")], STUDENT, is_for_student_too=False)
    assert (planned.name, planned.document) == (PersonName("Иванова", "Мария Анна", ""), "акт № 1")


def test_the_student_stands_once_in_a_case() -> None:
    own = replace(NEW, person_id=STUDENT.student_id, kind=None)
    assert filing.plan_applicants([NEW, own], STUDENT, is_for_student_too=True) == [NEW, own]
    assert len(filing.plan_applicants([NEW], STUDENT, is_for_student_too=True)) == 2


def test_one_person_twice_and_the_student_as_own_guardian_are_refused() -> None:
    twice = replace(NEW, person_id=UUID(int=7))
    with pytest.raises(InvalidArgument, match="REQUEST_INVALID"):
        filing.plan_applicants([twice, twice], STUDENT, is_for_student_too=False)
    with pytest.raises(InvalidArgument, match="APPLICANT_INCOMPLETE"):
        filing.plan_applicants([replace(NEW, person_id=STUDENT.student_id)], STUDENT, is_for_student_too=False)


def test_a_class_teacher_grants_as_such_also_when_admin() -> None:
    """Clause R9: the grant records the role."""
    assert rules.choose_granting_role({Role.ADMIN, Role.CLASS_TEACHER, Role.HEAD}) is Role.CLASS_TEACHER
    assert rules.choose_granting_role({Role.ADMIN, Role.SECRETARY}) is Role.ADMIN
