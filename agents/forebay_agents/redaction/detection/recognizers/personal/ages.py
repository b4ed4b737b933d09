"""Who is older than 89? Ages in sentences, with a person as their subject (HIPAA names 90 as the border).

The number is looked for first, with what may follow an age; only then the words before it. "she is 95 and lives alone"
is an age; "she is 95 % sure", "it is 95 degrees", "he is 95 minutes late" are none.
"""

from forebay_agents.redaction.detection.recognizers.rules import Rule, RuleRecognizer

_AGE = r"(?:9\d|1[01]\d)"
_WORDS = (
    r"ninety(?:[ \-](?:one|two|three|four|five|six|seven|eight|nine))?|(?:one|a) hundred(?: and (?:one|two|three|"
    r"four|five))?"
)
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
_FOLLOWS = (
    r"(?=\s{0,2}(?:\Z|[!?;)\"'\]—–\n]|\.(?!\d)|,(?!\d)|[:/](?!\d))|\s(?:and|but|now|years? (?:old|young|of age)|yo|"
    r"y/o|so|with|when|who|"
    r"lives?|needs?|has|had|can'?t|cannot|could|this|next (?:week|month|year)|today|tomorrow|already|or|still|because|"
    r"bless|frail|blind|deaf|bed|"
    rf"in {_MONTH}|on {_MONTH}|und|oder|et|mais|y|e|en|jahre|ans|anni|años|jaar|lat)\b)"
)
_ROLE = (
    r"m[uo]m(?:my|ma)?|ma|mother|dad(?:dy)?|father|grand(?:ma|mother|mum|mom|pa|father|ad|dad)|gran(?:ny|ddad)?|nan(?:a|ny)?|nonn[ao]|"
    r"aunt(?:ie|y)?|uncle|wife|husband|spouse|partner|neighbou?r|patient|pensioner|resident|widow(?:er)?|lady|gentleman|"
    r"man|woman|sister|brother|friend|tenant|client|in-law|opa|oma|abuel[ao]|mutter|vater|gro(?:ß|ss)(?:mutter|vater)|"
    r"mère|père|grand-(?:mère|père)|madre|padre|tant[ae]|onkel|tía|tío"
)
_NAME = r"[^\W\d_][\w'’.\-]{1,20}"
_IS = r"(?: is|'s|’s|s| was| turns| turned| will be| just turned| has turned| is turning| is now| ist| est| wird)"
_ADVERB = r"(?: (?:now|only|just|almost|nearly|about|already|over|actually|schon|jetzt|bereits|déjà)){0,2}"
_SUBJECT = (
    rf"(?<!\w)(?=[^\W\d_])(?:(?:(?:he|she|who|they)(?:{_IS}| are| were|'re)|i(?:'m| am)|"
    rf"(?:(?:my|our|his|her|their|the|an?|this|that|your|dein|mein|meine|ma|mon|mi|mia|"
    rf"mio)(?: {_NAME}){{0,2}} )?(?:{_ROLE})"
    rf"(?: {_NAME}){{0,2}},?(?:{_IS})|"
    rf"(?:mr|mrs|ms|miss|dr|sir|herr|frau|señora?|sra?|mme)\.? {_NAME}(?: {_NAME}){{0,2}},?(?:{_IS})|"
    rf"(?:er|sie|elle|il|lei|lui|ella|él|hij|zij|ze|die|der) (?:ist|est|è|is|wird|heeft)){_ADVERB}|"
    rf"(?:{_ROLE})(?: {_NAME}){{0,2}},|"
    r"(?:(?:one|two|some) of (?:us|them|you) (?:is|are|was|were)|"
    r"(?:died|dies|passed(?: away| on)?|lived|living|gestorben|mort|morte|morto|morta|murió|falleció) "
    r"(?:at|to|to be|mit|à|a)|"
    r"at the age of|aged?(?: of)?|turn(?:ed|ing|s)|(?:patient|pt)[ ,:]{1,2}(?:is )?(?:an? )?)) "
)

