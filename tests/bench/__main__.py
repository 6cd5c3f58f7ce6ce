"""``./run bench [NAME…] [--json]``: run the named benchmarks (all but ``setup`` when none is named) and print the bars."""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

from tests.bench.report import Bar, as_json, as_table

FOLDER = Path(__file__).parent
NOT_BENCHMARKS = {"__init__", "__main__", "report"}
# Setting up a whole machine takes minutes and needs root: only when asked for by name.
ONLY_BY_NAME = {"setup"}


def main(arguments: list[str] | None = None) -> int:
    """Run what was asked for; progress goes to standard error, figures to standard output."""
    known = sorted(
        path.stem for path in FOLDER.glob("*.py") if path.stem not in NOT_BENCHMARKS and not path.stem.startswith("_")
    )
    parser = argparse.ArgumentParser(prog="./run bench")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one or more of: {' '.join(known)}")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON and nothing else")
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.names if name not in known]:
        parser.error(f"no benchmark is called {', '.join(unknown)}; there are: {' '.join(known)}")
    bars: list[Bar] = []
    for name in options.names or [name for name in known if name not in ONLY_BY_NAME]:
        sys.stderr.write(f"{name} …\n")
        bars += importlib.import_module(f"tests.bench.{name}").run()
    print(as_json(bars) if options.json else as_table(bars))
    return 0


if __name__ == "__main__":
    sys.exit(main())
