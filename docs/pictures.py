"""Make the pictures of the pages from the results of the demo.

    python docs/pictures.py results

A picture of a page is one that a run made, so that none shows what the workflow no longer draws. `make pictures` runs
it after `make demo`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

DOCS = Path(__file__).resolve().parent
# Picture of the pages -> where a run of the demo leaves it, and the most pixels of its width.
PICTURES = {
    "pictures/roc.png": ("demo_mr/zhao2024/figures/roc.strict.png", 1080),
    "pictures/flow_chart.png": ("demo_mr/zhao2024/figures/flow_chart.png", 1080),
    "pictures/nomogram.png": ("demo_mr/zhao2024/figures/nomogram_logistic.png", 1080),
    "pictures/calibration.png": ("demo_mr/zhao2024/figures/calibration.strict.png", 1080),
    "pictures/mask.png": ("demo_mr/quality/batch1/MR001.arterial.jpg", 1080),
}
# Of a palette: a tenth of the size, and nobody sees it in curves and text.
COLOURS = 64


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
    picture.quantize(COLOURS).save(target, optimize=True)


def main(results: Path) -> None:
    """Every picture, from the results of the demo."""
    for target, (source, width) in PICTURES.items():
        copied(results / source, DOCS / target, width)
        print(f"docs/{target}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "results"))
