"""Is a log line one line of plain ASCII, whatever an event, an exception or a library's message quotes?"""

import json
import subprocess
import sys

_PROGRAM = r"""
import logging, structlog
from forebay.observability import logging as ours

ours.configure("info", stage="s\x1b[2J")
evil = "x\x1b]8;;http://x\x07\x7f\x9b\u202e\u2028\ud800\n{\"event\": \"forged\"}\r"
structlog.get_logger().warning("event", subject=evil, **{"k\x7f\u202e": evil})
logging.getLogger("library").warning("said %s", evil)
try:
    raise ValueError(evil)
except ValueError:
    structlog.get_logger().exception("broken")
    logging.getLogger("library").exception("broken")
"""


def test_each_event_is_one_line_of_printable_ascii() -> None:
    done = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, check=True)
    lines = done.stderr.split(b"\n")
    assert lines.pop() == b""
    assert [json.loads(line)["event"][:4] for line in lines] == ["even", "said", "brok", "brok"]
    assert all(0x20 <= byte < 0x7F for line in lines for byte in line)
    assert "\u202e" in json.loads(lines[0])["subject"], "JSON says exactly what was logged"
