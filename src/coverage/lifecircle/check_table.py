"""All that a check found as one table: a row for each thing, to sort and to filter, and to work off."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from lifecircle import check_words
from lifecircle.errors import Breach, printable
from lifecircle.rules import done_with, rule_of
from lifecircle.said import Said, in_language
from lifecircle.schema import sheet_and_row


def findings_table(findings: Sequence[Breach], *, language: str) -> pd.DataFrame:
    """Return one row for each id of each finding, and one for a finding without ids.

    Parameters
    ----------
    language
        Of the headings and words, "zh" or "en".

    Returns
    -------
    DataFrame
        The columns of `check_words.COLUMNS`, of text but for the number of the finding, which is its line on the page.
        What is not known is empty.
    """
    which = 0 if language == "zh" else 1
    tables = [_rows(number, finding, language, which) for number, finding in enumerate(findings, start=1)]
    table = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=[*check_words.COLUMNS])
    return table.rename(columns={key: check_words.TEXTS[key][which] for key in check_words.COLUMNS})


def _rows(number: int, finding: Breach, language: str, which: int) -> pd.DataFrame:
    rule = rule_of(finding.rule)
    words = rule.zh if language == "zh" else rule.en
    ids = finding.ids or ("",)
    cells = finding.values or [""] * len(ids)  # noqa: PD011 - a tuple of texts
    places = [sheet_and_row(place) or ("", "") for place in finding.rows or ids]
    columns = {
        "number": number,
        "kind": check_words.SEVERITIES[finding.severity][which],
        "layer": check_words.LAYERS[finding.layer][which],
        "rule": words.title,
        "file": printable(finding.file),
        "sheet": [printable(sheet) for sheet, _ in places],
        "row": [row for _, row in places],
        "column": printable(finding.column),
        "id": [printable(in_language(i, language) if isinstance(i, Said) else i) for i in ids],
        "value": [printable(cell) for cell in cells],
        "message": printable(in_language(finding.message, language)),
        "done": check_words.DONE[done_with(finding)][which],
        "advice": words.advice,
    }
    return pd.DataFrame(columns, index=range(len(ids)))
