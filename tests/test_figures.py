"""Static figures: they draw what the tables say, hold as vectors, and tell what they are made from."""

import io
import re
from dataclasses import replace

import matplotlib as mpl
import pytest
from matplotlib.colors import to_hex

from lifecircle import cover, open_study
from lifecircle.errors import StudyError, UnknownNameError
from lifecircle.maps import figures
from lifecircle.maps.figures import change_figure, coverage_figure
from lifecircle.maps.palette import BEYOND, circle_colours, hexed
from lifecircle.maps.scale import round_length
from lifecircle.mark import REMARK
from lifecircle.scenarios import possible_sites
from test_compare import write_street


@pytest.fixture(scope="module", autouse=True)
def no_screen():
    """Draw into files; nothing is left open."""
    import matplotlib.pyplot as plt

    with mpl.rc_context({"backend": "agg", "svg.hashsalt": "lifecircle", "svg.fonttype": "none"}):
        yield
        plt.close("all")


@pytest.fixture(scope="module")
def today(tmp_path_factory):
    folder = write_street(tmp_path_factory.mktemp("street"), {0: 60, 3: 50, 7: 30, 15: 20}, {"c1": 12}, more="")
    return cover(open_study(folder))


@pytest.fixture(scope="module")
def after(today):
    """Today with the room opened."""
    from lifecircle.circles import cover_with

    sites = possible_sites(today)
    stations = sites.frame.assign(state=sites.frame["state"].replace("candidate", "chosen"))
    return cover_with(today.study, today.ground, today.demand, stations, sites.places)


def svg_of(ax):
    file = io.StringIO()
    ax.figure.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()


def homes_of(ax, colour):
    """Return how many homes are drawn in a colour."""
    areas = [c for c in ax.collections if c.get_zorder() == 2 and to_hex(c.get_facecolor()[0]) == colour]
    return sum(len(c.get_paths()) for c in areas)


def test_each_home_is_drawn_in_the_colour_of_its_circle(today):
    ax = coverage_figure(today)
    homes = today.buildings[today.buildings["residents"] > 0]
    for name, colour in circle_colours(today.study.settings.circles).items():
        assert homes_of(ax, hexed(colour)) == (homes["circle"] == name).sum()
    beyond = (homes["circle"] == "") & (homes["status"] == "ok")
    assert homes_of(ax, hexed(BEYOND)) == beyond.sum() > 0
    assert sum(len(c.get_paths()) for c in ax.collections if c.get_zorder() == 2) == len(homes), "nobody is left out"


def test_one_circle_can_be_drawn_alone(today):
    ax = coverage_figure(today, circle="8")
    within = (today.buildings["circle"] == "8").sum()
    assert homes_of(ax, hexed(circle_colours(today.study.settings.circles)["8"])) == within
    assert "Beyond 8 min" in svg_of(ax)


def test_who_comes_in_is_drawn_as_won_and_who_leaves_as_lost(today, after):
    won = after.buildings["within_8"] & ~today.buildings["within_8"]
    assert homes_of(change_figure(today, after, circle="8"), hexed(figures.WON)) == won.sum() > 0
    back = change_figure(after, today, circle="8")
    assert homes_of(back, hexed(figures.LOST)) == won.sum()
    assert any(len(c.get_offsets()) == 1 and c.get_zorder() == 6 for c in back.collections), "the station that is gone"


def test_a_figure_is_of_vectors_and_has_a_scale_and_its_sources(today):
    told = replace(today, study=replace(today.study, attribution=("© somebody $x^2$",)))
    text = svg_of(coverage_figure(told))
    assert "<image" not in text
    assert re.search(r">\d+ k?m<", text)
    assert "© somebody $x^2$" in text, "text from data is no formula"


def test_made_up_data_is_told_in_the_picture_itself(today):
    assert REMARK.en not in svg_of(coverage_figure(today))
    made_up = replace(today, ground=replace(today.ground, synthetic=True))
    assert REMARK.en in svg_of(coverage_figure(made_up))
    assert REMARK.en in svg_of(change_figure(made_up, made_up, circle="8"))


def test_without_a_font_that_has_chinese_a_figure_speaks_english(today, monkeypatch):
    study = today.study
    chinese = replace(today, study=replace(study, settings=replace(study.settings, language="zh")))
    monkeypatch.setattr(figures, "_fonts", lambda: ("DejaVu Sans",))
    assert "Within 8 min" in svg_of(coverage_figure(chinese))


def test_a_figure_can_be_drawn_beside_others(today, after):
    import matplotlib.pyplot as plt

    _, axes = plt.subplots(1, 2)
    assert [coverage_figure(c, ax=ax) for c, ax in zip((today, after), axes, strict=True)] == list(axes)


def test_a_circle_that_is_none_is_refused_by_name(today):
    with pytest.raises(UnknownNameError, match=r"no circle '9'; it has: 8, 15"):
        coverage_figure(today, circle="9")
    with pytest.raises(UnknownNameError, match="no circle"):
        change_figure(today, today, circle="")


def test_coverages_of_other_inputs_are_never_laid_over_each_other(today):
    other = replace(today, study=replace(today.study, fingerprint="other"))
    with pytest.raises(StudyError, match="different inputs"):
        change_figure(today, other, circle="8")


@pytest.mark.parametrize(("most_m", "told"), [(0.2, "1 m"), (9.9, "5 m"), (730.0, "500 m"), (2100.0, "2 km")])
def test_a_scale_is_a_round_length(most_m, told):
    length_m, written = round_length(most_m)
    assert written == told
    assert length_m <= max(most_m, 1.0)
