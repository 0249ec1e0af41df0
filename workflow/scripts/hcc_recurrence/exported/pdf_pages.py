"""A patient's result on A4 pages: marks, probabilities with cut-offs, what lies outside training, the images.

What does not fit goes on on a further page: nobody would miss a probability or a warning that was cut off.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.backends.backend_pdf import PdfPages

from hcc_recurrence.exported.dicom_out import MANUFACTURER, RESEARCH_USE
from hcc_recurrence.figures.marks import SIMULATED
from hcc_recurrence.figures.style import use_style

A4_INCHES = (8.27, 11.69)
# Fractions of the page: the margins, a line of text, a row of a model.
LEFT, TOP, BOTTOM, LINE, ROW = 0.08, 0.965, 0.05, 0.0135, 0.017
WARNING_COLOUR, OUTSIDE_COLOUR = "#a04000", "#b3261e"
# The most that is named of what lies outside training; the patient's page and the table have all of it.
MOST_NAMED = 12


class _Pages:
    """Figures of A4, filled from the top; `y` is where the next line goes, a fraction of the page."""

    def __init__(self, patient: str, footer: str) -> None:
        self.patient, self.footer, self.figures = patient, footer, []
        self.y = 0.0

    def need(self, height: float) -> None:
        """Begin another page where the height does not fit on this one."""
        if self.figures and self.y - height >= BOTTOM - 1e-6:
            return
        figure = plt.figure(figsize=A4_INCHES, layout="none")
        figure.text(LEFT, 0.02, self.footer, fontsize=6.5, color=WARNING_COLOUR)
        self.figures.append(figure)
        self.y = TOP
        if len(self.figures) > 1:
            figure.text(LEFT, TOP, f"Patient {self.patient}, page {len(self.figures)}", fontsize=8, va="top")
            figure.text(LEFT, TOP - LINE, RESEARCH_USE, fontsize=8, va="top", color=WARNING_COLOUR)
            self.y -= 3 * LINE

    def write(self, text: str, size: float, step: float, **more: Any) -> None:
        """A line of text, and how far the next one is below it."""
        self.need(step)
        self.figures[-1].text(LEFT, self.y, text, fontsize=size, va="top", **more)
        self.y -= step

    def score(self, score: Mapping[str, Any]) -> None:
        """One model's probability as a bar with its cut-off."""
        self.need(ROW)
        figure, y = self.figures[-1], self.y
        figure.text(LEFT, y, score["model"], fontsize=8, va="top")
        axis = figure.add_axes((0.36, y - 0.011, 0.3, 0.011))
        axis.barh(0, 100, color="0.93")
        if score["place"] is not None:
            axis.barh(0, score["place"], color="#d98e88" if score["group"] == "high" else "#8fb3d9")
        if score["cutoff_place"] is not None:
            axis.axvline(score["cutoff_place"], color="0.1", linewidth=1.2)
        axis.set(xlim=(0, 100))
        axis.axis("off")
        figure.text(0.69, y, f"{score['percent']}   cut-off {score['cutoff']}   {score['group']}", fontsize=8, va="top")
        self.y -= ROW

    def picture(self, name: str, picture: np.ndarray, height: float) -> None:
        """Three planes of a phase, its name above."""
        self.need(height)
        self.figures[-1].text(LEFT, self.y, name, fontsize=7, va="top", color="0.4")
        axis = self.figures[-1].add_axes((LEFT, self.y - height + 0.008, 0.84, height - 0.008 - LINE))
        axis.imshow(picture, interpolation="nearest")
        axis.axis("off")
        axis.set_anchor("W")
        self.y -= height


def pdf_page(page: Mapping[str, Any], pictures: Mapping[str, np.ndarray]) -> bytes:
    """The result of one patient as PDF, in as many A4 pages as it takes. Equal input gives equal bytes.

    Args: page: of `patient_page`. pictures: by phase, (y, x, 3) uint8, of `three_planes`.
    """
    use_style()
    footer = f"{RESEARCH_USE}. {MANUFACTURER}"
    about = {"CreationDate": None, "Title": f"{page['patient']}, {RESEARCH_USE}"}
    if page["simulated"]:
        # In the footer as well as among the marks.
        about["Subject"], footer = SIMULATED, f"{SIMULATED} {footer}"
    pages = _Pages(page["patient"], footer)
    pages.write(f"Patient {page['patient']}", 15, 0.025, weight="bold")
    pages.write(page["cohort"], 8, 0.018, color="0.4")
    alarms = [f"NO NEW PATIENT. {sentence}" for sentence in page["seen"]]
    lines = [line for mark in (*alarms, *page["marks"]) for line in textwrap.wrap(mark, 110)]
    for line in (RESEARCH_USE, *lines):
        pages.write(line, 8, LINE, color=WARNING_COLOUR)
    pages.y -= LINE
    for model in page["models"]:
        # A heading stands with the first of its models.
        pages.need(0.036 + ROW)
        pages.write(model["title"], 10, 0.018, weight="bold")
        pages.write(f"Probability of {model['endpoint']}; the line is the cut-off that came with the model", 7, 0.018)
        for score in model["scores"]:
            pages.score(score)
        pages.y -= 0.008
    named = list(dict.fromkeys(f"{row['item']}: {row['value']}" for row in _outside(page)))
    if named:
        more = f" and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
        for line in textwrap.wrap(f"Outside the training patients: {'; '.join(named[:MOST_NAMED])}{more}", 115):
            pages.write(line, 8, LINE, color=OUTSIDE_COLOUR)
        pages.y -= 0.01
    # All on one page where they are legible so.
    height = min(0.16, max((pages.y - BOTTOM) / max(len(pictures), 1), 0.06))
    for name, picture in pictures.items():
        pages.picture(name, picture, height)
    stream = io.BytesIO()
    with PdfPages(stream, metadata=about) as document:
        for figure in pages.figures:
            document.savefig(figure)
            plt.close(figure)
    return stream.getvalue()


def _outside(page: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Rows of all models that lie outside training; groups with a note are not judged one by one."""
    groups = [group for model in page["models"] for group in model["groups"] if not group["note"]]
    return [row for group in groups for row in group["rows"] if row["verdict"] == "outside"]
