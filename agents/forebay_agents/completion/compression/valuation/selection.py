"""Which words stay within the budget? Those whose loss would cost the most, with as few cuts as that takes.

Minimise the value of dropped words plus the price of cuts, subject to the tokens of kept words: a shortest path for a
given price of a token (Lagrange relaxation), and a bisection on that price. Exact for the price it ends with, linear in
the words, deterministic.
"""

from collections.abc import Sequence
from heapq import heapify, heappop, heappush

_STEPS = 14
_NEAR = 0.985  # of the budget spent: what is left is filled word by word
_NEVER = 1e200
_WIDEST = 64.0


def select(
    values: Sequence[float],
    cuts: Sequence[float],
    costs: Sequence[float],
    budget: float,
    forced: Sequence[bool] | None = None,
    gates: Sequence[bool] | None = None,
    price: float | None = None,
) -> tuple[list[bool], float]:
    """Choose words: which are kept, and the price of a unit of cost that this came to.

    Args:
        values: loss when word i is dropped.
        cuts: loss when exactly one of words i and i + 1 is kept.
        costs: of word i, in any unit.
        budget: what the kept words may cost together; forced words count, and are kept even beyond it.
        forced: words that must stay.
        gates: words without which nothing up to the next gate may stay (who speaks, for what is said).
        price: what an earlier, similar choice came to: saves most of the search.
    """
    if sum(costs) <= budget:
        return [True] * len(values), price or 0.0
    must = forced or [False] * len(values)
    losses = [_NEVER if stays else value for value, stays in zip(values, must, strict=True)]
    # At the mean price of what is there, a fair part is kept; from there the bracket is widened as needed.
    wider = 4.0 if price is None else 1.25
    price = price or (sum(values) or 1e-9) / (sum(costs) or 1.0)
    settled = price
    low, high = 0.0, float("inf")
    best = list(must)
    for _ in range(_STEPS):
        mask = _gated_path(losses, cuts, costs, gates, price) if gates else _path(losses, cuts, costs, price)
        spent = sum(cost for cost, kept in zip(costs, mask, strict=True) if kept)
        if spent <= budget:
            best, high, settled = mask, price, price
            if spent >= _NEAR * budget:
                break
        else:
            low = price
        # Prices span orders of magnitude, hence the geometric mean.
        price = wider * low if high == float("inf") else (low * high) ** 0.5 if low > 0 else high / wider
        wider = min(wider * wider, _WIDEST)
    return _fill(best, values, costs, budget, gates), settled


def _path(losses: Sequence[float], cuts: Sequence[float], costs: Sequence[float], price: float) -> list[bool]:
    """The cheapest way through the states *kept* and *dropped*, at ``price`` for a unit of cost."""
    keep = drop = cut = 0.0
    back = []  # for each word: does the best way to keep it come from a dropped one, and the other way round?
    for loss, cost, following in zip(losses, costs, cuts, strict=True):
        begin, end = drop + cut, keep + cut
        begins, ends = begin < keep, end < drop
        back.append((begins, ends))
        keep, drop = (begin if begins else keep) + price * cost, (end if ends else drop) + loss
        cut = following
    kept = keep <= drop
    mask = []
    for begins, ends in reversed(back):
        mask.append(kept)
        if begins if kept else ends:
            kept = not kept
    mask.reverse()
    return mask


def _gated_path(
    losses: Sequence[float], cuts: Sequence[float], costs: Sequence[float], gates: Sequence[bool], price: float
) -> list[bool]:
    """The same with a third state, *shut*: dropped with everything up to the next gate."""
    never = float("inf")
    keep, drop, shut, cut = 0.0, 0.0, never, 0.0
    back: list[tuple[int, int, int]] = []  # for each word and state: the state before it
    for loss, cost, following, gate in zip(losses, costs, cuts, gates, strict=True):
        if gate:
            best = min(keep, drop, shut)
            state = 0 if best == keep else 1 if best == drop else 2
            back.append(_AT_A_GATE[state])
            keep, drop, shut = best + price * cost, never, best + loss
        else:
            begin, end = drop + cut, keep + cut
            back.append(_INSIDE[begin < keep][end < drop])
            keep, drop, shut = min(keep, begin) + price * cost, min(drop, end) + loss, shut + loss
        cut = following
    state = min(range(3), key=(keep, drop, shut).__getitem__)
    mask = []
    for sources in reversed(back):
        mask.append(state == 0)
        state = sources[state]
    mask.reverse()
    return mask


_AT_A_GATE = ((0, 0, 0), (1, 0, 1), (2, 0, 2))
_INSIDE = (((0, 1, 2), (0, 0, 2)), ((1, 1, 2), (1, 0, 2)))


def _fill(
    mask: Sequence[bool],
    values: Sequence[float],
    costs: Sequence[float],
    budget: float,
    gates: Sequence[bool] | None,
) -> list[bool]:
    """Spend what is left on words beside kept ones, and on those beside these, the best value for its cost first."""
    left = budget - sum(cost for cost, kept in zip(costs, mask, strict=True) if kept)
    filled = list(mask)
    last = len(mask) - 1
    is_open = True
    shut = []  # what no filling may keep: gates, and what stands behind one that is dropped
    for index, kept in enumerate(mask):
        is_gate = bool(gates and gates[index])
        is_open = kept if is_gate else is_open
        shut.append(is_gate or not is_open)
    # Where all words are alike, no price keeps some of them alone: then the best of them is where filling begins.
    empty = not any(mask)
    heap = [
        (-values[i] / (costs[i] or 1), i)
        for i in range(last + 1)
        if not (filled[i] or shut[i]) and (empty or mask[max(i - 1, 0)] or mask[min(i + 1, last)])
    ]
    heapify(heap)
    while heap:
        _, index = heappop(heap)
        if filled[index] or costs[index] > left:
            continue
        filled[index] = True
        left -= costs[index]
        for beside in (index - 1, index + 1):
            if 0 <= beside <= last and not (filled[beside] or shut[beside]):
                heappush(heap, (-values[beside] / (costs[beside] or 1), beside))
    return filled
