"""Every fault under load, each judged by the oracle: nothing lost, nothing billed twice, nothing unexplained."""

from collections.abc import Iterator

import pytest

from loadtest.chaos.experiment import Load, Result, run, warm_up
from loadtest.chaos.faults import BOUNDED, catalogue
from loadtest.chaos.stack import Stack, running_stack
from loadtest.chaos.table import markdown

pytestmark = [pytest.mark.chaos, pytest.mark.embedded, pytest.mark.timeout(600)]

LOAD = Load(requests=150, rate=10.0)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("chaos"), brokers=3) as found:
        warm_up(found)
        yield found


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Result]]:
    """Results so far; printed at the end, and written where the log of the run says."""
    results: list[Result] = []
    yield results
    report = tmp_path_factory.mktemp("report") / "reliability.md"
    report.write_text(markdown(results), "utf-8")
    print(f"\n{report}\n{markdown(results)}")


@pytest.mark.parametrize(
    "name", [pytest.param(name, id=f"bounded {name}" if name in BOUNDED else name) for name in catalogue()]
)
def test_nothing_is_lost_and_nothing_is_paid_twice(stack: Stack, table: list[Result], name: str) -> None:
    result = run(stack, catalogue()[name], LOAD)
    table.append(result)
    assert result.broken == []
    assert result.verdict.accepted >= LOAD.requests, "the load itself must have been there"
