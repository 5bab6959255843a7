"""The check: every rule in plain words of two languages, the places on a map, strict mode, and what Python warns of."""

import ast
import csv
import json
import re
import warnings
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

import lifecircle
from lifecircle import assign, check_words, cover, errors, open_study, site
from lifecircle.errors import KEPT_PLACES, Breach, DegradedWarning, SchemaError
from lifecircle.maps import check_page
from lifecircle.readers.requests import read_requests
from lifecircle.rules import DONE, after_shifts, rules
from lifecircle.schema import ELEVATION, LAYERS
from lifecircle.study import Checked, check_study, examine
from tiny import STUDY, areas, at, box, geojson, line, table, write_city

SOURCE = Path(lifecircle.__file__).parent
OF_ARRAYS = {"siting", "network.py", "graphs.py"}
ARGUMENTS = {"scenario"}
"""What is given to functions and refused by them is no input of a study, and so no line of a check."""

KEBAB = re.compile(r"[a-z]+(-[a-z0-9]+)+")
EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&amp;\u202e\u2066社区"

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
DESKTOP = {"viewport": {"width": 1366, "height": 768}}


@pytest.fixture
def city(tmp_path):
    folder = tmp_path / "city"
    folder.mkdir()
    return write_city(folder)


@pytest.fixture(scope="module")
def browser(chromium):
    flags = ["--no-sandbox", "--disable-gpu"]
    with sync_playwright() as it, it.chromium.launch(executable_path=str(chromium), args=flags) as launched:
        yield launched


