"""What decides a case, as values: terms, ages, the checklist (Clauses R6, R10-R12, R15)."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.calendar import WorkingCalendar, federal_layer
from chassis.errors import FailedPrecondition, InvalidArgument
from services.access.cases.rules import applications as rules
from services.access.cases.rules import filing
from services.access.cases.rules.applications import Applicant, Case, State, Way
from services.access.cases.rules.filing import Filed
from services.access.cases.rules.refusals import RefusalGround, RefusalReason, prove_ground, require_printable
from services.access.cases.rules.statements import ApplicationKind
from services.access.people.rules.guardianships import (
    Authority,
    AuthorityEnd,
    AuthorityEnding,
    GuardianKind,
    find_birthday,
    find_reaching,
    is_authority_in_force,
    is_under,
    plan_guardianship,
)
from services.access.people.rules.names import PersonName
from services.access.people.rules.regulations import MODEL_REGULATION, Regulation
from services.access.people.rules.roles import Role
from services.access.people.rules.schools import SchoolDetails
from services.access.people.rules.students import Enrolment, StudentCard
from services.access.people.rules.texts import one_line
from services.access.rights.rules.grants import choose_granting_role

ZONE = ZoneInfo("Europe/Simferopol")
CALENDAR = WorkingCalendar((federal_layer(),))
NOW = datetime(2026, 3, 17, 7, tzinfo=UTC)
DAY = date(2026, 3, 17)
STUDENT = StudentCard(
    UUID(int=1), PersonName("Иванова", "Вера", ""), date(2012, 5, 14), Enrolment("15-у", DAY, DAY), "8-А", is_placed=True
)
_FIRST = datetime(2022, 1, 1, tzinfo=UTC)
INSTANTS = st.integers(0, 5 * 365 * 24 * 60 - 60 * 24 * 60).map(lambda minutes: _FIRST + timedelta(minutes=minutes))


def _applicant(
    kind: GuardianKind | None = GuardianKind.MOTHER,
    *,
    in_force: bool = True,
    document: str = "акт № 1",
    known: bool = True,
    **other: Any,
) -> Applicant:
    """One whom the school knows by a guardianship; otherwise by what was filed alone."""
    made = Applicant(
        applicant_id=uuid4(),
        application_id=UUID(int=2),
        person_id=uuid4(),
        name=PersonName("Иванова", "Мария", "Петровна"),
        kind=kind,
        authority=Authority(document),
        email="",
        way=Way.IN_PERSON,
        guardianship_id=uuid4() if known else None,
        is_guardianship_in_force=in_force,
        held_to=None,
        ending=None,
        due_time=None,
        met_time=None,
        grant_id=None,
        account_id=None,
        login="",
        is_activated=False,
        has_access=False,
        slip_time=None,
        hand_over_time=None,
    )
    return replace(made, **other)


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
        regulation=MODEL_REGULATION,
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
        (replace(STUDENT, name=PersonName("Иванова", "", "")), []),
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
    assert _lacking(_case(replace(STUDENT, birth_date=date(2012, 3, 16)), _applicant(None))) == []
    assert _lacking(_case(replace(STUDENT, birth_date=date(2012, 3, 17)), _applicant(None))) == ["R6"]


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
    turns_14, of_age = find_reaching(born, 14), find_reaching(born, 18)
    fits = {
        GuardianKind.GUARDIAN_TO_14: day < turns_14,
        GuardianKind.TRUSTEE_TO_18: turns_14 <= day < of_age,
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


@given(BIRTHS, st.sampled_from([14, 18]))
def test_an_age_is_reached_at_midnight_after_the_birthday(born: date, years: int) -> None:
    """Clause R6: for every age alike; who was born on 29 February reaches it on 1 March."""
    reached = find_reaching(born, years)
    if (born.month, born.day) == (2, 29):
        assert reached == date(born.year + years, 3, 1)
    else:
        assert reached - timedelta(days=1) == born.replace(year=born.year + years)
    assert is_under(born, years, reached - timedelta(days=1))
    assert not is_under(born, years, reached)


def test_29_february_is_left_on_1_march_in_every_year() -> None:
    assert [find_birthday(date(2012, 2, 29), years) for years in (14, 16)] == [date(2026, 2, 28), date(2028, 2, 29)]
    assert [find_reaching(date(2012, 2, 29), years) for years in (14, 16)] == [date(2026, 3, 1), date(2028, 3, 1)]


@given(BIRTHS, st.dates(date(2025, 1, 1), DAY), st.none() | st.dates(date(2026, 1, 1), date(2040, 1, 1)))
def test_an_authority_ends_with_what_its_document_names(born: date, issued: date, last: date | None) -> None:
    """Clause R6: on the last day that it names; a power of attorney that names none one year after its date (ГК, ст. 186)."""
    authority = Authority("доверенность № 5", issued, last)
    periods = plan_guardianship(GuardianKind.REPRESENTATIVE, born, DAY, authority)
    ends = last or find_birthday(issued, 1)
    of_age = find_reaching(born, 18)
    if ends < DAY:
        assert not periods
    else:
        [period] = periods
        assert period.to_date == min([ends + timedelta(days=1), *([of_age] if of_age > DAY else [])])
    holds = is_authority_in_force(GuardianKind.REPRESENTATIVE, born, authority, DAY, ends)
    assert holds == (ends >= DAY and (of_age <= DAY or ends < of_age))
    assert not is_authority_in_force(GuardianKind.REPRESENTATIVE, born, authority, DAY, ends + timedelta(days=1))


def test_a_guardians_act_with_a_term_is_cut_by_it() -> None:
    """Clause R6: опекун, then попечитель, to the last day of the act."""
    for last, kinds in ((date(2026, 5, 1), ["guardian_to_14"]), (date(2027, 1, 1), ["guardian_to_14", "trustee_to_18"])):
        authority = Authority("постановление № 5", None, last)
        periods = plan_guardianship(GuardianKind.GUARDIAN_TO_14, STUDENT.birth_date, DAY, authority)
        assert [period.kind for period in periods] == kinds
        assert periods[-1].to_date == last + timedelta(days=1)


@pytest.mark.parametrize(
    ("kind", "issued", "last", "field"),
    [
        (GuardianKind.REPRESENTATIVE, None, None, "authority_date"),
        (GuardianKind.REPRESENTATIVE, None, date(2026, 12, 31), ""),
        (GuardianKind.MOTHER, None, None, ""),
        (GuardianKind.MOTHER, DAY + timedelta(days=1), None, "authority_date"),
        (GuardianKind.MOTHER, date(1, 1, 1), None, "authority_date"),
        (GuardianKind.REPRESENTATIVE, date(2026, 2, 1), date(2026, 1, 31), "authority_end_date"),
        (GuardianKind.REPRESENTATIVE, date(2026, 2, 1), date(9999, 12, 31), "authority_end_date"),
        (GuardianKind.REPRESENTATIVE, date(2026, 2, 1), date(2026, 3, 1), ""),
    ],
)
def test_the_dates_of_an_authority_fit(kind: GuardianKind, issued: date | None, last: date | None, field: str) -> None:
    """Clause R6: what has run out already may be filed: it is refused, not turned away."""
    filed = replace(NEW, kind=kind, authority=Authority("акт № 1", issued, last))
    if not field:
        assert filing.plan_applicants([filed], STUDENT, is_for_student_too=False, day=DAY) == [filed]
        return
    with pytest.raises(InvalidArgument, match="AUTHORITY_DATES_INVALID") as caught:
        filing.plan_applicants([filed], STUDENT, is_for_student_too=False, day=DAY)
    assert [violation.field for violation in caught.value.violations] == [f"applicants[0].{field}"]


@pytest.mark.parametrize(
    ("applicant", "reason", "words"),
    [
        (_applicant(document="", known=False), RefusalReason.RELATION_NOT_PROVED, ""),
        (
            _applicant(
                GuardianKind.REPRESENTATIVE,
                known=False,
                authority=Authority("доверенность № 5", date(2025, 3, 1), date(2026, 3, 16)),
            ),
            RefusalReason.AUTHORITY_ENDED,
            "срок действия доверенности истёк 16.03.2026",
        ),
        (
            _applicant(in_force=False, ending=AuthorityEnd(AuthorityEnding.COURT_ACT, DAY, "2-145", date(2026, 3, 2))),
            RefusalReason.AUTHORITY_ENDED,
            "полномочия заявителя прекращены судебным актом от 02.03.2026 № 2-145",
        ),
        (
            _applicant(in_force=False, ending=AuthorityEnd(AuthorityEnding.OTHER, DAY)),
            RefusalReason.AUTHORITY_ENDED,
            "полномочия заявителя прекращены 17.03.2026",
        ),
        (
            _applicant(GuardianKind.REPRESENTATIVE, in_force=False, ending=AuthorityEnd(AuthorityEnding.POWER_WITHDRAWN, DAY)),
            RefusalReason.AUTHORITY_ENDED,
            "доверенность отменена 17.03.2026",
        ),
        (
            _applicant(GuardianKind.FOSTER_PARENT, in_force=False, held_to=DAY),
            RefusalReason.AUTHORITY_ENDED,
            "срок полномочий по представленному документу истёк 16.03.2026",
        ),
    ],
)
def test_an_ended_authority_is_refused_by_how_it_ended(applicant: Applicant, reason: RefusalReason, words: str) -> None:
    """Clause R19: a court's act is named only where one is recorded."""
    proof = prove_ground(_case(STUDENT, applicant), RefusalGround.NOT_AN_APPLICANT, DAY, None)
    assert proof.reason is reason
    assert proof.evidence.endswith(words)
    assert ("судебн" in proof.evidence) == ("судебн" in words)


