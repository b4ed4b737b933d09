"""What do ten thousand people ask, when, and who are they? Drawn from a seed: the same one asks the same things.

Open loop by think time: each of N users waits for an exponential time after every question, whatever became of it. All
of them together are a Poisson process of N / think time, and who asks next is drawn evenly. Questions are drawn by
Zipf, so that few are frequent and most are rare; a question belongs to an application, so to a system prompt or none.
"""

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from forebay_agents.cache.training.pairs import edit
from loadtest.canaries import people
from loadtest.scenarios.questions import questions, zipf
from loadtest.users.hits import Hits
from loadtest.users.prompts import CONTEXT, NOUNS, SYSTEM_PROMPTS

_PEOPLE = 60
_KNOWN = 40
"""Questions that `hits=all` asks: each was asked before by every tenant, with personal data and without."""
_WORDINGS = 6
"""Other wordings of a question: people have habits too."""
_FORMS = (
    "I am {name}, you reach me at {email} or {phone}. {question}",
    "{question} Please write to {email}, {name}.",
    "My name is {name}, card {card}, phone {phone}. {question}",
    "{question} My IBAN is {iban}, my SSN {ssn}. Regards, {name}",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Shares:
    """The mix: shares of requests, or of questions where that is said.

    Attributes:
        paraphrased: in other words than the plainest.
        with_system: of the questions: behind one of a dozen system prompts.
        personal: with a name and other personal data.
        long: with 1.5 kB of context.
    """

    topics: int = 2_000
    exponent: float = 1.1
    paraphrased: float = 0.4
    with_system: float = 0.4
    personal: float = 0.35
    long: float = 0.05
    tenants: int = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """One request: ``due_s`` counts from the begin."""

    number: int
    due_s: float
    tenant: str
    user: str
    text: str
    system: str | None
    deadline_ms: int | None = None


class Users:
    """``count`` people who each ask every ``think_s`` seconds on average.

    Args:
        seed: of everything that is drawn; streams of one seed and another ``stream`` differ.
    """

    def __init__(
        self, count: int, *, think_s: float = 60.0, hits: Hits = Hits.MIX, seed: int = 1, shares: Shares | None = None
    ) -> None:
        self.count = count
        self._think_s = think_s
        self._hits = hits
        self._seed = seed
        self._shares = shares or Shares()
        self._plain = questions(self._shares.topics, seed=seed)
        self._weights = list(itertools.accumulate(zipf(self._shares.topics, self._shares.exponent)))
        self._who = people(_PEOPLE)
        drawn = random.Random(f"applications {seed}")
        self._systems = [
            drawn.choice(SYSTEM_PROMPTS) if drawn.random() < self._shares.with_system else None
            for _ in range(self._shares.topics)
        ]

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.count / self._think_s

    @property
    def secrets(self) -> Sequence[tuple[str, str]]:
        """Kind and value of all personal data that may be in a request."""
        return [(kind, value) for person in self._who for kind, value in person.items()]

    def asking(self, seconds: float, stream: str) -> Iterator[Asked]:
        """What is asked in ``seconds``, in the order of the times when it is due."""
        drawn = random.Random(f"{self._seed} {stream} {self._hits}")
        due_s = drawn.expovariate(self.rate)
        number = 0
        while due_s < seconds:
            yield self._asked(number, due_s, drawn, stream)
            number += 1
            due_s += drawn.expovariate(self.rate)

    def known(self) -> Iterator[Asked]:
        """Every question that ``hits=all`` draws from, once for each tenant: asked before, they are all answered."""
        drawn = random.Random(f"{self._seed} known")
        number = 0
        for topic in range(_KNOWN):
            for tenant in range(self._shares.tenants):
                for personal in (False, True):
                    yield self._request(number, number / self.rate, tenant, topic, self._worded(topic, drawn, personal))
                    number += 1

    def _asked(self, number: int, due_s: float, drawn: random.Random, stream: str) -> Asked:
        shares, hits = self._shares, self._hits
        topics = _KNOWN if hits is Hits.ALL else len(self._plain)
        [topic] = drawn.choices(range(topics), cum_weights=self._weights[:topics])
        other = hits is not Hits.ALL and drawn.random() < shares.paraphrased
        text = self._worded(
            topic, drawn, drawn.random() < shares.personal, drawn.randrange(_WORDINGS) if other else None
        )
        if hits is Hits.NONE:
            text = f"{text} It is about the {' and the '.join(drawn.sample(NOUNS, 3))} of {stream}."
        if hits is not Hits.ALL and drawn.random() < shares.long:
            text = f"{CONTEXT}\n\n{text}"
        return self._request(number, due_s, drawn.randrange(self.count), topic, text)

    def _worded(self, topic: int, drawn: random.Random, personal: bool, wording: int | None = None) -> str:
        text = self._plain[topic]
        if wording is not None:
            text = edit(text, random.Random(f"{topic} {wording}"))
        if personal:
            text = _FORMS[topic % len(_FORMS)].format(question=text, **drawn.choice(self._who))
        return text

    def _request(self, number: int, due_s: float, user: int, topic: int, text: str) -> Asked:
        return Asked(
            number=number,
            due_s=due_s,
            tenant=f"tenant-{user % self._shares.tenants}",
            user=f"user-{user}",
            text=text,
            system=self._systems[topic],
        )
