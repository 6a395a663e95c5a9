"""Blank forms (Clauses R8, R30, R31): the words of the region's model set, and the lines to fill in.

In the words a run of underscores is a line to write on, as long as in the approved text; ☐ is a box to tick; `{line}` is a line
to the end of the row. The two variants «Прошу (просим)» stay, since nobody has signed yet.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from services.documents.press.rules.text import print_text

# A piece of printed text: words; so many letters of a line to write on, 0 for the rest of the row; or a box to tick.
Piece = str | int | None
_MARKS = re.compile(r"(_+|☐|\{\w+\})")


class Style(StrEnum):
    """How a paragraph is set."""

    PLAIN = "plain"
    INDENTED = "indented"
    HINT = "hint"
    SPACED = "spaced"


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph of a form."""

    style: Style
    text: str


@dataclass(frozen=True, slots=True)
class Form:
    """A form of the model set. `appendix`: its place in the regulation; `signers`: a column of lines each."""

    appendix: str
    sender: Sequence[Paragraph]
    title: str
    subtitle: str
    body: Sequence[Paragraph]
    signers: Sequence[Sequence[str]]
    office: Sequence[str]


@dataclass(frozen=True, slots=True)
class FormSchool:
    """What a form says of the school; an empty name of the head is a line to fill in."""

    name: str
    head_position_dative: str
    head_name_dative: str


@dataclass(frozen=True, slots=True)
class PrintedParagraph:
    """A paragraph in pieces."""

    style: Style
    pieces: Sequence[Piece]


@dataclass(frozen=True, slots=True)
class FormPage:
    """A form in the school's name, in printed pieces; what is empty is not printed."""

    appendix: Sequence[str]
    addressee: Sequence[Sequence[Piece]]
    sender: Sequence[PrintedParagraph]
    title: str
    subtitle: str
    body: Sequence[PrintedParagraph]
    signers: Sequence[Sequence[Sequence[Piece]]]
    office: Sequence[Sequence[Piece]]


def _plain(text: str) -> Paragraph:
    return Paragraph(Style.PLAIN, text)


def _indented(text: str) -> Paragraph:
    return Paragraph(Style.INDENTED, text)


def _hint(text: str) -> Paragraph:
    return Paragraph(Style.HINT, text)


def _spaced(text: str) -> Paragraph:
    return Paragraph(Style.SPACED, text)


_PARENT = ("Родитель ____________________", "Подпись _____________", "Дата « ____ » _____________ 20____ г.")
_RECEIVED = "Поступило: ________________   Зарегистрировано: № __________ от __________   Принял(а): {line}"
_OF_STATEMENTS = (
    "Доступ обучающегося и другого родителя (законного представителя) не изменен.",
    "Форма информирования: ☐ распечатка еженедельно (лист выбора № _____) ☐ заявитель отказался и от распечаток",
    "Решение об отказе: № __________ от __________",
)

