"""What is filed is kept in clean lines, and letters can reach the addresses."""

from datetime import date
from uuid import UUID

import pytest

from chassis.errors import FailedPrecondition, InvalidArgument
from services.access.cases.rules.applications import Way
from services.access.cases.rules.filing import Filed, KnownPerson, plan_applicants, require_new_person
from services.access.people.rules.guardianships import Authority, GuardianKind
from services.access.people.rules.names import PersonName
from services.access.people.rules.students import Enrolment, StudentCard
from services.access.people.rules.texts import one_line
from services.notify.channels.convert import write_address

DAY = date(2026, 3, 17)
STUDENT = StudentCard(
    UUID(int=1), PersonName("Иванова", "Вера", ""), date(2012, 5, 14), Enrolment("15-у", DAY, DAY), "8-А", is_placed=True
)


def _plan(email: str) -> Filed:
    filed = Filed(None, PersonName("Иванова", "Мария", ""), GuardianKind.MOTHER, Authority(), email, Way.EMAIL)
    [planned] = plan_applicants([filed], STUDENT, is_for_student_too=False, day=DAY)
    return planned


@pytest.mark.parametrize(
    "email", ["ivanova@example.org", "mama@пример.рф", "mama@xn--e1afmkfd.xn--p1ai", "m.a+b@sub.пример.рф", "mama@ПРИМЕР.РФ"]
)
def test_an_address_of_any_alphabets_domain_is_filed_if_a_letter_can_be_written_to_it(email: str) -> None:
    """Trouble 19: the address bar writes mama@пример.рф, and notify writes the letter to it."""
    assert _plan(email).email == email
    assert write_address(email).isascii()


@pytest.mark.parametrize(
    "email",
    ["no address", "мама@пример.рф", "mama@", "@пример.рф", "mama@a..b", f"mama@{'я' * 64}.рф", "mama@пример.рф\n", "a@b@c d"],
)
def test_an_address_that_no_letter_reaches_is_not_filed(email: str) -> None:
    with pytest.raises(InvalidArgument, match=r"^REQUEST_INVALID: applicants\[0\]\.email: ") as error:
        _plan(email)
    assert error.value.violations[0].field == "applicants[0].email"
    with pytest.raises(ValueError):
        write_address(email)


@pytest.mark.parametrize("email", ["a@b", "mama@почта", "mama@mail.", "mama@.ru", "mama@localhost"])
def test_a_domain_of_one_name_is_reached_by_no_letter(email: str) -> None:
    with pytest.raises(InvalidArgument, match=r"^REQUEST_INVALID: applicants\[0\]\.email: "):
        _plan(email)


def _known(name: PersonName, kind: GuardianKind = GuardianKind.MOTHER, document: str = "свидетельство № 1") -> KnownPerson:
    return KnownPerson(UUID(int=7), name, kind, document, "15-ЭД/2026")


def _new(name: PersonName, document: str = "", *, is_another: bool = False) -> Filed:
    return Filed(None, name, GuardianKind.MOTHER, Authority(document), "", Way.IN_PERSON, is_another=is_another)


SEMENOVA = PersonName("Семёнова", "Анна-Мария", "Петровна")


@pytest.mark.parametrize(
    ("name", "document", "is_another"),
    [
        (SEMENOVA, "", False),
        (PersonName("семенова", "АННА-МАРИЯ", "Петровна"), "паспорт № 7", False),
        (SEMENOVA, " Свидетельство  № 1", True),
    ],
)
def test_a_new_applicant_of_a_known_name_is_asked_about(name: PersonName, document: str, is_another: bool) -> None:
    """Decision 0121: the same relation by the same document is the same person, whatever is said."""
    with pytest.raises(FailedPrecondition, match=r"^APPLICANT_KNOWN") as error:
        require_new_person(_new(name, document, is_another=is_another), [_known(SEMENOVA)], "applicants[0]")
    assert error.value.metadata == {"person_id": str(UUID(int=7)), "number": "15-ЭД/2026"}
    assert error.value.violations[0].field == "applicants[0].family_name"


@pytest.mark.parametrize(
    ("filed", "known"),
    [
        (_new(PersonName("Семёнова", "Анна", "Петровна")), _known(SEMENOVA)),
        (_new(SEMENOVA, "паспорт № 7", is_another=True), _known(SEMENOVA)),
        # Both parents show the certificate of birth of one child; so may an aunt of the mother's name, by an authority of hers.
        (_new(SEMENOVA, "свидетельство № 1", is_another=True), _known(SEMENOVA, GuardianKind.REPRESENTATIVE)),
        (_new(SEMENOVA, is_another=True), _known(SEMENOVA, document="")),
    ],
)
def test_another_person_of_a_known_name_is_a_new_one(filed: Filed, known: KnownPerson) -> None:
    require_new_person(filed, [known], "applicants[0]")


@pytest.mark.parametrize("are_others", [(False, False), (True, True), (False, True)])
def test_of_one_form_two_new_applicants_of_one_document_are_no_two_people(are_others: tuple[bool, bool]) -> None:
    """Decision 0121: of one document no box makes two of them."""
    filed = [_new(SEMENOVA, "паспорт № 7", is_another=one) for one in are_others]
    with pytest.raises(InvalidArgument, match="the same person stands twice"):
        plan_applicants(filed, STUDENT, is_for_student_too=False, day=DAY)


def test_a_line_holds_nothing_that_nobody_sees() -> None:
    assert one_line("Ива\u00adнова\u202e\t Вера\r\n") == "Иванова Вера"
    assert one_line("\u200bАнна\u2066") == "Анна"
