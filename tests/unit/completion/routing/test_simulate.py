"""What a replay must say, whatever the rows lack."""

import json
import math
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from forebay.contract.json_lines import InvalidLineError
from forebay_agents.completion.routing.cli import app
from forebay_agents.completion.routing.offline import answers
from forebay_agents.completion.routing.offline.folds import folds_of
from forebay_agents.completion.routing.offline.policy import PRICES, Policy, features_of
from forebay_agents.completion.routing.offline.rows import Table, read, table
from forebay_agents.completion.routing.offline.simulate import simulate
from tests.unit.completion.routing.recorded import rows


def made(count: int, **changes: Any) -> Table:
    return table(read((json.dumps(row) for row in rows(count, **changes)), lambda *_: None))


def without(field: str, count: int = 60) -> Table:
    lines = []
    for row in rows(count):
        row.pop(field, None)
        for outcome in row["models"].values():
            outcome.pop(field, None)
        lines.append(json.dumps(row))
    return table(read(lines, lambda *_: None))


def by_name(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {policy["name"]: policy for policy in report["policies"]}


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    return simulate(made(300), folds=3)


def test_every_policy_is_reported(report: dict[str, Any]) -> None:
    assert list(by_name(report)) == ["always:tiny", "always:middle", "always:grand", "oracle", "random", "tuned"]
    for policy in report["policies"]:
        assert set(policy["calls"]) == {"tiny", "middle", "grand"}
    json.dumps(report, allow_nan=False)


def test_the_oracle_is_the_cheapest_of_the_best(report: dict[str, Any]) -> None:
    rows_ = made(300)
    oracle = by_name(report)["oracle"]
    assert oracle["quality"] == pytest.approx(rows_.quality.max(axis=1).mean())
    assert oracle["cost"] <= by_name(report)["always:grand"]["cost"]


def test_the_tuned_policy_beats_a_lottery_at_its_cost() -> None:
    found = by_name(simulate(made(400), folds=3, floor=0.8))
    assert found["random"]["cost"] == pytest.approx(found["tuned"]["cost"], rel=0.01)
    assert found["tuned"]["quality"] > found["random"]["quality"] + 0.01


def test_the_frontier_rises_from_the_cheapest(report: dict[str, Any]) -> None:
    frontier = report["frontier"]
    costs = [point["cost"] for point in frontier]
    qualities = [point["quality"] for point in frontier]
    assert costs == sorted(costs)
    assert qualities == sorted(qualities)
    assert costs[0] == pytest.approx(by_name(report)["always:tiny"]["cost"])
    assert frontier[-1]["quality"] > frontier[0]["quality"] + 0.2


def test_the_interval_holds_the_saving(report: dict[str, Any]) -> None:
    saving = report["saving_at_equal_quality"]
    low, high = saving["ci95"]
    assert 0 <= low <= saving["value"] <= high <= 1
    assert 0 <= report["wasted_cheap_calls"] <= 1


def test_a_lower_floor_costs_less() -> None:
    rows_ = made(200)
    low = by_name(simulate(rows_, folds=2, floor=0.6))["tuned"]
    high = by_name(simulate(rows_, folds=2, floor=0.85))["tuned"]
    assert low["cost"] < high["cost"]
    assert low["quality"] == pytest.approx(0.6, abs=0.12)


@pytest.mark.parametrize("field", ["prompt", "answer", "confidence", "id"])
def test_what_is_missing_is_done_without(field: str) -> None:
    report = simulate(without(field), folds=2)
    assert all(math.isfinite(policy["quality"]) for policy in report["policies"])


def test_nothing_is_learnt_from_the_rows_that_are_decided() -> None:
    one = made(120)
    decided = np.arange(60, 120)
    quality = one.quality.copy()
    quality[decided] = 1 - quality[decided]
    cost = one.cost.copy()
    cost[decided] = cost[decided][::-1] * 7
    fields = {name: getattr(one, name) for name in ("tiers", "prompts", "answers", "confidence")}
    other = Table(quality=quality, cost=cost, **fields)
    learnt = np.arange(60)
    first = Policy(one, features_of(one), learnt).decide(decided)
    second = Policy(other, features_of(other), learnt).decide(decided)
    assert (first.served == second.served).all()
    assert (first.asked == second.asked).all()


def test_prices_lead_from_the_best_to_the_cheapest() -> None:
    one = made(120)
    found = Policy(one, features_of(one), np.arange(80)).decide(np.arange(80, 120))
    assert found.cost.shape == (len(PRICES), 40)
    assert found.cost[-1].mean() == pytest.approx(one.cost[80:, 0].mean())
    assert found.quality[0].mean() > found.quality[-1].mean()


def test_nobody_learns_from_the_same_prompt() -> None:
    prompts = [f"Question {number % 40}?" for number in range(200)]
    fold = folds_of(prompts, 5, seed=0)
    assert all(len({int(fold[row]) for row in range(200) if prompts[row] == prompt}) == 1 for prompt in prompts)
    assert np.bincount(fold).tolist() == [40] * 5


@pytest.mark.parametrize("prompts", [[""] * 50, ["the same"] * 50, ["a"] * 30 + [str(number) for number in range(20)]])
def test_folds_are_of_one_size_when_prompts_tell_nothing(prompts: list[str]) -> None:
    assert np.bincount(folds_of(prompts, 5, seed=0)).tolist() == [10] * 5


def test_a_dear_model_that_is_worse_is_never_asked() -> None:
    lines = []
    for number, row in enumerate(rows(80)):
        small = {"correct": int(number % 5 > 0), "cost": 1.0}
        large = {"correct": int(number % 5 > 2), "cost": 9.0}
        lines.append(json.dumps({"prompt": row["prompt"], "models": {"small": small, "large": large}}))
    report = simulate(table(read(lines, lambda *_: None)), folds=4)
    tuned, alone = by_name(report)["tuned"], by_name(report)["always:small"]
    assert (tuned["quality"], tuned["cost"]) == (alone["quality"], alone["cost"])
    assert report["frontier"] == [{"cost": alone["cost"], "quality": alone["quality"]}]


def test_the_best_model_alone_is_always_at_hand() -> None:
    one = made(120)
    policy = Policy(one, features_of(one), np.arange(80))
    found = policy.decide(np.arange(80, 120))
    assert (found.served[0] == policy.best).all()
    assert found.asked[0].sum() == 40


def test_the_same_rows_give_the_same_report() -> None:
    assert simulate(made(60), folds=2) == simulate(made(60), folds=2)


def test_one_tier_alone_saves_nothing() -> None:
    lines = [json.dumps(row | {"models": {"grand": row["models"]["grand"]}}) for row in rows(40)]
    report = simulate(table(read(lines, lambda *_: None)), folds=2)
    assert report["saving_at_equal_quality"]["value"] == pytest.approx(0, abs=1e-9)


def test_rows_that_lack_a_tier_are_left_out_and_counted() -> None:
    lines = [json.dumps(row) for row in rows(40)]
    broken = json.loads(lines[0])
    del broken["models"]["tiny"]
    found = table(read([json.dumps(broken), *lines[1:]], lambda *_: None))
    assert (len(found), found.left_out) == (39, 1)
    with pytest.raises(ValueError, match="no row has the model"):
        table(read(lines, lambda *_: None), ["huge"])


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        "{}",
        '{"models": {}}',
        '{"models": {"a": 1}}',
        '{"models": {"a": {"correct": 1}}}',
        '{"models": {"a": {"correct": 1, "cost": -1}}}',
        '{"models": {"a": {"correct": NaN, "cost": 1}}}',
        '{"models": {"a": {"correct": "1", "cost": 1}}}',
        '{"models": {"a": {"correct": 1, "cost": 1, "confidence": 85}}}',
        '{"models": {"a": {"correct": 1, "cost": 1, "confidence": "0.85"}}}',
        '{"models": {"a": {"correct": 1, "cost": 1, "logprob": "-1"}}}',
    ],
)
def test_what_is_no_row_is_named(line: str) -> None:
    complaints: list[int] = []
    assert read([line, ""], lambda number, _: complaints.append(number)) == []
    assert complaints == [1]


