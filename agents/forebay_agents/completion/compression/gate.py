"""May this request be shortened at all? Not code and not maths, where any word can be the one that matters."""

import re

_CODE_TASK = re.compile(r"code|coding|program|debug|refactor|sql|unit.?test")
_MATHS_TASK = re.compile(r"math|arithm|calcul|algebra|proof|geometr|equation")
_CODE = re.compile(
    r"```|^\s*(?:def|class|function|public static|import|#include|SELECT .+ FROM|INSERT INTO)\b.*[(:;{]"
    # An order at the start of a sentence: "Which class did he complete?" is none.
    r"|(?:^|[.!?:]\s+|\bplease |\b(?:can|could|would) you |\bhelp me (?:to )?)"
    r"(?:write|fix|debug|refactor|optimi[sz]e|implement|complete|review)\b.{0,40}"
    r"\b(?:code|function|program|script|class|method|query|regex|snippet|unit tests?)\b"
    r"|\b(?:write|written|code|function|program|script) in (?:python|java|javascript|typescript|c\+\+|rust|sql)\b",
    re.IGNORECASE | re.MULTILINE,
)
_MATHS = re.compile(
    r"\b(?:solve|simplify|factori[sz]e|differentiate|integrate|evaluate|prove that)\b.*[=^+*√∫]"
    r"|\\(?:frac|int|sum|sqrt|begin)\b|\$[^$\n]*[\\^_=][^$\n]*\$|\d\s*[-+*×÷^]\s*\d+\s*(?:=|\?|$)",
    re.IGNORECASE,
)


def reason_against(task: str | None, instruction: str) -> str | None:
    """``code`` or ``maths`` when nothing may be cut, else ``None``.

    Args:
        task: what the request calls itself, if it does.
        instruction: the last user turn, or "" to go by the task alone.
    """
    label = (task or "").lower()
    if _CODE_TASK.search(label) or _CODE.search(instruction):
        return "code"
    return "maths" if _MATHS_TASK.search(label) or _MATHS.search(instruction) else None
