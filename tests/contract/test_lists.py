"""Every List RPC has a test that counts what its page touches among thousands, by name."""

import re
from pathlib import Path

import pytest

from tests.worlds.neighbours import RPCS

_SERVICE = Path(__file__).parents[1] / "service"
_OF_ACCESS = "access/test_access_lists.py"
# The file of its test, and the word by which its question is found there.
LISTED = {
    "ListApplications": (_OF_ACCESS, "list_cases"),
    "ListClasses": (_OF_ACCESS, "list_class_rows"),
    "ListCourses": ("journal/test_journal_lists.py", "list_courses"),
    "ListDeadlines": (_OF_ACCESS, "list_deadlines"),
    "ListDeliveries": ("notify/test_notify_lists.py", "list_deliveries"),
    "ListDocuments": ("documents/test_documents_lists.py", "list_documents"),
    "ListGrants": (_OF_ACCESS, "list_grants"),
    "ListGuardianships": (_OF_ACCESS, "list_guardianships"),
    "ListOwnGrants": ("access/test_access_indexes.py", "list_own_grants"),
    "ListOwnPaperDeclarations": ("access/test_access_indexes.py", "list_own_declarations"),
    "ListPaperDeclarations": (_OF_ACCESS, "list_listed"),
    "ListPrintRuns": ("documents/test_documents_lists.py", "list_runs"),
    "ListRosterImportChanges": ("test_import_of_files.py", "list_changes"),
    "ListRoster": (_OF_ACCESS, "list_roster_declarations"),
    "ListSchools": (_OF_ACCESS, "list_schools"),
    "ListStudents": (_OF_ACCESS, "list_listed_students"),
}


def test_every_list_is_named() -> None:
    lists = {method.name for method in RPCS.values() if method.name.startswith("List")}
    assert lists == set(LISTED), "give the list a test that counts the rows of its page, and name it here"


@pytest.mark.parametrize("name", LISTED)
def test_a_list_is_asked_among_thousands(name: str) -> None:
    file, question = LISTED[name]
    text = (_SERVICE / file).read_text()
    assert "explain(" in text
    assert re.search(rf"\.{question}\b", text), f"{file} does not ask {question}"
