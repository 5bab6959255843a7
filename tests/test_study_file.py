"""study.toml: what it says comes out as settings, and what it gets wrong is told all at once, with what to do."""

import pytest

from lifecircle.errors import SourceError, StudyError
from lifecircle.hours import is_open, problem_of_hours, problem_of_time
from lifecircle.model import Circle, Gate, Note, Scenario, SpeedClass, Walking, WayRule
from lifecircle.readers.study_file import read_study_file
from lifecircle.study import check_study, open_study
from tiny import STUDY, write_city


def settings_of(tmp_path, text):
    (tmp_path / "study.toml").write_text(text, encoding="utf-8")
    return read_study_file(tmp_path)


def breaches_of(tmp_path, text):
    return [(b.rule, b.message) for b in settings_of(tmp_path, text).breaches]


def test_every_setting_arrives(tmp_path):
    file = settings_of(
        tmp_path,
        """
        [study]
        name = "抚顺 (sample)"
        language = "zh"
        synthetic = true
        notes = [{ en = "made up", zh = "虚构" }]
        [inputs]
        streets = "a.pbf"
        buildings = { path = "b.gpkg", layer = "houses", columns = { levels = "层数", residents_aged = "65+" } }
        stations = { path = "a.pbf", where = [{ amenity = ["library", "townhall"] }, { office = true, level = 0 }] }
        areas = { path = "c.shp", encoding = "gbk", level = "community", attribution = "Survey bureau" }
        residents = { path = "d.csv", by = "area" }
        elevation = { path = "e.tif", attribution = "Copernicus" }
        [walking]
        classes = [{ name = "adult", speed_mps = 1.2 }, { name = "wheelchair", speed_mps = 0.8, steps = false }]
        max_access_m = 100
        closed = ["w1"]
        gates = ["w2", { id = "n5", hours = "Mo-Su 06:00-22:00" }]
        at = "Sat 9:30"
        direction = "round_trip"
        [[walking.rules]]
        walk = "yes"
        where = { access = ["private", "customers"], service = true }
        [[walking.rules]]
        walk = "no"
        ids = ["w3"]
        [service]
        eligible = "community"
        [[circle]]
        name = "15, health"
        minutes = 15
        tiers = ["main"]
        items = ["medicine"]
        at = "Sun 10:00"
        [[circle]]
        minutes = 7.5
        [[scenario]]
        name = "more"
        question = "most"
        circle = "7.5"
        n_new = 3
        [[scenario]]
        name = "all"
        question = "fewest"
        circle = "15, health"
        share = 1
        """,
    )
    assert file.breaches == ()
    settings = file.settings
    assert (settings.name, settings.language, settings.synthetic) == ("抚顺 (sample)", "zh", True)
    assert settings.notes == (Note(en="made up", zh="虚构"),)
    assert settings.walking == Walking(
        classes=(SpeedClass("adult", 1.2), SpeedClass("wheelchair", 0.8, steps=False)),
        max_access_m=100.0,
        closed=("w1",),
        gates=(Gate("w2"), Gate("n5", "Mo-Su 06:00-22:00")),
        rules=(
            WayRule("yes", where=({"access": ("private", "customers"), "service": ()},)),
            WayRule("no", ids=("w3",)),
        ),
        at="Sat 9:30",
        direction="round_trip",
    )
    assert settings.eligible == "community"
    health = Circle("15, health", 15.0, ("main",), ("medicine",), at="Sun 10:00")
    assert settings.circles == (health, Circle("7.5", 7.5))
    assert settings.scenarios == (
        Scenario("more", "most", "7.5", n_new=3),
        Scenario("all", "fewest", "15, health", share=1.0),
    )
    inputs = file.inputs
    assert (inputs["buildings"].table, inputs["buildings"].columns["residents_aged"]) == ("houses", "65+")
    assert inputs["stations"].where == ({"amenity": ("library", "townhall")}, {"office": (), "level": ("0",)})
    assert (inputs["areas"].encoding, inputs["areas"].attribution) == ("gbk", "Survey bureau")
    assert inputs["residents"].by == "area"
    assert (inputs["elevation"].path, inputs["elevation"].attribution) == ("e.tif", "Copernicus")


