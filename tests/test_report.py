"""The report that officials sign: its figures are those of the tables, its text is text, its bytes stay the same."""

import itertools
import re
from dataclasses import replace
from pathlib import Path

import pypdfium2
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lifecircle
from lifecircle import compare, open_study
from lifecircle.asked import AreaBudget, AreaMinimum, Award, Case, Floor, Itinerary, Scenario
from lifecircle.errors import Breach, InfeasibleError
from lifecircle.maps.palette import SHADES, hexed, shade
from lifecircle.maps.report import comparison_report, contents, paper
from lifecircle.maps.report.paper import LONGEST, MISSING, SIZES, Paper
from lifecircle.maps.report.tables import Figures
from lifecircle.mark import BOTH
from lifecircle.publish import published, published_comparison, published_plan
from lifecircle.said import in_chinese
from lifecircle.scenarios import possible_sites, side_by_side, site
from lifecircle.scenarios.asked_in_words import asked_in_words
from test_compare import ADDS, MOVES, write_street

HOMES, ROOMS = {0: 60, 3: 50, 6: 40, 7: 30, 12: 20, 15: 10}, {"c1": 12, "c2": 16}
HOSTILE = "<b>&amp;<img src='x'/> {} %s ${{1}}\n\x1b[31m"
CHINESE = re.compile("[\u4e00-\u9fff]")


def pages_of(report):
    """Return the text of each page, blanks and line breaks left out."""
    with pypdfium2.PdfDocument(report) as document:
        return ["".join(page.get_textpage().get_text_range().split()) for page in document]


def text_of(report):
    return "".join(pages_of(report))


def printed(text):
    return "".join(text.split())


@pytest.fixture(scope="module")
def street(tmp_path_factory):
    return write_street(tmp_path_factory.mktemp("street"), HOMES, ROOMS, more=ADDS + MOVES)


@pytest.fixture(scope="module")
def compared(street):
    return compare(open_study(street))


@pytest.fixture(scope="module")
def report(compared):
    return comparison_report(compared)


def renamed(comparison, names):
    """Return a comparison of which the areas have these names."""
    study = comparison.today.study
    return replace(
        comparison, today=replace(comparison.today, study=replace(study, areas=study.areas.assign(name=names)))
    )


def lines_of(page):
    """Return the height of the type of each line of a page and its box, from top to bottom."""
    text = page.get_textpage()
    lines = {}
    for n in range(text.count_chars()):
        if text.get_text_range(n, 1).strip():
            left, bottom, right, top = text.get_charbox(n, loose=True)
            lines.setdefault(round(bottom), []).append((left, right, top - bottom))
    return [(y, max(height for *_, height in lines[y])) for y in sorted(lines, reverse=True)]


# ------------------------------------------------------------------------------------------------------------- figures


def test_the_report_has_the_figures_of_the_table(compared, report):
    pages, totals = pages_of(report), Figures(compared).totals
    for name, row in totals.iterrows():
        within = f"{row['stations']:.0f}{row['within_8']:,.0f}{row['share_8']:.1%}"
        assert f"{name}{within}{row['won_8']:,.0f}{row['lost_8']:,.0f}" in pages[0]
    assert printed(f"900 {900 / totals.loc['adds', 'change_within_8']:,.0f}") in pages[0], "cost per resident won"


def test_every_finding_that_hangs_on_the_speed_is_told_or_counted(compared, report):
    figures = Figures(compared)
    assert len(figures.hanging)
    for told in list(figures.hang())[1:]:
        assert printed("".join(told)) in text_of(report)


def test_areas_that_gain_come_first_and_those_that_lose_last(compared):
    rows = list(Figures(compared).areas_of("moves", "8"))[1:]
    changes = [float(row[-1]) for row in rows]
    assert changes == sorted(changes, reverse=True)
    assert changes[0] > 0 > changes[-1], "a station that moves leaves somebody behind"


def test_the_report_says_what_is_asked_by_which_inputs_and_leaves_room_to_sign(compared, report):
    text = text_of(report)
    assert compared.today.study.fingerprint in text
    for line in ("Which sites bring the most residents within circle 8", "New stations: at most 1", "Decided by"):
        assert printed(line) in text
    assert len(re.findall("closes", text)) >= 2, "in the legend, and of the station that moves"


def test_a_scenario_that_only_closes_a_street_has_no_table_of_sites(tmp_path):
    more = '[[scenario]]\nname = "dug up"\nclosed = ["w4"]\n'
    text = text_of(comparison_report(compare(open_study(write_street(tmp_path, HOMES, ROOMS, more=more)))))
    assert printed("dug up") in text
    assert printed("No station opens or closes") in text
    assert "Onlyhere" not in text


def test_pages_are_numbered_and_there_are_as_many_as_they_say(report):
    pages = pages_of(report)
    assert [f"{n}of{len(pages)}" in page for n, page in enumerate(pages, start=1)] == [True] * len(pages)


def test_the_same_comparison_gives_the_same_bytes(compared, report):
    assert comparison_report(compared) == report


