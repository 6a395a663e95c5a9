"""`python -m benchmarks.weekly_sheets`: a class of 25 as weekly sheets, in sheets per CPU second.

Ours is what documents does from the journal's message to the file. Set against: Typst compiling the same template and words
with nothing around it, and WeasyPrint printing the same words from HTML. Each runs in a process of its own, in turns, so that
its memory is its own; no clock decides, CPU is the process's. Twelve classes a process and their mean, since Typst drops what
it remembers after ten, and ours now and then: that belongs to the price of both.
"""

import argparse
import io
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, date, datetime
from statistics import mean, median
from typing import Any
from uuid import UUID

import segno
import typst

from services.documents.press.convert import pdf
from services.documents.print_runs.convert.pdf import draw_small_code, render_run
from services.documents.print_runs.rules.class_week import ClassWeek, Correction, Mark, StudentWeek, SubjectWeek
from services.documents.print_runs.rules.runs import Sheet
from services.documents.print_runs.rules.sheets import PaperCodes, RunPages, build_run

CLASS, ROUNDS = 25, 5
CLASSES = {"ours": 12, "typst": 12, "weasyprint": 3}
_MONDAY = date(2026, 11, 16)
_SUBJECTS = (
    *("Русский язык", "Литература", "Алгебра", "Геометрия", "История", "Обществознание", "География", "Физика"),
    *("Химия", "Биология", "Информатика", "Музыка", "Физическая культура", "Труд (технология)"),
)
_WORKS = ("контрольная работа", "устный ответ", "домашняя работа", "")
_TOPICS = ("Квадратные уравнения", "Сочинение по картине", "Законы Ньютона", "Крым: природа и хозяйство")


def make_week(first: int) -> ClassWeek:
    """A usual week: each student has nine marks in fourteen subjects, some absences, one a correction. `first` tells weeks
    apart, since Typst remembers what it has laid out.
    """
    numbers = range(first, first + CLASS)
    students = [StudentWeek(UUID(int=n), f"Ученикова Мария Номер {n}", _subjects(n), 28, 1, 0, 0, 0) for n in numbers]
    return ClassWeek("8-А", "МБОУ «Средняя школа № 3»", "Europe/Simferopol", _MONDAY, "2 четверть", 3, 9, students)


def _subjects(student: int) -> list[SubjectWeek]:
    found = []
    for place, name in enumerate(_SUBJECTS):
        many = (student + place) % 14 < 9
        mark = Mark(
            2 + (student + place) % 4, _WORKS[place % 4], date(2026, 11, 16 + place % 5), _TOPICS[(student + place) % 4]
        )
        correction = Correction(_MONDAY, 3, 4, "ошибка при выставлении")
        corrections = [correction] if place == 2 and student % 5 == 0 else []
        found.append(SubjectWeek(name, True, 2, int(place == student % 14), [mark] if many else [], 433, corrections, []))
    return found


def build(week: ClassWeek) -> RunPages:
    """The week in printed words."""
    sheets = [Sheet(student, 2026, number, "") for number, student in enumerate(week.students, 1)]
    return build_run(
        week,
        sheets,
        PaperCodes("https://diary.example", "alek"),
        "Петрова Н. И.",
        "",
        datetime(2026, 11, 20, 14, 5, tzinfo=UTC),
    )


def print_ours(week: ClassWeek) -> bytes:
    """As documents does it."""
    return render_run(build(week))


def write_data(pages: RunPages) -> str:
    """What the template reads."""
    return json.dumps({"run": asdict(pages), "codes": {sheet.code: draw_small_code(sheet.code) for sheet in pages.sheets}})


def print_typst(data: str) -> bytes:
    """Typst alone: its data are ready, nothing is forgotten afterwards."""
    templates = pdf.TEMPLATES
    return typst.compile(
        templates / "weekly.typ", root=templates, font_paths=pdf.FONTS, sys_inputs={"data": data}, pdf_tags=False
    )