def test_the_command_reports_bad_lines_and_goes_on(tmp_path: Any) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join([*(json.dumps(row) for row in rows(30)), "nonsense"]))
    result = CliRunner().invoke(app, ["simulate", str(path), "--folds", "2", "--tiers", "tiny,grand", "--json"])
    assert result.exit_code == 1
    assert json.loads(result.stdout)["tiers"] == ["tiny", "grand"]
    assert json.loads(result.stderr)["line"] == 31


@pytest.mark.parametrize(
    ("one", "other", "agreed"),
    [
        ("The answer is B.", "B) because of that", 1.0),
        ("A", "C", 0.0),
        ("3 + 4 = 7, so 7", "It is 7.0", 1.0),
        ("1,200 euros", "1300 euros", 0.0),
        ("the red house", "the red house", 1.0),
        (None, "x", 0.5),
    ],
)
def test_answers_agree_in_what_they_come_to(one: str | None, other: str, agreed: float) -> None:
    assert answers.agreement(one, other) == pytest.approx(agreed)


def test_an_error_never_quotes_the_prompt() -> None:
    from forebay_agents.completion.routing.offline.rows import row_of

    with pytest.raises(InvalidLineError) as caught:
        row_of('{"prompt": "secret", "models": {"a": {"correct": "secret"}}}')
    assert "secret" not in str(caught.value)


def test_models_that_many_rows_lack_do_not_empty_the_table() -> None:
    draw = np.random.default_rng(3)
    names = [f"m{place}" for place in range(9)]
    lines = [
        {"models": {name: {"correct": 1, "cost": 1} for name in names if draw.random() < 0.8} or {"m0": {}}}
        for _ in range(200)
    ]
    found = table(read((json.dumps(line) for line in lines), lambda *_: None))
    assert len(found.tiers) >= 2
    assert len(found) + found.left_out == 200
    assert len(found) * (len(found.tiers) - 1) >= 200


def test_where_nothing_costs_anything_the_best_serves_throughout() -> None:
    draw = np.random.default_rng(4)
    lines = [
        {"models": {"weak": {"correct": draw.random(), "cost": 0}, "strong": {"correct": 1 + draw.random(), "cost": 0}}}
        for _ in range(60)
    ]
    found = simulate(table(read((json.dumps(line) for line in lines), lambda *_: None)))
    strong = next(policy for policy in found["policies"] if policy["name"] == "always:strong")
    assert {point["quality"] for point in found["frontier"]} == {strong["quality"]}


@pytest.mark.parametrize("seed", range(3))
def test_few_rows_of_noise_teach_nothing(seed: int) -> None:
    draw = np.random.default_rng(seed)
    odds = {"small": (0.5, 1), "large": (0.9, 9)}
    lines = [
        {
            "prompt": f"Question {draw.integers(1000)} about {draw.choice(['tea', 'rain', 'ships', 'law'])}?",
            "models": {name: {"correct": int(draw.random() < p), "cost": c} for name, (p, c) in odds.items()},
        }
        for _ in range(60)
    ]
    found = simulate(table(read((json.dumps(line) for line in lines), lambda *_: None)))
    by_name = {policy["name"]: policy["quality"] for policy in found["policies"]}
    assert by_name["tuned"] >= by_name["always:large"] - 0.04
