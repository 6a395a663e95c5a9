"""Generated schools for tests of the region's laws."""

import csv
from functools import cache
from pathlib import Path
from random import Random
from uuid import UUID

from services.access.seed.region.names import NameBooks, read_names
from services.access.seed.region.plan import PlanRow, read_plan
from services.access.seed.region.roster import Roster
from services.access.seed.region.schools import SchoolMaker, SchoolSpec, plan_demo

YEAR = 2026
SHARED = UUID("01990000-0000-7000-8000-000000000000")
_DATA = Path(__file__).parents[3] / "services" / "access" / "seed" / "data"


@cache
def names() -> NameBooks:
    """The name books that the seed uses."""
    with (_DATA / "names.csv").open(encoding="utf-8", newline="") as file:
        return read_names(csv.DictReader(file))


@cache
def plan() -> tuple[PlanRow, ...]:
    """The plan that the seed uses."""
    with (_DATA / "plan.csv").open(encoding="utf-8", newline="") as file:
        return read_plan(csv.DictReader(file))


def make(spec: SchoolSpec, seed: int = 1) -> Roster:
    """A school of a seed."""
    return SchoolMaker(spec, Random(f"{seed}/{spec.number}"), names(), plan(), YEAR).make(SHARED)


@cache
def town() -> Roster:
    """The demo's town school."""
    return make(plan_demo()[0])


@cache
def village() -> Roster:
    """The demo's village school."""
    return make(plan_demo()[1])