def print_weasy(pages: RunPages) -> bytes:
    """WeasyPrint: the same words in a plain page, two sheets side by side, the same fonts."""
    from weasyprint import HTML

    fonts = "".join(
        f"@font-face {{ font-family: PT; font-weight: {weight}; src: url({(pdf.TEMPLATES / 'fonts' / name).as_uri()}) }}"
        for name, weight in (("PTSerif-Regular.ttf", "normal"), ("PTSerif-Bold.ttf", "bold"))
    )
    style = (
        f"{fonts} @page {{ size: A4 landscape; margin: 0 }} body {{ font: 9pt PT; margin: 0 }}"
        "td { border-bottom: 1px solid }"
        "section { float: left; width: 130mm; height: 195mm; padding: 8mm 9mm 7mm } table { border-collapse: collapse }"
    )
    body = "".join(_write_html(pages, index) for index in range(len(pages.sheets)))
    made: bytes = HTML(string=f"<style>{style}</style>{body}").write_pdf()
    return made


def _write_html(pages: RunPages, index: int) -> str:
    sheet = pages.sheets[index]
    rows = "".join(
        f"<tr><td>{row.subject}<td>{'<br>'.join(row.marks)}<td>{row.mean}<td>{row.missed}</tr>" for row in sheet.rows
    )
    return (
        f"<section><p>{pages.school} {pages.class_name}<h2>РЕЗУЛЬТАТЫ ОБУЧЕНИЯ</h2><p>{pages.week_from} {pages.week_to}"
        f"<p><b>{sheet.student}</b> {pages.period}"
        f"<table><tr><th>Предмет<th>Отметки<th>Средний балл<th>Пропущено</tr>{rows}</table>"
        f"<p>Без отметок на этой неделе: {sheet.without_marks}<p>{sheet.attendance}<p>{'; '.join(sheet.corrections)}"
        f"<p>{pages.class_teacher}<p>Лист {sheet.number}{_draw_svg(sheet.code)}</section>"
    )


def _draw_svg(code: str) -> str:
    drawing = io.BytesIO()
    segno.make_qr(code, error="m", mask=2).save(drawing, kind="svg", border=0, xmldecl=False)
    return drawing.getvalue().decode()


def _measure(side: str, rounds: int) -> None:
    """In a process of its own: prints CPU seconds of each round, bytes and the most memory as JSON."""
    runs: dict[str, Callable[[ClassWeek, RunPages, str], bytes]] = {
        "ours": lambda week, _pages, _data: print_ours(week),
        "typst": lambda _week, _pages, data: print_typst(data),
        "weasyprint": lambda _week, pages, _data: print_weasy(pages),
    }
    weeks = [make_week(1 + CLASS * number) for number in range(rounds + 1)]
    given = [(week, build(week), write_data(build(week))) for week in weeks]
    size, seconds = len(runs[side](*given[0])), []
    for week, pages, data in given[1:]:
        began = time.process_time()
        runs[side](week, pages, data)
        seconds.append(time.process_time() - began)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"seconds": seconds, "bytes": size, "megabytes": memory}))


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.weekly_sheets", description=__doc__.splitlines()[0])
    parser.add_argument("--side", choices=("ours", "typst", "weasyprint"), help="measure one side, as JSON")
    side = parser.parse_args().side
    if side:
        _measure(side, CLASSES[side])
        return
    rates: dict[str, list[float]] = {"ours": [], "typst": [], "weasyprint": []}
    last: dict[str, dict[str, Any]] = {}
    for _ in range(ROUNDS):
        for name, found in rates.items():
            made = subprocess.run([sys.executable, "-m", __spec__.name, "--side", name], capture_output=True, check=True)
            last[name] = json.loads(made.stdout)
            found.append(CLASS / mean(last[name]["seconds"]))
    print(f"| {'side':<10} | sheets per CPU s | KB a sheet | memory, MB | ours is |\n|--|--|--|--|--|")
    for name, found in rates.items():
        ratio = median(ours / theirs for ours, theirs in zip(rates["ours"], found, strict=True))
        kilobytes = last[name]["bytes"] / CLASS / 1024
        print(f"| {name:<10} | {median(found):,.0f} | {kilobytes:.1f} | {last[name]['megabytes']} | {ratio:.2f}x |")


if __name__ == "__main__":
    main()
