"""Which part of a context should a question take along? The words of the sentences that may answer it, in a budget.

Sentences get a chance to hold the answer (:mod:`relevance`), their words a share of it and cuts a price (:mod:`worth`),
and the best words within the budget are kept (:mod:`selection`). The budget holds in tokens, in words and in
characters: whoever counts, no more than the share that was asked for is left, but for what is protected.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agents.completion.compression import matching, noise, protection, relevance, selection, tokens, units, worth
from agents.completion.compression import question as questions
from agents.completion.compression.question import Question
from agents.completion.compression.relevance import Array, Embedder
from agents.completion.compression.units import Kind, Sentence, Word

Span = tuple[int, int]
Weight = tuple[int, int, float]

_CANDIDATES = 3.0
"""Sentences are looked into, the most likely first, until they hold this many times the budget."""

_LONGEST_ATOM = 25  # words: a longer quotation is cut rather than dropped whole
_SHORT = 600  # words: in short texts a closer fit to the budget costs little
_SPEAKER_VALUE = 0.2  # of a name's: who speaks is kept for what is said, not for itself
_MARGIN = 0.995  # of the budget: other vocabularies count a little differently
_SELECTED = 0.5  # share of its words from which a sentence counts as selected, and its numbers stay


@dataclass(frozen=True, kw_only=True, slots=True)
class Extract:
    """``kept``: half-open spans of the input, in code points, in order; ``text``: they, joined."""

    text: str
    kept: tuple[Span, ...]
    tokens_before: int
    tokens_after: int


@dataclass(kw_only=True, slots=True)
class _Atom:
    """Words that are kept or dropped together: ``words[first:last]`` of sentence ``sentence``."""

    first: int
    last: int
    sentence: int
    value: float
    cut: float
    cost: float
    number: bool
    says: bool
    forced: bool
    line: int = 0
    speaker: bool = False


def extract(
    text: str, question: str, keep: float, embedder: Embedder | None = None, weights: Sequence[Weight] = ()
) -> Extract:
    """Keep at most the share ``keep`` of ``text``, in tokens and in words and in characters.

    Args:
        weights: parts of the text whose sentences are so many times as likely to matter (1 elsewhere).
    """
    before = tokens.counter()(text)
    words = units.words_of(text)
    atoms = _atoms(text, words, questions.read(question), keep, before, embedder, weights) if words else []
    if not atoms:
        whole = ((0, len(text)),) if text and not words else ()
        return Extract(
            text=text if whole else "", kept=whole, tokens_before=before, tokens_after=before if whole else 0
        )
    kept, after = _fit(text, words, atoms, keep)
    return Extract(
        text="".join(text[start:end] for start, end in kept), kept=kept, tokens_before=before, tokens_after=after
    )


def _fit(text: str, words: Sequence[Word], atoms: Sequence[_Atom], keep: float) -> tuple[tuple[Span, ...], int]:
    """Select until the budget holds in every measure and is nearly spent."""
    limits = [_MARGIN * keep * count for count in tokens.measures(text)]
    blanks = noise.without(noise.blanks(text), protection.spans(text))
    protected = [atom.forced for atom in atoms]
    best: tuple[tuple[Span, ...], int] | None = None
    kept: tuple[Span, ...] = ()
    after, longest = 0, -1
    budget = keep
    price: float | None = None
    for _ in range(8 if len(words) < _SHORT else 4):
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
        if 0.98 <= spent <= 1.0:
            break
        budget *= 0.995 / max(spent, 0.7)
    return best or (kept, after)  # nothing fits when what is protected exceeds the budget by itself


def _without_crumbs(atoms: Sequence[_Atom], mask: Sequence[bool]) -> list[bool]:
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


def _drop_crumbs(atoms: Sequence[_Atom], run: Sequence[int], mask: list[bool]) -> None:
    if not any(atoms[index].says or atoms[index].forced for index in run):
        for index in run:
            mask[index] = False


def _select(
    atoms: Sequence[_Atom], budget: float, forced: Sequence[bool], price: float | None
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


def _companions(atoms: Sequence[_Atom], mask: Sequence[bool]) -> set[int]:
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


def _atoms(
    text: str,
    words: Sequence[Word],
    question: Question,
    keep: float,
    before: int,
    embedder: Embedder | None,
    weights: Sequence[Weight],
) -> list[_Atom]:
    """Everything that may be kept, in the order of the text."""
    sentences = units.sentences_of(words)
    matches = matching.match(words, sentences, question)
    chance = relevance.probabilities(relevance.features(words, sentences, question, matches, embedder))
    for start, end, weight in weights:
        chance[[i for i, s in enumerate(sentences) if start <= words[s.first].start < end]] *= weight
    protected = protection.spans(text)
    forced = _touched(words, protected)
    empty = noise.empty_sentences(text, words, sentences)
    useless = _touched(words, noise.without(noise.markup(text), protected), whole=True) - forced
    useless |= {i for e in empty for i in range(sentences[e].first, sentences[e].last)} - forced
    chosen = _candidates(words, sentences, chance, keep * len(text), forced)
    lines = units.lines_of(words)
    speakers = {index: run for run in units.speakers_of(text, words) for index in range(*run)}
    chosen = _with_speakers(sentences, chosen, lines, {run[0] for run in speakers.values()})
    by_token, by_character = 0.5 / (before or 1), 0.5 / (len(text) or 1)
    found = []
    for index in chosen:
        sentence = sentences[index]
        values = worth.worths(words, sentence, question)
        cuts = worth.cuts(words, sentence)
        unit = chance[index] / (sentence.last - sentence.first)
        for first, last in _groups(sentence, cuts, forced, speakers):
            if first in useless:
                continue
            inside = slice(first - sentence.first, last - sentence.first)
            cost = by_character * (words[last - 1].end - words[first].start)
            cost += by_token * sum(_tokens_of(word.text) for word in words[first:last])
            found.append(
                _Atom(
                    first=first,
                    last=last,
                    sentence=index,
                    value=chance[index] * sum(values[inside]) * (_SPEAKER_VALUE if first in speakers else 1.0),
                    cut=unit * cuts[last - 1 - sentence.first],
                    cost=cost,
                    number=any(word.kind is Kind.NUMBER for word in words[first:last]),
                    says=any(word.kind is not Kind.FUNCTION and not worth.is_filler(word) for word in words[first:last]),
                    forced=first in forced,
                    line=lines[first],
                    speaker=first in speakers,
                )
            )
    return found


def _groups(sentence: Sentence, cuts: Sequence[float], forced: set[int], speakers: Mapping[int, Span]) -> list[Span]:
    """Runs of words between which a cut costs :data:`worth.WHOLE`; forced words stand alone."""
    groups: list[Span] = []
    for index in range(sentence.first, sentence.last):
        joins = (
            index > sentence.first
            and (cuts[index - 1 - sentence.first] >= worth.WHOLE or index in speakers)
            and index - groups[-1][0] < _LONGEST_ATOM
            and (index in forced) == (index - 1 in forced)
            and speakers.get(index) == speakers.get(index - 1)
        )
        if joins:
            groups[-1] = (groups[-1][0], index + 1)
        else:
            groups.append((index, index + 1))
    return groups


def _with_speakers(
    sentences: Sequence[Sentence], chosen: Sequence[int], lines: Sequence[int], openings: set[int]
) -> list[int]:
    """Of lines that open with a speaker, the first sentence has to be at hand when a later one is chosen."""
    if not openings:
        return list(chosen)
    wanted = {lines[sentences[index].first] for index in chosen}
    more = {
        index
        for index, sentence in enumerate(sentences)
        if sentence.first in openings and lines[sentence.first] in wanted
    }
    return sorted(more.union(chosen))


def _touched(words: Sequence[Word], spans: Sequence[Span], whole: bool = False) -> set[int]:
    """Words that one of ``spans`` touches, or, with ``whole``, covers (but for the white space behind them)."""
    found: set[int] = set()
    index = 0
    for start, end in spans:
        while index < len(words) and words[index].end <= start:
            index += 1
        at = index
        while at < len(words) and words[at].start < end:
            word = words[at]
            if not whole or (start <= word.start and word.start + len(word.text.rstrip()) <= end):
                found.add(at)
            at += 1
    return found


def _candidates(
    words: Sequence[Word], sentences: Sequence[Sentence], chance: Array, budget: float, forced: set[int]
) -> list[int]:
    """Sentences worth looking into: the likeliest, and those with anything protected."""
    total = 0
    chosen = set()
    for index in sorted(range(len(sentences)), key=lambda i: (-chance[i], i)):
        if total > _CANDIDATES * budget:
            break
        chosen.add(index)
        total += words[sentences[index].last - 1].end - words[sentences[index].first].start
    if forced:
        chosen |= {i for i, s in enumerate(sentences) if not forced.isdisjoint(range(s.first, s.last))}
    return sorted(chosen)


def _spans(text: str, words: Sequence[Word], atoms: Sequence[_Atom], mask: Sequence[bool]) -> list[Span]:
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


def _tokens_of(word: str) -> int:
    known = _TOKENS.get(word)
    if known is None:
        if len(_TOKENS) > 100_000:
            _TOKENS.clear()
        known = _TOKENS[word] = tokens.counter()(" " + word.rstrip()) + ("\n" in word)
    return known


_TOKENS: dict[str, int] = {}
