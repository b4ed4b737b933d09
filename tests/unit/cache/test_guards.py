"""Which differences are seen, and which of them forbid a hit."""

import pytest

from forebay_agents.cache.language.facts import facts_of
from forebay_agents.cache.matching.guards import GUARDS, differences

FORBIDDEN = [
    ("numbers", "How do I install Python 3.8?", "How do I install Python 3.11?"),
    ("numbers", "What is 15 percent of 80?", "What is 20 percent of 80?"),
    ("numbers", "Which phone is good?", "Which phone is good under 200?"),
    ("units", "How far is it in miles?", "What is the distance in kilometers?"),
    ("units", "How much is 50 euros?", "How much is 50 yen?"),
    ("names", "What is the capital of Germany?", "What is the capital of France?"),
    ("names", "What is the capital of Niger?", "What is the capital of Nigeria?"),
    ("names", "What is the capital of Slovakia?", "What is the capital of Slovenia?"),
    ("names", "What is the capital of Austria?", "What is the capital of Australia?"),
    ("verbatim", "What does `ls -l` do?", "What does `ls -a` do?"),
    ("pseudonyms", "Write to <PERSON_1>.", "Write to <PERSON_2>."),
    ("pseudonyms", "Should <PERSON_1> pay <PERSON_2>?", "Should <PERSON_2> pay <PERSON_1>?"),
    ("negation", "Which foods can I eat?", "Which foods can I not eat?"),
    ("negation", "How do I travel with a visa?", "How do I travel without a visa?"),
    ("polarity", "How do I enable 2FA?", "How do I disable two-factor authentication?"),
    ("polarity", "Should I stretch before running?", "Is it good to stretch after a run?"),
    ("polarity", "How do I subscribe?", "How do I unsubscribe?"),
    ("direction", "Trains from Rome to Milan?", "Trains from Milan to Rome?"),
    ("direction", "Convert euros to dollars", "Convert dollars to euros"),
    ("direction", "Can a dog bite a cat?", "Can a cat bite a dog?"),
    ("direction", "May I pay one bill with several cards?", "May I pay several bills with one card?"),
    ("direction", "Can I fish in Peru with a Chilean permit?", "Can I fish in Chile with a Peruvian permit?"),
    ("polarity", "Is glass heavier than wood?", "Is glass lighter than wood?"),
    ("polarity", "May I leave after the show?", "May I leave during the show?"),
    ("question_type", "Who painted the ceiling?", "When was the ceiling painted?"),
    ("numbers", "Is two weeks enough?", "Is two months enough?"),
    ("numbers", "Is Python 3.1 old?", "Is Python 3.10 old?"),
    ("verbatim", "How do I restore /etc?", "How do I restore /etc/hosts?"),
    ("comparison", "Is tea healthier than coffee?", "Is coffee healthier than tea?"),
    ("comparison", "Is it true that tin is lighter than zinc?", "Would you say zinc is lighter than tin?"),
    ("quantifier", "What is the cheapest phone?", "Which phone is the fastest one?"),
    ("quantifier", "Do all birds fly?", "Do birds fly?"),
    ("quantifier", "What is the minimum deposit?", "What is the maximum deposit?"),
    ("question_type", "When did the empire fall?", "Why did the empire fall?"),
    ("timely", "What is the latest version?", "What is the latest version?"),
]

SEEN_BUT_NOT_DECISIVE = [
    ("verbatim", 'What does "war" mean?', "What does software mean?"),
    (
        "numbers",
        "Is this normal for a toddler?",
        "My son of 3 keeps snoring loudly, should we see a doctor?",
    ),
    ("negation", "Are there natural remedies for anxiety?", "How do I handle my fears without drugs?"),
    ("quantifier", "Which language should I learn first, C or Go?", "Does a beginner start with Go or C?"),
    ("question_type", "How does mononucleosis spread?", "Where do people usually catch glandular fever?"),
]

NOT_DECISIVE = [
    ("negation", "How do I teach a dog not to bite?", "How do I get a dog to stop biting?"),
    ("question_type", "Where do I set the password?", "How do I set the password?"),
    ("quantifier", "How can I get there fast?", "What is the quickest way to get there?"),
]

