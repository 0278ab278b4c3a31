"""How soon a report opens in headless Chromium, and how soon it answers its reader.

    egca bench report                    10,000 samples, ten times, each in a browser of its own

Needs the extra `report` and a Chromium. Writes results/report.json; `egca table` prints it. Times are milliseconds, of
the opening from the beginning of the navigation; the file is in the host's cache.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks import common
from benchmarks.report.browser import Browser, executable
from benchmarks.report.pages import many
from egca_plugin.report.render import SHOWN, render

FRAMES = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
SINCE = f"async (act) => {{ const at = performance.now(); act(); await {FRAMES}; return performance.now() - at; }}"
PAINT = """new Promise((done) => {
  const ask = () => {
    const [paint] = performance.getEntriesByName("first-contentful-paint");
    if (paint) done(paint.startTime); else requestAnimationFrame(ask);
  };
  ask();
})"""
TIMED = {
    "shown and idle": f"{FRAMES}.then(() => performance.now())",
    "first content": PAINT,
    "a key, to the frame that shows it": f"({SINCE})(() => step(1))",
    "a search, the first": f"({SINCE})(() => {{ text.value = 'values[1:] -> values'; show(); }})",
    "a search, any later one": f"({SINCE})(() => {{ text.value = 'step_49'; show(); }})",
    "a link to a far sample": f"({SINCE})(() => {{ location.hash = `#${{samples.at(-9).id}}`; follow(); }})",
}


def times(page: Path) -> dict[str, float]:
    """Milliseconds by what is waited for, from a browser that was just started."""
    with Browser() as browser:
        browser.open(page)
        return {name: float(browser.run(script)) for name, script in TIMED.items()}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="egca bench report", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--samples", type=int, default=SHOWN, help="samples of the report (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=10, help="browsers (default: %(default)s)")
    parser.add_argument("--busy", action="store_true", help="measure on a busy host too: no result, but a look")
    parser.add_argument("--out", type=Path, default=common.RESULTS, help="folder of the result")
    options = parser.parse_args()
    if executable() is None:
        parser.error("no Chromium on the path")
    load = round(os.getloadavg()[0], 2) if options.busy else common.require_idle()
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "report.html"
        began = time.perf_counter()
        page.write_text(render(many(options.samples), "many"), encoding="utf-8")
        drawn, size = time.perf_counter() - began, page.stat().st_size
        found = [times(page) for _ in range(options.runs)]
    rows = []
    for name in TIMED:
        values = [one[name] for one in found]
        rows.append([name, *(f"{value:.0f}" for value in (statistics.median(values), min(values), max(values)))])
    title = f"A report of {options.samples} samples, {size / 1e6:.1f} MB, drawn in {drawn:.1f} s"
    tables = [common.table(title, ("what", "ms, median", "least", "most"), rows)]
    with Browser() as browser:
        settings = {"samples": options.samples, "runs": options.runs, "load": load, "browser": browser.version()}
    print(common.write_result("report", settings=settings, tables=tables, folder=options.out))


if __name__ == "__main__":
    main()
