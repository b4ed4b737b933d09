"""How are results shown? One row a fault, as docs/reliability.md has them."""

from collections.abc import Sequence

from loadtest.chaos.experiment import Result

HEAD = (
    "fault",
    "requests",
    "lost",
    "duplicate responses (differing)",
    "dead letters",
    "calls paid",
    "paid again after a loss",
    "ledger error, n$",
    "unsettled",
    "served again, s",
    "p50 / p99, ms",
    "p99 of those caught, ms",
)


def row(result: Result) -> list[str]:
    """The cells of ``result``."""
    verdict = result.verdict
    return [
        result.fault.name,
        str(verdict.accepted),
        str(len(verdict.lost)),
        f"{verdict.duplicates} ({len(verdict.differing)})",
        str(verdict.dead_letters),
        str(verdict.paid),
        str(verdict.repaid + len(verdict.paid_again)),
        str(verdict.money.error_nanousd),
        str(len(verdict.open)),
        "–" if result.recovered_s is None else f"{result.recovered_s:.1f}",
        f"{result.p50_ms:,} / {result.p99_ms:,}",
        f"{result.caught_p99_ms:,}",
    ]


def markdown(results: Sequence[Result]) -> str:
    """All results as a table."""
    lines = [HEAD, ["---"] + ["---:"] * (len(HEAD) - 1), *(row(result) for result in results)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"