_CAPITAL = r"[A-ZÀ-ÞŠŽČŁ][^\W\d_][\w'’.\-]{0,20}"
_HENCE = (
    r"so|hence|thus|therefore|i\.e\.|which makes (?:him|her|them)|making (?:him|her|them)|that makes (?:him|her)|now|"
    r"and (?:is |now |so )|also|somit|donc|quindi|dus|por tanto"
)


def ages() -> RuleRecognizer:
    """Recogniser of great ages."""
    return RuleRecognizer(
        "ages",
        [
            Rule(
                kind="AGE",
                pattern=rf"(?:9\d(?<![\w.,:/$€£+\-%]..)|1[01]\d(?<![\w.,:/$€£+\-%]...))(?![\d%°]){_FOLLOWS}",
                lead=_SUBJECT,
                digits=2,
                before=72,
                after=0,
            ),
            Rule(
                kind="AGE",
                pattern=rf"\b(?:{_WORDS})(?!\w){_FOLLOWS}",
                lead=_SUBJECT,
                hints=("ninety", "hundred"),
                before=72,
                after=0,
                reach=60,
            ),
            Rule(
                kind="AGE",
                pattern=rf"\b(?P<v>{_WORDS})[ \-](?:years?[ \-]old|year-old)",
                score=0.8,
                hints=("ninety", "hundred"),
                reach=60,
            ),
            Rule(
                kind="AGE",  # as newspapers write: "Edith Marlow, 94, of Leeds", "Mr Jonas Lind, 96, travelling alone"
                pattern=rf"(?:\b(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Sir|Dame|Lady|Herrn?|Frau|Mme|Sra?|Señora?|Sig|Signora?|Don|Doña)"
                rf"\.?(?: (?:{_CAPITAL}|v[ao]n|de[lnr]?|d[aio]s?|la|el|al|bin|ter)){{1,5}}(?:, | \()(?P<titled>)|"
                rf"\b{_CAPITAL} {_CAPITAL}, )(?P<v>{_AGE})"
                r"(?:, (?:of|from|who|whose|was|is|an?|died|has|had|said|says|lives|lived|needs|travel+ing|living|"
                r"residing|"
                r"suffering|recovering|requiring|fell)\b|(?(titled)[,)](?!\d)|(?!)))",
                score=0.8,
                digits=2,
                flags=0,
                hints=(", 9", ", 1", "(9", "(1"),
            ),
            Rule(
                kind="AGE",  # "born 24.12.1931, so 93 by now"
                pattern=rf"(?<!\d)19[0-3]\d[,;)]{{0,2}} (?:{_HENCE})(?: (?:now|he is|she is|he's|she's|already|about|"
                rf"almost|"
                rf"nearly|aged)){{0,2}},? (?P<v>{_AGE})(?![\w%°]|[.,:]\d)",
                context=r"\bborn\b|birth|\bdob\b|\bgeb\b|geboren|\bnée?\b|nacid[oa]|\bnat[oa]\b",
                digits=4,
                before=72,
                after=0,
                hints=("born", "birth", "dob", "geb", "née ", "né "),
            ),
            Rule(
                kind="AGE",  # "her 95th birthday"
                pattern=rf"\b(?:his|her|my|\w{{2,20}}['’]?s) (?P<v>{_AGE})(?:st|nd|rd|th) birthday\b",
                score=0.8,
                digits=2,
                hints=("birthday",),
            ),
            Rule(
                kind="AGE",  # "Pt 94F"
                pattern=rf"\b(?:pt|patient)\b[:,]? (?:is )?(?:an? )?(?P<v>{_AGE})[ \-]?(?:[mf]|male|female|y\.?o)\b",
                score=0.8,
                digits=2,
                hints=("pt", "patient"),
            ),
            Rule(
                kind="AGE",
                pattern=rf"(?<![\w.\-$€£])(?P<v>{_AGE})[ \-]?(?:y\.o\.|yrs?\b\.?(?: of age)?(?= |[.,;]|\Z)|"
                rf"years of age)",
                context=rf"\b(?:{_ROLE}|he|she|who|age)\b",
                digits=2,
                before=40,
                after=24,
                hints=("y.o", "yr", "years of age"),
            ),
        ],
    )
