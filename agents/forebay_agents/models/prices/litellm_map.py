"""Which rates does an entry of litellm's price map mean? As ``litellm.cost_per_token`` reads it, compiled to a sheet.

The map has a key for each kind, with suffixes for thresholds and service tiers (``…_above_200k_tokens_priority``), or a
table ``tiered_pricing``, and rates for off-peak hours. What an entry lacks falls back as there: cached and written
input to plain input, an hour's writes to writes, reasoning to output, batches to half, other service tiers to the
standard.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, time, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from forebay_agents.models.prices.book import Sheet, Step, Window
from forebay_agents.models.prices.rates import Kind, Rates, units
from forebay_agents.models.providers.provider import STANDARD

_KEYS = {
    Kind.INPUT: "input_cost_per_token",
    Kind.OUTPUT: "output_cost_per_token",
    Kind.CACHED_INPUT: "cache_read_input_token_cost",
    Kind.CACHE_WRITE: "cache_creation_input_token_cost",
    Kind.CACHE_WRITE_1H: "cache_creation_input_token_cost_above_1hr",
    Kind.REASONING: "output_cost_per_reasoning_token",
}
_STEPPED = (Kind.INPUT, Kind.OUTPUT, Kind.CACHED_INPUT, Kind.CACHE_WRITE)
"""Kinds whose keys make a threshold; an hour's writes only follow one."""
_THRESHOLD = re.compile(r"_above_(\d+)(k?)_tokens")
_SUFFIXES = ("flex", "balanced", "priority", "ultrafast")
_BATCH = "batch"
_ONE_TIER = frozenset({"fireworks_ai", "deepseek", "tencent", "perplexity", "xai", "lemonade"})
_TABLES = frozenset({"dashscope", "qwencloud", "qwen_ai_platform"})
"""Providers without service tiers; the latter have no thresholds but in their tables, and one price of writes."""
_FIREWORKS_CACHED = 0.5
"""What cached input costs at Fireworks, as a share of input, where the entry does not say."""
_WEEKDAYS = {name: day for day, name in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), 1)}

Own = dict[Kind, float]
Get = Callable[[str], float | None]


def is_priced(entry: Mapping[str, Any]) -> bool:
    """Whether somebody wrote a price of tokens into the entry; 0 is one."""
    return any(entry.get(key) is not None for key in (_KEYS[Kind.INPUT], _KEYS[Kind.OUTPUT], "tiered_pricing"))


def sheet(source: str, provider: str, entry: Mapping[str, Any], fee: float = 0.0) -> Sheet:
    """The sheet of an entry.

    Args:
        provider: as ``litellm.get_llm_provider`` has it: some providers' entries are read in their own way.
        fee: dollars for each input token on top, of whatever kind: a router's.
    """
    entry = _completed(provider, entry)
    tiers = {STANDARD: tuple(_steps(provider, entry, "", fee))}
    if provider not in _ONE_TIER | _TABLES:
        for suffix in _SUFFIXES:
            if any(key.endswith(f"_{suffix}") and entry[key] is not None for key in entry):
                tiers[suffix] = tuple(_steps(provider, entry, f"_{suffix}", fee))
    tiers[_BATCH] = tuple(_batch_steps(entry, provider))
    return Sheet(source=source, steps=tiers, windows=tuple(_windows(entry)))


def _completed(provider: str, entry: Mapping[str, Any]) -> Mapping[str, Any]:
    if provider == "perplexity":  # bills cached input as input
        return {key: value for key, value in entry.items() if not key.startswith("cache_") and "_above_" not in key}
    plain = entry.get("input_cost_per_token")
    if provider != "fireworks_ai" or plain is None or entry.get("cache_read_input_token_cost") is not None:
        return entry
    read = float(plain) * _FIREWORKS_CACHED
    block = dict(entry.get("off_peak_pricing") or {})
    if block and block.get("cache_read_input_token_cost") is None:
        off_peak = block.get("input_cost_per_token")
        block["cache_read_input_token_cost"] = read if off_peak is None else float(off_peak) * _FIREWORKS_CACHED
    return {**entry, "cache_read_input_token_cost": read, "off_peak_pricing": block or None}


