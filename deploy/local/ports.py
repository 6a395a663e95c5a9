"""Ports that are free, held until the child that needs them starts."""

import errno
import socket

from deploy.local.errors import LocalError


class Ports:
    """Reservations on 127.0.0.1, so that nobody else takes a port while the children before it still start."""

    def __init__(self) -> None:
        self._held: dict[int, socket.socket] = {}

    def reserve(self, usual: int) -> int:
        """The usual port, another free one when it is taken; 0 means any."""
        try:
            return self._hold(usual)
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
        return self._hold(0)

    def reserve_named(self, port: int, variable: str) -> int:
        """Just this port, since somebody named it; LocalError when it cannot be had."""
        try:
            return self._hold(port)
        except (OSError, OverflowError) as error:
            reason = "is taken by another program" if getattr(error, "errno", 0) == errno.EADDRINUSE else f"({error})"
            raise LocalError(f"port {port} of {variable} cannot be had: {reason}; name another or unset it") from error

    def release(self, port: int) -> None:
        """Give the port up, right before its child binds it."""
        held = self._held.pop(port, None)
        if held:
            held.close()

    def share(self, port: int) -> None:
        """Give the port up to a child that binds with SO_REUSEPORT, and keep it from everyone else: services' usual ports lie
        among those that the system gives to outgoing connections, which one of the other children may just be making.
        """
        self.release(port)
        holder = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            holder.bind(("127.0.0.1", port))
        except OSError:
            # Taken in this very moment: the child says so.
            holder.close()
        else:
            self._held[port] = holder

    def close(self) -> None:
        """Give all up."""
        for port in list(self._held):
            self.release(port)

    def _hold(self, port: int) -> int:
        holder = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        # With SO_REUSEADDR a port whose last connections linger in TIME_WAIT is free; listening keeps others out.
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            holder.bind(("127.0.0.1", port))
            holder.listen()
        except BaseException:
            holder.close()
            raise
        taken = int(holder.getsockname()[1])
        self._held[taken] = holder
        return taken