NOT_SEEN = [
    ("negation", "May I eat with a fever?", "Fever: is eating fine or not?"),
    ("negation", "Should I move to Oslo?", "I can't decide whether to move to Oslo. Should I?"),
    ("quantifier", "May I swap the butter?", "Is it all right to swap the butter?"),
    ("quantifier", "Which sport is toughest?", "Of all sports, which is the hardest?"),
    ("quantifier", "Which is the most spoken language?", "Which language is spoken most?"),
    ("quantifier", "What is the maximum dose?", "max dose?"),
    ("quantifier", "What is the cheapest way to pay abroad?", "How do I pay abroad at the lowest cost?"),
    ("question_type", "Why does my heart pound on my left side?", "When I lie on my left side my heart pounds, why?"),
    ("question_type", "Why has Ireland no snakes?", "How come Ireland has no snakes?"),
    ("direction", "What medicines cause hair loss?", "Hair loss: what medicines cause it?"),
    (
        "direction",
        "Can I go to Canada with a fine from eight years ago?",
        "I had a fine eight years ago. Can I go to Canada?",
    ),
    ("verbatim", 'What did he mean by "God is dead"?', "When he said that God is dead, what did he mean?"),
    ("numbers", "How long do three eggs boil?", "How long do 3 eggs boil?"),
    ("numbers", "Is 10,000 a lot?", "Is 10000 a lot?"),
    ("numbers", "Was World War II longer?", "Was world war 2 longer?"),
    ("numbers", "A phone below 15k?", "A phone below 15000?"),
    ("numbers", "Is two weeks enough?", "Are 14 days enough?"),
    ("units", "Is two weeks enough?", "Are 14 days enough?"),
    ("numbers", "Can 48 hours do?", "Can two days do?"),
    ("numbers", "Who has a hundred million users?", "Who has 100 million users?"),
    ("numbers", "Is fifty-five old?", "Is 55 old?"),
    ("numbers", "Half a dozen eggs", "6 eggs"),
    ("numbers", "Is ten grand enough?", "Is 10,000 enough?"),
    ("names", "Which cities of Italy are old?", "Which Italian cities are old?"),
    ("names", "Do they speak Dutch?", "What do they speak in the Netherlands?"),
    ("names", "Is my Samsung broken?", "Has my Samsnug a defect?"),
    ("polarity", "Can I build it with no tools?", "Can I build it without tools?"),
    ("polarity", "Is silk cheaper than wool?", "Is wool more expensive than silk?"),
    ("polarity", "Which is the cheapest car?", "Which is the least expensive car?"),
    ("quantifier", "Which is the cheapest car?", "Which is the least expensive car?"),
    ("question_type", "Where does gout come from?", "What causes gout?"),
    ("polarity", "Is Latin hard to learn?", "How easy is Latin?"),
    ("polarity", "Is it safe to swim here?", "Is it dangerous to swim here?"),
    ("polarity", "What cures an ingrown nail?", "My nail has grown in, what cures it?"),
    ("comparison", "Is silk lighter than wool?", "Is wool heavier than silk?"),
    ("direction", "In Rome, where may I park?", "Where may I park in Rome?"),
    ("direction", "How do I get from Bonn to Ulm?", "How do I get to Ulm from Bonn?"),
    ("direction", "Are there trains from Bonn to Ulm?", "Is there a train going to Ulm out of Bonn?"),
    ("quantifier", "Is it healthy every day?", "Is it healthy daily?"),
    ("units", "Is 10 km far?", "Is 10 kilometers far?"),
    ("names", "Who runs the US?", "Who runs America?"),
    ("names", "Is the UK big?", "Is the United Kingdom big?"),
    ("polarity", "Is it better with or without sugar?", "Is it better without or with sugar?"),
    ("direction", "What is the difference between tea and coffee?", "What is the difference between coffee and tea?"),
    ("quantifier", "What is the best phone?", "Which phone should I buy?"),
    ("quantifier", "Which car is the costliest?", "Which car is the most expensive?"),
    ("question_type", "How do I leave?", "What is the way to leave?"),
    ("timely", "I take bloodwork tomorrow, may I eat?", "May I eat before my bloodwork?"),
    ("timely", "How do weather and climate differ?", "What sets climate apart?"),
]


@pytest.mark.parametrize(("code", "a", "b"), FORBIDDEN)
def test_decisive_differences_forbid_both_ways_round(code: str, a: str, b: str) -> None:
    assert code in differences(facts_of(a), facts_of(b)).decisive
    assert code in differences(facts_of(b), facts_of(a)).decisive


@pytest.mark.parametrize(("code", "a", "b"), SEEN_BUT_NOT_DECISIVE)
def test_a_detail_of_one_story_only_counts_against_the_score(code: str, a: str, b: str) -> None:
    found = differences(facts_of(a), facts_of(b))
    assert code in found.seen
    assert code not in found.decisive


@pytest.mark.parametrize(("code", "a", "b"), NOT_DECISIVE)
def test_another_way_to_say_it_never_forbids(code: str, a: str, b: str) -> None:
    assert code not in differences(facts_of(a), facts_of(b)).decisive


@pytest.mark.parametrize(("code", "a", "b"), NOT_SEEN)
def test_other_spellings_of_the_same_are_no_difference(code: str, a: str, b: str) -> None:
    assert code not in differences(facts_of(a), facts_of(b)).seen


@pytest.mark.parametrize("code", sorted(set(GUARDS) - {"timely"}))
def test_a_question_never_differs_from_itself(code: str) -> None:
    for _, a, b in FORBIDDEN + NOT_SEEN:
        for text in (a, b):
            assert code not in differences(facts_of(text), facts_of(text)).seen


def test_every_guard_has_a_case() -> None:
    assert {code for code, _, _ in FORBIDDEN} == set(GUARDS)
