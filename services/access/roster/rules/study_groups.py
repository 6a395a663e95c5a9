"""Of which class a study group of a bundle is, and how it is told from others of its subject: by what the list states alone.

OneRoster has no column for it. Its students' homerooms say it, then its grades; nothing is guessed from a title.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.access.roster.rules.bundle import TaughtClass
from services.access.roster.rules.times import Period

# What is between the parts of a title, and the noun that pages write themselves.
_NOISE = re.compile(r"^[\s,.;:()\-–—]+|[\s,.;:()\-–—]+$")
_NOUN = r"класс(?:а|ы|ов)?"
_FIRST_GRADE = (1,)


@dataclass(frozen=True, slots=True)
class Place:
    """What tells a group from the others of its subject. `class_id` is the bundle's id of its class, None where it gathers
    several or its students are of no known one; `name` then says of which. The first grade has no marks.
    """

    class_id: str | None
    name: str
    is_marked: bool


def place_groups(
    groups: Sequence[TaughtClass],
    subjects: Mapping[str, str],
    homerooms: Mapping[str, tuple[str, tuple[int, ...]]],
    members: Iterable[Period],
    placements: Iterable[Period],
) -> list[Place]:
    """The place of each group; `homerooms` are names and grades of the classes by id.

    A group is of the class that every student of it was of at some time in it, so that one who moved on changes nothing.
    """
    times: dict[str, list[Period]] = defaultdict(list)
    for placement in placements:
        times[placement.person_id].append(placement)
    of_students: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for member in members:
        classes = (p.of_id for p in times[member.person_id] if _share_a_day(p, member))
        of_students[member.of_id][member.person_id].update(classes)
    places = [
        _place(group, subjects[group.course_id], homerooms, [*of_students[group.sourced_id].values()]) for group in groups
    ]
    keys = [(subjects[group.course_id], place.class_id, place.name) for group, place in zip(groups, places, strict=True)]
    seen = Counter(keys)
    # Two of one class that are alike without the words of their titles keep them.
    return [
        place if seen[key] == 1 else Place(place.class_id, _join(group.title, place.name), place.is_marked)
        for group, place, key in zip(groups, places, keys, strict=True)
    ]


def _place(
    group: TaughtClass, subject: str, homerooms: Mapping[str, tuple[str, tuple[int, ...]]], of_students: Sequence[set[str]]
) -> Place:
    known = sorted(set().union(*of_students), key=lambda class_id: (homerooms[class_id][1], homerooms[class_id][0]))
    shared = set.intersection(*of_students) if of_students else set()
    grades = tuple(sorted({grade for class_id in known for grade in homerooms[class_id][1]})) or group.grades
    if len(shared) == 1:
        (class_id,) = shared
        name, grades = homerooms[class_id]
        return Place(class_id, _shorten(group.title, subject, [name]), grades != _FIRST_GRADE)
    names = [homerooms[class_id][0] for class_id in known]
    name = ", ".join(filter(None, (*names, _shorten(group.title, subject, names))))
    return Place(None, name or _name_grades(grades), grades != _FIRST_GRADE)


def _share_a_day(one: Period, other: Period) -> bool:
    return one.first_day < other.end_day and other.first_day < one.end_day


def _shorten(title: str, subject: str, class_names: Iterable[str]) -> str:
    """A title without the words that stand beside it: subject, classes («8А» and «8-А» alike), the noun."""
    words = [re.escape(subject), *(_spell(name) for name in class_names), _NOUN]
    for word in words:
        title = re.sub(rf"(?<!\w){word}(?!\w)", " ", title, flags=re.IGNORECASE)
    return _NOISE.sub("", " ".join(title.split()))


def _spell(class_name: str) -> str:
    return r"[\W_]*".join(re.escape(part) for part in re.findall(r"\d+|[^\W\d_]+", class_name)) or re.escape(class_name)


def _name_grades(grades: Sequence[int]) -> str:
    """8 класс, or 8, 9 классы."""
    return f"{', '.join(map(str, grades))} {'класс' if len(grades) == 1 else 'классы'}" if grades else ""


def _join(title: str, name: str) -> str:
    return title if name in title else f"{name}, {title}"
