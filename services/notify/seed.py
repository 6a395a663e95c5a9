"""notify's part of a generated region: the addresses of the families that are shown, as their applications named them."""

import json
from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

from chassis.clock import Clock
from chassis.db import Database
from services.notify.preferences import store as preferences


def read_addresses(logins: Path) -> dict[UUID, str]:
    """The addresses by account, of the logins that access's seed has written."""
    return {UUID(one["account_id"]): one["email"] for one in json.loads(logins.read_text(encoding="utf-8")) if one.get("email")}


async def seed(database: Database, addresses: Mapping[UUID, str], clock: Clock) -> None:
    """Keeps the addresses."""
    async with database.region() as connection:
        for account_id, address in addresses.items():
            await preferences.put_address(connection, account_id, address, clock.now())
    print(f"seed: {len(addresses)} addresses for letters", flush=True)
