"""The weekly sheet in words and on paper (Clause R7, sections 8 and 9 of the forms)."""

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.documents.press.rules.letters import measure
from services.documents.print_runs.convert.pdf import render_run
from services.documents.print_runs.rules.class_week import ClassWeek, Correction, Mark, StudentWeek, SubjectWeek
from services.documents.print_runs.rules.runs import Sheet
from services.documents.print_runs.rules.sheets import PaperCodes, RunPages, SheetPage, build_run
from tests.support.papers import needs_poppler, read_codes, read_pages, read_texts

MONDAY, PRINTED = date(2026, 11, 16), datetime(2026, 11, 20, 14, 5, tzinfo=UTC)
MARK = Mark(4, "контрольная работа", date(2026, 11, 18), "Квадратные уравнения")
ALGEBRA = SubjectWeek("Алгебра", True, 4, 0, [MARK], 433, [], [])
TALKS = SubjectWeek("Разговоры о важном", False, 1, 0, [], None, [], ["День матери"])
MARKUP = "#panic() $x$ *b* _i_ <b> {{7*7}} @a \\ ` // /* \"'"


def _student(*subjects: SubjectWeek, name: str = "Абрамова Анна Сергеевна", **counts: Any) -> StudentWeek:
    lessons = sum(subject.lesson_count for subject in subjects)
    return replace(StudentWeek(UUID(int=1), name, subjects, lessons, 0, 0, 0, 0), **counts)


def _run(*students: StudentWeek, declaration: str = "", printed: datetime = PRINTED) -> RunPages:
    week = ClassWeek("8-А", "МБОУ «Александровская школа»", "Europe/Simferopol", MONDAY, "2 четверть", 3, 9, students)
    sheets = [Sheet(student, 2026, number, declaration) for number, student in enumerate(students, 141)]
    return build_run(week, sheets, PaperCodes("https://diary.example", "alek"), "Петрова Н. И.", "8 (36556) 2-15-33", printed)


def _sheet(*subjects: SubjectWeek, **counts: Any) -> SheetPage:
    return _run(_student(*subjects, **counts)).sheets[0]


def test_a_mark_is_told_with_what_it_is_for() -> None:
    [row] = _sheet(ALGEBRA).rows
    assert [mark.replace("\xa0", " ") for mark in row.marks] == ["4 — контрольная работа, 18.11: Квадратные уравнения"]
    assert (row.mean, row.missed) == ("4,33", "—")


def test_a_week_without_marks_says_so_and_has_no_table() -> None:
    sheet = _sheet(replace(ALGEBRA, marks=[]))
    assert (sheet.headline, sheet.rows) == ("На этой неделе отметки не выставлялись.", [])


@pytest.mark.parametrize(
    ("printed", "as_of"),
    [
        (datetime(2026, 11, 16, 8, tzinfo=UTC), "по состоянию на 16.11.2026"),
        (datetime(2026, 11, 22, 23, 59, tzinfo=UTC), "по состоянию на 22.11.2026"),
        (datetime(2026, 11, 23, tzinfo=UTC), ""),
    ],
)
def test_a_sheet_of_a_week_that_goes_on_says_of_which_day_it_speaks(printed: datetime, as_of: str) -> None:
    """What has not happened by then is not said of the whole week."""
    assert _run(_student(ALGEBRA), printed=printed).as_of.replace("\xa0", " ") == as_of


def test_who_missed_the_whole_week_did_not_attend() -> None:
    sheet = _sheet(replace(ALGEBRA, marks=[], missed_count=4), ill_count=4)
    assert sheet.headline == "Уроки не посещал(а)."
    assert "по болезни 4" in sheet.attendance


def test_a_first_grade_is_told_topics_and_no_marks() -> None:
    sheet = _sheet(TALKS)
    assert (sheet.headline, sheet.rows, sheet.has_marks) == ("", [], False)
    assert [(row.subject, row.topics) for row in sheet.topics] == [("Разговоры о важном", "День матери")]


