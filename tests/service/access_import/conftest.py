"""A database of access, and the real OneRoster bundle as a ZIP, whole or with a change."""

import zipfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from chassis.db import owner
from tests.support.backends import Clone, PostgresServer

BUNDLE = Path(__file__).parents[4] / "shared/data/oneroster/edfi_1.1"
MakeZip = Callable[..., Path]


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