def test_an_authority_that_age_has_ended_is_refused_by_age() -> None:
    student = replace(STUDENT, birth_date=date(2008, 3, 16))
    held = _applicant(in_force=False, held_to=find_reaching(date(2008, 3, 16), 18))
    proof = prove_ground(_case(student, held), RefusalGround.NOT_AN_APPLICANT, DAY, None)
    assert (proof.reason, proof.fact_date) == (RefusalReason.STUDENT_OF_AGE, date(2026, 3, 16))


@pytest.mark.parametrize("missing", ["address", "founder", "regulation"])
def test_a_decision_is_not_made_up_while_what_it_prints_is_not_known(missing: str) -> None:
    """Clauses R1, R22."""
    details = SchoolDetails(address="ул. Школьная, 1", founder="администрация")
    adopted = Regulation("Регламент", "213", date(2025, 8, 28), date(2025, 9, 1))
    require_printable(details, adopted)
    if missing == "regulation":
        adopted = MODEL_REGULATION
    else:
        details = replace(details, **{missing: ""})
    with pytest.raises(FailedPrecondition, match="SCHOOL_DETAILS_MISSING") as caught:
        require_printable(details, adopted)
    assert caught.value.metadata == {"missing": missing}


NEW = Filed(None, PersonName("Иванова", "Мария", ""), GuardianKind.MOTHER, Authority("акт № 1"), "", Way.IN_PERSON)


