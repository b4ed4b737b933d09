"""Which tasks are open? Those in ``reviews`` that no record in ``corrections`` decided."""

from collections.abc import Iterable

from forebay.contract.records import Correction, ReviewTask


def open_tasks(tasks: Iterable[ReviewTask], corrections: Iterable[Correction]) -> list[ReviewTask]:
    """Open tasks, the worst and oldest first; of several with the same id the newest counts."""
    decided = {correction.review_id for correction in corrections}
    newest: dict[str, ReviewTask] = {}
    for task in tasks:
        if task.review_id not in decided:
            newest[task.review_id] = task
    return sorted(newest.values(), key=lambda task: (task.score or 0.0, task.created_at))
