"""What goes by time: the terms of the regulation are counted, access's own and those it knows of other services."""

from chassis.deadlines import counting
from chassis.jobs import Job
from chassis.run import Frame
from services.access.cases.rules.applications import CLAUSE
from services.access.oversight import store


def count_deadlines(frame: Frame) -> Job:
    """Shows how many deadlines are open and overdue, by clause (Clause R15)."""
    return counting.count_deadlines(frame, CLAUSE, store.count_open_deadlines)
