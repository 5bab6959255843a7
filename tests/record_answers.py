"""Answers of OpenStreetMap's servers, made out of the extract in data/monaco: `python tests/record_answers.py`.

No server is asked. For a quarter of Monaco and a box around it, this writes what Nominatim and Overpass would say, were
the extract all that they hold: the objects that a statement of Overpass's language selects, found by the meaning that
its manual gives it ("Overpass API/Overpass QL", OpenStreetMap wiki: `(poly:...)`, `(._;>;)`), in the form of its JSON.
The statements are those that `lifecircle fetch` sends; a test's server gives an answer for those alone.
"""

from __future__ import annotations

import gzip
import json
import re
import tempfile
from pathlib import Path

import osmium
import shapely

from lifecircle.fetch import Servers
from lifecircle.fetch.make import fetch_study
from map_servers import Filters, MapServers, statements

MONACO = Path(__file__).parents[1] / "data" / "monaco" / "monaco.osm.pbf"
ANSWERS = Path(__file__).parent / "answers"

NAME, QUARTER = "Monaco-Ville, Monaco", 2220207
"""What is asked for, and the number of its relation."""

AS_OF = "2023-12-26T21:21:22Z"
"""Of when the extract is, as its header says."""

BUFFER_M = 200.0
MADE_BY = "lifecircle tests/record_answers.py, out of data/monaco/monaco.osm.pbf"
_TAG = re.compile(r"\['([^']+)'(?:='([^']*)')?\]")
_KEYS = re.compile(r'\[~"(\^\([^"]*\)\$)"~"\."\]')


class Extract:
    """Every object of a file."""

    def __init__(self, path: Path) -> None:
        self.tags: dict[tuple[str, int], dict[str, str]] = {}
        self.place: dict[int, tuple[float, float]] = {}
        self.nodes: dict[int, list[int]] = {}
        self.members: dict[int, list[tuple[str, int, str]]] = {}
        letters = {"n": "node", "w": "way", "r": "relation"}
        for found in osmium.FileProcessor(path):
            kind = letters[found.type_str()]
            self.tags[kind, found.id] = {tag.k: tag.v for tag in found.tags}
            if kind == "node":
                self.place[found.id] = (found.lon, found.lat)
            elif kind == "way":
                self.nodes[found.id] = [node.ref for node in found.nodes]
            else:
                self.members[found.id] = [(letters[m.type], m.ref, m.role) for m in found.members]

    def answer(self, asked: Filters, polygon: shapely.Polygon) -> list[dict[str, object]]:
        """Return what statements select, and all that it is made of."""
        shapely.prepare(polygon)
        selected = set()
        for key, tags in self.tags.items():
            if any(kind == key[0] and _meets(tags, said) for kind, said in asked) and self.is_in(key, polygon):
                selected |= self.with_parts(key)
        order = {"node": 0, "way": 1, "relation": 2}
        return [self.element(key) for key in sorted(selected, key=lambda key: (order[key[0]], key[1]))]

    def is_in(self, key: tuple[str, int], polygon: shapely.Polygon) -> bool:
        """Return whether an object lies in a polygon: a node of it, a part of a way, a member of a relation."""
        kind, number = key
        if kind == "node":
            return number in self.place and polygon.intersects(shapely.Point(self.place[number]))
        if kind == "way":
            places = [self.place[n] for n in self.nodes[number] if n in self.place]
            return len(places) > 1 and polygon.intersects(shapely.LineString(places))
        parts = [(k, n) for k, n, _ in self.members[number] if k != "relation" and (k, n) in self.tags]
        return any(self.is_in(part, polygon) for part in parts)

    def with_parts(self, key: tuple[str, int]) -> set[tuple[str, int]]:
        """Return an object, its members and the nodes of each, as far as the file holds them."""
        kind, number = key
        if kind == "relation":
            inner = ((k, n) for k, n, _ in self.members[number] if k != "relation" and (k, n) in self.tags)
            return {key}.union(*(self.with_parts(part) for part in inner))
        nodes = self.nodes[number] if kind == "way" else []
        return {key, *(("node", n) for n in nodes if n in self.place)}

    def element(self, key: tuple[str, int]) -> dict[str, object]:
        """Return an object in the form of Overpass's JSON."""
        kind, number = key
        made: dict[str, object] = {"type": kind, "id": number}
        if kind == "node":
            lon, lat = self.place[number]
            made |= {"lat": round(lat, 7), "lon": round(lon, 7)}
        elif kind == "way":
            made["nodes"] = self.nodes[number]
        else:
            made["members"] = [{"type": k, "ref": n, "role": role} for k, n, role in self.members[number]]
        return made | ({"tags": self.tags[key]} if self.tags[key] else {})

    def outline(self, relation: int) -> shapely.Polygon:
        """Return the outline of a relation whose border the file holds whole."""
        ways = [n for k, n, role in self.members[relation] if k == "way" and role == "outer"]
        [polygon] = shapely.polygonize([shapely.LineString([self.place[n] for n in self.nodes[w]]) for w in ways]).geoms
        return polygon


