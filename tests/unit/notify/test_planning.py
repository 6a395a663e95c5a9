"""Which news the facts of an event are, and into which delivery they go."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.news.rules import Fact, News, find_key, gather_news
from services.notify.plan.rules import Channel, Contacts, plan_deliveries

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
EVENT, ACCOUNT, STUDENT = uuid4(), uuid4(), uuid4()
BY_EMAIL: Contacts = {ACCOUNT: [Channel.EMAIL]}

facts = st.builds(
    Fact,
    st.uuids(),
    student_id=st.sampled_from([None, STUDENT, uuid4()]),
    account_id=st.sampled_from([None, ACCOUNT]),
    revision=st.integers(1, 9),
)


def _news(**changes: datetime) -> News:
    return News(2, ACCOUNT, None, STUDENT, (uuid4(),), uuid4(), NOW - timedelta(seconds=1), **changes)


def test_each_piece_of_news_goes_into_a_letter_of_its_own_at_once() -> None:
    one, other = _news(), _news()
    planned = plan_deliveries([one, other], {}, BY_EMAIL, NOW)
    assert [(letter.channel, letter.time, list(letter.news)) for letter in planned] == [
        (Channel.EMAIL, NOW, [one]),
        (Channel.EMAIL, NOW, [other]),
    ]


@pytest.mark.parametrize(("held", "told"), [(timedelta(hours=9), timedelta(hours=9)), (timedelta(hours=-1), timedelta())])
def test_what_is_held_is_told_when_it_is_held_no_more(held: timedelta, told: timedelta) -> None:
    [letter] = plan_deliveries([_news(hold_until=NOW + held)], {}, BY_EMAIL, NOW)
    assert letter.time == NOW + told


def test_who_has_no_address_or_does_not_want_it_is_told_nothing() -> None:
    news = [_news()]
    assert plan_deliveries(news, {}, {}, NOW) == []
    assert plan_deliveries(news, {(ACCOUNT, STUDENT): False}, BY_EMAIL, NOW) == []
    assert len(plan_deliveries(news, {(ACCOUNT, uuid4()): False}, BY_EMAIL, NOW)) == 1


def test_without_contacts_the_owner_of_the_content_knows_where_it_goes() -> None:
    assert len(plan_deliveries([_news()], {}, None, NOW)) == 1


@given(st.lists(facts, max_size=8))
def test_a_letter_tells_one_viewer_of_one_student_news_of_one_kind_and_each_once(told: list[Fact]) -> None:
    news = gather_news(2, EVENT, NOW, told)
    planned = plan_deliveries(news, {}, None, NOW)
    for letter in planned:
        assert len({(one.kind, one.account_id, one.applicant_id, one.student_id) for one in letter.news}) == 1
    assert [one for letter in planned for one in letter.news] == news
    assert sorted(key for one in news for key in one.object_ids) == sorted(fact.object_id for fact in told)


@given(st.permutations([Fact(uuid4(), revision=revision) for revision in (1, 2, 3)]))
def test_the_same_things_in_the_same_revisions_are_one_fact_in_whatever_order_and_event(told: list[Fact]) -> None:
    in_order = sorted(told, key=lambda fact: fact.object_id)
    assert find_key(uuid4(), told) == find_key(uuid4(), in_order)
    later = [*in_order[1:], Fact(in_order[0].object_id, revision=9)]
    assert find_key(EVENT, later) != find_key(EVENT, in_order)
    assert find_key(EVENT, in_order[1:]) != find_key(EVENT, in_order)


def test_the_key_of_marks_is_the_one_that_letters_of_before_have() -> None:
    """As `md5(string_agg(mark_id || ' ' || revision, ',' ORDER BY mark_id, revision))::uuid` made it."""
    first, second = UUID("0190b0a0-0000-7000-8000-000000000001"), UUID("f190b0a0-0000-7000-8000-000000000002")
    told = [Fact(second, revision=1), Fact(first, revision=12)]
    assert find_key(EVENT, told) == UUID("fc4d1a27-fb25-75f1-5cac-1f2ed0db7602")


def test_a_fact_without_revisions_is_its_own_key_or_its_event() -> None:
    key = uuid4()
    assert find_key(EVENT, [Fact(uuid4(), key=key)]) == key
    assert find_key(EVENT, [Fact(uuid4())]) == EVENT