@pytest.mark.parametrize("name", ["Аль-Хасан", "О’Коннор", "Ким", "де ла Круз", "Оглы А.", "Ёжикова"])
def test_names_of_people_are_taken(name: str) -> None:
    """A person may have one name alone."""
    filed = replace(NEW, name=PersonName(name, "", ""))
    assert filing.plan_applicants([filed], STUDENT, is_for_student_too=False, day=DAY) == [filed]


@pytest.mark.parametrize("name", ["<b>Иванова</b>", "😀", "Иванова 2", "-", "Иванова;", "123", "№"])
@pytest.mark.parametrize("field", ["family_name", "given_name", "patronymic"])
def test_what_no_name_holds_is_refused(field: str, name: str) -> None:
    filed = replace(NEW, name=replace(NEW.name, **{field: name}))
    with pytest.raises(InvalidArgument, match="NAME_INVALID") as caught:
        filing.plan_applicants([filed], STUDENT, is_for_student_too=False, day=DAY)
    assert [violation.field for violation in caught.value.violations] == [f"applicants[0].{field}"]


@pytest.mark.parametrize("document", ["x", "12345", "паспорт", "😀😀😀1"])
def test_a_document_has_a_kind_and_a_number(document: str) -> None:
    """Clause R6."""
    with pytest.raises(InvalidArgument, match="AUTHORITY_DOCUMENT_INVALID"):
        filing.plan_applicants([replace(NEW, authority=Authority(document))], STUDENT, is_for_student_too=False, day=DAY)


def test_names_are_kept_as_one_clean_line() -> None:
    name = PersonName(" Иванова\t", "Мария\0\n Анна", "")
    [planned] = filing.plan_applicants(
        [replace(NEW, name=name, authority=Authority("акт\r\n№ 1"))], STUDENT, is_for_student_too=False, day=DAY
    )
    assert (planned.name, planned.authority.document) == (PersonName("Иванова", "Мария Анна", ""), "акт № 1")


def test_what_is_not_seen_is_no_part_of_a_name() -> None:
    """A direction turned, a soft hyphen, a zero width space."""
    assert one_line("Ива\u00adнов\u202e \u200bИ\u0306ва") == "Иванов Йва"


def test_the_student_stands_once_in_a_case() -> None:
    own = replace(NEW, person_id=STUDENT.student_id, kind=None)
    assert filing.plan_applicants([NEW, own], STUDENT, is_for_student_too=True, day=DAY) == [NEW, own]
    assert len(filing.plan_applicants([NEW], STUDENT, is_for_student_too=True, day=DAY)) == 2


def test_one_person_twice_and_the_student_as_own_guardian_are_refused() -> None:
    twice = replace(NEW, person_id=UUID(int=7))
    with pytest.raises(InvalidArgument, match="REQUEST_INVALID"):
        filing.plan_applicants([twice, twice], STUDENT, is_for_student_too=False, day=DAY)
    with pytest.raises(InvalidArgument, match="APPLICANT_INCOMPLETE"):
        filing.plan_applicants([replace(NEW, person_id=STUDENT.student_id)], STUDENT, is_for_student_too=False, day=DAY)


def test_a_class_teacher_grants_as_such_also_when_admin() -> None:
    """Clause R9: the grant records the role."""
    assert choose_granting_role({Role.ADMIN, Role.CLASS_TEACHER, Role.HEAD}) is Role.CLASS_TEACHER
    assert choose_granting_role({Role.ADMIN, Role.SECRETARY}) is Role.ADMIN
