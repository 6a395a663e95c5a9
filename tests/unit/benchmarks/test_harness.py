"""What the benchmarks say is what was measured."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import CONTESTS, Outcome, parser
from benchmarks.contest import Goal, Rival, Row, Side, run
from benchmarks.cpu import Part
from benchmarks.goals import GOALS
from benchmarks.load import Measure
from benchmarks.report import render

README = Path(__file__).parents[3] / "benchmarks" / "README.md"
_BURN = "import time\nwhile time.process_time() < 0.3: pass"


def _measure(cpu_us: float) -> Measure:
    return Measure(rps=1e6 / cpu_us, cpu_us=cpu_us, after_us=0, driver_us=cpu_us, p50_ms=1, p99_ms=1)


def test_the_cpu_of_a_child_that_has_ended_is_counted_once() -> None:
    me = Part((os.getpid(),))
    before = me.seconds()
    child = subprocess.Popen([sys.executable, "-c", f"{_BURN}\nprint(flush=True)\ninput()"], stdin=-1, stdout=-1)
    assert child.stdout
    child.stdout.readline()
    alive = me.seconds() - before
    child.communicate(b"\n")
    reaped = me.seconds() - before
    assert alive >= 0.3
    assert alive <= reaped < 2 * alive


def test_each_goal_has_a_contest_or_a_reason_and_each_contest_a_line_in_the_readme() -> None:
    assert all(bool(goal.contest) != bool(goal.reason) for goal in GOALS)
    assert {goal.contest for goal in GOALS if goal.contest} == CONTESTS.keys()
    assert [name for name in CONTESTS if f"| `{name}` |" not in README.read_text()] == []


def test_ours_and_its_rivals_take_turns_in_either_order() -> None:
    turns: list[str] = []

    def side(name: str, cpu_us: float) -> Side:
        def one(_: int) -> Measure:
            turns.append(name)
            return _measure(cpu_us)

        return one

    [row] = run("work", side("A", 300), [Rival("echo", side("B", 100), Goal(most=3.5, aim=3))], 3)
    assert "".join(turns) == "ABBAAB"
    assert (row.ratio, row.reached, row.driver) == ("3x", "aim", "50% : 50%")


@pytest.mark.parametrize(
    ("goal", "ours", "theirs", "reached"),
    [
        (Goal(most=3.5, aim=3), 340, 100, "goal"),
        (Goal(most=3.5, aim=3), 360, 100, "below"),
        (Goal(least=10), 100, 1000, "goal"),
        (Goal(least=10), 100, 900, "below"),
    ],
)
def test_cpu_judges(goal: Goal, ours: float, theirs: float, reached: str) -> None:
    assert goal.judge(goal.ratio(ours, theirs)) == reached


def test_what_was_not_measured_is_said_with_its_reason() -> None:
    outcome = Outcome()

    def breaks() -> list[Row]:
        raise SystemExit("benchmark: a call failed")

    outcome.note("relay", breaks)
    outcome.note("start", lambda: [Row("Start", "1 s")])
    text = render(outcome.rows, [], outcome.broken)
    assert "- Outbox relay, batches of 100: not measured: broke: benchmark: a call failed" in text
    assert "- Forecast: not measured: no forecast yet" in text
    assert "| Start | 1 s " in text
    assert "- Start:" not in text


def test_help_names_every_contest() -> None:
    text = parser().format_help()
    assert [name for name in CONTESTS if name not in text] == []
