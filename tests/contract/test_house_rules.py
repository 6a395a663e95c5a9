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
        # A room of the service, or of one of its wings.
        rooms = [part.removesuffix(".py") for part in path.relative_to(_ROOT / "services" / service).parts[:2]]
        if not set(rooms).intersection(_ROOMS):
            found += [f"{path.name}:{line}" for line, text in _strings(ast.parse(path.read_text())) if _SQL.search(text)]
    assert found == []


_BY_NUMBER = re.compile(r"\b(?:kind|role)\s*(?:=|<>|IN|&&)\s*[('{]*\d")


@pytest.mark.parametrize("service", _SERVICES)
def test_relations_and_roles_are_told_by_name(service: str) -> None:
    """Who sees whom is said in `chassis/sight.py`, by the enums of diary.options.v1, and in no statement by number."""
    found = []
    for path in _files(f"services/{service}"):
        if "migrations" not in path.parts:
            found += [f"{path.name}:{line}" for line, text in _strings(ast.parse(path.read_text())) if _BY_NUMBER.search(text)]
    assert found == []


@pytest.mark.parametrize("statement", ["WHERE r.kind = 3 AND", "f.role IN (6, 10)", "bool_or(o.role = 4)", "kind <> 6"])
def test_a_number_of_a_relation_is_found(statement: str) -> None:
    assert _BY_NUMBER.search(statement)


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


_CUTS = {"split", "rsplit", "partition", "rpartition"}
_OF_A_PERSON = {"name", "display_name"} | {
    f"{who}_name"
    for who in ("student", "teacher", "guardian", "holder", "applicant", "signer", "preparer", "actor", "person", "child")
}
# Names of a school, of a form's field, of a mailbox, of a file.
_NOT_OF_A_PERSON = {"seal.py", "class_form.py", "notices.py", "refusals.py"}


def _list_terms(node: ast.AST) -> Iterator[str]:
    """What an expression is made of: `name` in `clean(name).strip()`, `given_name` in `person.name.given_name`."""
    match node:
        case ast.Name(id=word) | ast.Attribute(attr=word):
            yield word
        case ast.Call(func=function, args=arguments):
            of_method = [function.value] if isinstance(function, ast.Attribute) else []
            for part in [*of_method, *arguments]:
                yield from _list_terms(part)
        case _:
            for child in ast.iter_child_nodes(node):
                yield from _list_terms(child)


def _find_cuts(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=cut, attr=method)) if method in _CUTS:
                terms = _list_terms(cut)
            case ast.Subscript(value=cut, slice=ast.Slice() | ast.Constant()):
                terms = _list_terms(cut)
            case _:
                continue
        if not _OF_A_PERSON.isdisjoint(terms):
            yield node.lineno


def test_nobody_cuts_a_name_for_display() -> None:
    """A family name may have two words, and a person one name only: the parts travel (`chassis/names.py`)."""
    found = [
        f"{path.name}:{line}"
        for path in _files("services", "apps")
        if path.name not in _NOT_OF_A_PERSON
        for line in _find_cuts(ast.parse(path.read_text()))
    ]
    templates = sorted((_ROOT / "apps").rglob("*.html")) + sorted((_ROOT / "services").rglob("*.txt"))
    found += [path.name for path in templates if re.search(r"name\s*(\.split|\||\[)", path.read_text())]
    assert found == []


@pytest.mark.parametrize(
    "cut",
    [
        "display_name.split()",
        "one_line(student.display_name).split()[1]",
        "signer_name.replace('x', ' ').split(' ')",
        "name[:5]",
    ],
)
def test_a_cut_name_is_found(cut: str) -> None:
    assert list(_find_cuts(ast.parse(cut)))


_HANDLERS = {"unary_unary_rpc_method_handler", "method_handlers_generic_handler"}


def _find_stand_ins(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(bases=bases) if any(ast.unparse(base).endswith("Servicer") for base in bases):
                yield node.lineno
            case ast.Attribute(attr=name) if name in _HANDLERS:
                yield node.lineno


def test_tests_have_one_stand_in_for_other_services() -> None:
    """`tests/worlds/neighbours.py` is made from the descriptors: what a test did not think of is unanswered, and no answer
    outlives its proto.
    """
    paths = [path for path in _files("tests") if path != _ROOT / "tests" / "worlds" / "neighbours.py"]
    assert [f"{path.name}:{line}" for path in paths for line in _find_stand_ins(ast.parse(path.read_text()))] == []


@pytest.mark.parametrize("stand_in", ["class A(x_pb2_grpc.AServicer): ...", "grpc.unary_unary_rpc_method_handler(f)"])
def test_another_stand_in_is_found(stand_in: str) -> None:
    assert list(_find_stand_ins(ast.parse(stand_in)))
