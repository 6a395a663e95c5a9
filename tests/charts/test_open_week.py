"""What `helm test` runs bears with a cluster that lets a new pod out a moment after its start."""

import json
import runpy
import sys
import threading
import time
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from deploy.charts.build import SOURCE
from tests.support.envoy import free_port

SCRIPT = SOURCE / "diary" / "files" / "open_week.py"
ANSWERS = {
    "/v1/sessions": {"tokens": {"accessToken": "t"}},
    "/v1/me": {"schools": [{"schoolId": "s", "students": [{"studentId": "p"}]}]},
    "/v1/schools/s/students/p/diary": {"week": "2026-W49", "lessons": [{}, {}]},
}


@pytest.fixture(autouse=True)
def _packaged() -> None:
    """The script needs neither Helm nor packages."""


class Gateway(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        text = json.dumps(ANSWERS[self.path]).encode()
        self.send_response(self.status)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        pass


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("login", "password"):
        (tmp_path / name).write_text("x\n")
    return tmp_path


@pytest.fixture
def port(folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    chosen = free_port()
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), f"http://127.0.0.1:{chosen}", str(folder)])
    return chosen


def test_a_gateway_that_is_let_to_a_moment_later_is_found(
    port: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    started: list[ThreadingHTTPServer] = []

    def pause(_: float) -> None:
        if not started:
            started.append(ThreadingHTTPServer(("127.0.0.1", port), Gateway))
            threading.Thread(target=started[0].serve_forever, daemon=True).start()

    monkeypatch.setattr(time, "sleep", pause)
    runpy.run_path(str(SCRIPT), run_name="__main__")
    assert started, "it was refused at least once"
    with closing(started[0].socket):
        started[0].shutdown()
    assert "signed in and opened week 2026-W49: 2 lessons" in capsys.readouterr().out


def test_a_gateway_that_is_never_there_ends_in_one_line(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 1000, 10))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(clock)))
    monkeypatch.setattr(time, "sleep", lambda _: None)
    with pytest.raises(SystemExit, match=r"was not reached within 30 s: .*refused"):
        runpy.run_path(str(SCRIPT), run_name="__main__")


def test_a_refusal_is_told_at_once(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def pause(_: float) -> None:
        raise AssertionError("a refusal is an answer")

    monkeypatch.setattr(time, "sleep", pause)
    monkeypatch.setattr(Gateway, "status", 401)
    server = ThreadingHTTPServer(("127.0.0.1", port), Gateway)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with pytest.raises(SystemExit, match="refused: 401"):
            runpy.run_path(str(SCRIPT), run_name="__main__")
    finally:
        server.shutdown()
        server.server_close()
