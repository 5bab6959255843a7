"""The notebooks run from top to bottom, and the kept copy holds its pictures."""

import nbformat
import pytest
from nbclient import NotebookClient


@pytest.mark.slow
def test_the_notebook_of_made_up_cities_runs_and_every_picture_of_the_city_says_synthetic(repository, monkeypatch):
    monkeypatch.setenv("LIFECIRCLE_SIZE", "0.1")
    notebook = nbformat.read(repository / "notebooks" / "05_made_up_cities.ipynb", as_version=4)
    drawing = [c for c in notebook.cells if any("image/png" in o.get("data", {}) for o in c.get("outputs", ()))]
    assert len(drawing) == 3
    assert all("signed(figure)" in c.source for c in drawing)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": repository / "notebooks"}}).execute()
    shown = [o for c in notebook.cells for o in c.get("outputs", ())]
    assert sum("image/png" in o.get("data", {}) for o in shown) == 3
    assert not any(o.get("name") == "stderr" for o in shown)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "pictures", "told"),
    [
        ("01_monaco", 3, "gap 0.00%"),
        ("02_proposing_sites", 2, "gap 0.00%, optimal"),
        ("03_comparing_scenarios", 2, ""),
        ("04_hills_and_aged_walkers", 2, "minutes more: median"),
    ],
)
def test_a_notebook_runs_and_the_kept_copy_shows_what_it_shows(repository, name, pictures, told):
    notebook = nbformat.read(repository / "notebooks" / f"{name}.ipynb", as_version=4)

    def shown():
        return [o for c in notebook.cells for o in c.get("outputs", ())]

    def pictures_shown():
        return sum("image/png" in o.get("data", {}) for o in shown())

    def texts():
        return [
            o.get("data", {}).get("text/plain") or o.get("text") for o in shown() if o.output_type != "display_data"
        ]

    kept = texts()
    assert pictures_shown() == pictures
    assert any(told in text for text in kept)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": repository / "notebooks"}}).execute()
    assert not any(o.get("name") == "stderr" for o in shown())
    assert pictures_shown() == pictures
    assert texts() == kept, "the figures of the kept copy are those of today"