def _meets(tags: dict[str, str], said: str) -> bool:
    if keys := _KEYS.fullmatch(said):
        return any(re.search(keys[1], key) for key in tags)
    return all(key in tags and value in ("", tags[key]) for key, value in _TAG.findall(said))


def place_of(extract: Extract, relation: int) -> dict[str, object]:
    """Return a relation as Nominatim tells of it."""
    outline = extract.outline(relation)
    west, south, east, north = outline.bounds
    middle = outline.representative_point()
    name = extract.tags["relation", relation]["name"]
    return {
        "place_id": relation,
        "licence": "Data © OpenStreetMap contributors, ODbL 1.0. http://osm.org/copyright",
        "osm_type": "relation",
        "osm_id": relation,
        "lat": f"{middle.y:.7f}",
        "lon": f"{middle.x:.7f}",
        "class": "boundary",
        "type": "administrative",
        "place_rank": 20,
        "importance": 0.4,
        "addresstype": "suburb",
        "name": name,
        "display_name": f"{name}, Monaco",
        "boundingbox": [f"{south:.7f}", f"{north:.7f}", f"{west:.7f}", f"{east:.7f}"],
        "geojson": json.loads(shapely.to_geojson(outline)),
    }


def read(name: str) -> dict[str, object]:
    """Return what was recorded under a name."""
    return json.loads(gzip.decompress((ANSWERS / f"{name}.json.gz").read_bytes()))


def main() -> None:
    """Fetch the quarter from servers that hold the extract, and record what they say."""
    extract = Extract(MONACO)
    recorded: dict[str, object] = {"place": [place_of(extract, QUARTER)]}

    def objects(query: str) -> object:
        asked, polygon = statements(query)
        answer = {
            "version": 0.6,
            "generator": MADE_BY,
            "osm3s": {"timestamp_osm_base": AS_OF, "copyright": "OpenStreetMap contributors, ODbL 1.0"},
            "elements": extract.answer(asked, polygon),
        }
        name = "features" if any(kind == "node" for kind, _ in asked) else "ways"
        recorded[name] = {"asked": sorted(asked), "bounds": polygon.bounds, "answer": answer}
        return answer

    with MapServers(recorded["place"], objects) as servers, tempfile.TemporaryDirectory() as folder:
        whom = Servers(servers.url, f"{servers.url}/api")
        print(fetch_study(Path(folder) / "study", NAME, buffer_m=BUFFER_M, servers=whom))
    ANSWERS.mkdir(exist_ok=True)
    for name, record in recorded.items():
        path = ANSWERS / f"{name}.json.gz"
        text = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
        path.write_bytes(gzip.compress(text.encode(), mtime=0))
        print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
