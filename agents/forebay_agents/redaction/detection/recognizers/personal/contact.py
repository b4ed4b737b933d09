"""How to write to somebody: e-mail addresses, handles."""

from forebay_agents.redaction.detection.names.words import listed
from forebay_agents.redaction.detection.recognizers.rules import Rule, RuleRecognizer

_TLD = (
    r"(?:com|org|net|edu|gov|io|co|uk|de|fr|es|it|nl|eu|us|ca|au|in|info|biz|me|ch|at|be|se|no|dk|pl|ru|jp|br|mx|"
    r"test|example)"
)


_PROVIDERS = (
    "gmail|googlemail|yahoo|hotmail|outlook|icloud|aol|protonmail|proton|gmx|web|live|msn|fastmail|zoho|comcast|verizon"
)


def contact() -> RuleRecognizer:
    """Recogniser of contact data."""
    return RuleRecognizer(
        "contact",
        [
            Rule(
                kind="EMAIL_ADDRESS",
                pattern=r"(?<![\w.+\-])[\w!#$%&'*+/=?^`{|}~\-]{1,64}+(?:\.[\w!#$%&'*+/=?^`{|}~\-]{1,64}+){0,8}+\.?@"
                r"(?:[^\W_](?:[\w\-]{0,62}+)\.){1,8}[^\W\d_][\w\-]{1,23}",
                score=1.0,
                hints=("@",),
            ),
            Rule(
                kind="EMAIL_ADDRESS",  # a blank slipped in, or a tokeniser was at work
                pattern=r"(?<![\w.+\-])[\w.+\-]{1,64} ?(?:@| ?[\[({<] ?(?:at|@) ?[\])}>]) ?"
                rf"[^\W_][\w\-]{{0,62}}(?: ?(?:\.| ?[\[({{<] ?(?:dot|\.) ?[\])}}>]) ?[\w\-]{{1,62}}){{0,4}}"
                rf" ?(?:\.| ?[\[({{<] ?(?:dot|\.) ?[\])}}>]) ?{_TLD}\b",
                score=0.9,
                hints=("@", "at]", "at)", "at}", "at>", "at )", "at ]"),
            ),
            Rule(
                kind="EMAIL_ADDRESS",  # spelled out
                pattern=r"(?<![\w.+\-])[\w.+\-]{1,64}(?: (?:dot|underscore|dash) [\w\-]{1,40}){0,4} at [\w\-]{2,40}"
                rf"(?: dot [\w\-]{{2,20}}){{0,2}} dot {_TLD}\b",
                score=0.9,
                hints=(" dot ",),
            ),
            Rule(
                kind="EMAIL_ADDRESS",  # a mail provider's name says what "at" means
                pattern=r"(?<![\w.+\-])(?!(?:me|us|him|her|them|you|is|or|and|mail|email|"
                r"contact) )[\w.+\-]{2,64} ?(?:\(at\)|at|@) ?"
                rf"(?:{_PROVIDERS})(?: ?(?:\.|dot) ?| )(?:com|net|org|de|fr|es|it|uk|co\.uk|me|ch)\b",
                score=0.9,
                hints=tuple(_PROVIDERS.split("|")),
            ),
            Rule(
                kind="EMAIL_ADDRESS",
                pattern=rf"(?<![\w.+\-])[\w.+]{{1,64}}[\-_]at[\-_]\w{{1,122}}?(?:-\w{{1,122}}?){{0,2}}?[\-_]dot[\-_]{_TLD}\b",
                score=0.9,
                hints=("at-", "at_"),
            ),
            Rule(
                kind="EMAIL_ADDRESS",  # a quoted local part; a line end after the sign
                pattern=r"\"[^\"\n@]{1,64}\"@[\w.\-]{3,200}|(?<![\w.+\-])[\w.+\-]{1,64}@\n ?"
                rf"[\w\-]{{1,63}}(?:\.[\w\-]{{1,63}}){{0,4}}\.{_TLD}\b",
                score=0.9,
                hints=("@",),
            ),
            Rule(
                kind="USERNAME",
                pattern=r"\b(?:user\s?name|user\s?id|login(?: name)?|screen name|handle|nick(?:name)?|"
                r"gamertag)\b\s*+(?:is|:|=)+\s*+[\"'@]?"
                r"(?P<v>[\w.\-]{3,32})\b",
                score=0.8,
                hints=("user", "login", "handle", "nick", "screen name", "gamertag"),
                check=lambda text: False if text.lower() in _NO_HANDLE else None,
            ),
            Rule(
                kind="USERNAME",  # with a digit or a sign in it: "the user is wrong" names nobody
                pattern=r"\b(?:user|login)(?: (?:is|was)|:)? [\"'`]?"
                r"(?P<v>(?=[a-z]{0,31}[\d_])[a-z][\w.\-]{2,31})\b(?!\()",
                score=0.7,
                hints=("user ", "user:", "login ", "login:"),
                digits=1,
            ),
            Rule(
                kind="USERNAME",
                pattern=r"(?<![\w@.])@(?P<v>[A-Za-z_][\w.]{2,30})\b",
                context=r"twitter|instagram|\binsta\b|\big\b|telegram|tik\s?tok|snap(?:chat)?|discord|facebook|"
                r"\bfollow\b|\bhandle\b",
                hints=("@",),
            ),
        ],
    )


_NO_HANDLE = listed(
    "not the and wrong correct incorrect invalid required missing already taken null none true false string admin root "
    "unknown available case sensitive empty too long short blocked password for that this"
)