@pytest.fixture
def opened(browser, tmp_path):
    """Open a page as people do; whatever goes wrong in it, or asks for anything outside, fails the test."""
    contexts, problems = [], []

    def open_page(html, **settings):
        file = tmp_path / "page.html"
        file.write_text(html, encoding="utf-8")
        context = browser.new_context(**(settings or DESKTOP))
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("dialog", lambda dialog: problems.append(dialog.message))
        page.on("request", lambda asked: problems.append(asked.url) if asked.url != file.as_uri() else None)
        page.goto(file.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert problems == []


def page_of(folder, *, synthetic=False):
    checked = examine(folder)
    return check_page(checked, checked.findings, synthetic=synthetic)


def page_with(*findings, sketch=None, name="Tiny", language="en"):
    return check_page(Checked(None, findings, name, language, sketch), findings, synthetic=False)


# ------------------------------------------------------------------------------------------------------ words of rules


def literals_of(tree):
    """Yield the node that names the rule of each breach that a module makes."""
    for node in ast.walk(tree):
        called = getattr(node.func, "id", getattr(node.func, "attr", "")) if isinstance(node, ast.Call) else ""
        if called in ("breach", "Breach"):
            place = 0 if isinstance(node.func, ast.Attribute) else 1
            layer = node.args[0] if place else None
            if len(node.args) > place and not (isinstance(layer, ast.Constant) and layer.value in ARGUMENTS):
                yield node.args[place]


def rules_in_source():
    """Return the rules that the source names, and patterns of those that it puts together."""
    named, patterns = set(), set()
    for path in SOURCE.rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        if set(path.relative_to(SOURCE).parts) & OF_ARRAYS:
            continue
        put_together = False
        for node in literals_of(tree):
            if isinstance(node, ast.Constant):
                named.add(node.value)
            else:
                put_together = True
        if put_together:  # a variable holds the rule: any word of the module that looks like one may be it
            texts = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
            named |= {text for text in texts if KEBAB.fullmatch(text)}
            parts = [
                [p.value if isinstance(p, ast.Constant) else None for p in n.values]
                for n in ast.walk(tree)
                if isinstance(n, ast.JoinedStr)
            ]
            patterns |= {
                "".join(".+" if part is None else re.escape(part) for part in text)
                for text in parts
                if re.fullmatch(r"[a-z-]*-[a-z-]*", "".join(part or "" for part in text)) and None in text
            }
    return named, patterns


def test_every_rule_of_the_source_has_words_and_all_words_have_a_rule():
    named, patterns = rules_in_source()
    words = set(rules())
    assert len(named) > 100
    assert named - words == set()
    idle = {w for w in words - named if not any(re.fullmatch(p, w) for p in patterns)}
    assert idle == set()


def test_the_words_of_a_rule_are_told_in_both_languages():
    for name, rule in rules().items():
        assert KEBAB.fullmatch(name) or name.isalpha(), name
        assert rule.done in DONE, name
        for words in (rule.zh, rule.en):
            assert words.title, name
            assert words.advice, name
            assert words.advice.endswith(("。", ".")), name
            assert words.title[-1] not in "。.", name
        assert re.search("[\u4e00-\u9fff]", rule.zh.title + rule.zh.advice), name
        assert not re.search("[\u4e00-\u9fff]", rule.en.title), name


def test_what_can_be_told_without_stopping_the_work_has_a_warning_of_its_own_kind():
    mild = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in (
                "breach",
                "Breach",
            ):
                said = [a.value for a in (*node.args, *(k.value for k in node.keywords)) if isinstance(a, ast.Constant)]
                if {"warning", "repair", "note"} & set(said[1:]):
                    mild |= {text for text in said[:2] if text in rules()}
    assert len(mild) > 30
    assert {name for name in mild if rules()[name].warning is DegradedWarning} == set()


def test_every_kind_of_warning_is_used_and_drawn_in_the_tree():
    kinds = set(DegradedWarning.__subclasses__())
    assert {rule.warning for rule in rules().values()} - {DegradedWarning} == kinds
    assert all(kind.__name__ in errors.__doc__ for kind in kinds)


def test_every_layer_that_a_finding_can_name_is_called_something():
    assert {"study.toml", ELEVATION, *LAYERS} <= set(check_words.LAYERS)
    assert set(check_words.DONE) == set(DONE)
    assert set(check_words.SEVERITIES) == set(errors.SEVERITIES)


# -------------------------------------------------------------------------------------------------------------- places


def found(folder, rule):
    [finding] = [b for b in check_study(folder)[1] if b.rule == rule]
    return finding


def test_a_station_entered_twice_is_shown_at_both_its_places(city):
    table(city / "stations.csv", "station_id lon lat", ["s1", *at(1, 0)], ["s1", *at(3, 2)], ["s2", *at(2, 2)])
    assert found(city, "duplicate-id").places == (tuple(at(1, 0)), tuple(at(3, 2)))


def test_rows_of_one_id_that_are_the_same_are_told_apart_from_those_that_differ(city):
    same, other = ["s1", *at(1, 0), "a"], ["s1", *at(1, 0), "b"]
    table(city / "stations.csv", "station_id lon lat name", same, same)
    assert "the rows of one id are the same" in found(city, "duplicate-id").message
    table(city / "stations.csv", "station_id lon lat name", same, other)
    assert "the rows of one id differ" in found(city, "duplicate-id").message
    table(city / "stations.csv", "station_id lon lat name", same, other, *[["s2", *at(3, 2), ""]] * 2)
    assert "1 of these stand in rows that differ" in found(city, "duplicate-id").message


def test_homes_in_no_area_and_ground_that_two_share_have_their_places(city):
    geojson(city / "areas.geojson", [*areas()[:2], ({**areas()[2][0]}, box(-1, 0.5, 5, 3))])
    table(city / "residents.csv", "building_id residents", ["b1", 60], ["b2", 4], ["b3", 5])
    [home] = found(city, "outside-areas").places
    assert home == pytest.approx(at(3.2, 4.1), abs=1e-5)
    [(lon, lat)] = found(city, "areas-overlap").places
    assert at(-1, 0.5)[0] < lon < at(5, 1)[0]
    assert at(-1, 0.5)[1] < lat < at(5, 1)[1]


def test_a_study_that_cannot_be_put_together_shows_the_places_it_knows(city):
    (city / "streets.geojson").unlink()
    table(city / "stations.csv", "station_id lon lat capacity", ["s1", *at(1, 0), -1])
    assert found(city, "negative-number").places == (tuple(at(1, 0)),)
    sketch = examine(city).sketch
    assert (len(sketch.streets), len(sketch.borders)) == (0, 3)


def test_a_reference_to_nothing_is_shown_where_the_row_is_that_makes_it(city):
    table(city / "stations.csv", "station_id lon lat building_id", ["s1", *at(1, 0), "b9"])
    assert found(city, "unknown-id").ids == ("s1 -> b9",)
    assert found(city, "unknown-id").places == (tuple(at(1, 0)),)


def test_every_id_is_kept_and_at_most_two_hundred_places(city):
    rows = [[f"s{i}", *at(1, 0.001 * i), -1] for i in range(KEPT_PLACES + 20)]
    table(city / "stations.csv", "station_id lon lat capacity", *rows)
    finding = found(city, "negative-number")
    n_ids, n_rows, n_places = len(finding.ids), len(finding.rows), len(finding.places)
    assert (finding.count, n_ids, n_rows, n_places) == (KEPT_PLACES + 20,) * 3 + (KEPT_PLACES,)


def test_the_places_of_residents_are_never_told(run, city):
    study = STUDY + '[inputs.residents]\npath = "homes.geojson"\nby = "point"\n'
    (city / "study.toml").write_text(study.replace('residents = "residents.csv"\n', ""), "utf-8")
    secret = at(3.711, 2.913)
    homes = [("h1", at(1.2, 0.3)), ("h2", secret)]
    geojson(
        city / "homes.geojson",
        [({"household": h, "residents": 3}, {"type": "Point", "coordinates": place}) for h, place in homes],
    )
    run("check", city, "--out", city / "out")
    record = json.loads((city / "out" / "check" / "check.json").read_text("utf-8"))
    [lost] = [f for f in record["findings"] if f["rule"] == "point-without-home"]
    assert (lost["ids"], lost["places"]) == (["h2"], [])
    page = (city / "out" / "check" / "check.html").read_text("utf-8")
    assert not re.search(r"123\.9537|41\.8829", page)
    assert "people&#39;s homes" in page


def test_numbers_that_lie_nowhere_on_earth_have_no_place(city):
    table(city / "stations.csv", "station_id lon lat", ["s1", *at(1, 0)], ["s2", 41_000, 500_000], ["s3", "inf", 1])
    told = {b.rule: b.places for b in check_study(city)[1]}
    assert told["not-degrees"] == told["not-finite"] == ()


# ---------------------------------------------------------------------------------------------------------- the record


def test_the_record_says_what_was_done_and_where(run, city):
    table(city / "stations.csv", "station_id lon lat capacity", ["s1", *at(1, 0), -1])
    geojson(city / "streets.geojson", [({"way_id": "w1", "highway": "lane"}, line((0, 0), (4, 0)))])
    code, out, _ = run("check", city, "--out", city / "out")
    record = json.loads((city / "out" / "check" / "check.json").read_text("utf-8"))
    assert code == 1
    assert (record["error"], record["warning"]) == (1, 0)
    [finding] = record["findings"]
    assert (finding["done"], finding["places"]) == ("stopped", [at(1, 0)])
    assert "1 error" in out


def spreadsheet(folder):
    """Return the rows of check.csv as a spreadsheet program shows them, by the keys of their headings."""
    ours = {heading: key for key in check_words.COLUMNS for heading in check_words.TEXTS[key]}
    with (folder / "out" / "check" / "check.csv").open(encoding="utf-8-sig", newline="") as file:
        return [{ours[heading]: cell for heading, cell in row.items()} for row in csv.DictReader(file)]


def test_a_table_for_excel_has_a_row_for_each_thing_that_was_found(run, city):
    rows = [["@one", *at(1, 0), -1], ["s2", *at(2, 0), "many"], ["s3", *at(2, 0), 5]]
    table(city / "stations.csv", "station_id lon lat capacity", *rows)
    table(city / "candidates.csv", "site_id lon lat kind", *([f"c{i}", *at(2, 1.9), "home"] for i in range(7)))
    run("check", city, "--out", city / "out")
    shown = spreadsheet(city)
    [below] = [row for row in shown if row["value"] == "'-1"]  # what looks like a formula is none
    assert (below["kind"], below["layer"], below["rule"]) == ("error", "stations", "A number below 0")
    assert (below["file"], below["sheet"], below["row"], below["column"]) == ("stations.csv", "", "2", "capacity")
    assert (below["id"], below["done"], below["advice"]) == (
        *("'@one", "not used: must be put right", "Write the right number."),
    )
    record = json.loads((city / "out" / "check" / "check.json").read_text("utf-8"))
    for number, finding in enumerate(record["findings"], start=1):
        ids = [row["id"].removeprefix("'") for row in shown if row["number"] == str(number)]
        assert ids == (finding["ids"] or [""])
    assert len([row for row in shown if row["id"].startswith("c")]) == 7


def test_the_table_for_excel_speaks_the_language_of_the_study_and_shows_no_cell_of_a_table_of_persons(run, city):
    (city / "study.toml").write_text(STUDY.replace('language = "en"', 'language = "zh"'), "utf-8")
    (city / "residents.csv").write_text("building_id,residents\nb1,Wang Xiaoming\n,3\n", "utf-8")
    run("check", city, "--out", city / "out")
    text = (city / "out" / "check" / "check.csv").read_text("utf-8-sig")
    assert text.startswith("序号,类别,图层,规则,文件,工作表,行,列,编号,原值,说明,已作处理,处理办法\n")
    assert "Xiaoming" not in text
    told = {row["rule"]: row for row in spreadsheet(city)}
    where = [told["不是数字"][key] for key in ("file", "row", "column", "id", "value")]
    assert where == ["residents.csv", "2", "residents", "b1", ""]
    assert told["缺少编号"]["id"] == "第 3 行"


def test_what_may_follow_of_a_shift_says_so():
    off = Breach("stations", "station-off-network", "no street near", ("s1",), 1, "warning")
    odd = Breach("stations", "not-a-number", "no number", ("s1",), 1)
    shift = Breach("stations", "looks-like-gcj02", "looks shifted", ("stations.csv",), 1, "warning")
    told = {b.rule: b.message for b in after_shifts([shift, off, odd])}
    assert "shifted" in told["station-off-network"]
    assert (told["not-a-number"], told["looks-like-gcj02"]) == ("no number", "looks shifted")
    assert after_shifts([off, odd]) == [off, odd]
    assert after_shifts([replace(shift, layer="candidates"), off])[1] == off


def test_errors_stand_first_then_warnings_then_repairs_then_notes(run, city):
    table(city / "candidates.csv", "site_id lon lat kind consent", ["c1", *at(2, 1.9), "home", "no"])
    run("check", city, "--out", city / "out")
    record = json.loads((city / "out" / "check" / "check.json").read_text("utf-8"))
    told = [f["severity"] for f in record["findings"]]
    assert told == sorted(told, key=errors.SEVERITIES.index)
    assert {"repair", "note"} <= set(told)


def test_a_study_with_errors_goes_to_the_folder_of_its_name(run, city, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (city / "stations.csv").unlink()
    run("check", city)
    assert (tmp_path / "Tiny" / "check" / "check.html").is_file()
    (city / "study.toml").write_text("[study", "utf-8")
    run("check", city)
    assert (tmp_path / "city" / "check" / "check.html").is_file()


def test_a_check_notes_what_an_answer_lacks_and_no_other_command_repeats_it(run, city):
    (city / "study.toml").write_text(STUDY.replace('barriers = "barriers.geojson"\n', ""), "utf-8")
    code, _, complaint = run("check", city, "--out", city / "out")
    assert code == 0
    assert "note barriers: none given: legs to the street may cross walls, rails and water" in complaint
    assert "note elevation: none given" in complaint
    record = json.loads((city / "out" / "check" / "check.json").read_text("utf-8"))
    notes = {f["layer"]: f["severity"] for f in record["findings"] if f["rule"] == "not-given"}
    assert notes == {"entrances": "note", "barriers": "note", "elevation": "note"}
    _, _, complaint = run("cover", city, "--out", city / "out")
    assert "none given" not in complaint


def test_a_broken_file_of_several_layers_is_told_once_and_names_them(tmp_path):
    (tmp_path / "a.osm.pbf").write_bytes(b"\x00\x00\x00\x0d\x0a\x09OSMHeader" + b"\xff" * 200)
    apart = re.sub(r"streets = .*\n|buildings = .*\n", "", STUDY)
    of_one_file = "".join(f'{layer} = "a.osm.pbf"\n' for layer in ("streets", "buildings", "entrances"))
    write_city(tmp_path, study=apart.replace("[inputs]\n", f"[inputs]\n{of_one_file}"))
    [finding] = [b for b in check_study(tmp_path)[1] if b.rule == "unreadable"]
    assert finding.layer == "streets"
    assert "streets, buildings, entrances" in finding.message


def test_a_rule_that_holds_for_no_way_is_told_in_words(city):
    rule = '[walking]\nrules = [{ walk = "no", where = { highway = ["path", "track"], lit = true } }]\n'
    (city / "study.toml").write_text(STUDY + rule, "utf-8")
    [finding] = [b for b in lay(city) if b.rule == "unmet-rule"]
    assert finding.ids == ("walk = no: highway = path or track and lit = any",)


def lay(folder):
    from lifecircle.ground import check_ground

    return check_ground(open_study(folder))


# -------------------------------------------------------------------------------------------------- strict and warnings


@pytest.fixture
def doubtful(city):
    """A city with one warning: a home that no row counts."""
    table(city / "residents.csv", "building_id residents", ["b1", 60])
    return city


def with_scenario(folder):
    more = '[[scenario]]\nname = "more"\nquestion = "most"\ncircle = "8"\nn_new = 1\n'
    (folder / "study.toml").write_text(STUDY + more, "utf-8")
    return folder


def test_strict_makes_errors_of_warnings_and_says_so(run, doubtful, tmp_path):
    table(tmp_path / "requests.csv", "request_id lon lat", ["r1", *at(1, 0)])
    with_scenario(doubtful)
    for command, *rest in (["check"], ["cover"], ["site"], ["assign", tmp_path / "requests.csv", "--datum", "wgs84"]):
        arguments = [command, doubtful, *rest, "--out", tmp_path / "strict"]
        code, out, complaint = run(*arguments, "--strict")
        assert code == 1, command
        assert "count as errors" in out + complaint
        assert sorted(p.name for p in (tmp_path / "strict").iterdir()) == ["check"]
    for command, *rest in (["cover"], ["site"], ["assign", tmp_path / "requests.csv", "--datum", "wgs84"]):
        assert run(command, doubtful, *rest, "--out", tmp_path / "out")[0] == 0, command


def test_strict_lets_repairs_and_notes_pass(run, city, tmp_path):
    table(city / "candidates.csv", "site_id lon lat kind consent", ["c1", *at(2, 1.9), "home", "no"])
    assert run("check", city, "--strict", "--out", tmp_path / "out")[0] == 0
    assert run("cover", city, "--strict", "--out", tmp_path / "out")[0] == 0


def test_strict_opening_raises_with_the_warnings(doubtful):
    assert open_study(doubtful).findings
    with pytest.raises(SchemaError, match="count as errors") as caught:
        open_study(doubtful, strict=True)
    assert [b.rule for b in caught.value.breaches] == ["not-counted"]


def test_python_warns_of_each_finding_in_the_class_of_its_rule_where_it_was_called(doubtful, tmp_path):
    with pytest.warns(errors.DoubtfulTableWarning, match="no row counts") as told:
        study = open_study(doubtful)
    assert [w.filename for w in told] == [__file__]
    with pytest.warns(errors.MissingInputWarning, match="entrances: none given") as told:
        cover(study)
    assert {w.filename for w in told} == {__file__}
    table(tmp_path / "requests.csv", "request_id lon lat", ["r1", *at(1, 0)])
    with pytest.warns(errors.MissingInputWarning) as told:
        assign(study, read_requests(tmp_path / "requests.csv", datum="wgs84"))
    assert {w.filename for w in told} == {__file__}


def test_siting_warns_only_where_it_walks_itself(city):
    study = open_study(with_scenario(city))
    today = cover(study)
    with warnings.catch_warnings():
        warnings.simplefilter("error", DegradedWarning)
        site(study, scenario="more", today=today)
    with pytest.warns(errors.MissingInputWarning) as told:
        site(study, scenario="more")
    assert {w.filename for w in told} == {__file__}


def test_residents_spread_over_homes_are_warned_of_as_an_estimate(city):
    table(city / "residents.csv", "area_id residents", ["s", 60])
    with pytest.warns(errors.EstimatedResidentsWarning):
        cover(open_study(city))


def test_commands_print_findings_and_warn_of_nothing(run, doubtful, tmp_path):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run("cover", doubtful, "--out", tmp_path)
    assert [w for w in caught if issubclass(w.category, DegradedWarning)] == []


# ------------------------------------------------------------------------------------------------------------ the page


@pytest.fixture
def broken(city):
    table(
        city / "stations.csv",
        "station_id lon lat capacity name",
        ["s1", *at(1, 0), -1, EVIL],
        [EVIL, *at(3, 2), -1, ""],
        ["s3", *at(2, 2), "many", ""],
    )
    return city


def test_a_layer_that_is_shifted_as_a_whole_hides_no_other_mark_until_it_is_asked_for(opened, city):
    places = tuple(map(tuple, (at(0.3 * i, 1) for i in range(20))))
    shifted = Breach("stations", "looks-like-gcj02", "shifted", ("stations.csv",), 1, "warning", places)
    one = Breach("stations", "negative-number", "below 0", ("s1",), 1, "warning", places[:1])
    page = opened(page_with(shifted, one, sketch=examine(city).sketch))
    assert page.locator("#map canvas").get_attribute("data-marks") == "1"
    page.click("[data-number='1']")
    assert int(page.locator("#map canvas").get_attribute("data-marks")) > 1


def test_the_page_says_in_the_language_of_the_study_what_to_do_and_changes_over(opened, broken):
    page = opened(page_of(broken))
    row = page.locator("#finding-1")
    text = row.inner_text()
    assert "Not a number" in text
    assert "Write the number alone" in text
    assert "不是数字" not in text
    page.click("#language")
    assert "不是数字" in row.inner_text()
    assert "Not a number" not in row.inner_text()
    assert "capacity 不是数字，如 'many'" in row.inner_text()
    assert page.locator("th").first.inner_text() == "序号"
    assert page.evaluate("document.documentElement.lang") == "zh-CN"


def test_each_place_is_a_mark_and_a_mark_leads_to_its_line(opened, broken):
    page = opened(page_of(broken))
    canvas = page.locator("#map canvas")
    assert canvas.get_attribute("data-marks") == "3"
    page.click("[data-number='2']")
    assert canvas.get_attribute("data-marks") == "2"
    assert page.locator("tr.chosen").get_attribute("id") == "finding-2"
    assert page.locator("#caption").inner_text().startswith("2. ")
    page.click("#all")
    assert canvas.get_attribute("data-marks") == "3"
    assert page.locator("tr.chosen").count() == 0
    frame = json.loads(page.locator("#data").inner_text())["frame"]
    lon, lat = at(2, 2)
    size = json.loads(page.locator("#data").inner_text())["size"]
    box_of = canvas.bounding_box()
    scale = min(box_of["width"] / size[0], box_of["height"] / size[1])
    x = (lon - frame["west"]) * frame["x"] * scale + (box_of["width"] - size[0] * scale) / 2
    y = (lat - frame["north"]) * frame["y"] * scale + (box_of["height"] - size[1] * scale) / 2
    canvas.click(position={"x": x, "y": y})
    assert page.locator("tr.chosen").get_attribute("id") == "finding-1"
    assert f"{lat:.6f}, {lon:.6f}" in page.locator("#caption").inner_text()


def test_the_map_draws_streets_and_borders_and_zooms(opened, broken):
    page = opened(page_of(broken))
    pixels = "document.querySelector('canvas').getContext('2d').getImageData(0, 0, 600, 300).data"
    inked = f"Array.from({pixels}).filter(value => value).length"
    before = page.evaluate(inked)
    assert before > 1000
    for press in ("#closer", "#closer", "#farther"):
        page.click(press)
    assert page.evaluate(inked) != before
    page.locator("canvas").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("+")
    page.mouse.move(600, 300)
    page.mouse.wheel(0, -200)


def test_nothing_from_data_becomes_markup_and_controls_are_shown_as_such(opened, broken):
    html = page_of(broken)
    assert "\u202e" not in html
    assert "<script>alert" not in html
    page = opened(html)
    assert "<script>alert(1)</script>" in page.locator("td.ids").nth(1).inner_text()
    hostile = Breach("areas", "cycle", EVIL, (EVIL, "</script>"), 9, places=((123.95, 41.88),))
    page = opened(page_with(hostile, name=EVIL, sketch=examine(broken).sketch))
    assert page.locator("h1").inner_text().startswith("<script>")
    assert page.locator("tbody tr").count() == 1


@pytest.mark.parametrize("settings", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_nothing_runs_out_of_the_screen(opened, broken, settings, language):
    checked = examine(broken)
    long = Breach("areas", "cycle", "word " * 80, tuple("i" * 300 for _ in range(5)), 50, "warning")
    page = opened(
        check_page(Checked(None, (), "区" * 80, language, checked.sketch), [*checked.findings, long], synthetic=True),
        **settings,
    )
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_page_without_places_has_no_map_and_one_without_findings_says_so(opened):
    page = opened(page_with(Breach("study.toml", "missing-file", "study.toml is not there", count=1)))
    assert page.locator("#map").count() == 0
    assert "must be put right" in page.locator("#finding-1 .done").inner_text()
    page = opened(page_with())
    verdict = page.locator(".verdict").inner_text()
    assert verdict.startswith("Nothing to report. Next, in the terminal: lifecircle cover")


def test_a_slip_of_one_row_does_not_shrink_the_city_to_a_dot(city):
    rows = [[f"s{i}", *at(0.01 * i, 1)] for i in range(200)]
    table(city / "stations.csv", "station_id lon lat", *rows, ["far", 0, 0])
    checked = examine(city)
    page = check_page(checked, checked.findings, synthetic=False)
    data = json.loads(re.search(r'<script id="data"[^>]*>(.*?)</script>', page)[1])
    assert data["frame"]["west"] > at(-3, 0)[0]
    assert [0.0, 0.0] in data["marks"][0]["places"]


def test_five_thousand_places_are_drawn_within_a_fifth_of_a_second(opened, city):
    sketch = examine(city).sketch
    places = [[tuple(at(4 * i / 200, k / 100)) for i in range(200)] for k in range(25)]
    many = [Breach("buildings", "leg-blocked", "m", (), 200, "warning", tuple(where)) for where in places]
    page = opened(page_with(*many, sketch=sketch))
    took_ms = page.evaluate(
        "() => { const b = document.getElementById('closer'); const t = performance.now();"
        " for (let i = 0; i < 5; i += 1) b.click(); return (performance.now() - t) / 5; }"
    )
    assert took_ms < 200


def test_the_same_study_gives_the_same_page(broken):
    assert page_of(broken) == page_of(broken)


def test_a_made_up_study_says_so_in_its_head_and_on_the_page(opened, broken):
    page = opened(page_of(broken, synthetic=True))
    assert page.locator("meta[name=synthetic]").get_attribute("content") == "yes"
    assert page.locator(".badge").inner_text() == "Synthetic data"