def test_nothing_in_the_file_leads_anywhere_or_runs(report):
    for sink in (b"/URI", b"/JavaScript", b"/JS", b"/Launch", b"/EmbeddedFile", b"/AA"):
        assert sink not in report


# ------------------------------------------------------------------------------------------------------ text from data


def test_text_from_data_is_printed_as_it_stands_and_is_no_markup(compared):
    hostile = compared.today.study.areas["name"].map(lambda name: f"{name}{HOSTILE}")
    text = text_of(comparison_report(renamed(compared, hostile)))
    assert "east<b>&amp;<imgsrc='x'/>{}%s${{1}}" in text


@pytest.mark.parametrize("name", ["محطة خدمة الحي", "תחנה", "𬭎里", "ཁྲིམས", "👍"])
def test_a_character_without_type_is_a_box_and_the_last_page_says_so(compared, name):
    text = text_of(comparison_report(renamed(compared, [name] * 3)))
    assert MISSING in text
    assert printed("a box stands for a character that this file has no type for") in text


def test_where_every_character_has_type_no_box_is_told_of(report):
    assert MISSING not in text_of(report)


@pytest.mark.parametrize("name", ["x" * 500, "社区" * 250, "w o r d " * 60])
def test_a_name_of_500_characters_is_cut_and_told_to_be(compared, name):
    text = text_of(comparison_report(renamed(compared, [name] * 3)))
    assert printed(name[: LONGEST - 1]) in text
    assert printed(f"names of more than {LONGEST} characters are cut") in text.replace("Names", "names")


@given(st.text(max_size=20), st.sampled_from(["zh", "en"]))
def test_any_text_can_be_set(text, language):
    paper = Paper(language)
    paragraph = paper.text(text)
    assert paragraph.wrap(100, 1000)
    assert paper.missing is (paragraph.getPlainText().count(MISSING) > text.count(MISSING))


# ------------------------------------------------------------------------------------------ made up, published, Chinese


def test_what_is_asked_and_why_there_is_no_plan_go_over_as_many_pages_as_they_take(compared):
    """Nothing stops a comparison at its last step, however much there is to say."""
    study = compared.today.study
    floors = tuple(Floor(0.9, level="community", group=f"group {n}") for n in range(60))
    scenarios = [replace(s, floors=floors) for s in study.settings.scenarios] + [Scenario("none", "most", "8", n_new=1)]
    settings = replace(study.settings, scenarios=tuple(scenarios))
    why = [Breach("floors", "conflict", "an area that nobody can get to, and a long tale of it " * 3)] * 30
    refused = {"none": InfeasibleError("no plan can meet the question", breaches=why)}
    plans = tuple(replace(plan, scenario=scenarios[n]) for n, plan in enumerate(compared.plans))
    today = replace(compared.today, study=replace(study, settings=settings))
    assert comparison_report(replace(compared, today=today, plans=plans, refused=refused)).startswith(b"%PDF")


def test_made_up_data_is_told_on_every_page_and_in_every_map(compared):
    made_up = replace(compared.today, ground=replace(compared.today.ground, synthetic=True))
    pages = pages_of(comparison_report(side_by_side(made_up, compared.plans)))
    assert all(printed(BOTH) in page for page in pages)
    assert sum(page.count(printed(BOTH)) for page in pages) == len(pages) + 1 + 2 * len(compared.plans)


def test_a_published_report_shows_no_small_figure_and_no_fingerprint(compared):
    today = published(compared.today, "k" * 16)
    sites = possible_sites(today)
    plans = [
        published_plan(site(today.study, scenario=s.name, today=today, sites=sites), today)
        for s in today.study.settings.scenarios
    ]
    comparison = published_comparison(side_by_side(today, plans))
    text = text_of(comparison_report(comparison))
    assert "Fingerprint" not in text
    assert printed("small figures are not shown") in text or len(Figures(comparison).hanging)
    notes = comparison.today.notes
    assert notes
    assert all(printed(note.en)[1:] in text for note in notes)
    small = [row for row in Figures(comparison).within("8") for cell in row[2:3] if cell.isdigit() and int(cell) < 25]
    assert small == []


def test_a_report_of_a_chinese_study_has_no_english_word(compared):
    study = compared.today.study
    chinese = replace(study, settings=replace(study.settings, language="zh", name="街"))
    told = replace(compared, today=replace(compared.today, study=replace(chinese, areas=study.areas.assign(name="区"))))
    pages = pages_of(comparison_report(told))
    assert [f"第{n}页，共{len(pages)}页" in page for n, page in enumerate(pages, start=1)] == [True] * len(pages)
    text = "".join(pages).replace(study.fingerprint, "").replace(study.fingerprint[:12], "")
    for line in ("方案比较报告", "步速变化时结论是否成立", "哪些站点使“8”生活圈内的居民最多", "签字"):
        assert line in text
    ours = re.sub("compare.csv|changes.csv|pharmacy|adds|moves", "", text)
    assert re.findall("[A-Za-z]{3,}", ours) == []


