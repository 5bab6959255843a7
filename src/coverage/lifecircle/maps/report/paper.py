"""Type, tables and pages of A4. Text from data is text here, never markup.

Nothing is embedded: Chinese is set in the Song face that the format itself names, which every usual viewer draws with
a font of its own, Latin letters in Helvetica. A character that neither has is printed as a box, and told.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.colors import Color
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.pdfmetrics import registerFont, stringWidth
from reportlab.platypus import CallerMacro, Flowable, Paragraph, SimpleDocTemplate, Table

from lifecircle.errors import printable
from lifecircle.maps.palette import INK, NOBODY, SITE, SOFT, Colour
from lifecircle.maps.words import LOCALES

MARGIN = 17 * mm
WIDTH = A4[0] - 2 * MARGIN
"""Of the text, points."""

HEIGHT = A4[1] - 2 * MARGIN - 24
"""That a thing on a page may have, points."""

LATIN, BOLD, CHINESE = "Helvetica", "Helvetica-Bold", "STSong-Light"
MISSING = "□"
"""What is printed in the place of a character that no font here has."""

LONGEST = 48
"""Characters of a name that are printed; a longer one is cut, and ends in dots."""

SIZES = {"title": 18, "heading": 12.5, "small heading": 10, "text": 8.8, "small": 7.4}
"""Of type, points."""

MOST_PAGES = "888"
"""As wide as the number of all pages may be."""

PAGES = "pages"
"""Name of the form that says how many pages there are, known when the last is drawn."""


@dataclass(eq=False)
class Paper:
    """Sets text in a language, "zh" or "en"; ``missing`` tells whether a character had to be printed as a box."""

    language: str
    missing: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        """Make the Chinese face known, which is done once and for all."""
        registerFont(UnicodeCIDFont(CHINESE))

    def text(self, text: object, style: str = "text", *, colour: Colour = INK, right: bool = False) -> Any:
        """Return a paragraph of a text in one of `SIZES`."""
        size, is_heading = SIZES[style], style not in ("text", "small")
        latin = BOLD if is_heading and self.language != "zh" else LATIN  # the Song face has one weight
        face = ParagraphStyle(
            style,
            fontName=latin,
            fontSize=size,
            leading=size * 1.36,
            textColor=colour_of(colour),
            alignment=2 if right else 0,
            wordWrap="CJK" if self.language == "zh" else None,
            spaceBefore=size * 0.9 if is_heading else 0,
            spaceAfter=size * 0.35,
            keepWithNext=is_heading,
        )
        return Paragraph(self.set(str(text), latin), face)

    def set(self, text: str, latin: str = LATIN) -> str:
        """Return a text as markup that says nothing but which face each character is in."""
        runs = groupby(printable(text), key=self._face)
        return "".join(self._run(face, "".join(run), latin) for face, run in runs)

    def table(self, rows: Iterable[Sequence[object]], widths: Sequence[float], *, left: int = 1) -> Any:
        """Return a table; its first row are headings and stand on every page that it runs over.

        Parameters
        ----------
        rows
            Texts and figures, or what `text` returned, one or several.
        widths
            Parts of `WIDTH` by which the columns go.
        left
            How many columns of words there are, before those of figures.
        """
        heading, *others = rows
        cells = [[self.text(each, "small", colour=SOFT, right=n >= left) for n, each in enumerate(heading)]]
        cells += [[self._cell(each, n >= left) for n, each in enumerate(row)] for row in others]
        rule, thin = colour_of(INK), colour_of(NOBODY)
        return Table(
            cells,
            colWidths=[WIDTH * width / sum(widths) for width in widths],
            repeatRows=1,
            splitInRow=1,
            spaceAfter=6,
            style=[
                ("LINEABOVE", (0, 0), (-1, 0), 0.8, rule),
                ("LINEBELOW", (0, 0), (-1, 0), 0.4, rule),
                ("LINEBELOW", (0, 1), (-1, -2), 0.25, thin),
                ("LINEBELOW", (0, -1), (-1, -1), 0.8, rule),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LEFTPADDING", (0, 0), (-1, -1), 2),
                ("RIGHTPADDING", (0, 0), (-1, -1), 3),
                ("TOPPADDING", (0, 0), (-1, -1), 2),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 0),
            ],
        )

    def _cell(self, value: object, right: bool) -> Any:
        return value if isinstance(value, Flowable | list) else self.text(cut(str(value)), right=right)

    def _face(self, character: str) -> str:
        if character.isascii() or (self.language != "zh" and is_latin(character)):
            return LATIN
        if is_chinese(character):
            return CHINESE
        return LATIN if is_latin(character) else MISSING

    def _run(self, face: str, run: str, latin: str) -> str:
        if face == MISSING:
            self.missing, face, run = True, CHINESE, MISSING * len(run)
        return f'<font name="{latin if face == LATIN else face}">{escape(run)}</font>'


def cut(text: str, longest: int = LONGEST) -> str:
    """Return a text, or as much of it as is printed."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def is_latin(character: str) -> bool:
    """Return whether Helvetica has a character."""
    return _is_in(character, "cp1252")


