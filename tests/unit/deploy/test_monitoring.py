"""Alerts and dashboards ask for metrics and labels that the code has; promtool checks them too where there is one."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from forebay.contract.error_codes import CODES
from forebay.contract.records import UsageStatus
from forebay.contract.topics import TOPICS
from forebay.edge.errors import ROWS
from forebay.reference.counters import labels
from forebay.runtime.worker import stage_names

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
PROMETHEUS = DEPLOY / "prometheus"
ALERTS = [
    rule
    for group in yaml.safe_load((PROMETHEUS / "alerts.yml").read_text("utf-8"))["groups"]
    for rule in group["rules"]
]
DASHBOARDS = {path.stem: json.loads(path.read_text("utf-8")) for path in (DEPLOY / "grafana/dashboards").glob("*.json")}
OF_TARGETS = frozenset({"instance", "job"})
OTHERS = {"up": OF_TARGETS, "process_resident_memory_bytes": OF_TARGETS}
"""Series that Prometheus and its client make."""
KNOWN = labels() | OTHERS


def panels() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, dashboard in sorted(DASHBOARDS.items()):
        for panel in dashboard["panels"]:
            yield f"{name}: {panel['title']}", panel


QUERIES = [(rule["alert"], rule["expr"]) for rule in ALERTS] + [
    (name, target["expr"]) for name, panel in panels() for target in panel["targets"]
]


def series_of(query: str) -> list[str]:
    """Names of series in ``query``: words that are no function, no keyword, no label and no string."""
    bare = re.sub(r'"[^"]*"|\{[^}]*\}|\b(?:by|without|on|ignoring|group_left|group_right)\s*(?:\([^)]*\))?', " ", query)
    words = re.findall(
        r"[a-zA-Z_][a-zA-Z0-9_]*(?!\w)(?!\s*\()", re.sub(r"\[[^]]*\]|\b[0-9.]+(?:[a-z]+|e[0-9]+)?\b", " ", bare)
    )
    return [word for word in words if word not in ("and", "or", "unless", "offset")]


def used_labels(query: str) -> set[str]:
    selected = {name for inside in re.findall(r"\{([^}]*)\}", query) for name in re.findall(r"(\w+)\s*(?:=|!)", inside)}
    listed = re.findall(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)", query)
    return selected | {name.strip() for names in listed for name in names.split(",")}


@pytest.mark.parametrize(("name", "query"), QUERIES, ids=[name for name, _ in QUERIES])
def test_a_query_names_series_and_labels_that_exist(name: str, query: str) -> None:
    names = series_of(query)
    assert names, f"{name} asks for nothing"
    assert set(names) <= KNOWN.keys()
    assert used_labels(query) <= frozenset().union(*(KNOWN[series] for series in names)) | OF_TARGETS


@pytest.mark.parametrize(("name", "query"), QUERIES, ids=[name for name, _ in QUERIES])
def test_selected_values_exist(name: str, query: str) -> None:
    closed = {
        "stage": {*stage_names(), "edge", "recorder"},
        "topic": set(TOPICS),
        "code": {*CODES, ""},
        "status": {status.value for status in UsageStatus} | {str(row.status) for row in ROWS.values()},
    }
    for label, values in re.findall(r'(\w+)\s*(?:=~|!=|!~|=)\s*"([^"]*)"', query):
        assert set(values.split("|")) <= closed.get(label, set(values.split("|"))), f"{name}: {label}"


def test_the_parser_of_queries_would_notice() -> None:
    query = 'sum by (stage) (rate(forebay_records_gone_total{code="x"}[5m])) / 2 > 0.5 and on (le) up offset 15m'
    assert series_of(query) == ["forebay_records_gone_total", "up"]
    assert used_labels(query) == {"stage", "code", "le"}


def test_every_alert_says_what_and_what_to_do() -> None:
    assert len({rule["alert"] for rule in ALERTS}) == len(ALERTS)
    for rule in ALERTS:
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert rule["annotations"].keys() == {"summary", "action"}
        shown = set(re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values())))
        kept = {name.strip() for names in re.findall(r"\bby\s*\(([^)]*)\)", rule["expr"]) for name in names.split(",")}
        assert shown <= kept | OF_TARGETS, f"{rule['alert']} shows a label that its sum drops"


def test_the_missing_stage_alert_counts_the_stages_there_are() -> None:
    [rule] = [rule for rule in ALERTS if rule["alert"] == "ForebayStageMissing"]
    needed = [name for name in stage_names() if name != "notify"]
    assert rule["expr"].endswith(f"< {len(needed)}")
    assert f"of {len(needed)} stages" in rule["annotations"]["summary"]


def test_every_stage_the_recorder_and_the_door_are_scraped_where_it_serves() -> None:
    [job] = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text("utf-8"))["scrape_configs"]
    [found] = job["dns_sd_configs"]
    services = yaml.safe_load((DEPLOY.parent / "docker-compose.yml").read_text("utf-8"))["services"]
    assert sorted(found["names"]) == sorted([*stage_names(), "edge", "recorder"])
    assert {services[name]["expose"][0] for name in found["names"]} == {str(found["port"])}


def test_dashboards_are_what_grafana_loads() -> None:
    assert DASHBOARDS.keys() == {"overview", "money", "models"}
    [source] = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/prometheus.yml").read_text())["datasources"]
    assert len({dashboard["uid"] for dashboard in DASHBOARDS.values()}) == len(DASHBOARDS)
    for name, dashboard in DASHBOARDS.items():
        ids = [panel["id"] for panel in dashboard["panels"]]
        assert len(set(ids)) == len(ids), name
        cells = [
            (x, y)
            for panel in dashboard["panels"]
            for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
            for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
        ]
        assert len(set(cells)) == len(cells), f"panels of {name} overlap"
        assert max(x for x, _ in cells) < 24
        for panel in dashboard["panels"]:
            assert {target["datasource"]["uid"] for target in panel["targets"]} == {source["uid"]}


def test_what_the_code_measures_is_shown_somewhere() -> None:
    shown = {series for _, query in QUERIES for series in series_of(query)}
    substrate = {name for name in KNOWN if re.fullmatch(r"forebay_(records|model|dead|delivery|consumer)_\w+", name)}
    bases = {re.sub(r"_(bucket|sum|count)$", "", name) for name in substrate}
    assert bases <= {re.sub(r"_(bucket|sum|count)$", "", name) for name in shown}


def test_each_alert_has_cases_that_promtool_runs() -> None:
    cases = yaml.safe_load((PROMETHEUS / "alerts_test.yml").read_text("utf-8"))["tests"]
    tried = {
        (rule["alertname"], bool(rule["exp_alerts"]))
        for case in cases
        for rule in case["alert_rule_test"]
    }  # fmt: skip
    names = {name for name, _ in tried}
    assert names == {rule["alert"] for rule in ALERTS}
    both = {(name, fires) for name in names for fires in (True, False)}
    assert both - tried <= {("ForebayClockSkew", False), ("ForebayStuck", False)}, "a case in which it is silent too"


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed (Debian: prometheus)")
@pytest.mark.parametrize("command", [["check", "config", "prometheus.yml"], ["test", "rules", "alerts_test.yml"]])
def test_promtool_agrees(command: list[str]) -> None:
    done = subprocess.run(["promtool", *command], cwd=PROMETHEUS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_promtool_can_parse_the_dashboards(tmp_path: Path) -> None:
    rules = [
        {"record": f"query:{number}", "expr": query.replace("$__rate_interval", "5m")}
        for number, (_, query) in enumerate(QUERIES)
    ]
    path = tmp_path / "rules.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    done = subprocess.run(["promtool", "check", "rules", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
