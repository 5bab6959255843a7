"""The shifted coordinates of Chinese web maps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecircle.datum import bd09_of_gcj02, gcj02_of_bd09, gcj02_of_wgs84, wgs84_of_gcj02

# What coordTransform 0.2.1 (MIT), which shares no line with ours, makes of places: WGS 84, GCJ-02, BD-09.
PLACES = {
    "Fushun": ((123.92, 41.85), (123.925702416, 41.852097084), (123.932211596, 41.85800777)),
    "Puyang": ((115.03, 35.76), (115.035892702, 35.759997458), (115.042464931, 35.765765098)),
    "Kaili": ((107.98, 26.57), (107.984127509, 26.566457838), (107.990586431, 26.572679318)),
    "Guiyang": ((106.71, 26.57), (106.71376424, 26.566474368), (106.720292471, 26.57241482)),
    "Kashgar": ((75.99, 39.47), (75.992955638, 39.470227497), (75.999465199, 39.476187842)),
}
IN_CHINA = st.tuples(st.floats(73.5, 134.8), st.floats(3.8, 53.6))


@pytest.mark.parametrize("place", PLACES)
def test_a_place_lies_where_web_maps_show_it(place):
    wgs84, gcj02, bd09 = (np.array([lonlat]) for lonlat in PLACES[place])
    np.testing.assert_allclose(gcj02_of_wgs84(wgs84), gcj02, rtol=0, atol=1e-9)
    np.testing.assert_allclose(bd09_of_gcj02(gcj02), bd09, rtol=0, atol=1e-9)


@given(st.lists(IN_CHINA, min_size=1, max_size=50))
def test_the_way_back_ends_where_the_way_there_began(places):
    lonlat = np.array(places)
    np.testing.assert_allclose(wgs84_of_gcj02(gcj02_of_wgs84(lonlat)), lonlat, rtol=0, atol=1e-9)
    np.testing.assert_allclose(gcj02_of_bd09(bd09_of_gcj02(lonlat)), lonlat, rtol=0, atol=1e-9)


@pytest.mark.parametrize("shift", [gcj02_of_wgs84, bd09_of_gcj02, wgs84_of_gcj02, gcj02_of_bd09])
def test_nothing_is_shifted_outside_china_nor_where_there_is_no_place(shift):
    lonlat = np.array([[7.42, 43.73], [0.0, 0.0], [-51.2, -30.0], [np.nan, np.nan], [np.inf, 41.0], [123.9, np.nan]])
    np.testing.assert_array_equal(shift(lonlat), lonlat)


def test_shifting_leaves_what_it_was_given_alone():
    lonlat = np.array([PLACES["Fushun"][0]])
    for shift in (gcj02_of_wgs84, bd09_of_gcj02, wgs84_of_gcj02, gcj02_of_bd09):
        shift(lonlat)
        assert lonlat.tolist() == [list(PLACES["Fushun"][0])]
