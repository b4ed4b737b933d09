"""``python -m loadtest.chaos``: faults against a stack of its own; prints the table, exit status 1 if a promise broke.

``make chaos`` runs all of them on three brokers.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from loadtest.chaos.experiment import Load, Result, run, warm_up
from loadtest.chaos.faults import BOUNDED, catalogue
from loadtest.chaos.stack import running_stack
from loadtest.chaos.table import markdown
from loadtest.ending import end_in_order


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status."""
    known = catalogue()
    parser = argparse.ArgumentParser(prog="python -m loadtest.chaos", description="Faults under load, judged.")
    parser.add_argument("--fault", action="append", choices=list(known), help="repeatable; default: all")
    parser.add_argument("--bounded", action="store_true", help="only those that continuous integration runs")
    parser.add_argument("--brokers", type=int, default=3)
    parser.add_argument("--requests", type=int, default=300, help="of each fault")
    parser.add_argument("--rate", type=float, default=25.0, help="requests a second")
    parser.add_argument("--folder", type=Path, help="data and logs; default: a temporary one")
    parser.add_argument("--report", type=Path, help="file for the table")
    options = parser.parse_args(arguments)
    names = options.fault or (BOUNDED if options.bounded else list(known))
    faults = [known[name] for name in names if known[name].brokers <= options.brokers]
    folder = (options.folder or Path(tempfile.mkdtemp(prefix="forebay-chaos-"))).absolute()
    results: list[Result] = []
    with running_stack(folder, brokers=options.brokers) as stack:
        warm_up(stack)
        for fault in faults:
            result = run(stack, fault, Load(requests=options.requests, rate=options.rate), _say)
            results.append(result)
            for promise in result.broken:
                _say(f"{fault.name}: BROKEN: {promise}")
            if options.report:
                options.report.write_text(markdown(results), "utf-8")
    print(markdown(results))
    return 1 if any(result.broken for result in results) else 0


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    end_in_order()
    sys.exit(main())