def test_a_correction_is_told_and_its_section_else_left_out() -> None:
    corrected = replace(
        ALGEBRA, corrections=[Correction(date(2026, 11, 17), 3, 4, "ошибка"), Correction(date(2026, 11, 18), 2, None, "")]
    )
    lines = [line.replace("\xa0", " ") for line in _sheet(corrected).corrections]
    assert lines == ["Алгебра, 17.11: 3 → 4, ошибка", "Алгебра, 18.11: 2 → —, "]
    assert list(_sheet(ALGEBRA).corrections) == []


def test_subjects_with_lessons_and_no_marks_are_named() -> None:
    assert _sheet(ALGEBRA, replace(ALGEBRA, name="Химия", marks=[])).without_marks == "Химия"
    assert _sheet(ALGEBRA).attendance == "Пропусков и опозданий нет."


@needs_poppler
def test_two_sheets_lie_on_a_page_and_the_register_comes_last() -> None:
    students = [_student(ALGEBRA, name=f"Ученик{letter}") for letter in "АБВ"]
    file = render_run(_run(*students, declaration="17-Б"))
    first, second, register = read_texts(file)
    assert [first.count(f"Ученик{letter}") for letter in "АБВ"] == [1, 1, 0]
    assert second.count("УченикВ") == 1
    assert [register.count(f"Ученик{letter}") for letter in "АБВ"] == [1, 1, 1]
    assert register.count("17‑Б") == 3
    assert [page.width > page.height for page in read_pages(file)] == [True, True, False]


@needs_poppler
def test_illness_is_told_on_the_sheet_alone() -> None:
    *sheets, register = read_texts(render_run(_run(_student(replace(ALGEBRA, missed_count=1), ill_count=1))))
    assert "болезни" in " ".join(sheets)
    assert "болезн" not in register


@needs_poppler
def test_the_code_is_a_link_of_school_and_number_and_nothing_else() -> None:
    """Families A1."""
    file = render_run(_run(_student(ALGEBRA)))
    assert read_codes(file) == ["https://diary.example/verify?code=alek-2026-141"]
    assert "код alek‑2026‑141" in " ".join(read_texts(file)[0].split())


@needs_poppler
def test_the_register_names_to_whom_each_sheet_goes() -> None:
    """Staff C10."""
    week = ClassWeek("8-А", "Школа", "Europe/Simferopol", MONDAY, "2 четверть", 3, 9, [_student(ALGEBRA)])
    sheet = Sheet(week.students[0], 2026, 141, "17-Б", UUID(int=2), "Константинопольская-Преображенская Александра Львовна")
    run = build_run(week, [sheet], PaperCodes("https://diary.example", "alek"), "", "", PRINTED)
    sheets, register = read_texts(render_run(run))
    for word in sheet.recipient_name.split():
        assert word in "".join(register.split())
    assert "подготовлено 20.11.2026 в 14:05" in " ".join(register.split())
    assert "Обозначения" not in sheets


def test_a_class_whose_title_has_the_noun_is_not_told_twice() -> None:
    """Trouble 16."""
    week = ClassWeek("8А класс", "Школа", "Europe/Simferopol", MONDAY, "", 0, 0, [])
    assert build_run(week, [], PaperCodes("", "alek"), "", "", PRINTED).class_name == "8А класс"


@needs_poppler
def test_nobodys_text_is_markup() -> None:
    subject = replace(
        ALGEBRA,
        name=MARKUP,
        marks=[replace(MARK, topic=MARKUP, work_type=MARKUP)],
        corrections=[Correction(MONDAY, 3, 4, MARKUP)],
    )
    texts = read_texts(render_run(_run(_student(subject, replace(TALKS, topics=[MARKUP]), name=MARKUP), declaration=MARKUP)))
    assert "".join(MARKUP.split()) in "".join("".join(texts).split())


