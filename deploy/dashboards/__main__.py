"""`python -m deploy.dashboards` writes the dashboard; with --check it only says whether the file is current."""

import argparse
import sys
from pathlib import Path

from deploy.dashboards.render import render

FILE = Path(__file__).parent / "diary.json"


def main() -> int:
    """Returns 0, or 1 when --check finds another dashboard in the file."""
    parser = argparse.ArgumentParser(prog="python -m deploy.dashboards", description="Makes Grafana's dashboard of Diary.")
    parser.add_argument("--check", action="store_true", help="write nothing, fail when the file is not current")
    if not parser.parse_args().check:
        FILE.write_text(render(), encoding="utf-8")
    elif FILE.read_text(encoding="utf-8") != render():
        print("deploy/dashboards/diary.json is not current: run `python -m deploy.dashboards` and commit", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
