"""Which streets have their word in front, and which addresses are numbers? Poland, Colombia, Indonesia, France.

Apart from :mod:`forebay_agents.redaction.detection.recognizers.personal.addresses`, whose streets are named as in
English or end with their word.
"""

from forebay_agents.redaction.detection.recognizers.rules import Rule, RuleRecognizer

_KIND = "LOCATION"
_POLISH = (
    r"(?:os\.|(?<!et )al\.|pl\.|ul\.) ?(?:[A-ZŁŚŻŹĆÓ0-9][\w’'.\-]{0,24} ){1,4}\d{1,4}[A-Za-z]?(?:/\d{1,4}[A-Za-z]?)?"
    r"(?: m\. ?\d{1,4})?(?:, \d\d-\d{3} [A-ZŁŚŻŹĆÓ][\w\-]{1,24}(?: [A-ZŁŚŻŹĆÓ][\w\-]{1,24})?)?(?![\w%€])"
)
_COLOMBIAN = (
    r"\b(?:calle|cl\.?|cll\.?|carrera|cra\.?|kra\.?|kr\.?|cr\.?|diagonal|diag\.?|dg\.?|transversal|transv\.?|tv\.?|"
    r"avenida(?: calle| carrera)?|av\.?(?: cra\.?| calle)?|circular) ?\d{1,3} ?[a-z]{0,2}(?: bis)?(?: [a-z](?= ?#))?"
    r"(?: (?:sur|norte|este|oeste))? ?(?:#|n[°o]\.?|nro\.?) ?\d{1,3} ?[a-z]{0,2}(?: bis)? ?[\-–] ?\d{1,3}"
    r"(?: (?:sur|norte|este|oeste)\b)?(?:,? (?:apto?|apartamento|int|interior|of|oficina|torre|casa)\.? ?\w{1,6}){0,2}"
)
_FRENCH = (
    r"(?<![\w.,])\d{1,4}(?: ?(?:bis|ter|quater|[A-D]))?,? (?i:rue|avenue|av\.|boulevard|bd\.?|quai|chemin|impasse|"
    r"all[ée]e|"
    r"place|cours|square|route|passage|faubourg) "
    r"(?=(?:(?:de|du|des|la|les?|aux?|et|sur|en|[ld]['’]) ?){0,3}[A-ZÀ-Þ0-9])(?:[^\W_][\w’'.\-]{0,24},? ){1,6}\d{5} "
    r"[A-ZÀ-Þ][\w’'\-]{1,30}"
)


def streets() -> RuleRecognizer:
    """Recogniser of streets whose word stands in front."""
    return RuleRecognizer(
        "streets",
        [
            Rule(kind=_KIND, pattern=_POLISH, score=0.7, flags=0, hints=("os.", "al.", "pl.", "ul."), digits=1),
            Rule(
                kind=_KIND,
                pattern=_COLOMBIAN,
                score=0.8,
                hints=("calle ", "cl ", "cl. ", "cll", "carrera ", "cra", "kr", "diag", "transv", "avenida "),
                digits=4,
            ),
            Rule(
                kind=_KIND,
                pattern=r"\bRT ?[./]? ?\d{1,3} ?[/,]? ?RW ?[./]? ?\d{1,3}\b|\bRT ?/ ?RW\.? ?:? ?\d{1,3} ?/ ?\d{1,3}\b",
                score=0.8,
                hints=("rw",),
                digits=2,
            ),
            Rule(
                kind=_KIND,  # "14 bis, quai du Port, 13002 Marseille"
                pattern=_FRENCH,
                score=0.8,
                flags=0,
                hints=("rue ", "avenue ", "boulevard ", "quai ", "chemin ", "impasse ", "allée ", "place ", "cours "),
                digits=5,
            ),
        ],
    )
