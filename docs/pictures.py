"""Make the pictures of the pages from the results of the demo.

    python docs/pictures.py results

A picture of a page is one that a run made, so that none shows what the workflow no longer draws. `make pictures` runs
it after `make demo`.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS.parent / "workflow" / "scripts"))
# Picture of the pages -> where a run of the demo leaves it, and the most pixels of its width.
PICTURES = {
    "pictures/roc.png": ("demo_mr/zhao2024/figures/roc.strict.png", 1080),
    "pictures/flow_chart.png": ("demo_mr/zhao2024/figures/flow_chart.png", 1080),
    "pictures/nomogram.png": ("demo_mr/zhao2024/figures/nomogram_logistic.png", 1080),
    "pictures/calibration.png": ("demo_mr/zhao2024/figures/calibration.strict.png", 1080),
    "pictures/mask.png": ("demo_mr/quality/batch1/MR001.arterial.jpg", 1080),
}
# Of a palette: a fifth of the size. Every colour of a line keeps its own (MAXCOVERAGE): by the number of pixels, as is
# usual, pale bands took the places of thin lines, and two models had one colour.
COLOURS = 256


def copied(source: Path, target: Path, width: int) -> None:
    """A picture no wider than `width`, as PNG with few colours.

    Raises: FileNotFoundError where the run has not made it.
    """
    if not source.is_file():
        raise FileNotFoundError(f"{source} is not there. What to do: run `make demo` first, or name its results.")
    picture = Image.open(source).convert("RGB")
    if picture.width > width:
        picture = picture.resize((width, round(picture.height * width / picture.width)), Image.Resampling.LANCZOS)
    target.parent.mkdir(exist_ok=True)
    picture.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE).save(target, optimize=True)


def draw_rule_graph(contents: Path, target: Path) -> None:
    """The steps of a run, as the report has them: Snakemake's own list of rules and of what they need.

    Args: contents: `report_contents.json` of the results.
    """
    import matplotlib.pyplot as plt
    from matplotlib.patches import FancyBboxPatch, PathPatch
    from matplotlib.path import Path as Curve

    from hcc_recurrence.figures.style import use_style
    from hcc_recurrence.report.rule_graph import drawing

    listed = json.loads(contents.read_text(encoding="utf-8"))
    graph = drawing(listed["rules"], listed["links"])
    width, height = graph["box"]
    use_style()
    figure, axis = plt.subplots(figsize=(graph["width"] / 100, graph["height"] / 100), layout="none")
    axis.set_position((0, 0, 1, 1))
    for line in graph["lines"]:
        # `M0,12 C92,12 92,46 225,46`: a start, and the three points of a cubic curve.
        points = [tuple(map(float, point.split(","))) for point in line[1:].replace("C", "").split()]
        ends = Curve(points, [Curve.MOVETO, *[Curve.CURVE4] * 3])
        axis.add_patch(PathPatch(ends, fill=False, edgecolor="0.65", linewidth=0.6))
    for box in graph["boxes"]:
        shape = "round,pad=0,rounding_size=4"
        axis.add_patch(
            FancyBboxPatch((box["x"], box["y"]), width, height, shape, facecolor="#e8f1f8", edgecolor="#0173b2")
        )
        words = f"{box['name']} ({box['jobs']})" if box["jobs"] > 1 else box["name"]
        axis.text(box["x"] + 7, box["y"] + height / 2, words, va="center", fontsize=7.5)
    axis.set(xlim=(-4, graph["width"] + 4), ylim=(graph["height"] + 4, -4))
    axis.axis("off")
    with tempfile.TemporaryDirectory() as folder:
        drawn = Path(folder, "graph.png")
        figure.savefig(drawn, dpi=130)
        copied(drawn, target, 10_000)
    plt.close(figure)


def photograph(page: Path, target: Path) -> None:
    """The first screen of a page, by Debian's chromium.

    Raises: FileNotFoundError where there is no page, or no chromium.
    """
    browser = shutil.which("chromium")
    if browser is None or not page.is_file():
        raise FileNotFoundError(f"{page} or chromium is not there. What to do: run `make demo`; install chromium.")
    with tempfile.TemporaryDirectory() as folder:
        seen = Path(folder, "screen.png")
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1400,1000"]
        command = [browser, *options, f"--user-data-dir={folder}/user", f"--screenshot={seen}", page.resolve().as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=300)
        # A page has more colours than a figure.
        copied(seen, target, 1400)


def main(results: Path) -> None:
    """Every picture, from the results of the demo."""
    draw_rule_graph(results / "report_contents.json", DOCS / "rulegraph.png")
    photograph(results / "report.html", DOCS / "pictures" / "report.png")
    for target, (source, width) in PICTURES.items():
        copied(results / source, DOCS / target, width)
        print(f"docs/{target}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "results"))
