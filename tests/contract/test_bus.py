"""The bus has a login for each service, and the server refuses what is not that service's to say or to hear."""

from collections.abc import AsyncIterator
from pathlib import Path

import nats
import pytest
from nats.aio.client import Client
from nats.js.api import ConsumerConfig, StreamConfig

from chassis import events
from chassis.consumer import by_lane
from deploy import bus
from deploy.local.nats import Nats
from tests.support.backends import running_nats
from tests.support.eventually import eventually
from tests.support.handlers import handlers_of


async def test_each_service_hears_the_streams_that_it_consumes(keys_dir: Path) -> None:
    heard = {name: tuple(sorted({publisher for publisher, _, _ in by_lane(handlers_of(name, keys_dir))})) for name in bus.HEARS}
    assert heard == dict(bus.HEARS)


async def test_each_lane_of_a_service_may_be_heard_by_it_and_by_no_other(keys_dir: Path) -> None:
    assert [lane.durable("notify") for lane in events.LANES] == [f"notify{lane}" for lane in bus.LANES]
    for name in bus.HEARS:
        for publisher, lane, _ in by_lane(handlers_of(name, keys_dir)):
            pull = f"$JS.API.CONSUMER.MSG.NEXT.diary-{publisher}.{lane.durable(name)}"
            assert [one for one in bus.HEARS if pull in bus.permissions(one)["publish"]] == [name]


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[Nats]:
    async with running_nats() as started:
        yield started


class Login:
    """A service's connection, and what the server refused it."""

    def __init__(self, client: Client, refused: list[str]) -> None:
        self.client = client
        self.refused = refused

    async def is_refused(self, subject: str) -> bool:
        """Whether the server refuses a message on `subject`; it refuses in order, so what is always refused comes after it."""
        marker = f"forbidden.{len(self.refused)}"
        before = len(self.refused)
        await self.client.publish(subject, b"forged")
        await self.client.publish(marker, b"")
        await eventually(lambda: any(marker in words for words in self.refused), why="the marker is refused")
        return any(subject.lower() in words.lower() for words in self.refused[before:])


async def _login(server: Nats, name: str) -> Login:
    refused: list[str] = []

    async def note(error: Exception) -> None:
        refused.append(str(error))

    client = await nats.connect(server.url(name), inbox_prefix=f"_INBOX.{name}", error_cb=note)
    return Login(client, refused)


async def test_a_service_publishes_its_own_events_and_no_others(server: Nats) -> None:
    for name in bus.HEARS:
        login = await _login(server, name)
        assert not await login.is_refused(f"diary.{name}.v1.X")
        for other in bus.HEARS.keys() - {name}:
            assert await login.is_refused(f"diary.{other}.v1.DocumentSigned"), f"{name} speaks for {other}"
        for subject in ("_INBOX.access.x", "$JS.API.STREAM.DELETE.diary-access", "$JS.API.STREAM.PURGE.diary-access"):
            assert await login.is_refused(subject), f"{name}: {subject}"
        await login.client.close()


async def test_a_service_reads_no_answers_of_another_and_no_stream_that_it_does_not_hear(server: Nats) -> None:
    operator = await _login(server, bus.OPERATOR)
    for name in bus.HEARS:
        await operator.client.jetstream().add_stream(StreamConfig(name=f"diary-{name}", subjects=[f"diary.{name}.v1.>"]))
    journal = await _login(server, "journal")
    for subject in ("diary.access.v1.>", "_INBOX.access.>", ">"):
        await journal.client.subscribe(subject)
    await eventually(lambda: len([words for words in journal.refused if "subscription" in words.lower()]) == 3, why="refusals")
    await journal.client.jetstream().add_consumer("diary-access", ConsumerConfig(durable_name="journal"))
    for stream, durable in (("diary-notify", "journal"), ("diary-access", "notify")):
        with pytest.raises(nats.errors.TimeoutError):
            await journal.client.jetstream(timeout=0.5).add_consumer(stream, ConsumerConfig(durable_name=durable))
    await journal.client.close()
    await operator.client.close()


def test_passwords_are_made_once_and_are_the_owners_alone(tmp_path: Path) -> None:
    bus.write_secret(tmp_path, "diary-nats:4222")
    before = {path.name: path.read_text() for path in (tmp_path / "secret").iterdir()}
    bus.write_secret(tmp_path, "diary-nats:4222")
    assert before == {path.name: path.read_text() for path in (tmp_path / "secret").iterdir()}
    assert set(before) == {"auth.conf", "operator-url", *(f"{name}-url" for name in bus.HEARS)}
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "secret").iterdir()} == {0o600}
