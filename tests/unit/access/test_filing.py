"""What is filed is kept in clean lines, and letters can reach the addresses."""

from datetime import date
from uuid import UUID

import pytest

from chassis.errors import InvalidArgument
from services.access.cases.rules.applications import Way
from services.access.cases.rules.filing import Filed, plan_applicants
from services.access.people.rules.guardianships import Authority, GuardianKind
from services.access.people.rules.names import PersonName
from services.access.people.rules.students import Enrolment, StudentCard
from services.access.people.rules.texts import one_line
from services.notify.convert.letters import write_address

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


def test_a_line_holds_nothing_that_nobody_sees() -> None:
    assert one_line("Ива\u00adнова\u202e\t Вера\r\n") == "Иванова Вера"
    assert one_line("\u200bАнна\u2066") == "Анна"
