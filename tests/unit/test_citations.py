"""The citations that the start page prints name the authors and titles that stand on the papers themselves."""

from __future__ import annotations

import re

import pytest
import yaml
from workflow_runner import REPOSITORY

# Read off the papers (of Wang 2022: "Jifei Wang, Dasheng Wu, and Meili Sun contributed equally", "(c) 2022 Jifei Wang
# et al."; of Zhao 2024 its own citation): first authors, title, what identifies the article.
PAPERS = {
    "cui2022": (
        ["Hao Cui", "Kun-Yuan Wang", "Wen-Yuan Li"],
        "CT images-based 3D convolutional neural network to predict early recurrence of solitary hepatocellular "
        "carcinoma after radical hepatectomy",
        "Diagn Interv Radiol 2022",
    ),
    "wang2022": (
        ["Jifei Wang", "Dasheng Wu", "Meili Sun"],
        "Deep Segmentation Feature-Based Radiomics Improves Recurrence Prediction of Hepatocellular Carcinoma",
        "10.34133/2022/9793716",
    ),
    "yan2023": (
        ["Meng Yan", "Xiao Zhang", "Bin Zhang"],
        "Deep learning nomogram based on Gd-EOB-DTPA MRI for predicting early recurrence in hepatocellular carcinoma "
        "after hepatectomy",
        "10.1007/s00330-023-09419-0",
    ),
    "zhang2025": (
        ["Yu-Bo Zhang", "Zhi-Qiang Chen", "Yang Bu"],
        "Construction of a 2.5D Deep Learning Model for Predicting Early Postoperative Recurrence of Hepatocellular "
        "Carcinoma Using Multi-View and Multi-Phase CT Images",
        "J Hepatocell Carcinoma 2025",
    ),
    "zhao2024": (
        ["Y Zhao", "S Wang", "Y Wang"],
        "Deep learning radiomics based on contrast enhanced MRI for preoperatively predicting early recurrence in "
        "hepatocellular carcinoma after curative resection",
        "Front Oncol 2024;14:1446386",
    ),
}


def short(name: str) -> str:
    """Kun-Yuan Wang -> Wang KY."""
    *given, family = name.split()
    return f"{family} {''.join(part[0] for part in '-'.join(given).split('-'))}"


@pytest.mark.parametrize("paper", PAPERS)
def test_the_citation_has_the_papers_own_authors_title_and_place(paper):
    citation = yaml.safe_load((REPOSITORY / f"config/papers/{paper}.yaml").read_text())["citation"]
    authors, title, place = PAPERS[paper]
    assert citation.startswith(", ".join(map(short, authors)) + ", ")
    words = re.sub(r"\W+", " ", citation).lower()
    assert re.sub(r"\W+", " ", title).lower() in words
    assert re.sub(r"\W+", " ", place).lower() in words


def test_every_paper_of_the_workflow_is_here():
    assert {file.stem for file in (REPOSITORY / "config/papers").glob("*.yaml")} == set(PAPERS)
