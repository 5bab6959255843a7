"""Whatever file the streets come in, the network is the same; and a file that is not whole is never read in part."""

import bz2
import contextlib
import gzip
import lzma
import zlib
from itertools import pairwise

import networkx as nx
import numpy as np
import osmium
import osmnx as ox
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from lifecircle.errors import SchemaError, SourceError
from lifecircle.graphs import from_networkx, to_networkx
from lifecircle.model import Walking
from lifecircle.network import walk_network
from lifecircle.readers import pbf
from lifecircle.readers.graphml import read_graphml
from lifecircle.readers.limits import Limits, OverLimitError
from lifecircle.readers.metric import local_crs, project
from lifecircle.readers.osm import read_osm
from lifecircle.readers.streets import ways_of_osm
from lifecircle.schema import NODE_TAGS, STREET_TAGS
from lifecircle.streets import walking_streets
from lifecircle.study import check_study, open_study
from tiny import STUDY, at, osm_xml, write_city

STREETS = {"streets": ({"highway": ()},)}
PLACES = {
    "monaco": "monaco/monaco",
    "porto_alegre": "porto_alegre/poa_osm",
    "andorra": "andorra/andorra",
    "porto_region": "porto_region/porto_portugal",
}

# A square of streets with a stairway across, a bridge over all of it, a ferry and a house.
#
#   7---8---9      13..15 the bridge from west to east, over 5 without meeting it
#   |   |   |      5-9    the stairway
#   4---5---6
#   |   |   |
#   1---2---3
NODES = {3 * y + x + 1: (x, y) for y in range(3) for x in range(3)} | {13: (-1, 1), 14: (1, 1), 15: (3, 1)}
WAYS = {
    21: ([1, 2, 3, 6, 9, 8, 7, 4, 1], {"highway": "residential", "name": "Ring 环路"}),
    22: ([4, 5, 6], {"highway": "footway", "wheelchair": "yes"}),
    23: ([2, 5, 8], {"highway": "living_street"}),
    24: ([5, 9], {"highway": "steps", "incline": "up"}),
    25: ([13, 14, 15], {"highway": "footway", "bridge": "yes", "layer": "1"}),
    26: ([1, 9], {"highway": "path", "route": "ferry"}),
    27: ([1, 2, 5, 4, 1], {"building": "yes"}),
    28: ([3, 13], {"highway": "motorway"}),
    29: ([15, 6], {"highway": "path"}),
}
NODE_TAGGED = {
    2: {"barrier": "gate", "access": "private", "opening_hours": "Mo-Fr 06:00-22:00"},
    5: {"highway": "crossing", "crossing:signals": "yes", "ele": "12.5"},
    14: {"name": "a tag that says nothing of walking"},
}


@pytest.fixture
def osm(tmp_path):
    """The square as OSM XML."""
    path = tmp_path / "square.osm"
    osm_xml(path, NODES, WAYS, {1: ([("w", 27, "outer")], {"type": "multipolygon"})}, node_tags=NODE_TAGGED)
    return path


def converted(source, target, form=""):
    """Write ``source`` in another form with libosmium, and return where."""
    with osmium.io.Reader(osmium.io.File(source)) as reader:
        made = osmium.io.File(target, form) if form else osmium.io.File(target)
        with osmium.SimpleWriter(made, header=reader.header(), overwrite=True) as writer:
            osmium.apply(reader, writer)
    return target


def ways_of(path):
    ways, breaches = ways_of_osm(read_osm(path, STREETS))
    return ways, [(b.rule, b.severity, b.ids) for b in breaches]


def metric(ways):
    """Project ways to metres, as a study does."""
    lon, lat = ways.xy_m.T
    crs = local_crs((lon.min(), lat.min(), lon.max(), lat.max()))
    return type(ways)(ways.way_id, ways.tags, ways.indptr, ways.node, project(ways.xy_m, crs), ways.node_tags)


def network_of(ways):
    return walking_streets(metric(ways), Walking()).network


def assert_same_ways(ways, others):
    assert ways.way_id == others.way_id
    pd.testing.assert_frame_equal(ways.tags, others.tags)
    pd.testing.assert_frame_equal(ways.node_tags, others.node_tags)
    for name in ("indptr", "node", "xy_m"):
        assert np.array_equal(getattr(ways, name), getattr(others, name)), name


def walks_between(network, xy_m):
    """Return metres between places that are nodes of the network, by networkx on its public open segments."""
    graph = to_networkx(network)
    rows = [int(np.hypot(*(network.xy_m - place).T).argmin()) for place in xy_m]
    assert max(np.hypot(*(network.xy_m[row] - place)) for row, place in zip(rows, xy_m, strict=True)) < 1e-3
    found = {row: nx.single_source_dijkstra_path_length(graph, row, weight="cost") for row in rows}
    return np.array([[found[a].get(b, np.inf) for b in rows] for a in rows])