def test_what_is_not_stated_has_a_default(tmp_path):
    settings = settings_of(tmp_path, '[inputs]\nstreets = "a"\nareas = "d"\nbuildings = "b"\nstations = "c"').settings
    assert (settings.name, settings.language, settings.synthetic) == (tmp_path.name, "zh", False)
    assert [c.name for c in settings.circles] == ["8", "15"]
    assert settings.walking.reference == SpeedClass("adult", 1.2, steps=True)
    assert (settings.walking.direction, settings.walking.at) == ("there", "Wed 10:00")
    assert settings.eligible == "any"


def test_a_known_class_needs_no_speed_and_may_have_another(tmp_path):
    text = '[walking]\nclasses = [{ name = "adult" }, { name = "aged" }]\n'
    assert settings_of(tmp_path, text).settings.walking.classes == (SpeedClass("adult", 1.2), SpeedClass("aged", 0.92))
    text = '[walking]\nclasses = [{ name = "aged", speed_mps = 0.7 }]\n'
    assert settings_of(tmp_path, text).settings.walking.reference == SpeedClass("aged", 0.7)


def test_a_speed_that_nobody_walks_is_doubted_but_taken(tmp_path):
    text = '[walking]\nclasses = [{ name = "adult", speed_mps = 4.3 }]\n'
    [doubt] = [b for b in settings_of(tmp_path, text).breaches if b.rule == "fast-walkers"]
    assert doubt.severity == "warning"
    assert "kilometres per hour" in doubt.message
    assert settings_of(tmp_path, text).settings.walking.reference.speed_mps == 4.3


@pytest.mark.parametrize(
    ("hours", "at", "expected"),
    [
        ("Mo-Su 06:00-22:00", "Wed 05:59", False),
        ("Mo-Su 06:00-22:00", "Wed 6:00", True),
        ("Mo-Su 06:00-22:00", "Wed 22:00", False),
        ("Mo-Fr 22:00-06:00", "Sat 5:00", True),
        ("Mo-Fr 22:00-06:00", "Sun 05:00", False),
        ("Mo-Fr 08:00-12:00,14:00-18:00; Sa 08:00-12:00", "Sat 10:00", True),
        ("Mo-Fr 08:00-12:00,14:00-18:00; Sa 08:00-12:00", "Fr 13:00", False),
        ("24/7", "Mon 0:00", True),
        ("closed", "Mon 12:00", False),
        ("Mo-Su unknown", "Mon 12:00", False),
        ("Mo-Su 08:00-20:00; PH off", "Sun 10:00", True),
        ("sunrise-sunset", "Sun 20:00", False),
    ],
)
def test_a_gate_is_open_at_its_hours_of_an_ordinary_week(hours, at, expected):
    assert is_open(hours, at) is expected


def test_hours_and_times_that_cannot_be_read_are_told_with_an_example():
    assert "Mo-Fr 06:00-22:00" in problem_of_hours("6-22 Uhr")
    for at in ("10:00", "Sunday 10:00", "Sun 24:00", "Sun 10", "周日 10:00"):
        assert "Sun 10:00" in problem_of_time(at)
        with pytest.raises(ValueError, match="time of the week"):
            is_open("24/7", at)
    with pytest.raises(ValueError, match="opening hours"):
        is_open("6-22 Uhr", "Sun 10:00")


def test_names_that_make_a_column_of_another_meaning(tmp_path):
    text = """
    [walking]
    classes = [{ name = "adult", speed_mps = 1.2 }, { name = "all", speed_mps = 0.9 }, { name = "aged", speed_mps = 1 }]
    [[circle]]
    name = "8_aged"
    minutes = 8
    """
    told = [message for rule, message in breaches_of(tmp_path, text) if rule == "reserved-name"]
    assert len(told) == 2


def test_scenarios_whose_folders_would_be_one(tmp_path):
    rows = "".join(
        f'[[scenario]]\nname = "{name}"\nquestion = "most"\ncircle = "8"\nn_new = 1\n' for name in ("plan +1", "Plan 1")
    )
    assert "duplicate-name" in [rule for rule, _ in breaches_of(tmp_path, rows)]