def _steps(provider: str, entry: Mapping[str, Any], suffix: str, fee: float) -> Iterator[Step]:
    def get(key: str) -> float | None:
        value = entry.get(key + suffix)
        return _number(entry.get(key) if value is None else value)

    def step(above: int, own: Own, peakless: Own) -> Step:
        return Step(above=above, rates=_rates(own, fee), off_peak=_rates(peakless, fee) if block else None)

    block = entry.get("off_peak_pricing") or {}
    off_peak = {kind: value for kind, key in _KEYS.items() if (value := _number(block.get(key))) is not None}
    own = _flat(entry, provider, suffix, get)
    yield step(-1, own, own | off_peak)
    if table := entry.get("tiered_pricing"):
        for above, row in _table(table):
            own = _row(row, get, keep_reasoning=provider in _TABLES)
            yield step(above, own, own | off_peak)
        return
    if provider in _TABLES:
        return
    if provider == "vertex_ai" and _has_128k(entry):
        # Input of all kinds is dearer then; output only when it is that long itself, which none of them can give.
        if (dear := get("input_cost_per_token_above_128k_tokens")) is not None:
            yield step(128_000, {Kind.INPUT: dear, Kind.OUTPUT: own[Kind.OUTPUT]}, {})
        return
    for above, key in _thresholds(entry, suffix):
        for kind in (*_STEPPED, Kind.CACHE_WRITE_1H):
            if (value := get(f"{_KEYS[kind]}{key}")) is not None:
                own = own | {kind: value}
        # xAI's dearer price begins at the threshold, the others' behind it.
        yield step(above - (provider == "xai"), own, own | off_peak)


def _flat(entry: Mapping[str, Any], provider: str, suffix: str, get: Get) -> Own:
    own = {kind: value for kind, key in _KEYS.items() if (value := get(key)) is not None}
    own = {Kind.INPUT: 0.0, Kind.OUTPUT: 0.0} | own
    if not own[Kind.OUTPUT] and provider not in _TABLES:
        own[Kind.OUTPUT] = _number(entry.get("output_cost_per_image_token")) or own[Kind.OUTPUT]
    if (hour := _number(entry.get(_KEYS[Kind.CACHE_WRITE_1H]))) is not None:
        own[Kind.CACHE_WRITE_1H] = hour  # one for all service tiers
    # A service tier with a price of output and none of reasoning bills reasoning as output.
    plain = entry.get(f"{_KEYS[Kind.REASONING]}{suffix}") is None
    if provider == "xai" or (suffix and plain and entry.get(f"{_KEYS[Kind.OUTPUT]}{suffix}") is not None):
        own.pop(Kind.REASONING, None)
    if provider in _TABLES:
        own.pop(Kind.CACHE_WRITE_1H, None)
    if provider == "vertex_ai" and _has_128k(entry):
        own = {kind: own[kind] for kind in (Kind.INPUT, Kind.OUTPUT)}
    if (request := _number(entry.get("input_cost_per_request"))) is not None:
        own[Kind.REQUEST] = request
    return own


def _has_128k(entry: Mapping[str, Any]) -> bool:
    return any(entry.get(f"{side}_cost_per_token_above_128k_tokens") is not None for side in ("input", "output"))


def _thresholds(entry: Mapping[str, Any], suffix: str) -> list[tuple[int, str]]:
    """Thresholds that count for a service tier, lowest first, with how keys name them."""
    found: dict[int, str] = {}
    for key, value in entry.items():
        match = _THRESHOLD.search(key)
        if value is None or match is None or not key.startswith(tuple(f"{_KEYS[kind]}_above_" for kind in _STEPPED)):
            continue
        ending = key[match.end() :]
        if ending in ("", suffix):
            found[int(match[1]) * (1000 if match[2] else 1)] = match[0]
    return sorted(found.items())


