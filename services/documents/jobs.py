"""What documents does by time."""

import asyncio

from chassis import relations
from chassis.run import Frame, Loop


def forget_ended_sessions(frame: Frame) -> Loop:
    """Drops ended sessions whose tokens have run out, each minute."""

    async def each_minute() -> None:
        while True:
            async with frame.database.region() as connection:
                await relations.forget_ended_sessions(connection, frame.clock.now())
            await asyncio.sleep(60)

    return each_minute
