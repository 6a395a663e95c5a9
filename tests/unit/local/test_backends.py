import asyncpg
import nats

from tests.support.backends import PostgresServer


async def test_clones_of_the_test_server_are_separate_databases(postgres: PostgresServer) -> None:
    first, second = await postgres.clone(), await postgres.clone()
    connection = await asyncpg.connect(first.admin_dsn)
    await connection.execute("CREATE TABLE left_behind (id int)")
    await connection.close()
    connection = await asyncpg.connect(second.admin_dsn)
    assert await connection.fetchval("SELECT to_regclass('left_behind')") is None
    assert await connection.fetchval("SELECT uuid_extract_version(uuidv7())") == 7
    await connection.close()


async def test_the_test_server_of_nats_keeps_streams(nats_url: str) -> None:
    client = await nats.connect(nats_url)
    await client.jetstream().add_stream(name="proof", subjects=["proof.>"])
    acknowledgement = await client.jetstream().publish("proof.one", b"1")
    assert acknowledgement.seq == 1
    await client.close()