def _table(table: Sequence[Mapping[str, Any]]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Rows of ``tiered_pricing``: valid from behind the begin of their range."""
    rows = [row for row in table if len(row.get("range", ())) == 2 and row.get("input_cost_per_token") is not None]
    for row in sorted(rows, key=lambda row: float(row["range"][0])):
        yield int(row["range"][0]), row


def _row(row: Mapping[str, Any], get: Get, *, keep_reasoning: bool) -> Own:
    own = {kind: value for kind, key in _KEYS.items() if (value := _number(row.get(key))) is not None}
    if Kind.OUTPUT not in own:  # a table of input prices only: output costs what the model's does
        own[Kind.OUTPUT] = get(_KEYS[Kind.OUTPUT]) or 0.0
        reasoning = get(_KEYS[Kind.REASONING])
        if reasoning is not None and Kind.REASONING not in own:
            own[Kind.REASONING] = reasoning
    if keep_reasoning:
        own.pop(Kind.CACHE_WRITE_1H, None)
    return own


def _batch_steps(entry: Mapping[str, Any], provider: str) -> Iterator[Step]:
    """Batches have keys of their own, else cost half; reasoning is output there, and there is one price of writes."""
    flat = {kind: value / 2 for kind in _STEPPED if (value := _number(entry.get(_KEYS[kind]))) is not None}
    request = {Kind.REQUEST: value} if (value := _number(entry.get("input_cost_per_request"))) is not None else {}

    def own(key: str) -> Own:
        found: Own = {Kind.OUTPUT: flat.get(Kind.OUTPUT, 0.0)}
        for kind in _STEPPED:
            value = _number(entry.get(f"{_KEYS[kind]}{key}_batches"))
            value = _number(entry.get(f"{_KEYS[kind]}_batches")) if value is None else value
            if value is not None:
                found[kind] = value
        return found | request

    if entry.get(f"{_KEYS[Kind.INPUT]}_batches") is None:
        yield Step(rates=_rates(flat | request, 0.0))
        return
    yield Step(rates=_rates(own(""), 0.0))
    for above, key in _thresholds(entry, "_batches"):
        if any(entry.get(f"{_KEYS[kind]}{key}_batches") is not None for kind in _STEPPED):
            yield Step(above=above - (provider == "xai"), rates=_rates(own(key), 0.0))


def _rates(own: Own, fee: float) -> Rates:
    plain = own.get(Kind.INPUT, 0.0)
    read = own.get(Kind.CACHED_INPUT, plain)
    write = own.get(Kind.CACHE_WRITE, plain)
    hour = own.get(Kind.CACHE_WRITE_1H, write)
    output = own.get(Kind.OUTPUT, 0.0)
    extra = units(fee)
    substitutes = {
        Kind.CACHED_INPUT: "input",
        Kind.CACHE_WRITE: "input",
        Kind.CACHE_WRITE_1H: "cache_write",
        Kind.REASONING: "output",
    }
    return Rates(
        input=units(plain) + extra,
        output=units(output),
        cached_input=units(read) + extra,
        cache_write=units(write) + extra,
        cache_write_1h=units(hour) + extra,
        reasoning=units(own.get(Kind.REASONING, output)),
        request=units(own.get(Kind.REQUEST, 0.0)),
        substitutes={kind: stand_in for kind, stand_in in substitutes.items() if kind not in own},
    )


def _windows(entry: Mapping[str, Any]) -> Iterator[Window]:
    block = entry.get("off_peak_pricing") or {}
    yield from _hours(block.get("hours_utc"), None, UTC)
    for rule in block.get("windows") or ():
        days = rule.get("weekdays")
        wanted = None if days is None else frozenset(_WEEKDAYS.get(str(day).strip().lower()[:3], day) for day in days)
        name = block.get("weekday_timezone")
        yield from _hours(rule.get("hours_utc"), wanted, ZoneInfo(name) if name else UTC)


def _hours(hours: Any, weekdays: frozenset[int] | None, zone: tzinfo) -> Iterator[Window]:
    for text in [hours] if isinstance(hours, str) else hours or ():
        start, end = (_time(part) for part in text.split("-"))
        yield Window(start=start, end=end, weekdays=weekdays, zone=zone)


def _time(text: str) -> time:
    return datetime.strptime(text.strip(), "%H:%M").time()  # noqa: DTZ007 - an hour of the day, in UTC


def _number(value: Any) -> float | None:
    """A rate; some entries write it as text."""
    if value is None or isinstance(value, bool):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
