"""A class of 25 as weekly sheets with their register, in sheets per CPU second.

Ours is what documents does from the journal's message to the file. Set against: Typst compiling the same template and words
with nothing around it, and WeasyPrint printing the same pages from HTML. Each runs in a process of its own, in turns, so that
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

import pypdfium2
import segno
import typst

from benchmarks.contest import Row, show_ratio
from services.documents.press.convert import pdf
from services.documents.print_runs.convert.pdf import draw_small_code, render_run
from services.documents.print_runs.rules.class_week import ClassWeek, Correction, Mark, StudentWeek, SubjectWeek
from services.documents.print_runs.rules.runs import Sheet
from services.documents.print_runs.rules.sheets import PaperCodes, RunPages, build_run

CLASS = 25
_WORK, _KILOBYTES_A_PAGE, _MEGABYTES = "Weekly sheets, a class of 25", 4, 300
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
    return json.dumps({"run": asdict(pages), "codes": {sheet.link: draw_small_code(sheet.link) for sheet in pages.sheets}})


def print_typst(data: str) -> bytes:
    """Typst alone: its data are ready, nothing is forgotten afterwards."""
    templates = pdf.TEMPLATES
    return typst.compile(
        templates / "weekly.typ", root=templates, font_paths=pdf.FONTS, sys_inputs={"data": data}, pdf_tags=False
    )


def print_weasy(pages: RunPages) -> bytes:
    """WeasyPrint: the same words on the same pages, two sheets side by side and the register, in the same fonts."""
    from weasyprint import HTML

    fonts = "".join(
        f"@font-face {{ font-family: PT; font-weight: {weight}; src: url({(pdf.TEMPLATES / 'fonts' / name).as_uri()}) }}"
        for name, weight in (("PTSerif-Regular.ttf", "normal"), ("PTSerif-Bold.ttf", "bold"))
    )
    body = "".join(_write_html(pages, index) for index in range(len(pages.sheets))) + _write_register(pages)
    made: bytes = HTML(string=f"<style>{fonts}{_STYLE}</style>{body}").write_pdf()
    return made


# What makes a sheet fit, smaller letters where it is long, has no counterpart here: to the rival's favour.
_STYLE = """
@page { size: A4 landscape; margin: 0 } @page register { size: A4; margin: 14mm 10mm 14mm 18mm }
body { font: 9pt PT; margin: 0 } td { border-bottom: 1px solid } table { border-collapse: collapse }
section { float: left; width: 130mm; height: 195mm; padding: 8mm 9mm 7mm; position: relative }
footer { position: absolute; bottom: 7mm; font-size: 7.6pt } footer p { border-top: 1px dashed; margin: 2mm 0 }
article { page: register } article th, article td { border: 1px solid; padding: 1.4mm 1mm } article td { white-space: nowrap }
"""


def _write_html(pages: RunPages, index: int) -> str:
    sheet = pages.sheets[index]
    rows = "".join(
        f"<tr><td>{row.subject}<td>{'<br>'.join(row.marks)}<td>{row.mean}<td>{row.missed}</tr>" for row in sheet.rows
    )
    return (
        f"<section><p>{pages.school} {pages.class_name}<h2>РЕЗУЛЬТАТЫ ОБУЧЕНИЯ</h2><p>за неделю с {pages.week_from} по "
        f"{pages.week_to}<p><b>{sheet.student}</b> {pages.period}"
        f"<table><tr><th>Предмет<th>Отметки за неделю (за что)<th>Средний балл*<th>Пропущено</tr>{rows}</table>"
        f"<p><b>Без отметок на этой неделе:</b> {sheet.without_marks}.<p><b>Посещаемость:</b> {sheet.attendance}"
        f"<p><b>Исправлено на этой неделе:</b> {'; '.join(sheet.corrections)}"
        f"<footer>* Средний балл на {pages.mean_date}, с учетом веса работ; это не отметка за {pages.mean_period}."
        f"<br>Классный руководитель: {pages.class_teacher}<br>Лист {sheet.number} · код {sheet.code} {_draw_svg(sheet.link)}"
        f"<p>отрежьте и верните с ребенком<br>Лист {sheet.number} ({pages.week_short}) получил(а) {sheet.recipient} ________"
        f"<br>«____» __________ Вопрос учителю: ________________</footer></section>"
    )


def _write_register(pages: RunPages) -> str:
    rows = "".join(
        f"<tr><td>{place}<td>{row.student}<td>{row.recipient}<td>{row.declaration}<td>{row.number}<td><td><td></tr>"
        for place, row in enumerate(pages.register, 1)
    )
    titles = "№|Обучающийся|Кому|Заявление №|Лист №|Способ: лично / с ребенком / иное|Дата|Подпись получателя"
    return (
        f"<article>{pages.school}, {pages.class_name}. Классный руководитель {pages.class_teacher}<h2>ВЕДОМОСТЬ</h2>"
        f"выдачи распечаток результатов обучения за неделю с {pages.week_from} по {pages.week_to} "
        f"(подготовлено {pages.printed})<table><tr>{''.join(f'<th>{title}' for title in titles.split('|'))}</tr>{rows}</table>"
        f"<p>Не выдано (причина): ____________<p>Классный руководитель ________ {pages.class_teacher} «__» ______ 20__ г."
        "</article>"
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
    made, seconds = runs[side](*given[0]), []
    for week, pages, data in given[1:]:
        began = time.process_time()
        runs[side](week, pages, data)
        seconds.append(time.process_time() - began)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"seconds": seconds, "bytes": len(made), "megabytes": memory, "pages": _count_pages(made)}))


def _count_pages(made: bytes) -> int:
    return len(pypdfium2.PdfDocument(made))


def run(given: argparse.Namespace) -> list[Row]:
    """In turns, each in a process of its own."""
    rates: dict[str, list[float]] = {"ours": [], "typst": [], "weasyprint": []}
    last: dict[str, dict[str, Any]] = {}
    for number in range(given.rounds):
        print(f"weekly sheets, round {number + 1} of {given.rounds}", flush=True)
        for name in list(rates) if number % 2 == 0 else reversed(rates):
            made = subprocess.run([sys.executable, "-m", __name__, "--side", name], capture_output=True, check=True)
            last[name] = json.loads(made.stdout)
            rates[name].append(CLASS / mean(last[name]["seconds"]))
    ours = last["ours"]
    kilobytes = ours["bytes"] / ours["pages"] / 1024
    is_small = kilobytes <= _KILOBYTES_A_PAGE and ours["megabytes"] <= _MEGABYTES
    size = Row(
        _WORK,
        f"{kilobytes:.1f} KB a page of two sheets, {ours['megabytes']} MB of memory",
        goal=f"<= {_KILOBYTES_A_PAGE} KB, <= {_MEGABYTES} MB",
        reached="goal" if is_small else "below",
    )
    return [_compare(rates, last, "typst", "Typst alone", 0.95), _compare(rates, last, "weasyprint", "WeasyPrint", 20), size]


def _compare(rates: dict[str, list[float]], last: dict[str, dict[str, Any]], name: str, called: str, least: float) -> Row:
    ratio = median(ours / theirs for ours, theirs in zip(rates["ours"], rates[name], strict=True))
    reached = "goal" if ratio >= least else "below"
    shown = {side: f"{median(rates[side]):,.0f} sheets/CPU s, {last[side]['pages']} pages" for side in ("ours", name)}
    return Row(_WORK, shown["ours"], called, shown[name], show_ratio(ratio), f">= {show_ratio(least)}", reached)


def main() -> None:
    """One side, for `run`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.weekly_sheets")
    parser.add_argument("--side", choices=("ours", "typst", "weasyprint"), required=True, help="measured, as JSON")
    side = parser.parse_args().side
    _measure(side, CLASSES[side])


if __name__ == "__main__":
    main()
