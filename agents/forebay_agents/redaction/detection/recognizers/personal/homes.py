"""Where does the one who writes live, come from, work or go? By what is said, where the names model knows few places.

"Mieszkam w Lublinie", "İzmir'de oturuyorum": the verb in the first person and a capital are enough. German is left to
the model: its nouns have capitals as well ("ich lebe in Trennung").
"""

from forebay_agents.redaction.detection.recognizers.rules import Rule

_TOWN = r"(?P<v>[A-ZÀ-ÞĄĆŁŚŹŻ][\w’'-]{2,24}(?: (?:d[eoa]s? |di |del |la |sur )?[A-ZÀ-ÞĄĆŁŚŹŻ][\w-]{2,24})?)"
_RUSSIAN_TOWN = r"(?P<v>[А-ЯЁ][а-яё]{2,24}(?:-[А-ЯЁ][а-яё]{2,24})?(?: [А-ЯЁ][а-яё]{2,24})?)"
_SOON = r"(?:\w{2,12} ){0,2}?"
"""Words between the verb and the place: "lecę jutro do"."""


def _rule(pattern: str, *hints: str) -> Rule:
    return Rule(kind="LOCATION", pattern=pattern, score=0.8, hints=hints, reach=80, flags=0)


HOMES = (
    _rule(
        r"(?:住在|住于|住於|家住)(?!一起|一块|哪|这|那|這|同)(?P<v>[一-龥]{2,8}?)(?=[,,。.!!;;、\s]|\Z)",
        "住在", "住于", "住於", "家住",
    ),
    _rule(
        r"(?<![一-龥ァ-ヶー])(?!一緒|近|海外|田舎|実家|隣)(?P<v>[一-龥ァ-ヶー]{2,10})に"
        r"(?:住んで(?:い|お)?(?:ます|ります)|在住です)(?!か)",
        "住んで", "在住",
    ),
    _rule(
        r"(?<![가-힣])(?!같이|함께|근처|해외)(?P<v>[가-힣]{2,8})에(?:서)? "
        r"(?:살고 있(?:습니다|어요)|살아요|거주(?:하고|합니다|중))",
        "살", "거주",
    ),
    _rule(
        r"(?<!\w)(?P<v>\w{2,24})['’](?:de|da|te|ta|[yn]?[ae]|den|dan|ten|tan|l[iıuü]y[iıuü]z|l[iıuü]y[iıuü]m) ?"
        r"(?:(?:oturuyor|yaşıyor|ikamet ediyor|çalışıyor|uçuyor|gidiyor|taşınıyor|geliyor)u(?:m|z)|doğdu[mk]|"
        r"büyüdü[mk]|taşındı[mk])\b",
        "oturuyor", "yaşıyor", "ikamet", "çalışıyor", "uçuyor", "gidiyor", "taşın", "geliyor", "doğdu", "büyüdü",
    ),
    _rule(
        r"\b(?:[Mm]oro|[Mm]oramos|[Vv]ivemos|[Tt]rabalho|[Rr]esido|[Nn]asci|[Nn]ascemos|[Vv]iajo|[Vv]oo|[Mm]udei(?:-me)?|"
        rf"[Mm]udámo-nos|[Vv]ivo) {_SOON}(?:em|no|na|para|a) {_TOWN}",
        "moro ", "moramos", "vivemos", "trabalho", "resido", "nasci", "nascemos", "viajo", "voo ", "mudei",
        "mudámo", "vivo ",
    ),
    _rule(
        r"\b(?:[Vv]ivo|[Vv]ivimos|[Tt]rabajo|[Rr]esido|[Nn]ací|[Mm]e mudé|[Nn]os mudamos|[Vv]uelo|[Vv]olamos|[Vv]iajo|"
        rf"[Vv]iajamos) {_SOON}(?:en|a) {_TOWN}",
        "vivo ", "vivimos", "trabajo", "resido", "nací", "mudé", "mudamos", "vuelo ", "volamos", "viajo", "viajamos",
    ),
    _rule(
        r"\b(?:[Aa]bito|[Aa]bitiamo|[Vv]ivo|[Vv]iviamo|[Ll]avoro|[Ss]ono nat[oa]|[Ss]ono trasferit[oa]|"
        rf"siamo trasferiti|[Pp]arto|[Pp]artiamo|[Vv]olo) {_SOON}(?:a|ad|per) {_TOWN}",
        "abito", "abitiamo", "vivo ", "viviamo", "lavoro", "sono nat", "trasferit", "parto ", "partiamo", "volo ",
    ),
    _rule(
        r"\b(?:[Jj]['’]habite|[Jj]e vis|[Jj]e travaille|[Jj]e suis née?|ai (?:dé|em)ménagé|[Jj]e pars|[Nn]ous habitons|"
        rf"[Nn]ous vivons|[Oo]n habite|[Nn]ous partons) {_SOON}(?:à|au|aux) {_TOWN}",
        "habit", "je vis", "vivons", "je travaille", "je suis né", "ménagé", "je pars", "partons",
    ),
    _rule(
        r"\b[Ii]k (?:woon|leef|werk|ben geboren|vlieg|reis|ga|verhuis) (?:\w{2,12} ){0,3}?(?:in|naar|te) " + _TOWN,
        "ik woon", "ik leef", "ik werk", "ik ben geboren", "ik vlieg", "ik reis", "ik ga", "ik verhuis",
    ),
    _rule(
        r"\b(?:[Mm]ieszkam|[Mm]ieszkamy|[Pp]racuję|[Uu]rodził[ae]m się|[Pp]rzeprowadził[ae]m się|[Ll]ecę|[Jj]adę|"
        rf"[Ll]ecimy|[Jj]edziemy) {_SOON}(?:do|we?|na) {_TOWN}",
        "mieszkam", "pracuję", "urodził", "przeprowadził", "lecę", "jadę", "lecimy", "jedziemy",
    ),
    _rule(rf"\b(?:[Bb]ydlím|[Bb]ydlíme|[Ll]ocuiesc|[Ll]ocuim) {_SOON}(?:ve?|în) {_TOWN}", "bydlí", "locui"),
    _rule(
        r"(?<!\w)(?:[Жж]ив(?:у|ём|ем)|[Рр]одил(?:ся|ась)|[Пп]ереехал[аи]?|[Лл](?:ечу|етим)|[Ее]д(?:у|ем)|[Рр]аботаю) "
        rf"(?:[а-яё]{{2,14}} ){{0,2}}?(?:во?|на|из) {_RUSSIAN_TOWN}",
        "жив", "родил", "переехал", "лечу", "летим", "еду", "едем", "работаю",
    ),
)  # fmt: skip
