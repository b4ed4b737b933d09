"""What people may ask about money, called as a console calls it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from forebay.contract.records import Spend, UsageEvent, UsageStatus, WindowKind
from forebay.operations.choices import InvalidChoiceError
from forebay.operations.topic_view import TopicView
from forebay.privacy.people.names import Names
from forebay_agents.cost.invoice import InvoiceError
from forebay_agents.cost.operations import Statement, _newest_revision, query_of, reconcile, spend
from forebay_agents.cost.spending.facts import Amounts
from forebay_agents.cost.spending.grouping import Group
from tests.unit.operations.topic import FakeReader, FakeTopic

ROWS = (
    Spend(
        tenant_id="acme",
        user_id="ann",
        model="m",
        window=WindowKind.DAY,
        window_start=2 * 86_400_000,
        calls=1,
        revision=1,
    ),
    Spend(
        tenant_id="acme",
        user_id="ann",
        model="m",
        window=WindowKind.DAY,
        window_start=2 * 86_400_000,
        calls=3,
        revision=2,
    ),
    Spend(
        tenant_id="acme",
        user_id="ann",
        model="m",
        window=WindowKind.DAY,
        window_start=2 * 86_400_000,
        calls=2,
        revision=1,
    ),
    Spend(tenant_id="acme", user_id="bob", model="m", window=WindowKind.DAY, window_start=9 * 86_400_000, calls=4),
    Spend(tenant_id="other", user_id="ann", model="m", window=WindowKind.DAY, window_start=2 * 86_400_000, calls=5),
    Spend(tenant_id="acme", user_id="ann", model="m", window=WindowKind.HOUR, window_start=2 * 86_400_000, calls=6),
)


@pytest.fixture
def rows() -> TopicView[Spend]:
    topic = FakeTopic("spend")
    for row in ROWS:
        topic.add(f"{row.tenant_id}{row.user_id}{row.window.value}", row)
    view = TopicView[Spend](FakeReader(topic), prefer=_newest_revision)
    view.refresh()
    return view


@pytest.mark.parametrize(
    ("query", "calls"),
    [
        # Newest window first, then by tenant; the newest revision, though an older one came last.
        ({}, [4, 3, 5]),
        ({"tenant": "acme"}, [4, 3]),
        ({"user": "ann"}, [3, 5]),
        ({"tenant": "other", "user": "bob"}, []),
        ({"by": "hour,user"}, [6]),
        ({"by": "month"}, []),
    ],
)
def test_rows_are_chosen_and_in_order(rows: TopicView[Spend], query: dict[str, str], calls: list[int]) -> None:
    found = spend(rows, query_of(**query))
    assert [group.amounts.calls for group in found.groups] == calls
    assert found.total.calls == sum(calls)


NAMES = Names(b"\2" * 32)
ANN = NAMES.user("acme", "ann")


def month(user: str, revision: int, model: str = "m", **amounts: int) -> Spend:
    return Spend(
        tenant_id="acme",
        user_id=user,
        model=model,
        window=WindowKind.MONTH,
        window_start=2,
        updated_at=revision,
        revision=revision,
        **amounts,
    )


def shown(rows: list[Spend], names: Names | None = NAMES, **query: str) -> list[Group]:
    topic = FakeTopic("spend")
    for row in rows:
        topic.add(f"{row.user_id}{row.model}", row)
    view = TopicView[Spend](FakeReader(topic), prefer=_newest_revision)
    view.refresh()
    return list(spend(view, query_of(by="month,user,model", **query), names).groups)


@pytest.mark.parametrize("asked", ["ann", ANN])
def test_a_month_goes_on_under_the_pseudonym(asked: str) -> None:
    before = month("ann", 1, calls=2, cost_nanousd=30, pending_nanousd=1, prompt_tokens=5)
    since = month(ANN, 2, calls=3, cost_nanousd=12, saved_nanousd=7, completion_tokens=4, failed=1, avoided=2)
    [row] = shown([before, since, month("bob", 3, calls=9)], user=asked)
    assert row.keys == (0, ANN, "m")
    assert row.amounts == Amounts(
        calls=5, cost_nanousd=42, pending_nanousd=1, input_tokens=5, saved_cache_nanousd=7, output_tokens=4, failed=1,
        avoided=2,
    )  # fmt: skip


def test_users_of_several_names_are_one_and_models_stay_apart() -> None:
    rows = [month(ANN, 1, calls=2), month("ann", 2, calls=3), month("ann", 3, model="n", calls=4)]
    assert [(group.keys[1:], group.amounts.calls) for group in shown(rows)] == [((ANN, "m"), 5), ((ANN, "n"), 4)]


def test_without_the_key_a_user_is_found_by_what_records_call_him() -> None:
    rows = [month("ann", 1, calls=2), month(ANN, 2, calls=3)]
    assert [group.amounts.calls for group in shown(rows, None, user="ann")] == [2]
    assert [group.amounts.calls for group in shown(rows, None, user=ANN)] == [3]


def settled(attempt: str, started_at: int) -> UsageEvent:
    return UsageEvent(attempt_id=attempt, status=UsageStatus.SETTLED, cost_nanousd=45, started_at=started_at)


@pytest.fixture
def invoice(tmp_path: Path) -> Path:
    path = tmp_path / "invoice.csv"
    path.write_text("attempt_id,cost_nanousd\n1,45\n2,46\n", "utf-8")
    return path


def test_an_invoice_is_compared_with_the_ledger_of_its_period(invoice: Path) -> None:
    ledger = [settled("1", 1_000), settled("2", 60_000)]
    whole = reconcile(Statement(invoice=invoice), ledger)
    assert (whole.agreed, [item.attempt_id for item in whole.differences], whole.error_nanousd) == (1, ["2"], 1)
    assert reconcile(Statement(invoice=invoice, until="1970-01-01T00:00:30"), ledger).differences == []


def unread() -> Iterator[UsageEvent]:
    raise AssertionError("the ledger is read though there is nothing to compare it with")
    yield


def test_what_cannot_be_compared_is_said_before_the_ledger_is_read(invoice: Path) -> None:
    with pytest.raises(InvalidChoiceError):
        reconcile(Statement(invoice=invoice, since="yesterday"), unread())
    with pytest.raises(OSError, match="nowhere"):
        reconcile(Statement(invoice=invoice.with_name("nowhere")), unread())
    invoice.write_text("no invoice\n", "utf-8")
    with pytest.raises(InvoiceError):
        reconcile(Statement(invoice=invoice), unread())
