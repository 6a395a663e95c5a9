"""Each event that a service may tell is heard by another, or stands below; and nobody listens for what is never told."""

import re
from importlib import import_module
from pathlib import Path

import pytest

from chassis.events import PROJECTIONS
from tests.support.handlers import SERVICES, handlers_of

# Told for those who come later, and heard by nobody yet.
UNHEARD = {
    "diary.access.v1.ApplicationRegistered",
    "diary.access.v1.DeadlineChanged",
    "diary.access.v1.GrantEnded",
    "diary.access.v1.GrantIssued",
    "diary.access.v1.SessionsEnded",
    "diary.documents.v1.PrintRunReady",
    "diary.documents.v1.PrintoutHandedOver",
    "diary.journal.v1.AttendanceRecorded",
}
# The shape that owners of deadlines tell theirs in; access keeps its own where they are shown.
UNTOLD = {"diary.access.v1.DeadlineChanged"}
# What events are made of; others are events and parts of ClassRecorded as well.
PARTS = {"diary.journal.v1.RecordedMark"}
_SERVICES = Path(__file__).parents[2] / "services"


def _told() -> set[str]:
    """The messages of every events.proto that are events."""
    files = [import_module(f"diary.{service}.v1.events_pb2").DESCRIPTOR for service in SERVICES]
    return {message.full_name for file in files for message in file.message_types_by_name.values()} - PARTS


async def test_each_event_is_heard_or_known_to_be_unheard(keys_dir: Path) -> None:
    heard = {subject for service in SERVICES for subject in handlers_of(service, keys_dir)}
    assert heard | UNHEARD == _told()
    assert not heard & UNHEARD


@pytest.mark.parametrize("name", sorted(_told() - UNTOLD))
def test_each_event_is_told_by_its_service(name: str) -> None:
    service, message = name.split(".")[1], name.split(".")[-1]
    code = "".join(path.read_text() for path in (_SERVICES / service).rglob("*.py") if "consumers" not in path.name)
    assert re.search(rf"\b{message}[(,]", code), f"nothing in services/{service} makes a {message}"


async def test_what_takes_long_holds_up_no_projection(keys_dir: Path) -> None:
    works = {
        "documents": {"diary.access.v1.ApplicationDecided"},
        "notify": {"diary.access.v1.CredentialsReady", "diary.access.v1.AccessEndsSoon"},
    }
    for service, subjects in works.items():
        assert {handlers_of(service, keys_dir)[subject].lane.name for subject in subjects} == {"work"}
    for service in ("journal", "notify", "documents"):
        assert handlers_of(service, keys_dir)["diary.access.v1.RosterChanged"].lane is PROJECTIONS
