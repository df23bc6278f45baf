"""The load chart is drawn for whole, partly unknown and empty histories."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tandem.demo.chart import save_load_chart

PNG = b"\x89PNG\r\n\x1a\n"


def day(on: date, load: float | None, ratio: float | None, band: str | None) -> dict[str, Any]:
    figures = {"load": load, "acute": load, "chronic": load, "band": band, "status": "ok" if band else "incomplete"}
    stream = {**figures, "acwr": {"coupled": ratio, "uncoupled": ratio, "ewma": ratio}}
    return {"date": on.isoformat(), "streams": dict.fromkeys(("run", "lift", "combined"), stream)}


@pytest.mark.parametrize(
    "figures",
    [
        [(50.0, 1.0, "optimal")] * 56,
        [(50.0, 3.9, "danger")] * 28,
        [(50.0, 1.0, "optimal")] * 20 + [(None, None, None)] * 8,
        [(None, None, None)] * 10,
        [(0.0, None, None)],
    ],
    ids=["steady", "off the scale", "ends unknown", "nothing known", "one day of rest"],
)
def test_a_png_is_written(tmp_path: Path, figures: list[tuple[Any, Any, Any]]) -> None:
    days = [day(date(2026, 1, 1) + timedelta(days=index), *one) for index, one in enumerate(figures)]
    path = tmp_path / "load.png"
    save_load_chart(days, path, "real: nothing")
    assert path.read_bytes().startswith(PNG) and path.stat().st_size > 10_000
