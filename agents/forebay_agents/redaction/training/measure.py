"""``python -m forebay_agents.redaction.training.measure --data FOLDER --heads FOLDER``: how good is the names head,
honestly?

Each real row goes through the whole of redaction (rules, names, propagation) with a head that has not seen the row: the
head of its fold or, with ``--kinds``, a head that has seen nothing of its kind. Prints JSON: once with all findings,
and once with people and places alone, since these corpora label nothing else and tweets are full of page addresses.
"""

import argparse
import json
import sys
from pathlib import Path

from forebay_agents.redaction.detection.detector import Detector
from forebay_agents.redaction.offline.lines import Redactor
from forebay_agents.redaction.offline.scoring import Labelled, Score
from forebay_agents.redaction.policy import Policies
from forebay_agents.redaction.settings import Profile, RedactionSettings
from forebay_agents.redaction.training.rows import FOLDS, KINDS, Row, read

_KINDS = ("PERSON", "LOCATION")


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with names-dev.jsonl and clean-dev.jsonl")
    parser.add_argument("--heads", type=Path, required=True, help="folder that the training wrote with --folds")
    parser.add_argument("--thresholds", type=float, nargs="+", default=[RedactionSettings().threshold])
    parser.add_argument("--kinds", action="store_true", help="heads that have seen nothing of a row's kind")
    parser.add_argument("--every", type=int, default=1, help="only each nth row")
    options = parser.parse_args()
    real = [*read(options.data / "names-dev.jsonl"), *read(options.data / "clean-dev.jsonl")][:: options.every]
    for threshold in options.thresholds:
        score, names = Score(), Score()
        for head, rows in _split(real, kinds=options.kinds).items():
            settings = RedactionSettings(
                names=f"builtin:{options.heads / head}", threshold=threshold, profile=Profile.STRICT
            )
            redactor = Redactor(Detector(settings), Policies(settings), settings.max_chars)
            for row in rows:
                redacted = redactor.redact(row.text.text)
                spans = tuple(span for span in row.text.spans if span[2] in _KINDS)
                labelled = Labelled(text=row.text.text, spans=spans, source=row.source)
                score.add(labelled, redacted.spans, redacted.ms)
                names.add(labelled, [span for span in redacted.spans if span.kind in _KINDS], redacted.ms)
        found = {"threshold": threshold, "all": score.summary(), "names_only": names.summary()}
        json.dump(found, sys.stdout)
        sys.stdout.write("\n")
        sys.stdout.flush()


def _split(rows: list[Row], *, kinds: bool) -> dict[str, list[Row]]:
    """File of a head to the rows that it has not seen."""
    if kinds:
        return {f"without-{kind}.npz": [row for row in rows if row.source in KINDS[kind]] for kind in KINDS}
    return {f"fold{fold}.npz": [row for row in rows if row.fold == fold] for fold in range(FOLDS)}


if __name__ == "__main__":
    main()
