"""Which rows may help to decide which? None that asks the same: repeated prompts share a fold.

Otherwise a policy has seen the answer to what it decides, and its figures are too good: with every row five times over,
tuned was six points above the best model where it is at its level.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.int64]


def folds_of(prompts: Sequence[str], folds: int, seed: int) -> Places:
    """The fold of each row, of about equal size; rows without a prompt, and prompts that fill a fold, stand alone."""
    count = len(prompts)
    order = np.random.default_rng(seed).permutation(count)
    rows: dict[str, list[int]] = {}
    for row in order.tolist():
        rows.setdefault(prompts[row].strip(), []).append(row)
    result = np.empty(count, np.int64)
    sizes = [0] * folds
    for prompt, same in rows.items():
        whole = prompt and len(same) * folds <= count
        for group in [same] if whole else [[row] for row in same]:
            fold = sizes.index(min(sizes))
            sizes[fold] += len(group)
            result[group] = fold
    return result