# -------------------------------------------------------------------------------------------- forms of OpenStreetMap


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("a.osm.pbf", "pbf"),
        ("a.osm.pbf", "pbf,pbf_compression=none"),
        ("a.osm.pbf", "pbf,pbf_dense_nodes=false"),
        ("a.osm.pbf", "pbf,add_metadata=false"),
        ("a.pbf", "pbf"),
        ("a.osm", "osm"),
        ("a.osm.gz", "osm.gz"),
        ("a.osm.bz2", "osm.bz2"),
        ("A.OSM.GZ", "osm.gz"),
    ],
)
def test_every_form_of_an_osm_file_gives_the_same_streets(osm, tmp_path, name, form):
    ways, breaches = ways_of(converted(osm, tmp_path / name, form))
    assert ways.way_id == ("w21", "w22", "w23", "w24", "w25", "w28", "w29")  # no ferry and no house
    assert breaches == []
    assert_same_ways(ways, ways_of(osm)[0])


@pytest.mark.parametrize("suffix", [".osm", ".osm.gz"])
def test_monaco_as_xml_is_monaco(repository, tmp_path, suffix):
    source = repository / "data" / "monaco" / "monaco.osm.pbf"
    wanted = {**STREETS, "buildings": ({"building": ()},), "areas": ({"boundary": ("administrative",)},)}
    ours, theirs = (read_osm(p, wanted) for p in (source, converted(source, tmp_path / f"a{suffix}")))
    assert ours.found == theirs.found
    assert ours.box == theirs.box
    assert_same_ways(ways_of_osm(ours)[0], ways_of_osm(theirs)[0])


@pytest.mark.parametrize(
    "place",
    ["monaco", *(pytest.param(p, marks=pytest.mark.slow) for p in ("andorra", "porto_alegre"))],
)
def test_ways_and_nodes_are_those_that_libosmium_reads(request, repository, place):
    folder = repository / "data" if place == "monaco" else request.getfixturevalue("shared_dir") / "data"
    path = folder / f"{PLACES[place]}.osm.pbf".replace("_osm.osm", "_osm")
    extract = read_osm(path, STREETS)
    objects = osmium.FileProcessor(path).with_locations().with_filter(osmium.filter.KeyFilter("highway"))
    ways = [(o.id, dict(o.tags), [(n.ref, n.x, n.y) for n in o.nodes]) for o in objects if o.is_way()]
    assert extract.streets.number.tolist() == [number for number, _, _ in ways]
    for tag in STREET_TAGS:
        assert list(extract.streets.tags[tag]) == [tags.get(tag, "") for _, tags, _ in ways]
    nodes = np.array([node for *_, through in ways for node in through])
    assert np.array_equal(extract.indptr, np.cumsum([0, *(len(through) for *_, through in ways)]))
    assert np.array_equal(extract.number[extract.node], nodes[:, 0])
    lonlat = np.where(nodes[:, 1:] == pbf.NOWHERE, np.nan, nodes[:, 1:] / 1e7)
    assert np.array_equal(extract.lonlat[extract.node], lonlat, equal_nan=True)


@pytest.mark.slow
def test_a_region_of_ten_thousand_kilometres_becomes_a_network(shared_dir):
    ways, _ = ways_of(shared_dir / "data" / f"{PLACES['porto_region']}.osm.pbf")
    network = network_of(ways)
    assert network.length_m.sum() / 1000 == pytest.approx(9983, rel=0.02)


def test_nodes_tell_of_gates_crossings_and_heights(osm):
    ways, _ = ways_of(osm)
    table = ways.node_tags
    assert list(table.columns) == ["node", "id", *NODE_TAGS]
    assert table["node"].dtype == np.int32
    assert list(table["id"]) == ["n2", "n5"]
    assert list(table["opening_hours"]) == ["Mo-Fr 06:00-22:00", ""]
    assert list(table["ele"]) == ["", "12.5"]
    assert np.allclose(ways.xy_m[table["node"]], [at(1, 0), at(1, 1)])


def test_lines_have_no_node_tags(tmp_path):
    study = open_study(write_city(tmp_path))
    assert list(study.streets.node_tags.columns) == ["node", "id", *NODE_TAGS]
    assert study.streets.node_tags.empty


# ------------------------------------------------------------------------------------------------- awkward, but sound


def shuffled(path, order):
    """Write the objects of an OSM XML file in another order."""
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([*lines[:2], *(lines[2:-1][i] for i in order), lines[-1]]), encoding="utf-8")


def test_the_order_of_nodes_does_not_matter_and_they_may_follow_the_ways(osm, tmp_path):
    before, _ = ways_of(osm)
    n, n_nodes = len(NODES) + len(WAYS) + 1, len(NODES)
    shuffled(osm, [*range(n_nodes, n - 1), *reversed(range(n_nodes)), n - 1])
    for name in ("a.osm.pbf", "a.osm"):
        assert_same_ways(before, ways_of(converted(osm, tmp_path / name))[0])


def test_nodes_that_the_file_does_not_hold_are_told_and_the_way_is_cut_there(osm):
    lines = osm.read_text(encoding="utf-8").splitlines()
    osm.write_text("\n".join(line for line in lines if '<node id="5"' not in line), encoding="utf-8")
    ways, breaches = ways_of(osm)
    assert breaches == [("broken-reference", "warning", ("w22", "w23", "w24"))]
    assert "w22" not in ways.way_id


