"""What happens while providers are down? The small tier, then everything, then all back, under steady load.

With the lengths that it has by default (5 min, 2 min) it takes ten to twelve minutes.
"""

import threading
import time
from collections.abc import Sequence
from typing import Any

from loadtest.open_loop import Seen, send, summary
from loadtest.simulated_stack import Admin, running

_SOUND_S = 20.0
_BACK_S = 40.0
_PATIENCE_S = 200.0
_SLICE_S = 15.0
_ANSWER_MS = 150


def report(rate: float, small_down_s: float, all_down_s: float) -> dict[str, Any]:
    """By phase: requests that came in it, how they ended and when; the breakers' states; the calls that were made.

    ``over_time``: of the requests that were due in each quarter of a minute, the share that was served, and how late.
    """
    script = {"models": {"*": {"latency": {"first_token_ms": _ANSWER_MS}, "quality": {"floor": 1.0}}}}
    small, everything = _SOUND_S + small_down_s, _SOUND_S + small_down_s + all_down_s
    phases = [
        ("sound", 0.0, _SOUND_S),
        ("small_down", _SOUND_S, small),
        ("all_down", small, everything),
        ("back", everything, everything + _BACK_S),
    ]
    plan = [(number / rate, "default") for number in range(round(rate * phases[-1][2]))]
    with running(script) as (settings, admin):
        send(settings, [(number / 4, "default") for number in range(12)], "warm", _PATIENCE_S)
        before = admin.calls()
        with _Breakers() as breakers:
            events = [
                (phases[1][1], lambda: admin.outage(small_down_s, "sim-small")),
                (phases[2][1], lambda: admin.outage(all_down_s)),
            ]
            seen = send(settings, plan, "drill", _PATIENCE_S, events)
        total = summary(seen)
        return {
            "total": total | {"ok_share": round(total["ok"] / total["requests"], 4)},
            "phases": {name: _phase(seen, start, end) for name, start, end in phases},
            "over_time": _over_time(seen, phases[-1][2]),
            "breakers": breakers.changes,
            "calls": _calls_since(before, admin),
            "unanswered": sum(one.latency_s is None for one in seen),
        }


def _phase(seen: Sequence[Seen], start: float, end: float) -> dict[str, Any]:
    found = [one for one in seen if start <= one.due_s < end]
    tiers = sorted({one.tier for one in found if one.tier})
    return summary(found) | {
        "by_tier": {tier: sum(one.tier == tier for one in found) for tier in tiers},
        "degraded": sum(one.degraded for one in found),
        "ok_within_2_s": sum(one.status == "ok" and (one.latency_s or 0) <= 2 for one in found),
    }


def _over_time(seen: Sequence[Seen], end_s: float) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for start in range(0, round(end_s), round(_SLICE_S)):
        here = [one for one in seen if start <= one.due_s < start + _SLICE_S]
        if here:
            counted = summary(here)
            late: dict[str, Any] = {key: counted[key] for key in ("p50_s", "p99_s") if key in counted}
            found.append({"from_s": start, "ok_share": round(counted["ok"] / len(here), 3), **late})
    return found


def _calls_since(before: dict[str, dict[str, int]], admin: Admin) -> dict[str, dict[str, int]]:
    return {
        model: {kind: count - before.get(model, {}).get(kind, 0) for kind, count in outcomes.items()}
        for model, outcomes in admin.calls().items()
    }


class _Breakers:
    """Watches the breakers as ``forebay tiers status`` shows them, twice a second, for the length of a ``with``."""

    def __init__(self) -> None:
        self.changes: list[dict[str, Any]] = []
        self._over = threading.Event()
        self._watching = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "_Breakers":
        self._watching.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._watching.join(10)

    def _watch(self) -> None:
        from forebay.embedded.discovery import DATA_DIR
        from forebay.settings import load
        from forebay_agents.completion.routing.cli.status import embedded
        from forebay_agents.completion.routing.status import fetch, report
        from forebay_agents.models.settings import ModelsSettings

        tiers, addresses = load()[ModelsSettings].tiers, embedded(DATA_DIR)
        begun, last = time.monotonic(), None
        while not self._over.wait(0.5):
            shown = report(tiers, fetch(addresses)[0])
            now = {one.name: one.breaker for tier in shown.tiers for one in tier.deployments}
            if now != last:
                self.changes.append({"at_s": round(time.monotonic() - begun, 1), **now})
                last = now
