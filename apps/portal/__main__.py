"""`python -m apps.portal` serves the pages until SIGTERM or SIGINT."""

from types import FrameType

import uvicorn
import uvloop

from apps.portal import app
from apps.portal.config import Settings
from apps.portal.gateway import Gateway
from chassis import log
from chassis.clock import SystemClock

_DRAIN_SECONDS = 8


class _Server(uvicorn.Server):
    """Stops as our services do: the first signal drains, the process ends with 0."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Notes the signal without having it raised again at the end."""
        self.should_exit = True


async def _serve(settings: Settings) -> None:
    # The channel belongs to the loop that it is made in.
    application = app.build(Gateway(settings.gateway_address), SystemClock(), settings.url)
    config = uvicorn.Config(
        application,
        host=settings.listen_host,
        port=settings.port,
        # Named, so that a portal without it does not start with the parser in Python, which took a fifth of a page's CPU.
        http="httptools",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_DRAIN_SECONDS,
    )
    log.logger().info("serving", port=settings.port)
    await _Server(config).serve()
    log.logger().info("stopped")


def main() -> None:
    """Reads the settings and serves."""
    settings = Settings()
    log.configure("portal", settings.log_level)
    uvloop.run(_serve(settings))


if __name__ == "__main__":
    main()
