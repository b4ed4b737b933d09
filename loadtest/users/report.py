"""How is what was found told? JSON for programs, Markdown for people: what is compared stands in one table."""

import platform
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import psutil

from loadtest.users.run import Found
from loadtest.users.trial import Trial
from loadtest.users.watching import GENERATOR, PROVIDER, Spent

_COLUMNS = (
    "requests/s", "holds", "p50 / p95 / p99 s", "hits", "ms a request (yardstick)", "over idle", "records",
    "commands", "PSS MB", "generator late ms", "broken",
)  # fmt: skip


def as_json(found: Found) -> dict[str, Any]:
    """Everything, with figures a request beside the sums."""
    wanted = asdict(found.wanted) | {"profile": str(found.wanted.profile or "")}
    return {
        "wanted": wanted,
        "machine": {"python": platform.python_version(), "cores": psutil.cpu_count()},
        "idle_ms_a_second": a_second(found.idle),
        "highest_rate": found.highest,
        "trials": [_trial(trial, found.idle) for trial in found.trials],
    }


def markdown(found: Found) -> str:
    """Two tables: the rates, and CPU a request by process."""
    wanted = found.wanted
    provider = "realistic" if wanted.real else "0 ms"
    idle = a_second(found.idle)["all"]
    told = (
        f"{wanted.seconds:g} s a rate, users think {wanted.think_s:g} s, hits `{wanted.hits}`, seed {wanted.seed}, "
        f"provider {provider}. Nothing asked: {idle:.0f} ms of CPU a second."
    )
    lines = [
        told,
        "",
        f"| {' | '.join(_COLUMNS)} |",
        f"|{' --- |' * len(_COLUMNS)}",
    ]
    for trial in found.trials:
        row = _trial(trial, found.idle)
        times = " / ".join(f"{trial.latency_ms[name] / 1000:.2f}" for name in ("p50", "p95", "p99"))
        yard = f"{row['ms_a_request']['all']:.1f} ({max(trial.yardstick_ms):g})"
        broken = "; ".join(trial.violations) or "nothing"
        lines.append(
            f"| {trial.rate:g} | {'yes' if trial.holds else 'no'} | {times} | {sum(trial.hits.values()):.0%} | {yard} "
            f"| {row['over_idle_ms_a_request']:.1f} | {row['records_a_request']['all']:.1f} "
            f"| {row['redis_commands_a_request']:.1f} | {row['pss_mb']['all']:.0f} | {trial.late_ms} | {broken} |"
        )
    names = sorted(found.idle.cpu_ms)
    lines += ["", f"| requests/s | {' | '.join(names)} |", f"| --- |{' --- |' * len(names)}"]
    for trial in found.trials:
        each = a_request(trial)
        lines.append(f"| {trial.rate:g} | {' | '.join(f'{each.get(name, 0.0):.1f}' for name in names)} |")
    return "\n".join(lines)


def a_request(trial: Trial) -> dict[str, float]:
    """CPU in ms a request, by process; ``all`` is without the load itself."""
    return _shared(trial.spent.cpu_ms, trial.requests) | {"all": round(trial.spent.forebay_ms / trial.requests, 2)}


def a_second(spent: Spent) -> dict[str, float]:
    """The same a second."""
    return _shared(spent.cpu_ms, spent.seconds) | {"all": round(spent.forebay_ms / spent.seconds, 1)}


def _trial(trial: Trial, idle: Spent) -> dict[str, Any]:
    idle_ms = idle.forebay_ms / idle.seconds * trial.spent.seconds
    records = {topic: count for topic, count in trial.spent.records.items() if count}
    return {
        "rate": trial.rate,
        "holds": trial.holds,
        "seconds": trial.seconds,
        "requests": trial.requests,
        "answered": trial.answered,
        "ok": trial.ok,
        "latency_ms": dict(trial.latency_ms),
        "hits": dict(trial.hits),
        "ms_a_request": a_request(trial),
        "over_idle_ms_a_request": round((trial.spent.forebay_ms - idle_ms) / trial.requests, 2),
        "records_a_request": _shared(records, trial.requests)
        | {"all": round(sum(records.values()) / trial.requests, 2)},
        "redis_commands_a_request": round(trial.spent.commands / trial.requests, 2),
        "pss_mb": dict(trial.pss_mb) | {"all": round(sum(trial.pss_mb.values()), 1)},
        "generator_late_ms": trial.late_ms,
        "yardstick_ms": list(trial.yardstick_ms),
        "busy_before": trial.busy_before,
        "violations": list(trial.violations),
    }


def _shared(values: Mapping[str, float], among: float) -> dict[str, float]:
    order = sorted(values, key=lambda name: (name in (GENERATOR, PROVIDER), name))
    return {name: round(values[name] / among, 2) for name in order}