@needs_poppler
def test_the_fullest_week_stays_on_its_half_of_the_page() -> None:
    full = [replace(ALGEBRA, name=f"Предмет {number} с длинным названием", marks=[MARK] * 5) for number in range(16)]
    file = render_run(_run(_student(*full), _student(ALGEBRA)))
    assert len(read_texts(file)) == 2
    words = read_pages(file)[0].words
    cut = max(word.top for word in words if word.text == "отрежьте")
    foot = min(word.top for word in words if word.text == "Классный")
    assert foot < cut
    left = [word for word in words if word.right < read_pages(file)[0].width / 2]
    marks = [word.bottom for word in left if word.text == "контрольная"]
    assert len(marks) == 80
    assert max(marks) < foot


@needs_poppler
@pytest.mark.parametrize("letter", sorted("абвгдежзийклмнопрстуфхцчшщъыьэюяАБВЖМШЩЮЫ№0123456789—«»WmM"))
def test_no_letter_is_set_wider_than_it_is_measured(letter: str) -> None:
    word = letter * 11
    words = read_pages(render_run(_run(_student(ALGEBRA, name=word))))[-1].words
    [printed] = [found for found in words if found.text == word]
    assert printed.right - printed.left <= measure(word) * 0.09 + 0.1


@needs_poppler
def test_a_row_of_the_register_is_as_high_as_the_lines_of_its_name() -> None:
    names = [
        "Ли Анна",
        "Абрамова Анна Сергеевна",
        "Александровская-Преображенская Александра Александровна",
        "Константинопольский Всеволод Святославович",
        "Щербаченко-Шишкина Мария Владиславовна",
        "Ткаченко Юлия Вячеславовна",
    ]
    words = read_pages(render_run(_run(*(_student(ALGEBRA, name=name) for name in names))))[-1].words
    column = [word for word in words if 70 < word.left < 190]
    numbers = [
        next(word for word in words if word.text == str(index) and word.right < 71) for index in range(1, len(names) + 1)
    ]
    tops = [word.top - 1 for word in numbers] + [numbers[-1].top + 60]
    for name, top, end in zip(names, tops[:-1], tops[1:], strict=True):
        inside = [word for word in column if top <= word.top and word.bottom <= end]
        assert " ".join(word.text for word in inside).replace("- ", "-").startswith(name)


@needs_poppler
def test_a_long_subject_and_its_marks_make_the_row_as_high_as_either_needs() -> None:
    long = replace(ALGEBRA, name="Основы духовно-нравственной культуры народов России")
    words = read_pages(render_run(_run(_student(long, replace(ALGEBRA, name="Химия")))))[0].words
    subject = [word for word in words if word.text in ("Основы", "культуры", "народов", "России")]
    assert next(word.top for word in words if word.text == "Химия") >= max(word.bottom for word in subject) - 4
    # The column ends 38 mm from the paper's edge.
    assert max(word.right for word in subject) <= 38 / 25.4 * 72


def test_what_typst_remembers_does_not_grow_with_the_classes() -> None:
    script = (
        "import resource; from tests.unit.documents.test_weekly_sheets import print_class\n"
        "def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024\n"
        "for number in range(4): print_class(number)\n"
        "before = peak()\n"
        "for number in range(4, 20): print_class(number)\n"
        "print(peak() - before)"
    )
    grown = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True).stdout
    assert float(grown) < 40


def print_class(number: int) -> None:
    """A class of 25 like no other."""
    render_run(_run(*(_student(ALGEBRA, TALKS, name=f"Ученик {number} {place}") for place in range(25))))


_text = st.text(min_size=1, max_size=40).filter(str.strip)


@settings(max_examples=15, deadline=None)
@given(_text, _text, st.integers(1, 5))
def test_any_text_of_people_can_be_printed(name: str, topic: str, value: int) -> None:
    subject = replace(ALGEBRA, name=name, marks=[Mark(value, topic, MONDAY, topic)])
    assert render_run(_run(_student(subject, name=name))).startswith(b"%PDF-")


def test_the_same_week_gives_the_same_bytes_within_four_kilobytes_a_sheet() -> None:
    run = _run(*(_student(ALGEBRA, TALKS, name=f"Ученик {number}") for number in range(25)))
    file = render_run(run)
    assert file == render_run(run)
    assert len(file) <= 25 * 4096
