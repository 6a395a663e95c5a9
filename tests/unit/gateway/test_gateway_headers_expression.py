"""The expression of all headers that are taken off is just that: RE2 has no `not`, so it is made of the names that stay."""

import re

from hypothesis import given
from hypothesis import strategies as st

from deploy.gateway.headers import KEPT, write_others

_OTHERS = re.compile(write_others(KEPT))
_NAMES = st.text("abcdefghijklmnopqrstuvwxyz-0123456789", max_size=40)


def near(name: str) -> st.SearchStrategy[str]:
    """A name as it is, cut, or with something else where it ends."""
    return st.tuples(st.integers(0, len(name)), _NAMES).map(lambda cut: name[: cut[0]] + cut[1])


@given(st.one_of(_NAMES, st.sampled_from(KEPT), st.sampled_from(KEPT).flatmap(near)).filter(bool))
def test_a_header_is_taken_off_unless_it_is_named(name: str) -> None:
    assert bool(_OTHERS.fullmatch(name)) is (name not in KEPT)


def test_what_http_itself_stands_on_is_kept() -> None:
    for name in (":path", ":method", ":authority", ":scheme"):
        assert not _OTHERS.fullmatch(name)