def is_chinese(character: str) -> bool:
    """Return whether the Song face has a character: those of GBK, and the rarer ones of GB 18030's extension A."""
    return _is_in(character, "gbk") or "\u3400" <= character <= "\u4db5"


def _is_in(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def colour_of(colour: Colour) -> Any:
    """Return a colour as the library takes it."""
    return Color(*(part / 255 for part in colour))


def printed(
    story: Sequence[Any],
    paper: Paper,
    *,
    title: str,
    foot: str,
    page_of: Callable[[int], str],
    after: str,
    mark: str,
) -> bytes:
    """Return pages as a PDF: the same bytes for the same contents.

    Parameters
    ----------
    story
        What stands on them, from top to bottom.
    paper
        What their text is set by.
    title, foot
        Of the file, and at the foot of each page.
    page_of, after
        Returns what stands before the number of all pages, given that of one; and what stands after it.
    mark
        What stands at the head of each page; empty for none.
    """
    size = SIZES["small"]

    def line(canvas: Any, text: str, x: float, y: float, *, right: bool = False, colour: Colour = SOFT) -> float:
        face = ParagraphStyle("line", fontName=LATIN, fontSize=size, leading=size, textColor=colour_of(colour))
        paragraph = Paragraph(paper.set(text), face)
        paragraph.wrapOn(canvas, WIDTH, size)
        wide: float = paragraph.getActualLineWidths0()[0] if text else 0.0
        paragraph.drawOn(canvas, x - wide if right else x, y)
        return wide

    def frame(canvas: Any, document: Any) -> None:
        canvas.saveState()
        low, edge = MARGIN - 14, A4[0] - MARGIN
        line(canvas, foot, MARGIN, low)
        # How many pages there are is known at the end: there is room for three digits of any width.
        edge -= stringWidth(MOST_PAGES, LATIN, size) + stringWidth(after, CHINESE, size)
        canvas.translate(edge, low)
        canvas.doForm(PAGES)
        canvas.translate(-edge, -low)
        line(canvas, page_of(document.page), edge - 2, low, right=True)
        if mark:
            line(canvas, mark, A4[0] - MARGIN, A4[1] - MARGIN + 6, right=True, colour=SITE)
        canvas.restoreState()

    def count(last: Any) -> None:
        canvas = last.canv
        pages = str(canvas.getPageNumber())
        canvas.beginForm(PAGES)
        canvas.setFont(LATIN, size)
        canvas.setFillColor(colour_of(SOFT))
        canvas.drawString(0, 0, pages)
        if after:
            canvas.setFont(CHINESE, size)
            canvas.drawString(stringWidth(pages, LATIN, size), 0, after)
        canvas.endForm()

    file = io.BytesIO()
    document = SimpleDocTemplate(
        file,
        pagesize=A4,
        title=printable(title),
        lang=LOCALES[paper.language],
        invariant=1,
        **dict.fromkeys(("leftMargin", "rightMargin"), MARGIN - 6),
        **dict.fromkeys(("topMargin", "bottomMargin"), MARGIN),
    )
    document.build([*story, CallerMacro(count)], onFirstPage=frame, onLaterPages=frame)
    return file.getvalue()
