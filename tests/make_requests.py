"""Make data/monaco/requests.csv: made-up requests from real buildings, in proportion to their estimated residents.

    python tests/make_requests.py

Nobody asked for any of them; every row says so.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from lifecircle import cover, open_study

ITEMS = ("pension form", "fee payment", "home repair", "legal advice", "medicine", "library card")
FOLDER = Path(__file__).resolve().parents[1] / "data" / "monaco"


def main() -> None:
    homes = cover(open_study(FOLDER)).buildings
    random = np.random.default_rng(2026)
    weight = homes["residents"].to_numpy()
    rows = random.choice(len(homes), 500, p=weight / weight.sum())
    pd.DataFrame(
        {
            "request_id": [f"R{i + 1:03}" for i in range(len(rows))],
            "lon": homes["lon"].to_numpy()[rows],
            "lat": homes["lat"].to_numpy()[rows],
            "item": random.choice(ITEMS, len(rows)),
            "remark": "made up",
        }
    ).to_csv(FOLDER / "requests.csv", index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
