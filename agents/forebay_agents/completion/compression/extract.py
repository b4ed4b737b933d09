"""Which part of a context should a question take along? The words of the sentences that may answer it, in a budget.

The text is taken apart (:mod:`atoms`) and the best words within the budget are kept (:mod:`selection`). The budget
holds in tokens, words, characters and two rough counts more (:func:`tokens.measures`): whoever counts, no more than the
share that was asked for is left, but for what is protected.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from forebay_agents.completion.compression.text import noise, protection, tokens, units
from forebay_agents.completion.compression.text import question as questions
from forebay_agents.completion.compression.text.units import Word
from forebay_agents.completion.compression.valuation import selection
from forebay_agents.completion.compression.valuation.atoms import Atom, Span, Weight, atoms_of

_SHORT = 600  # words: in short texts a closer fit to the budget costs little
_ATTEMPTS = 16
_MARGIN = 0.995  # of the budget: other vocabularies count a little differently
_SELECTED = 0.5  # share of its words from which a sentence counts as selected, and its numbers stay


@dataclass(frozen=True, kw_only=True, slots=True)
class Extract:
    """``kept``: half-open spans of the input, in code points, in order; ``text``: they, joined."""

    text: str
    kept: tuple[Span, ...]
    tokens_before: int
    tokens_after: int


def extract(text: str, question: str, keep: float, weights: Sequence[Weight] = ()) -> Extract:
    """Keep at most the share ``keep`` of ``text``, in tokens and in words and in characters.

    Args:
        weights: parts ``(start, end, factor)`` of the text whose sentences are so many times as likely to matter
            (1 elsewhere).
    """
    if keep >= 1:
        before = tokens.counter()(text)
        return Extract(text=text, kept=((0, len(text)),) if text else (), tokens_before=before, tokens_after=before)
    counts = tokens.measures(text)
    before = counts[0]
    words = units.words_of(text)
    protected = protection.spans(text)
    atoms = atoms_of(text, words, questions.read(question), keep, before, protected, weights) if words else []
    if not atoms:
        return Extract(text="", kept=(), tokens_before=before, tokens_after=0)
    limits = [_MARGIN * keep * count for count in counts]
    kept, after = _fit(text, words, atoms, keep, limits, noise.without(noise.idle(text), protected))
    return Extract(
        text="".join(text[start:end] for start, end in kept), kept=kept, tokens_before=before, tokens_after=after
    )


def _fit(
    text: str,
    words: Sequence[Word],
    atoms: Sequence[Atom],
    keep: float,
    limits: Sequence[float],
    blanks: Sequence[Span],
) -> tuple[tuple[Span, ...], int]:
    """Select until the budget holds in every measure and is nearly spent."""
    protected = [atom.forced for atom in atoms]
    best: tuple[tuple[Span, ...], int] | None = None
    longest = -1
    enough = 8 if len(words) < _SHORT else 4
    budget = keep
    price: float | None = None
    for attempt in range(_ATTEMPTS):
        mask, price = _select(atoms, budget, protected, price)
        companions = _companions(atoms, mask)
        if companions:
            forced = [stays or index in companions for index, stays in enumerate(protected)]
            mask, price = _select(atoms, budget, forced, price)
        kept = tuple(noise.without(_spans(text, words, atoms, _without_crumbs(atoms, mask)), blanks))
        short = "".join(text[start:end] for start, end in kept)
        counts = tokens.measures(short)
        after = counts[0]
        spent = max(count / (limit or 1.0) for count, limit in zip(counts, limits, strict=True))
        if spent <= 1.0 and len(short) > longest:
            best, longest = (kept, after), len(short)
        if 0.98 <= spent <= 1.0 or (best and attempt + 1 >= enough):
            break
        budget *= (0.995 if attempt < enough else 0.97) / max(spent, 0.7)
    if best is None:  # what is protected may exceed the budget by itself
        kept = tuple(noise.without(_spans(text, words, atoms, protected), blanks))
        return kept, tokens.counter()("".join(text[start:end] for start, end in kept))
    return best


def _without_crumbs(atoms: Sequence[Atom], mask: Sequence[bool]) -> list[bool]:
    """``mask`` less what says nothing by itself: runs of empty words, and the names of those who say nothing."""
    result = list(mask)
    run: list[int] = []
    for index, atom in enumerate(atoms):
        if run and (not mask[index] or atom.sentence != atoms[run[-1]].sentence):
            _drop_crumbs(atoms, run, result)
            run = []
        if mask[index] and not atom.speaker:
            run.append(index)
    _drop_crumbs(atoms, run, result)
    heard = {atom.line for atom, kept in zip(atoms, result, strict=True) if kept and not atom.speaker}
    return [kept and (not atom.speaker or atom.line in heard) for atom, kept in zip(atoms, result, strict=True)]


def _drop_crumbs(atoms: Sequence[Atom], run: Sequence[int], mask: list[bool]) -> None:
    if not any(atoms[index].says or atoms[index].forced for index in run):
        for index in run:
            mask[index] = False


def _select(
    atoms: Sequence[Atom], budget: float, forced: Sequence[bool], price: float | None
) -> tuple[list[bool], float]:
    return selection.select(
        [atom.value for atom in atoms],
        [atom.cut for atom in atoms],
        [atom.cost for atom in atoms],
        budget,
        forced,
        gates if any(gates := [atom.speaker for atom in atoms]) else None,
        price,
    )


def _companions(atoms: Sequence[Atom], mask: Sequence[bool]) -> set[int]:
    """What was about to go but has to stay: numbers of sentences that are selected."""
    size: Counter[int] = Counter()
    left: Counter[int] = Counter()
    for atom, kept in zip(atoms, mask, strict=True):
        size[atom.sentence] += atom.last - atom.first
        left[atom.sentence] += (atom.last - atom.first) * kept
    return {
        index
        for index, atom in enumerate(atoms)
        if not mask[index] and atom.number and left[atom.sentence] >= _SELECTED * size[atom.sentence]
    }


def _spans(text: str, words: Sequence[Word], atoms: Sequence[Atom], mask: Sequence[bool]) -> list[Span]:
    """Kept atoms as spans, neighbours joined, without white space at the end; speakers begin a line."""
    spans: list[Span] = []
    for atom, kept in zip(atoms, mask, strict=True):
        if not kept:
            continue
        start, end = words[atom.first].start, words[atom.last - 1].end
        if atom.speaker and spans and "\n" not in text[spans[-1][1] - 1 : spans[-1][1]]:
            newline = text.rfind("\n", spans[-1][1], start)
            if newline >= 0:
                start = newline if newline + 1 == start else start
                spans += [(newline, newline + 1)] if newline + 1 < start else []
        if spans and spans[-1][1] == start:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    while spans and not text[spans[-1][0] : spans[-1][1]].strip():
        spans.pop()
    if spans:
        start, end = spans[-1]
        spans[-1] = (start, start + len(text[start:end].rstrip()))
    return spans