def test_an_editors_own_file_has_negative_ids_and_nodes_without_a_place(tmp_path):
    path = tmp_path / "editor.osm"
    nodes = '<node id="-1" lat="1" lon="2"/><node id="-2" lat="1" lon="2.001"/><node id="-3"/>'
    through = '<nd ref="-1"/><nd ref="-2"/><nd ref="-3"/>'
    path.write_text(f'<osm version="0.6">{nodes}<way id="-9">{through}<tag k="highway" v="path"/></way></osm>')
    ways, breaches = ways_of(path)
    assert ways.way_id == ("w-9",)
    assert sorted(ways.xy_m.tolist()) == [[2, 1], [2.001, 1]]
    assert breaches == [("broken-reference", "warning", ("w-9",))]


# --------------------------------------------------------------------------------------------------- files by hand


def number(value):
    """Return a varint."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def sized(field, content):
    return number(field << 3 | 2) + number(len(content)) + content


def blob(kind, content, *, packed=None, size=None, field=3):
    """Return a blob of a PBF, packed with zlib unless told otherwise."""
    packed = zlib.compress(content) if packed is None else packed
    body = number(2 << 3) + number(len(content) if size is None else size) + sized(field, packed)
    header = sized(1, kind) + number(3 << 3) + number(len(body))
    return len(header).to_bytes(4, "big") + header + body


HEADER = blob(b"OSMHeader", sized(4, b"OsmSchema-V0.6") + sized(4, b"DenseNodes"))


def zigzag(*values):
    return b"".join(number((v << 1) ^ (v >> 63) & (2**64 - 1)) for v in values)


def street_block(*, unit=100, offset=0):
    """Return a block of two nodes, 0.001 degree apart, and a path between them."""
    texts = b"".join(sized(1, text) for text in (b"", b"highway", b"path"))
    step = 1_000_000 // unit
    lon = (7_000_000_000 - offset) // unit
    dense = sized(1, zigzag(4, 1)) + sized(8, zigzag(lon, 0)) + sized(9, zigzag(lon, step))
    way = number(1 << 3) + number(9) + sized(2, number(1)) + sized(3, number(2)) + sized(8, zigzag(4, 1))
    counted = b"".join(number(f << 3) + number(v) for f, v in ((17, unit), (19, offset), (20, offset)))
    return sized(1, texts) + sized(2, sized(2, dense)) + sized(2, sized(3, way)) + counted


@pytest.mark.parametrize(
    "packed",
    [
        HEADER + blob(b"OSMData", street_block()),
        HEADER + blob(b"OSMData", street_block(), packed=street_block(), field=1),
        HEADER + blob(b"OSMData", street_block(), packed=lzma.compress(street_block()), field=4),
        HEADER + blob(b"OSMData", street_block(unit=1000)),
        HEADER + blob(b"OSMData", street_block(offset=5_000_000_000)),
    ],
    ids=["zlib", "plain", "lzma", "coarse", "offset"],
)
def test_blocks_may_be_packed_and_counted_in_several_ways(tmp_path, packed):
    (tmp_path / "a.osm.pbf").write_bytes(packed)
    ways, _ = ways_of(tmp_path / "a.osm.pbf")
    assert ways.way_id == ("w9",)
    assert ways.xy_m.tolist() == [[7, 7], [7.001, 7]]


# ---------------------------------------------------------------------------------------------------------- bad input


def only_error(folder, name):
    """Return the one error of a study whose streets are the file of this name."""
    rows = [f'streets = "{name}"' if row.startswith("streets =") else row for row in STUDY.splitlines()]
    (folder / "study.toml").write_text("\n".join(rows), encoding="utf-8")
    study, breaches = check_study(folder)
    assert study is None
    [error] = [b for b in breaches if b.severity == "error"]
    assert error.layer == "streets"
    return error


@pytest.fixture
def city(tmp_path):
    return write_city(tmp_path)


@pytest.mark.parametrize("suffix", [".osm.pbf", ".osm", ".osm.gz", ".osm.bz2"])
def test_a_file_that_breaks_off_is_refused_wherever_it_does(city, osm, suffix):
    whole = converted(osm, city / f"whole{suffix}").read_bytes()
    cut = city / f"cut{suffix}"
    for share in (0.999, 0.9, 0.2, 0.5):
        cut.write_bytes(whole[: int(share * len(whole))])
        with pytest.raises((ValueError, RuntimeError)):
            read_osm(cut, STREETS)
    error = only_error(city, cut.name)
    assert (error.rule, error.ids) == ("unreadable", (cut.name,))
    assert "\n" not in error.message


def test_a_pbf_that_breaks_off_is_refused_at_every_byte_but_the_ends_of_its_blocks(tmp_path):
    parts = [HEADER, blob(b"OSMData", street_block()), blob(b"OSMData", street_block(unit=1000))]
    whole, cut = b"".join(parts), tmp_path / "cut.osm.pbf"
    for size in range(len(whole)):
        cut.write_bytes(whole[:size])
        if size in (len(HEADER), len(HEADER) + len(parts[1])):
            read_osm(cut, STREETS)  # a file with a block less is whole: that it once held more, nothing tells
            continue
        with pytest.raises(ValueError, match=r"breaks off|broken"):
            read_osm(cut, STREETS)


def test_a_file_without_streets_says_so(city, osm):
    text = osm.read_text(encoding="utf-8")
    (city / "none.osm").write_text(text.replace('k="highway"', 'k="waterway"'), encoding="utf-8")
    assert only_error(city, "none.osm").rule == "empty-layer"
    (city / "nodes.osm.pbf").write_bytes(HEADER)
    assert only_error(city, "nodes.osm.pbf").rule == "empty-layer"


def test_a_file_whose_ways_nobody_may_walk_is_refused(osm):
    osm.write_text(osm.read_text(encoding="utf-8").replace('v="residential"', 'v="motorway"'), encoding="utf-8")
    ways, _ = ways_of(osm)
    motorways = type(ways)(
        ways.way_id, ways.tags.assign(highway="motorway"), ways.indptr, ways.node, ways.xy_m, ways.node_tags
    )
    with pytest.raises(SourceError, match="no way"):
        walking_streets(metric(motorways), Walking())


GREEDY = bytearray(lzma.compress(street_block(), format=lzma.FORMAT_ALONE))
GREEDY[1:5] = (2**30).to_bytes(4, "little")  # how much of what is unpacked must be kept

BROKEN = {
    "a byte of a packed block": HEADER + blob(b"OSMData", b"", packed=zlib.compress(street_block())[:-6] + b"\0" * 6),
    "a block of noise": HEADER + blob(b"OSMData", bytes(range(256)) * 4),
    "a block of an unknown kind": HEADER + blob(b"OSMDatb", street_block()),
    "no header": blob(b"OSMData", street_block()),
    "a text that is not there": HEADER
    + blob(b"OSMData", street_block().replace(sized(3, number(2)), sized(3, b"\x09"))),
    "a length beyond the end": HEADER + blob(b"OSMData", sized(2, sized(3, b"\x42\x7f"))),
    "a varint without an end": HEADER + blob(b"OSMData", sized(2, sized(3, sized(8, b"\xff" * 11)))),
    "a thousand fields": HEADER + blob(b"OSMData", sized(2, sized(3, b"\x08\x01" * 1000))),
    "a blob that takes a gigabyte to unpack": HEADER + blob(b"OSMData", street_block(), packed=GREEDY, field=4),
    "lz4": HEADER + blob(b"OSMData", b"", packed=b"1234", field=6),
    "history": blob(b"OSMHeader", sized(4, b"HistoricalInformation")),
    "a bomb in a block": HEADER + blob(b"OSMData", bytes(40 * 2**20), size=1000),
    "a block larger than any": HEADER + blob(b"OSMData", bytes(40 * 2**20)),
    "a coarse unit": HEADER + blob(b"OSMData", street_block() + number(17 << 3) + number(2**60)),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_pbf_is_refused_in_one_line(city, name):
    (city / "a.osm.pbf").write_bytes(BROKEN[name])
    error = only_error(city, "a.osm.pbf")
    assert error.rule in ("unreadable", "wrong-content")
    assert error.ids == ("a.osm.pbf",)
    assert "\n" not in error.message


@pytest.mark.parametrize(
    ("unit", "times", "wrap"),
    [
        (b"\x0a\x00", 2**20 + 1, (1,)),
        (b"\x1a\x00", 2**20 + 1, (2,)),
        (b"\x12\x00", 2**20 + 1, ()),
        (sized(1, b"\x0a\x00" * 2**17) + sized(2, b"\x1a\x00" * 2**17), 5, ()),
        (sized(3, b"\x08\x01" * 63), 2**16 + 2**11, (2,)),
        (b"\x00", 2**23 + 1, (8, 3, 2)),
    ],
    ids=["texts", "ways", "groups", "texts and ways in turn", "fields of its ways", "nodes of a way"],
)
def test_a_small_block_that_holds_more_than_any_program_writes_is_refused(unit, times, wrap):
    content = unit * times
    for field in wrap:
        content = sized(field, content)
    assert len(zlib.compress(content)) < 64 * 1024
    with pytest.raises(ValueError, match="more than any program writes"):
        pbf.block_of(content)


@pytest.mark.parametrize("suffix", [".osm.pbf", ".osm", ".osm.gz", ".osm.bz2"])
def test_a_file_that_unpacks_to_more_than_the_study_allows_is_refused(osm, tmp_path, suffix):
    path = converted(osm, tmp_path / f"bomb{suffix}")
    with pytest.raises(OverLimitError, match="raise unpacked_mb in"):
        read_osm(path, STREETS, limits=Limits(unpacked_mb=0))


def test_what_is_not_what_its_name_says_is_refused(city, osm):
    packed = gzip.compress(osm.read_bytes())
    for name, content in {
        "a.osm.pbf": packed,
        "a.osm.gz": osm.read_bytes(),
        "a.osm.bz2": packed,
        "a.osm": bz2.compress(osm.read_bytes()),
        "a.graphml": osm.read_bytes(),
    }.items():
        (city / name).write_bytes(content)
        assert only_error(city, name).rule == "wrong-content"
    (city / "b.osm.gz").write_bytes(gzip.compress(b"<gpx></gpx>"))
    assert only_error(city, "b.osm.gz").rule == "unreadable"


LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY c SYSTEM "study.toml">]>'


@pytest.mark.parametrize("doctype", [LAUGHS, OUTSIDE], ids=["entities in entities", "a file from outside"])
@pytest.mark.parametrize(
    ("name", "read", "body"),
    [
        ("a.osm", ways_of, '<osm version="0.6"><node id="1" lat="1" lon="1"><tag k="name" v="&c;"/></node></osm>'),
        ("a.graphml", read_graphml, '<graphml><graph><node id="&c;"/></graph></graphml>'),
    ],
)
def test_xml_that_declares_entities_is_refused(tmp_path, doctype, name, read, body):
    (tmp_path / name).write_text(f'<?xml version="1.0"?>{doctype}{body}', encoding="utf-8")
    with pytest.raises((ValueError, RuntimeError), match=r"document type|entities"):
        read(tmp_path / name)


@given(
    damage=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=6),
    packed=st.booleans(),
    kept=st.floats(0.5, 1),
)
def test_damage_is_refused_or_read_and_nothing_else(tmp_path_factory, damage, packed, kept):
    folder = tmp_path_factory.getbasetemp()
    name = "packed.osm.pbf" if packed else "plain.osm.pbf"
    if not (folder / name).exists():
        osm_xml(folder / "whole.osm", NODES, WAYS, node_tags=NODE_TAGGED)
        converted(folder / "whole.osm", folder / name, "pbf" if packed else "pbf,pbf_compression=none")
    content = bytearray((folder / name).read_bytes())
    for where, value in damage:
        content[int(where * len(content))] = value
    (folder / "damaged.osm.pbf").write_bytes(content[: int(kept * len(content))])
    with contextlib.suppress(ValueError):
        ways_of(folder / "damaged.osm.pbf")


# ------------------------------------------------------------------------------------------------------------- GraphML


@pytest.fixture
def walk_graph(osm):
    """The square as OSMnx reads it for walking: both directions of each way, nothing joined yet."""
    tags = [*STREET_TAGS, "building"]
    before = ox.settings.useful_tags_way, ox.settings.useful_tags_node
    ox.settings.useful_tags_way, ox.settings.useful_tags_node = tags, list(NODE_TAGS)
    graph = ox.graph_from_xml(osm, simplify=False, retain_all=True, bidirectional=True)
    ox.settings.useful_tags_way, ox.settings.useful_tags_node = before
    unwanted = [(u, v, k) for u, v, k, data in graph.edges(keys=True, data=True) if "highway" not in data]
    unwanted += [(u, v, k) for u, v, k, data in graph.edges(keys=True, data=True) if data.get("route") == "ferry"]
    graph.remove_edges_from(unwanted)
    return graph


def read_graph(graph, path):
    ox.save_graphml(graph, path)
    ways, _, breaches = read_graphml(path)
    return ways, [(b.rule, b.severity, b.ids) for b in breaches]


@pytest.mark.parametrize("form", ["as read", "simplified", "projected", "simplified and projected"])
def test_a_graph_that_osmnx_wrote_is_the_network_of_its_file(osm, walk_graph, tmp_path, form):
    graph = ox.simplify_graph(walk_graph, edge_attrs_differ=["osmid"]) if "simplified" in form else walk_graph
    graph = ox.project_graph(graph) if "projected" in form else graph
    ways, breaches = read_graph(graph, tmp_path / "a.graphml")
    assert breaches == []
    assert set(ways.way_id) == {"w21", "w22", "w23", "w24", "w25", "w28", "w29"}
    network, theirs = network_of(ways_of(osm)[0]), network_of(ways)
    assert theirs.length_m.sum() == pytest.approx(network.length_m.sum(), abs=1e-3)
    crs = local_crs((*at(-1, 0), *at(3, 2)))
    corners = project(np.array([at(x, y) for x, y in ((1, 0), (2, 1), (2, 2), (1, 2), (0, 1), (-1, 1))]), crs)
    assert np.allclose(walks_between(theirs, corners), walks_between(network, corners), atol=1e-3)


def steps_of(ways):
    """Return each step of each way from one vertex to the next, in the direction in which it is drawn."""
    lonlat = [tuple(place) for place in np.round(ways.xy_m[ways.node], 7).tolist()]
    bounds = zip(ways.way_id, ways.indptr[:-1], ways.indptr[1:], strict=True)
    return {(way_id, *step) for way_id, begin, end in bounds for step in pairwise(lonlat[begin:end])}


@pytest.mark.parametrize("simplified", [False, True])
@pytest.mark.parametrize("form", ["as read", "the other direction first", "the other direction alone", "undirected"])
def test_ways_of_a_graph_run_as_they_are_drawn(osm, walk_graph, tmp_path, form, simplified):
    graph = ox.simplify_graph(walk_graph, edge_attrs_differ=["osmid"]) if simplified else walk_graph
    edges = sorted(graph.edges(keys=True, data=True), key=lambda edge: not edge[3]["reversed"])
    if form.startswith("the other"):
        graph.remove_edges_from([edge[:3] for edge in edges])
        graph.add_edges_from(e for e in edges if e[3]["reversed"] or not form.endswith("alone"))
        assert next(iter(graph.edges(data="reversed")))[2]
    graph = ox.convert.to_undirected(graph) if form == "undirected" else graph
    ways, breaches = read_graph(graph, tmp_path / "a.graphml")
    assert breaches == []
    assert steps_of(ways) == steps_of(ways_of(osm)[0])


@pytest.mark.parametrize("first", [False, True], ids=["as drawn first", "the other direction first"])
@pytest.mark.parametrize(("begin", "end"), [(0, 1), (1, 0), (0, 0)], ids=["east", "west", "a loop"])
def test_an_escalator_of_a_graph_leads_where_it_was_drawn_to(tmp_path, first, begin, end):
    graph, line = small_graph(), shapely.LineString([at(begin, 0), at(0, 1), at(1, 2), at(end, 0)])
    said = {"osmid": 8, "highway": "steps", "conveying": "forward", "length": 400.0}
    for back in (first, not first):
        ends, drawn = ((end, begin), line.reverse()) if back else ((begin, end), line)
        graph.add_edge(*ends, **said, geometry=drawn, reversed=back)
    ways, _ = read_graph(graph, tmp_path / "a.graphml")
    row = ways.indptr[ways.way_id.index("w8")]
    assert np.allclose(ways.xy_m[ways.node[row : row + 4]], shapely.get_coordinates(line))


@pytest.mark.parametrize(("tag", "value"), [("conveying", "forward"), ("incline", "up"), ("oneway:foot", "-1")])
def test_an_edge_joined_of_ways_drawn_in_both_directions_is_told_where_its_tags_have_one(tmp_path, tag, value):
    for said, told in (({tag: value}, ["direction-unclear"]), ({tag: "no"}, []), ({}, [])):
        _, breaches = read_graph(small_graph(reversed=[False, True], **said), tmp_path / "a.graphml")
        assert [rule for rule, _, _ in breaches] == told


def test_nodes_of_a_graph_tell_of_gates_too(osm, walk_graph, tmp_path):
    ours, theirs = ways_of(osm)[0].node_tags, read_graph(walk_graph, tmp_path / "a.graphml")[0].node_tags
    assert list(theirs.columns) == list(ours.columns)
    known = theirs.set_index("id").loc[["n2", "n5"], ["highway", "barrier", "opening_hours", "ele"]]
    pd.testing.assert_frame_equal(known, ours.set_index("id")[known.columns])


def small_graph(**edge):
    graph = nx.MultiDiGraph(crs="EPSG:4326")
    for i, (x, y) in enumerate([(0, 0), (1, 0), (1, 1)]):
        lon, lat = at(x, y)
        graph.add_node(i, x=lon, y=lat)
    graph.add_edge(0, 1, **{"osmid": 7, "highway": "path", "length": 83.0, "reversed": False, **edge})
    return graph


def test_parallel_edges_and_loops_stay_and_twins_are_one(tmp_path):
    graph = small_graph()
    bend = shapely.LineString([at(0, 0), at(0.5, 0.5), at(1, 0)])
    graph.add_edge(1, 0, osmid=7, highway="path", length=83.0, reversed=True)
    graph.add_edge(0, 1, osmid=8, highway="path", length=139.0, geometry=bend)
    graph.add_edge(1, 0, osmid=8, highway="path", length=139.0, geometry=bend.reverse())
    loop = shapely.LineString([at(1, 1), at(1.5, 1), at(1.5, 1.5), at(1, 1)])
    graph.add_edge(2, 2, osmid=9, highway="path", length=170.0, geometry=loop)
    graph.add_edge(2, 2, osmid=9, highway="path", length=170.0, geometry=loop.reverse())
    ways, breaches = read_graph(graph, tmp_path / "a.graphml")
    assert ways.way_id == ("w7", "w8", "w9")
    assert np.diff(ways.indptr).tolist() == [2, 3, 4]
    assert ways.node[ways.indptr[2]] == ways.node[-1] == 2
    assert breaches == []


def test_what_a_graph_has_lost_is_told(tmp_path):
    ways, breaches = read_graph(small_graph(length=300.0, highway=["steps", "path"]), tmp_path / "a.graphml")
    assert list(ways.tags["highway"]) == ["steps"]
    assert breaches == [("length-differs", "warning", ("w7",)), ("several-values", "warning", ("w7",))]


def test_a_line_that_leads_far_from_its_ends_is_told(tmp_path):
    away = shapely.LineString([at(0, 0), at(0, 40), at(1, 0)])
    _, breaches = read_graph(small_graph(geometry=away), tmp_path / "a.graphml")
    assert breaches == [("length-differs", "warning", ("w7",))]


def test_a_geometry_that_is_not_plainly_a_line_is_refused_unparsed(city):
    nested = "GEOMETRYCOLLECTION(" * 200_000 + "POINT(0 0)" + ")" * 200_000
    for wrong in (nested, "LINESTRING" + "(" * 200_000, "LINESTRING ((0 0, 1 1))", "LINESTRING (0 0, 1e999 1)", ""):
        ox.save_graphml(small_graph(geometry=wrong), city / "a.graphml")
        assert only_error(city, "a.graphml").rule == "wrong-geometry"


@pytest.mark.parametrize("form", ["LINESTRING Z ({} 5, {} 6)", "LINESTRING ZM ({} 5 1, {} 6 1)", " LINESTRING({},{}) "])
def test_a_plain_line_may_have_heights_and_blanks(tmp_path, form):
    line = form.format(*(f"{x:.7f} {y:.7e}" for x, y in (at(0, 0), at(1, 0))))
    ways, breaches = read_graph(small_graph(geometry=line), tmp_path / "a.graphml")
    assert ways.way_id == ("w7",)
    assert breaches == []


def test_a_graph_that_is_no_network_is_refused(city):
    def rule_of(graph):
        ox.save_graphml(graph, city / "a.graphml")
        return only_error(city, "a.graphml").rule

    graph = small_graph()
    graph.remove_edge(0, 1)
    assert rule_of(graph) == "empty-layer"
    graph = small_graph()
    graph.graph["crs"] = "nowhere"
    assert rule_of(graph) == "no-crs"
    graph = small_graph()
    graph.nodes[1]["x"] = "east"
    assert rule_of(graph) == "not-finite"
    graph = small_graph()
    graph.nodes[1]["x"], graph.nodes[1]["y"] = 500_000.0, 4_000_000.0
    assert rule_of(graph) == "not-degrees"
    for wrong in ("POINT (1 1)", "LINESTRING EMPTY", "LINESTRING (1 1", "LINESTRING (nan 1, 2 2)"):
        assert rule_of(small_graph(geometry=wrong)) == "wrong-geometry"
    far = f"LINESTRING ({at(0, 0)[0]} {at(0, 0)[1]}, 5000 0, {at(1, 0)[0]} {at(1, 0)[1]})"
    assert rule_of(small_graph(geometry=far)) == "not-degrees"


def graphml_of(body):
    """Return GraphML by hand, with the attributes of a graph in degrees."""
    keys = "".join(f'<key id="{k}" for="node" attr.name="{k}" attr.type="double"/>' for k in ("x", "y", "crs"))
    return f'<?xml version="1.0"?><graphml>{keys}<graph edgedefault="directed">{body}</graph></graphml>'


PLACE = '<data key="crs">EPSG:4326</data>' + "".join(
    f'<node id="{i}"><data key="x">{lon}</data><data key="y">{lat}</data></node>'
    for i, (lon, lat) in enumerate((at(0, 0), at(1, 0)))
)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (graphml_of(PLACE + '<edge source="0" target="9"/>'), "unknown-id"),
        (graphml_of(PLACE + PLACE + '<edge source="0" target="1"/>'), "duplicate-id"),
        (graphml_of(PLACE + "<node>" * 20), "unreadable"),
        (graphml_of(PLACE + '<edge source="0" target="1"/>')[:-30], "unreadable"),
        (graphml_of(PLACE + '<edge source="0" target="1">&lt;&bad;</edge>'), "unreadable"),
    ],
    ids=["an end that is not there", "an id borne twice", "too deep", "cut short", "an unknown entity"],
)
def test_graphml_that_is_not_sound_is_refused(city, text, rule):
    (city / "a.graphml").write_text(text, encoding="utf-8")
    assert only_error(city, "a.graphml").rule == rule


def test_graphml_holds_streets_alone_and_all_of_them(city):
    ox.save_graphml(small_graph(), city / "a.graphml")
    for line in ('streets = { path = "a.graphml", where = { highway = "path" } }', 'stations = "a.graphml"'):
        layer = line.split()[0]
        rows = [line if row.startswith(f"{layer} =") else row for row in STUDY.splitlines()]
        (city / "study.toml").write_text("\n".join(rows), encoding="utf-8")
        assert (layer, "unfit-for-graphml") in [(b.layer, b.rule) for b in check_study(city)[1]]


# ------------------------------------------------------------------------------------------------------------ networkx

SIDE_M = 400


@st.composite
def networks(draw):
    """Draw a network: nodes of a small grid, any segments between them, some bent, sloping, one-way, a wait on them."""
    n = draw(st.integers(2, 7))
    xy_m = np.array(
        draw(st.lists(st.tuples(*[st.integers(0, SIDE_M)] * 2), min_size=n, max_size=n, unique=True)), float
    )
    ends = draw(st.lists(st.tuples(*[st.integers(0, n - 1)] * 2), min_size=1, max_size=14))
    m = len(ends)
    shapes = []
    for a, b in ends:
        bent = a == b or draw(st.booleans())
        shapes.append([xy_m[a], *([draw(st.tuples(*[st.integers(0, SIDE_M)] * 2))] if bent else []), xy_m[b]])
    costs = st.one_of(st.floats(1, 900), st.just(np.inf))
    flat_m = [draw(st.tuples(costs, costs)) if draw(st.booleans()) else (50.0, 50.0) for _ in range(m)]
    flags = {k: [draw(st.booleans()) for _ in range(m)] for k in ("private", "closed", "snappable", "remnant")}
    fixed_s = [draw(st.sampled_from([0.0, 30.0])) for _ in range(m)]
    return walk_network(xy_m, ends, shapes=shapes, flat_m=flat_m, fixed_s=fixed_s, **flags)


def distances(graph, weight="cost"):
    return dict(nx.all_pairs_dijkstra_path_length(graph, weight=weight))


def judge(network):
    """Return the same network as a graph that keeps the cheapest way between two nodes, made without our own code."""
    graph = nx.DiGraph()
    graph.add_nodes_from(range(len(network.xy_m)))
    for (a, b), there, back in zip(network.ends.tolist(), network.forward_m, network.backward_m, strict=True):
        for u, v, cost in ((a, b, there), (b, a, back)):
            if np.isfinite(cost) and cost < graph.get_edge_data(u, v, {"cost": np.inf})["cost"]:
                graph.add_edge(u, v, cost=float(cost))
    return graph


@given(networks())
def test_a_network_comes_back_from_networkx_with_every_distance(network):
    back = from_networkx(to_networkx(network))
    assert distances(to_networkx(back)) == distances(judge(network))
    walked = np.isfinite(network.forward_m) | np.isfinite(network.backward_m)
    assert back.n_segments == walked.sum()
    both_ways = np.isfinite(network.forward_m[walked])
    assert np.array_equal(back.ends[both_ways], network.ends[walked][both_ways])
    for name in ("length_m", "fixed_s", "private", "closed", "snappable", "remnant"):
        assert np.array_equal(getattr(back, name), getattr(network, name)[walked]), name
    before = np.add.reduceat(network.shape_xy_m.sum(axis=1), network.shape_indptr[:-1])[walked]
    assert np.allclose(np.add.reduceat(back.shape_xy_m.sum(axis=1), back.shape_indptr[:-1]), before)


def test_osmnx_works_on_our_graph(osm):
    ways, _ = ways_of(osm)
    network = network_of(ways)
    graph = to_networkx(network, crs="EPSG:32651")
    nodes, edges = ox.graph_to_gdfs(graph)
    assert len(nodes) == len(network.xy_m)
    assert np.allclose(edges.geometry.length, edges["length"])
    east, north = network.xy_m[3]
    assert ox.distance.nearest_nodes(graph, east + 1, north) == 3
    assert ox.stats.edge_length_total(graph) == pytest.approx(2 * network.length_m.sum())
    assert distances(ox.graph_from_gdfs(nodes, edges)) == distances(graph)


def test_an_osmnx_graph_becomes_the_network_of_its_file(osm, walk_graph):
    graph = ox.project_graph(ox.simplify_graph(walk_graph))
    network = from_networkx(graph)
    assert network.n_segments == len(ox.convert.to_undirected(graph).edges)
    row_of = {node: row for row, node in enumerate(graph.nodes)}
    ours = distances(to_networkx(network))
    for a, found in distances(graph, "length").items():
        assert {row_of[b]: metres for b, metres in found.items()} == pytest.approx(ours[row_of[a]], abs=1e-6)


def street(kind=nx.MultiDiGraph, **attributes):
    graph = kind(**attributes)
    graph.add_node("a", x=0.0, y=0.0)
    graph.add_node("b", x=100.0, y=0.0)
    return graph


def test_a_one_way_street_of_traffic_is_walked_both_ways_and_one_of_walking_is_not():
    traffic, walking = street(), street(walking=True)
    for graph in (traffic, walking):
        graph.add_edge("a", "b", length=100.0, oneway=True)
    assert from_networkx(traffic).backward_m.tolist() == [100]
    assert from_networkx(walking).backward_m.tolist() == [np.inf]


def test_both_directions_of_a_street_are_one_segment_and_parallel_streets_are_two():
    graph = street()
    for u, v in (("a", "b"), ("b", "a")):
        graph.add_edge(u, v, length=100.0, osmid=[1, 2] if u == "a" else [2, 1])
        graph.add_edge(u, v, length=150.0, osmid=3)
    assert sorted(from_networkx(graph).length_m.tolist()) == [100, 150]


@pytest.mark.parametrize("kind", [nx.Graph, nx.MultiGraph, nx.DiGraph])
def test_any_kind_of_graph_is_taken(kind):
    graph = street(kind)
    graph.add_edge("b", "a", length=120.0, geometry=shapely.LineString([(0, 0), (50, 30), (100, 0)]))
    network = from_networkx(graph)
    assert network.length_m.tolist() == network.forward_m.tolist() == network.backward_m.tolist() == [120]
    assert network.shape_xy_m[0].tolist() == network.xy_m[network.ends[0, 0]].tolist()


def test_a_missing_length_is_never_1():
    graph = street()
    graph.add_edge("a", "b")
    graph.add_node("c", x=1.0)
    with pytest.raises(SchemaError) as caught:
        from_networkx(graph)
    assert {(b.rule, b.ids) for b in caught.value.breaches} == {("no-place", ("c",)), ("no-length", ("a - b",))}


@pytest.mark.parametrize("crs", ["EPSG:4326", None])
def test_a_graph_in_degrees_is_refused_with_advice(crs):
    graph = small_graph()
    graph.graph = {} if crs is None else {"crs": crs}
    with pytest.raises(SchemaError, match="project_graph"):
        from_networkx(graph)


def test_a_coordinate_system_that_there_is_not_is_refused():
    with pytest.raises(SchemaError, match="nowhere"):
        from_networkx(street(crs="nowhere"))
