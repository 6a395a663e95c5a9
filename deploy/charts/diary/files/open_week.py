"""What `helm test` does: signs in as a family and opens this week of its first student. Standard library only.

python3 open_week.py http://diary-gateway:8080 FOLDER   (FOLDER holds the files login and password)
"""

import json
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

# A cluster lets a new pod out a moment after its start, and may remember for half a minute that a name was not there.
_PATIENCE = 30.0


def main() -> None:
    """Exit 0 with what was seen; 1 with the refusal."""
    address, folder = sys.argv[1], Path(sys.argv[2])
    started = time.monotonic()
    secrets = {name: (folder / name).read_text().strip() for name in ("login", "password")}
    try:
        token = _ask(f"{address}/v1/sessions", body=secrets)["tokens"]["accessToken"]
        places = _ask(f"{address}/v1/me", token=token)["schools"]
        school, student = next((p["schoolId"], s["studentId"]) for p in places for s in p.get("students", []))
        week = _ask(f"{address}/v1/schools/{school}/students/{student}/diary", token=token)
    except urllib.error.HTTPError as refusal:
        sys.exit(f"refused: {refusal.code} {refusal.read().decode(errors='replace')}")
    except StopIteration:
        sys.exit("the account may open no student's diary: name a family's account")
    lessons = len(week.get("lessons", []))
    print(f"signed in and opened week {week['week']}: {lessons} lessons, in {time.monotonic() - started:.2f} s")


def _ask(url: str, body: dict[str, str] | None = None, token: str = "") -> Any:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    data = None
    if body is not None:
        headers["content-type"] = "application/json"
        data = json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers)  # noqa: S310 - the address is the operator's own
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
                return json.load(answer)
        except urllib.error.HTTPError:
            raise
        except urllib.error.URLError as error:
            if time.monotonic() > until:
                sys.exit(f"{url} was not reached within {_PATIENCE:.0f} s: {error.reason}")
            time.sleep(0.5)


if __name__ == "__main__":
    main()
