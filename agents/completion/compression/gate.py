"""May this request be shortened at all? Not code and not maths, where any word can be the one that matters."""

import re

_TASKS = re.compile(
    r"code|coding|program|debug|refactor|sql|math|arithm|calcul|algebra|proof|geometr|equation|unit.?test"
)
_CODE = re.compile(
    r"```|\b(?:def|class|function|public static|import|#include|SELECT .+ FROM|INSERT INTO)\b.*[(:;{]"
    r"|\b(?:write|fix|debug|refactor|optimi[sz]e|implement|complete|review)\b.{0,40}\b(?:code|function|program|script|class"
    r"|method|query|regex|algorithm in|snippet|unit tests?)\b|\bin (?:python|java|javascript|typescript|c\+\+|rust|sql)\b",
    re.IGNORECASE,
)
_MATHS = re.compile(
    r"\b(?:solve|simplify|factori[sz]e|differentiate|integrate|evaluate|prove that)\b.*(?:[=^+*/√∫]|\bfor [a-z]\b)"
    r"|\\(?:frac|int|sum|sqrt|begin)\b|\$[^$\n]*[\\^_=][^$\n]*\$|\d\s*[-+*/×÷^]\s*\d+\s*(?:=|\?|$)",
    re.IGNORECASE,
)


def reason_against(task: str | None, instruction: str) -> str | None:
    """``code`` or ``maths`` when nothing may be cut, else ``None``.

    Args:
        task: what the request calls itself, if it does.
        instruction: the last user turn, or the question.
    """
    if task and (found := _TASKS.search(task.lower())):
        return (
            "maths" if found[0] in ("math", "arithm", "calcul", "algebra", "proof", "geometr", "equation") else "code"
        )
    if _CODE.search(instruction):
        return "code"
    return "maths" if _MATHS.search(instruction) else None
