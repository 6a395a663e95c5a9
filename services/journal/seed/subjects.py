"""What lessons of a generated region are about: hours, topics, homework and work types of data/subjects.json."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

_FILE = Path(__file__).parent / "data" / "subjects.json"


@dataclass(frozen=True, slots=True)
class Subject:
    """A subject. `homework` are patterns with {p}, {n}, {m} for numbers; `hours` by grade."""

    hours: Mapping[int, int]
    work_types: Sequence[str]
    homework: Sequence[str]
    topics: Sequence[str]

    def choose_hours(self, grades: Sequence[int]) -> int:
        """Hours a week in the lowest of these grades that has the subject; one where none has."""
        return next((self.hours[grade] for grade in sorted(grades) if grade in self.hours), 1)

    def write_homework(self, rng: Random) -> str:
        """Homework of a lesson; none after one in seven."""
        if not self.homework or rng.random() < 1 / 7:
            return ""
        number = rng.randrange(5, 400)
        return rng.choice(self.homework).format(p=rng.randrange(2, 60), n=number, m=number + rng.randrange(1, 9))


# For a subject that the file does not know.
_OTHER = Subject({}, ("устный ответ", "проверочная работа"), ("§ {p}", "повторить § {p}"), ("Вводный урок", "Повторение"))


class Subjects:
    """Subjects by name."""

    def __init__(self) -> None:
        self._subjects = {
            name: Subject(
                hours={int(grade): hours for grade, hours in known["hours"].items()},
                work_types=known["work_types"],
                homework=known["homework"],
                topics=known["topics"],
            )
            for name, known in json.loads(_FILE.read_text()).items()
        }

    def find(self, name: str) -> Subject:
        """The subject of this name; a plain one when it is not known."""
        return self._subjects.get(name, _OTHER)
