"""Which words stay within the budget? Those whose loss would cost the most, with as few cuts as that takes.

Minimise the value of dropped words plus the price of cuts, subject to the tokens of kept words: a two-state shortest
path for a given price of a token (Lagrange relaxation), and a bisection on that price. Exact for the price it ends
with, linear in the words, deterministic.
"""

from collections.abc import Sequence

_STEPS = 14
_NEAR = 0.985  # of the budget spent: what is left is filled word by word
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
        costs: of word i, in any unit.
        budget: what the kept words may cost together; forced words count, and are kept even beyond it.
        forced: words that must stay.
    """
    if sum(costs) <= budget:
        return [True] * len(values)
    must = forced or [False] * len(values)
    losses = [_NEVER if stays else value for value, stays in zip(values, must, strict=True)]
    # At the mean price of what is there, a fair part is kept; from there the bracket is widened as needed.
    price = (sum(values) or 1e-9) / (sum(costs) or 1.0)
    low, high = 0.0, float("inf")
    best = list(must)
    for _ in range(_STEPS):
        mask = _path(losses, cuts, costs, price)
        spent = sum(cost for cost, kept in zip(costs, mask, strict=True) if kept)
        if spent <= budget:
            best, high = mask, price
            if spent >= _NEAR * budget:
                break
        else:
            low = price
        # Prices span orders of magnitude, hence the geometric mean.
        price = 4 * low if high == float("inf") else (low * high) ** 0.5 if low > 0 else high / 4
    return _fill(best, values, costs, budget)


def _path(losses: Sequence[float], cuts: Sequence[float], costs: Sequence[float], price: float) -> list[bool]:
    """The cheapest way through the states *kept* and *dropped*, at ``price`` for a unit of cost."""
    keep = drop = cut = 0.0
    back = []  # for each word: does the best way to keep it come from a dropped one, and the other way round?
    for loss, cost, following in zip(losses, costs, cuts, strict=True):
        begin, end = drop + cut, keep + cut
        back.append((begin < keep, end < drop))
        keep, drop = min(keep, begin) + price * cost, min(drop, end) + loss
        cut = following
    kept = keep <= drop
    mask = []
    for begins, ends in reversed(back):
        mask.append(kept)
        if begins if kept else ends:
            kept = not kept
    mask.reverse()
    return mask


def _fill(mask: list[bool], values: Sequence[float], costs: Sequence[float], budget: float) -> list[bool]:
    """Spend what is left on words beside kept ones, the best value for its cost first."""
    left = budget - sum(cost for cost, kept in zip(costs, mask, strict=True) if kept)
    last = len(mask) - 1
    beside = [i for i, kept in enumerate(mask) if not kept and ((i > 0 and mask[i - 1]) or (i < last and mask[i + 1]))]
    filled = list(mask)
    for index in sorted(beside, key=lambda i: (-values[i] / (costs[i] or 1), i)):
        if costs[index] <= left:
            filled[index] = True
            left -= costs[index]
    return filled