FORMS: Mapping[str, Form] = {
    "appendix-2": Form(
        appendix="Приложение № 2",
        sender=(
            _plain("от {line}"),
            _hint("фамилия, имя отчество заявителя (заявителей)"),
            _plain("проживающего (-ей):"),
            _plain("{line}"),
        ),
        title="Заявление.",
        subtitle="",
        body=(
            _indented(
                'Прошу (просим) не предоставлять мне (нам) услугу по доступу к сервису "Электронный журнал/дневник", входящему '
                "в информационную систему школы, для получения информации об успеваемости, посещаемости, учебных достижениях "
                "несовершеннолетнего ребенка (дочери, сына)"
            ),
            _plain("{line}"),
            _hint("Фамилия, имя, отчество ребенка"),
            _plain("обучающегося {school}."),
        ),
        signers=(_PARENT, _PARENT),
        office=(_RECEIVED, *_OF_STATEMENTS),
    ),
    "appendix-3": Form(
        appendix="Приложение № 3",
        sender=(
            _plain("от {line}"),
            _hint("(фамилия, имя отчество заявителя (заявителей)"),
            _plain("проживающего (-ей):"),
            _plain("{line}"),
        ),
        title="Заявление.",
        subtitle="",
        body=(
            _indented(
                "Прошу (просим) отменить предоставление мне (нам) информации об успеваемости, посещаемости, учебных "
                "достижениях несовершеннолетнего ребенка (дочери / сына)"
            ),
            _plain("{line}"),
            _hint("(Фамилия, имя, отчество ребенка)"),
            # Letter for letter as approved, «входящего» too, until an order changes it (R31).
            _plain(
                'обучающегося {school} через сервис "Электронный журнал/дневник", входящего в информационную систему школы.'
            ),
        ),
        signers=(_PARENT, _PARENT),
        office=(_RECEIVED, "Доступ заявителя прекращен: ________________", *_OF_STATEMENTS),
    ),
    "student-statement": Form(
        appendix="",
        sender=(
            _plain("от {line}"),
            _hint("(фамилия, имя, отчество)"),
            _plain("обучающегося (-ейся) __________ класса"),
        ),
        title="Заявление.",
        subtitle="",
        body=(
            _indented(
                "Прошу не предоставлять мне (отменить предоставление мне) информацию (-и) о моих успеваемости, посещаемости, "
                'учебных достижениях через сервис "Электронный журнал/дневник", входящий в информационную систему школы.'
            ),
        ),
        signers=(("Обучающийся (-аяся) ____________________", "Подпись _____________", "Дата «____» ____________ 20____ г."),),
        office=(_RECEIVED,),
    ),
    "paper": Form(
        appendix="",
        sender=(
            _plain("от {line}"),
            _plain("родителя (законного представителя)"),
            _plain("{line}"),
            _hint("(фамилия, имя, отчество ребенка)"),
            _plain("__________ класс"),
        ),
        title="ЗАЯВЛЕНИЕ",
        subtitle="об информировании о результатах обучения на бумажном носителе",
        body=(
            _indented(
                "Заявляю о ☐ невозможности  ☐ нежелании использовать доступ к электронным формам представления информации. "
                "Прошу информировать меня о результатах обучения моего ребенка не реже одного раза в неделю с использованием "
                "распечатки результатов."
            ),
            _spaced("Распечатку прошу:"),
            _plain("☐ передавать с ребенком"),
            _plain("☐ выдавать мне лично у классного руководителя"),
            _plain("☐ иное: ____________________"),
            _spaced(
                "☐ От получения распечаток также отказываюсь. Мне разъяснено, что с успеваемостью ребенка я могу ознакомиться "
                "в школе."
            ),
            _spaced("Мне известно, что заявление можно отозвать в любое время."),
        ),
        signers=(("Подпись _____________", "Дата «____» ____________ 20____ г."),),
        office=(
            "Принято: ________________, № __________",
            "Устное заявление записал(а): ____________________ (если подано устно)",
        ),
    ),
}


def build_form(form: Form, school: FormSchool) -> FormPage:
    """Words a form in the school's name."""
    name = print_text(school.name)
    place = f"{form.appendix}\nк Регламенту\nпредоставления услуги\n«Электронный дневник»" if form.appendix else ""
    return FormPage(
        appendix=tuple(place.splitlines()),
        addressee=(
            (print_text(school.head_position_dative) or "Директору",),
            (name,),
            (print_text(school.head_name_dative) or 0,),
        ),
        sender=tuple(_print(paragraph, name) for paragraph in form.sender),
        title=form.title,
        subtitle=form.subtitle,
        body=tuple(_print(paragraph, name) for paragraph in form.body),
        signers=tuple(tuple(_split(line, name) for line in lines) for lines in form.signers),
        office=tuple(_split(line, name) for line in form.office),
    )


def _print(paragraph: Paragraph, school: str) -> PrintedParagraph:
    return PrintedParagraph(paragraph.style, _split(paragraph.text, school))


def _split(text: str, school: str) -> tuple[Piece, ...]:
    """The pieces of a text; the school's name is a piece of its own, so that nothing in it is taken for a mark."""
    marks: Mapping[str, Piece] = {"☐": None, "{line}": 0, "{school}": school}
    return tuple(
        len(piece) if piece.startswith("_") else marks.get(piece, piece)
        for piece in _MARKS.split(text.replace("☐ ", "☐\N{NO-BREAK SPACE}"))
        if piece
    )