# ------------------------------------------------------------------------------------------------------ what is asked

EVERYTHING = Scenario(
    name="all",
    question="most",
    circle="8",
    n_new=3,
    share=0.9,
    also=("15",),
    budget=5000.0,
    area_budget=AreaBudget("community", 3000.0, {"c7": 5000.0}),
    years=(2000.0, 3000.0),
    cost={"shop": 500.0},
    max_moves=2,
    may_close=("s1",),
    keep=("s2",),
    at_least=AreaMinimum("community", 1, or_all=True),
    floors=(Floor(0.8, level="community"), Floor(0.9, group="aged", circle="15", of="reachable")),
    tiers=("household", "main"),
    capacity="whole",
    backup=0.3,
    priority={"aged": 2.0},
    cases=(Case("flood", closed=("w1",)),),
    itinerary=Itinerary(2, ("Mon", "Wed")),
    award=Award(100, 2000.0),
    candidates_from="rooms",
    kinds=("shop",),
)


def test_every_condition_of_a_question_is_told_in_both_languages():
    told = asked_in_words(EVERYTHING)
    assert len(told) == len(EVERYTHING.stated) + 1, "the question has its circle, budgets and floors two lines"
    for line in told:
        assert CHINESE.search(in_chinese(line)), line
        assert not re.match("[a-z_]+: ", line), f"as the file says it: {line}"
    assert (
        "at least 80 % of the residents (everybody) within circle asked for, in each area of the level community"
        in told
    )


@pytest.mark.parametrize("question", ["most", "fewest", "shortest", "fairest"])
def test_every_question_is_asked_in_words(question):
    [asked] = asked_in_words(Scenario("s", question, "8"))
    assert "circle 8" in asked


@pytest.mark.parametrize("height", [545, 630, 715, 800])
def test_no_heading_stands_alone_at_the_foot_of_a_page(compared, monkeypatch, height):
    """Whatever a page holds: it is made shorter, and so ends elsewhere."""
    monkeypatch.setattr(paper, "A4", (paper.A4[0], float(height)))
    monkeypatch.setattr(contents, "MAP_HEIGHT", 90.0)
    with pypdfium2.PdfDocument(comparison_report(compared)) as document:
        assert len(document) > 2
        for page in document:
            *_, last, foot = lines_of(page)
            assert foot[0] < paper.MARGIN
            assert last[1] < 1.1 * SIZES["small heading"], "the last line above the foot is no heading"


def test_nothing_at_the_foot_of_a_page_lies_over_another(compared, monkeypatch):
    """With ten pages and more too, of which the first have numbers of one digit."""
    monkeypatch.setattr(paper, "A4", (paper.A4[0], 330.0))
    monkeypatch.setattr(contents, "MAP_HEIGHT", 60.0)
    chinese = replace(compared.today.study.settings, language="zh")
    today = replace(compared.today, study=replace(compared.today.study, settings=chinese))
    with pypdfium2.PdfDocument(comparison_report(replace(compared, today=today))) as document:
        assert len(document) >= 10
        for number, page in enumerate(document, start=1):
            text = page.get_textpage()
            shown = [n for n in range(text.count_chars()) if text.get_text_range(n, 1).strip()]
            boxes = sorted((text.get_charbox(n), text.get_text_range(n, 1)) for n in shown)
            foot = [(box, character) for box, character in boxes if box[3] < paper.MARGIN]
            assert "".join(character for _, character in foot).endswith(f"第{number}页，共{len(document)}页")
            for (one, _), (other, _) in itertools.pairwise(foot):
                assert other[0] > one[2] - 0.5


def test_usual_names_in_conditions_are_said_in_chinese_and_names_of_the_study_stay():
    told = "\n".join(in_chinese(line) for line in asked_in_words(EVERYTHING))
    assert "老年人 2" in told, "a group that weighs more"
    assert "商店" in told, "a kind of room"
    assert "社区" in told, "a level"
    assert not re.search("aged|shop|community", told.replace("c7", ""))
    own = asked_in_words(replace(EVERYTHING, kinds=("aged care",), priority={"veterans": 2.0}))
    assert any("aged care" in in_chinese(line) for line in own)
    assert any("veterans 2" in in_chinese(line) for line in own)


def test_stations_that_close_are_said_with_one_word_in_chinese():
    source = Path(lifecircle.__file__).parent
    files = [*source.rglob("*.py"), *source.rglob("*.toml")]
    assert [file.name for file in files if "撤并" in file.read_text(encoding="utf-8")] == []


# ------------------------------------------------------------------------------------------------------------- colours


@given(st.floats(0, 1), st.floats(0, 1))
def test_more_residents_in_the_circle_are_never_lighter(some, more):
    some, more = sorted((some, more))
    assert sum(shade(some)) >= sum(shade(more))


def test_colours_end_where_shares_end():
    assert (shade(0.0), shade(1.0), shade(1.2)) == (SHADES[0], SHADES[-1], SHADES[-1])
    assert hexed((25, 82, 143)) == "#19528f"
