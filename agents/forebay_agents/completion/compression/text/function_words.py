"""Which English words say nothing about the subject? Shared by what compares questions with texts."""

import re

FUNCTION_WORDS = frozenset(
    re.findall(
        r"\S+",
        """
        a an the this that these those such some any each every either neither no not nor and or but if then else
        than as
        of in on at to for from by with without within into onto upon over under about after before during since until
        between among through across against along around behind below beside beyond near off out up down again
        is are was were be been being am do does did doing done has have had having can could should would will shall
        may might must ought
        i me my mine myself we us our ours ourselves you your yours yourself he him his himself she her hers herself it
        its itself they them their theirs themselves one ones
        what which who whom whose when where why how there here
        so too very just also only own same other another both all more most much many few less least several
        please tell give answer question following
        の は が を に で と も へ や か ら れ る す た て い 的 了 是 在 和 有 不 我 你 他 们 吗 呢 什 么 何
        """,
    )
)
"""Lower case."""