MINIMUM = '[inputs]\nstreets = "a"\nareas = "d"\nbuildings = "b"\nstations = "c"\n'
CIRCLES = '[[circle]]\nname = "8"\nminutes = 8\n'


@pytest.mark.parametrize(
    ("text", "rule", "says"),
    [
        ("[walkin]\n", "unknown-key", "did you mean walking?"),
        ('[study]\nlangauge = "en"\n', "unknown-key", "did you mean language?"),
        ("[walking]\nmax_acess_m = 3\n", "unknown-key", "did you mean max_access_m?"),
        ("[[circle]]\nminutes = 8\ntier = []\n", "unknown-key", "did you mean tiers?"),
        ("[service]\nzzz = 1\n", "unknown-key", "known are eligible"),
        ('[inputs.gates]\npath = "gates.xlsx"\nsheet = "大门"\n', "unknown-key", "did you mean layer?"),
        ("[dispatch]\ntier = []\n", "unknown-key", "did you mean tiers?"),
        ("[overrides]\nfinding = []\n", "unknown-key", "did you mean findings?"),
        ('[overrides]\nfindings = [{ wat = "way" }]\n', "unknown-key", "did you mean what?"),
        ('[overrides]\nfindings = [{ what = ["way"] }]\n', "wrong-type", "a text, a number or a date"),
        ('[[circle]]\nminutes = 8\nat = "Sunday"\n', "bad-time", 'as in "Sun 10:00"'),
        ('[walking]\nat = "10:00"\n', "bad-time", 'as in "Sun 10:00"'),
        ('[walking]\ndirection = "back"\n', "unknown-value", "there, round_trip, worse_way"),
        ('[walking]\ndirecton = "there"\n', "unknown-key", "did you mean direction?"),
        ('[walking]\ngates = "w1"\n', "wrong-type", "list of ids, or of tables with id and hours"),
        ("[walking]\ngates = [12]\n", "wrong-type", "id must be a text"),
        ('[walking]\ngates = [{ id = "w1", hour = "24/7" }]\n', "unknown-key", "did you mean hours?"),
        ('[walking]\ngates = [{ id = "w1", hours = "6-22" }]\n', "bad-hours", 'as in "Mo-Fr 06:00-22:00'),
        ('[walking]\ngates = ["w1", { id = "w1", hours = "24/7" }]\n', "duplicate-id", "state each once"),
        ('[[walking.rules]]\nwalk = "yes"\n', "missing-key", "ids or where is missing"),
        ('[[walking.rules]]\nids = ["w1"]\n', "missing-key", "walk is missing"),
        ('[[walking.rules]]\nids = ["w1"]\nwalk = "maybe"\n', "unknown-value", "yes, no, private"),
        ('[[walking.rules]]\nwhere = "steps"\nwalk = "no"\n', "wrong-type", "where must be a table"),
        ('[walking]\nclasses = [{ name = "a", speed_mps = 1, steps = "no" }]\n', "wrong-type", "true or false"),
        ('[walking]\nclasses = [{ name = "a", speed_mps = -1 }]\n', "out-of-range", "above 0"),
        ('[walking]\nclasses = [{ name = "aged", speed_mps = 0 }]\n', "out-of-range", "above 0"),
        ("[study]\nname = 3\n", "wrong-type", "name must be a text"),
        ('[study]\nname = "a/b"\n', "bad-name", "files are named after it"),
        ('[study]\nlanguage = "fr"\n', "unknown-value", "zh, en"),
        ('[study]\nsynthetic = "yes"\n', "wrong-type", "true or false"),
        ('[study]\nnotes = [{ en = "only" }]\n', "missing-key", "zh is missing"),
        ("walking = 3\n[study]\n", "wrong-type", "[walking] must be a table"),
        ("[walking]\nmax_access_m = -1\n", "out-of-range", "above 0"),
        ('[walking]\nmax_access_m = "far"\n', "wrong-type", "must be a number"),
        ("[walking]\nmax_access_m = inf\n", "out-of-range", "above 0"),
        ("[walking]\nmax_access_m = true\n", "wrong-type", "must be a number"),
        ("[walking]\nclosed = [12]\n", "wrong-type", "list of texts"),
        ('[walking]\nclasses = [{ name = "a" }]\n', "missing-key", "speed_mps"),
        ('[walking]\nclasses = [{ name = "a", speed_mps = 0 }]\n', "out-of-range", "above 0"),
        ('[walking]\nclasses = [{ name = "a", speed_mps = nan }]\n', "out-of-range", "above 0"),
        (
            '[walking]\nclasses = [{ name = "a", speed_mps = 1 }, { name = "A", speed_mps = 2 }]\n',
            "duplicate-name",
            "the same name",
        ),
        ('[[circle]]\nname = "8"\n', "missing-key", "minutes"),
        ("[[circle]]\nminutes = 0\n", "out-of-range", "above 0"),
        (CIRCLES + CIRCLES, "duplicate-name", "the same name"),
        ("[circle]\nminutes = 8\n", "wrong-type", "list of tables"),
        (
            CIRCLES + '[[scenario]]\nname = "a"\nquestion = "most"\ncircle = "9"\nn_new = 1\n',
            "unknown-name",
            "there are 8",
        ),
        ('[[scenario]]\nname = "a"\nquestion = "least"\ncircle = "8"\n', "unknown-value", "most, fewest"),
        ('[[scenario]]\nname = "a"\ncircle = "8"\n', "missing-key", "question is missing"),
        ('[[scenario]]\nname = "a"\nquestion = "most"\ncircle = "8"\n', "missing-key", "needs n_new"),
        ('[[scenario]]\nname = "a"\nquestion = "fewest"\ncircle = "8"\n', "missing-key", "needs share"),
        ('[[scenario]]\nname = "a"\nquestion = "most"\ncircle = "8"\nn_new = 0\n', "out-of-range", "at least 1"),
        ('[[scenario]]\nname = "a"\nquestion = "most"\ncircle = "8"\nn_new = 1.5\n', "wrong-type", "whole number"),
        ('[[scenario]]\nname = "a"\nquestion = "fewest"\ncircle = "8"\nshare = 1.1\n', "out-of-range", "at most 1"),
        (
            '[[scenario]]\nname = "a"\nquestion = "most"\ncircle = "8"\nn_new = 1\nshare = 0.5\n',
            "unused-key",
            "share has no meaning",
        ),
        ('[[scenario]]\nname = "../a"\nquestion = "most"\ncircle = "8"\nn_new = 1\n', "bad-name", "name"),
    ],
)
def test_a_wrong_key_is_told(tmp_path, text, rule, says):
    found = breaches_of(tmp_path, text + MINIMUM)
    assert [r for r, _ in found] == [rule]
    assert says in found[0][1]


