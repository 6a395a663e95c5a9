"""What imports and linters cannot say: read from the syntax trees of our own code."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_SERVICES = ("access", "journal", "notify", "documents")
_ROOMS = ("store", "migrations", "seed")
_SQL = re.compile(r"^\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH|COPY|CREATE|ALTER|GRANT)\s", re.MULTILINE)
_LOG_METHODS = {"debug", "info", "warning", "error", "exception"}


def _files(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((_ROOT / folder).rglob("*.py"))]


def _strings(tree: ast.AST) -> Iterator[tuple[int, str]]:
    docstrings = {
        node.body[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in docstrings:
            yield node.lineno, node.value


@pytest.mark.parametrize("service", _SERVICES)
def test_sql_stands_in_store_only(service: str) -> None:
    found = []
    for path in _files(f"services/{service}"):
        room = path.relative_to(_ROOT / "services" / service).parts[0].removesuffix(".py")
        if room not in _ROOMS:
            found += [f"{path.name}:{line}" for line, text in _strings(ast.parse(path.read_text())) if _SQL.search(text)]
    assert found == []


def test_a_log_event_is_a_static_word() -> None:
    found = []
    for path in _files("chassis", "services", "apps"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _LOG_METHODS):
                continue
            is_logger = "logger" in ast.unparse(node.func.value)
            if is_logger and not (node.args and isinstance(node.args[0], ast.Constant)):
                found.append(f"{path.name}:{node.lineno}")
    assert found == []


def test_a_note_to_self_names_its_issue() -> None:
    note = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b(?!\(#\d+\))")
    # This file spells the words out.
    paths = [p for p in _files("chassis", "services", "apps", "deploy", "tests", "benchmarks") if p != Path(__file__)]
    assert [str(p.relative_to(_ROOT)) for p in paths if note.search(p.read_text())] == []


@pytest.mark.parametrize("service", _SERVICES)
def test_a_service_has_its_rooms_and_a_short_readme(service: str) -> None:
    home = _ROOT / "services" / service
    for room in ("__main__.py", "config.py", "migrations"):
        assert (home / room).exists(), f"services/{service} lacks {room}"
    assert len((home / "README.md").read_text().splitlines()) <= 60
