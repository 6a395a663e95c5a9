from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from apps.portal import dates
from apps.portal.family.views.notices import mask
from apps.portal.office.views.application_form import NEW, ApplicantFields, ApplicationForm, empty_form, name_applicant
from apps.portal.office.views.applications import build_term
from apps.portal.reasons import sentence
from diary.access.v1 import application_pb2

ZONE = "Europe/Simferopol"
DUE = datetime(2026, 11, 18, 21, tzinfo=UTC)
HOUR = timedelta(hours=1)


def stamp(instant: datetime) -> Timestamp:
    found = Timestamp()
    found.FromDatetime(instant)
    return found


def applicant(due: datetime | None = DUE, met: datetime | None = None) -> application_pb2.Applicant:
    return application_pb2.Applicant(due_time=stamp(due) if due else None, met_time=stamp(met) if met else None)


def test_a_term_that_ends_at_midnight_ends_with_the_day_before() -> None:
    assert dates.until(stamp(DUE), ZONE) == "до\u00a018.11.2026\u00a024:00"
    assert dates.until(stamp(DUE - 6 * HOUR), ZONE) == "до\u00a018.11.2026\u00a018:00"


def test_moments_are_told_in_the_schools_zone() -> None:
    assert dates.moment(stamp(DUE), ZONE) == "19.11.2026\u00a000:00"
    assert dates.moment(stamp(DUE), "Asia/Vladivostok") == "19.11.2026\u00a007:00"


def test_a_case_is_due_with_its_earliest_open_applicant() -> None:
    both = [applicant(DUE + 24 * HOUR), applicant(DUE), applicant(DUE - 24 * HOUR, met=DUE - 30 * HOUR)]
    assert build_term(both, ZONE, DUE - HOUR).text == "до\u00a018.11.2026\u00a024:00"


@pytest.mark.parametrize(("now", "note"), [(DUE - timedelta(seconds=1), ""), (DUE, "просрочено")])
def test_a_term_is_overdue_from_its_end_on(now: datetime, note: str) -> None:
    term = build_term([applicant()], ZONE, now)
    assert (term.note, term.is_late) == (note, bool(note))


def test_a_met_term_says_when_and_whether_too_late() -> None:
    in_time = build_term([applicant(met=DUE - HOUR)], ZONE, DUE + 99 * HOUR)
    late = build_term([applicant(met=DUE + HOUR)], ZONE, DUE + 99 * HOUR)
    assert (in_time.note, in_time.is_late) == ("исполнено 18.11.2026\u00a023:00", False)
    assert (late.note, late.is_late) == ("исполнено с опозданием 19.11.2026\u00a001:00", True)


def test_a_term_begins_with_the_enrolment() -> None:
    assert build_term([applicant(due=None)], ZONE, DUE).text == "срок не начался"


def test_names_typed_for_a_new_person_are_left_out_where_a_known_one_is_chosen() -> None:
    typed = ApplicantFields(who="known", family_name="Соколов", kind="2")
    message = typed.to_message()
    assert (message.person_id, message.family_name, message.guardian_kind) == ("known", "", 0)


@pytest.mark.parametrize("kind", ["", "x", "-1", "²", "99999999999"])
def test_a_kind_that_is_none_goes_as_none(kind: str) -> None:
    assert ApplicantFields(who=NEW, kind=kind).to_message().guardian_kind == 0


def test_the_first_applicant_is_a_new_person_where_nobody_is_known() -> None:
    now = datetime(2026, 11, 17, 12, 4, 59, tzinfo=UTC)
    channel = application_pb2.APPLICATION_CHANNEL_POST
    assert [one.who for one in empty_form(channel, now, True, "id").applicants] == [NEW, ""]
    assert [one.who for one in empty_form(channel, now, False, "id").applicants] == ["", ""]
    assert empty_form(channel, now, True, "id").received_time == "12:04"


def test_a_refusal_names_the_applicant_as_the_form_counts_them() -> None:
    form = ApplicationForm("1", "2026-11-17", "12:04", (ApplicantFields(), ApplicantFields(who=NEW)), False, "id")
    assert name_applicant(["applicants[0].email"], form) == "Заявитель 2: "
    assert name_applicant(["receive_time"], form) == ""


@pytest.mark.parametrize(
    ("email", "masked"), [("maria@mail.ru", "m•••a@mail.ru"), ("ab@x.ru", "a•••@x.ru"), ("a@x.ru", "a•••@x.ru")]
)
def test_an_address_is_masked_but_known_to_its_owner(email: str, masked: str) -> None:
    assert mask(email) == masked


def test_a_school_is_told_what_a_decision_lacks() -> None:
    told = sentence("SCHOOL_DETAILS_MISSING", (), {"missing": "founder,regulation"})
    assert told.startswith("Решение не составить, пока не указано: учредитель, приказ, которым школа приняла регламент.")


def test_fields_that_no_person_knows_are_not_named() -> None:
    assert sentence("REQUEST_INVALID", ["school_id", "request_id"]) == sentence("REQUEST_INVALID")
    told = sentence("REQUEST_INVALID", ["applicants[0].email", "details.phone", "details.phone"])
    assert told == "Проверьте: электронная почта, телефон. Заполнено неверно."