@pytest.mark.parametrize(
    ("text", "rule", "says"),
    [
        ('streets = "a"\nareas = "d"\nbuildings = "b"\n', "missing-key", "stations is missing"),
        ('gate = "g.csv"\n', "unknown-key", "did you mean gates?"),
        ("elevation = 3\n", "wrong-type", "must be a table"),
        ('elevation = { path = "x.tif", column = "z" }\n', "unknown-key", "known are path, attribution"),
        ('elevaton = "x.tif"\n', "unknown-key", "did you mean elevation?"),
        ('street = "g"\n', "unknown-key", "did you mean streets?"),
        ('requests = "g"\n', "unknown-key", "did you mean residents?"),
        ("areas = 3\n", "wrong-type", "must be a table"),
        ('areas = { level = "x" }\n', "missing-key", "path is missing"),
        ('areas = { path = "x", datum = "mars" }\n', "unknown-value", "wgs84, cgcs2000, gcj02, bd09"),
        ('areas = { path = "x", by = "total" }\n', "unknown-key", "by"),
        ('areas = { path = "x", columns = { are_id = "y" } }\n', "unknown-key", "did you mean area_id?"),
        ('areas = { path = "x", columns = { name = 3 } }\n', "wrong-type", "table of texts"),
        ('areas = { path = "x", columns = { nam = "" } }\n', "unknown-key", "did you mean name?"),
        ('areas = { path = "x", columns = { area_id = "" } }\n', "missing-key", "area_id cannot be left out"),
        ('areas = { path = "x", columns = { synthetic = "" } }\n', "missing-key", "synthetic cannot be left out"),
        ('areas = { path = "x", where = "name" }\n', "wrong-type", "where must be a table"),
        ('areas = { path = "x", where = [] }\n', "wrong-type", "where must be a table"),
        ('areas = { path = "x", where = { a = false } }\n', "wrong-type", "true for any"),
        ('areas = { path = "x", where = { a = [] } }\n', "wrong-type", "true for any"),
        ('residents = { path = "x", by = "household" }\n', "unknown-value", "building, address, point, cell, area"),
    ],
)
def test_a_wrong_input_is_told(tmp_path, text, rule, says):
    minimum = {"streets": "a", "areas": "d", "buildings": "b", "stations": "c"}
    told = {line.split(" =")[0] for line in text.splitlines()}
    whole = rule == "missing-key" and "stations" in says
    rest = "" if whole else "".join(f'{key} = "{path}"\n' for key, path in minimum.items() if key not in told)
    found = breaches_of(tmp_path, "[inputs]\n" + rest + text)
    assert [r for r, _ in found] == [rule]
    assert says in found[0][1]


