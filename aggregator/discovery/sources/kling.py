"""Kling: the ids of models that its page for programs names. Its prices stand there too, in a form that was not seen
whole, so they are not read.

Read with public quotations of kling.ai/llms.txt (2026-08 to 2026-10); not compared with a live answer.
"""

import re

from aggregator.discovery.found import Found, FoundOffer
from aggregator.discovery.listed import these
from aggregator.discovery.source import Answer, Source

_ID = re.compile(r"\bkling-(?:v?\d(?:[\w.-]*\w)?|(?:video|image)-[\w.-]*\w)", re.IGNORECASE)


def _read(answer: Answer) -> Found:
    names = dict.fromkeys(name.lower() for name in _ID.findall(answer.text))
    if not names:
        raise ValueError("no id of a model is named")
    return Found("kling", answer.asked, tuple(FoundOffer("kling", name) for name in names))


SOURCE = Source(
    name="kling",
    title="Kling's page for programs",
    docs="https://kling.ai/llms.txt",
    checked="2026-11-20",
    read=_read,
    ask=these("/llms.txt"),
    base_url="https://kling.ai",
    needs_key=False,
)
