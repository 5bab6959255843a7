"""Renew the table of README that says which headings are known: ``python tests/headings.py``."""

import re
from pathlib import Path

from lifecircle.readers.aliases import _POSITION, ALIASES
from lifecircle.schema import LAYERS, STREET_TAGS

README = Path(__file__).resolve().parent.parent / "README.md"
BLOCK = re.compile(r"(?<=<!-- headings -->\n\n).*?(?=\n\n<!-- /headings -->)", re.DOTALL)


def headings_table():
    """Return every column of every layer and what it may be called, as a table in Markdown."""
    rows = {}
    for ours, theirs in _POSITION.items():
        rows.setdefault((ours, theirs), []).append("all with places")
    for layer, rules in LAYERS.items():
        tags = {*STREET_TAGS} - {*ALIASES[layer]} if layer == "streets" else set()
        for ours in dict.fromkeys([c.name for c in rules.columns if c.name not in tags] + [*ALIASES[layer]]):
            rows.setdefault((ours, tuple(ALIASES[layer].get(ours, ()))), []).append(layer)
    lines = [f"| {', '.join(of)} | `{ours}` | {', '.join(theirs) or '-'} |" for (ours, theirs), of in rows.items()]
    return "\n".join(["| layer | column | also known as |", "| --- | --- | --- |", *lines])


if __name__ == "__main__":
    README.write_text(BLOCK.sub(lambda _: headings_table(), README.read_text("utf-8")), encoding="utf-8")
