"""The pages can be used by everybody: axe-core finds nothing in them that is serious, in either language."""

from importlib.resources import files

import pytest

from lifecircle import compare, open_study
from lifecircle.maps import comparison_page, coverage_page
from lifecircle.scenarios import stages_of
from pages import DESKTOP, PHONE
from test_compare import ADDS, MOVES, write_street
from test_compare_page import HOMES, ROOMS, YEARS
from test_page import town

AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
RUN = "async () => (await axe.run(document, { resultTypes: ['violations'] })).violations"
GRAVE = ("serious", "critical")


@pytest.fixture(scope="module")
def made():
    return town()


@pytest.fixture(scope="module")
def street(tmp_path_factory):
    return write_street(tmp_path_factory.mktemp("street"), HOMES, ROOMS, more=ADDS + MOVES + YEARS)


@pytest.fixture(scope="module")
def compared(street):
    return compare(open_study(street))


def assert_usable(seen):
    """Assert that axe-core finds nothing serious in what is shown, in either language."""
    for _ in ("one language", "the other"):
        seen.page.evaluate(AXE)
        found = [v for v in seen.page.evaluate(RUN) if v["impact"] in GRAVE]
        assert [(v["id"], v["help"], [node["html"][:200] for node in v["nodes"]]) for v in found] == []
        seen.page.locator("#language").dispatch_event("click")


@pytest.mark.parametrize("device", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_map_with_its_lists_unfolded_then_with_a_card_and_the_page_about_it(made, device, open_page):
    home = made.plan.coverage.buildings.iloc[0]
    with open_page(coverage_page(made.today, plan=made.plan, unserved=made.unserved), device=device) as seen:
        fold = seen.page.locator("#fold")
        if device is PHONE:
            fold.tap()
        seen.page.locator("#layer-unserved").check()
        for summary in seen.page.locator("#contents summary").all():
            if summary.locator("..").get_attribute("open") is None:
                summary.click()
        assert_usable(seen)
        seen.show_only("buildings")
        if device is PHONE:
            fold.tap()
        seen.click(home["lon"], home["lat"])
        assert_usable(seen)
        if device is DESKTOP:
            seen.page.locator("#ask").click()
            assert_usable(seen)


def test_the_comparison_its_maps_and_its_tables(compared, open_page):
    point = compared.today.study.buildings.to_crs(4326).geometry.representative_point().iloc[0]
    with open_page(comparison_page(compared, stages=stages_of(compared))) as seen:
        for view in ("0", "1"):
            seen.page.locator(f"#kind-{view}").click()
            seen.click(point.x, point.y)
            assert_usable(seen)
            seen.close()
        seen.page.locator("#kind-2").click()
        assert_usable(seen)
