"""How are digits in groups matched, without trying every way to cut them into groups?

``(?:[ -]?\\d{2,5}){1,5}`` reads twenty digits in a row in a thousand ways before it gives up. What matters of a run of
digits is only whether it can be cut, and into how few groups: so each is cut in one way, into the fewest. That finds
the same where a match may not end inside a run, as all that use this see to.
"""


def fewest(least: int, most: int) -> str:
    """Pattern of a group of ``least`` (1 or 2) to ``most`` digits that cuts a run of digits into the fewest groups."""
    if least == 1:
        return rf"\d{{1,{most}}}+"
    # A full group, but not if a single digit would remain; then one digit less; and what is left.
    return rf"(?:\d{{{most}}}(?!\d(?!\d))|\d{{{most - 1}}}(?=\d\d(?!\d))|\d{{2,{most}}}+(?!\d))"
