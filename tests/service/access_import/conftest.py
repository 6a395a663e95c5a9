"""A database of access, and the real OneRoster bundle as a ZIP, whole or with a change."""

import zipfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from chassis.clock import Clock
from chassis.db import owner
from chassis.imports.kinds import Work
from services.access.roster.actions.imports import Report, write_roster
from services.access.roster.convert.bundles import read_zip
from services.access.roster.rules.oneroster import read_bundle
from services.access.roster.rules.rosters import Wish, build_roster
from services.access.roster.store.imported_ids import find_school
from tests.support.backends import Clone, PostgresServer

BUNDLE = Path(__file__).parents[4] / "shared/data/oneroster/edfi_1.1"
MakeZip = Callable[..., Path]


def read_files(path: Path) -> dict[str, str]:
    """The files of a bundle."""
    return read_zip(path.name, path.read_bytes())


async def write_files(keeper: Any, clock: Clock, files: dict[str, str], wish: Wish) -> Report:
    """Writes a bundle's school as an import does when it has been confirmed."""

    async def note(_done: int, _total: int) -> None:
        pass

    school_id = await find_school(keeper, wish.code.strip()) or uuid4()
    return await write_roster(Work(keeper, clock, school_id, wish, note, clock.now()), build_roster(read_bundle(files), wish))


@pytest_asyncio.fixture
async def clone(postgres: PostgresServer) -> Clone:
    """The test's own database."""
    return await postgres.clone(["access"])


@pytest_asyncio.fixture
async def admin(clone: Clone) -> AsyncIterator[Any]:
    """The server's admin in access's schema."""
    connection = await asyncpg.connect(clone.admin_dsn, server_settings={"search_path": "access"})
    yield connection
    await connection.close()


@pytest_asyncio.fixture
async def keeper(clone: Clone) -> AsyncIterator[Any]:
    """The owner of the tables, as commands connect."""
    async with owner(clone.admin_dsn, "access") as connection:
        yield connection


@pytest.fixture
def make_zip(tmp_path: Path) -> MakeZip:
    """Makes the bundle; `change` takes a file's name and text and gives the text to write, or None to leave it out."""
    if not BUNDLE.exists():
        pytest.skip(f"{BUNDLE} is not on this machine")

    def make(change: Callable[[str, str], str | None] = lambda _, text: text) -> Path:
        path = tmp_path / "bundle.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(BUNDLE.iterdir()):
                text = change(file.name, file.read_text("utf-8-sig"))
                if text is not None:
                    archive.writestr(file.name, text)
        return path

    return make
