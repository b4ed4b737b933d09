"""Which words stay within the budget? Those whose loss would cost the most, with as few cuts as that takes.

Minimise the value of dropped words plus the price of cuts, subject to the tokens of kept words: a two-state shortest
path for a given price of a token (Lagrange relaxation), and a bisection on that price. Exact for the price it ends
with, linear in the words, deterministic.
"""

from collections.abc import Sequence

_STEPS = 18
_NEVER = 1e9


def select(
    values: Sequence[float],
    cuts: Sequence[float],
    costs: Sequence[float],
    budget: float,
    forced: Sequence[bool] | None = None,
) -> list[bool]:
    """Choose words.

    Args:
        values: loss when word i is dropped.
        cuts: loss when exactly one of words i and i + 1 is kept.
        costs: tokens of word i.
        budget: tokens that may be kept; forced words count, and are kept even beyond it.
        forced: words that must stay.
    """
    count = len(values)
    must = forced or [False] * count
    if sum(costs) <= budget:
        return [True] * count
    low, high = 0.0, 4 * max(values, default=0.0) + 4 * max(cuts, default=0.0) + 1e-9
    best = list(must)
    for _ in range(_STEPS):
        # Geometric: prices of a token span several orders of magnitude.
        price = (low * high) ** 0.5 if low > 0 else high / 64
        mask = _path(values, cuts, costs, price, must)
        if sum(cost for cost, kept in zip(costs, mask, strict=True) if kept) <= budget:
            best, high = mask, price
        else:
            low = price
        if low == 0.0 and high < 1e-12:
            break
    return _fill(best, values, costs, budget)


def _path(
    values: Sequence[float], cuts: Sequence[float], costs: Sequence[float], price: float, must: Sequence[bool]
) -> list[bool]:
    keep = drop = 0.0
    came_keep, came_drop = [], []
    cut = 0.0
    for value, cost, following_cut, forced in zip(values, costs, cuts, must, strict=True):
        from_drop, from_keep = drop + cut, keep + cut
        came_keep.append(from_drop < keep)
        came_drop.append(from_keep < drop)
        keep, drop = (
            min(keep, from_drop) + price * cost,
            min(drop, from_keep) + (_NEVER if forced else value),
        )
        cut = following_cut
    mask = [False] * len(values)
    state = keep <= drop
    for index in range(len(values) - 1, -1, -1):
        mask[index] = state
        changed = came_keep[index] if state else came_drop[index]
        state = state != changed
    return mask


def _fill(mask: list[bool], values: Sequence[float], costs: Sequence[float], budget: float) -> list[bool]:
    """Spend what is left on words beside kept ones, the best value for a token first."""
    left = budget - sum(cost for cost, kept in zip(costs, mask, strict=True) if kept)
    order = sorted((i for i, kept in enumerate(mask) if not kept), key=lambda i: (-values[i] / (costs[i] or 1), i))
    filled = list(mask)
    for index in order:
        beside = (index > 0 and mask[index - 1]) or (index + 1 < len(mask) and mask[index + 1])
        if costs[index] <= left and beside:
            filled[index] = True
            left -= costs[index]
    return filled