def test_all_that_is_wrong_comes_in_one_error(tmp_path):
    write_city(tmp_path, study=STUDY.replace('"en"', '"fr"') + "[[circle]]\nminutes = -8\n[servce]\n")
    with pytest.raises(StudyError) as caught:
        open_study(tmp_path)
    assert {b.rule for b in caught.value.breaches} == {"unknown-value", "out-of-range", "unknown-key"}
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"[study]\nname = \n", "line 2"),
        (b"[study]\nname = '\xff\xfe'\n", "line 2 is not UTF-8"),
    ],
)
def test_what_is_not_toml_is_told_with_its_line(tmp_path, content, says):
    (tmp_path / "study.toml").write_bytes(content)
    with pytest.raises(StudyError, match=says):
        open_study(tmp_path)
    study, breaches = check_study(tmp_path)
    assert study is None
    assert [b.rule for b in breaches] == ["not-toml"]


def test_a_study_that_is_not_there(tmp_path):
    with pytest.raises(SourceError, match="is not there") as caught:
        open_study(tmp_path / "nowhere")
    assert isinstance(caught.value, OSError)


def test_the_file_or_its_folder_both_open_it_and_a_mark_at_its_start_does_no_harm(tmp_path):
    write_city(tmp_path, study="\ufeff" + STUDY)
    assert open_study(tmp_path).fingerprint == open_study(str(tmp_path / "study.toml")).fingerprint


def test_a_level_nobody_has_and_a_way_that_is_no_street(tmp_path):
    more = '[service]\neligible = "comunity"\n[walking]\nclosed = ["w9", "w1"]\ngates = ["w8", "n1"]\n'
    more += '[[walking.rules]]\nwalk = "no"\nids = ["w2", "w7"]\n'
    write_city(tmp_path, study=STUDY + more)
    _, breaches = check_study(tmp_path)
    assert [(b.rule, b.ids) for b in breaches if b.severity != "note"] == [
        ("unknown-name", ("comunity",)),
        ("unknown-id", ("w9",)),
        ("unknown-id", ("w7",)),
        ("unknown-id", ("n1", "w8")),
    ]
    assert "did you mean community?" in breaches[0].message


def test_heights_belong_to_the_study_and_to_its_fingerprint(tmp_path):
    write_city(tmp_path)
    assert open_study(tmp_path).elevation is None
    write_city(tmp_path, study=STUDY + 'elevation = { path = "heights.tif", attribution = "Survey bureau" }\n')
    fingerprints = set()
    for content in (b"II*\x00 one", b"MM\x00* two"):
        (tmp_path / "heights.tif").write_bytes(content)
        study = open_study(tmp_path)
        assert study.elevation == tmp_path.resolve() / "heights.tif"
        assert study.attribution == ("Survey bureau",)
        fingerprints.add(study.fingerprint)
    assert len(fingerprints) == 2


def test_settings_change_the_fingerprint_and_the_place_does_not(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_city(tmp_path / name)
    one, two = open_study(tmp_path / "one"), open_study(tmp_path / "two")
    assert one.fingerprint == two.fingerprint
    write_city(tmp_path / "two", study=STUDY + "# a remark\n")
    assert open_study(tmp_path / "two").fingerprint != one.fingerprint
