"""Plain words in what users read: terms that were replaced do not come back (docs/architecture.md 8)."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

import pytest
from workflow_runner import REPOSITORY

# Old term -> the field's own, and how the old one is found.
TERMS = {
    "colour, for a channel": r"\b(three|equal|two) colours\b|phases as colours|colours of an image",
    "patients that decide when to stop, for the early-stopping set": r"decides? when (it |to )?stops?|that decide\b"
    r"|decided when to",
    "network that finds the tumour, for a segmentation network": r"networks? (that )?finds? the tumour"
    r"|\}\} finds the tumour",
    "network of volumes, for a 3D CNN": r"networks? of volumes",
    "words of the scores, for bag-of-words features": r"histograms? and words",
    "dealt out by chance, for permuted outcomes": r"dealt out|outcome (drawn )?by chance",
    "share, for a fraction": r"\b(a|the|its|their|tumour's) shares? (of|drawn|for)\b|\bshares? of (those|the)\b"
    r"|\bshares of\b|, a share\b|: share,",
    "best reachable AUC, for the oracle AUC": r"best reachable",
    "carried mask, for a propagated mask": r"mask (was|is) (not )?carried|carried masks?|mask carried|carried from the",
    "mend, for fix": r"\bmend(s|ed|ing)?\b",
    "what speaks for a phase, for the evidence": r"speaks? for (a|the|each) phase|what speaks for",
    "cut, for a fold, a threshold or a split": r"folds are cut|chosen or cut|\bis a cut\b|\bCuts are\b|cut anew",
    "about the tumour, for around": r"\b(box|square|voxels|Boxes|rectangle) about\b",
    "betray": r"\bbetray",
    "phases or slices as colours": r"\b(as|its) colou?rs\b",
    "deciding patients, for the early-stopping set": r"deciding patients",
}
# Pages that list the old terms, and those that are made of the papers' own words.
LISTS = ("docs/architecture.md", "docs/published_numbers.md")

# What the report is written in.
CAPTIONS = {".rst", ".html", ".md", ".txt", ".j2", ".js", ".css"}


def read_by_users() -> list[Path]:
    """README, docs, the config with its comments, its schema and the captions of the report."""
    found = [
        REPOSITORY / "README.md",
        *(REPOSITORY / "docs").rglob("*.md"),
        *(path for path in (REPOSITORY / "workflow/report").rglob("*") if path.suffix in CAPTIONS),
    ]
    for folder in ("config", "workflow/schemas", "profiles"):
        found += [path for path in (REPOSITORY / folder).rglob("*") if path.suffix in (".md", ".yaml")]
    return [path for path in found if str(path.relative_to(REPOSITORY)) not in LISTS]


@pytest.mark.parametrize("term", sorted(TERMS))
def test_an_old_term_is_not_in_what_users_read(term):
    files = read_by_users()
    assert len(files) > 90
    found = [
        f"{path.relative_to(REPOSITORY)}:{number}: {line.strip()[:100]}"
        for path in files
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(TERMS[term], line)
    ]
    assert not found, "\n".join(found)


@functools.cache
def texts_of(path: Path) -> list[tuple[int, str]]:
    """String constants of a module with their lines: messages, labels, headings; without docstrings."""
    tree = ast.parse(path.read_text())
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    prose = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    constants = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return [(node.lineno, node.value) for node in constants if id(node) not in prose and " " in node.value]


@pytest.mark.parametrize("term", sorted(TERMS))
def test_an_old_term_is_not_in_messages_labels_and_notes(term):
    found = [
        f"{path.relative_to(REPOSITORY)}:{line}: {text[:100]!r}"
        for path in sorted((REPOSITORY / "workflow/scripts").rglob("*.py"))
        for line, text in texts_of(path)
        if re.search(TERMS[term], text)
    ]
    assert not found, "\n".join(found)


def test_the_patterns_find_what_they_are_for():
    """Each finds sentences that stood in the project, and leaves the words' other meanings alone."""
    old = {
        "arterial, plain and portal phase are the three colours.": "colour, for a channel",
        "training patients that decide when to stop": "patients that decide when to stop, for the early-stopping set",
        "named networks that find the tumour, one a phase": "network that finds the tumour, for a segmentation network",
        "AUCs on outcomes dealt out by chance on": "dealt out by chance, for permuted outcomes",
        "raises the share of early recurrence": "share, for a fraction",
        "Mend what it lists": "mend, for fix",
        "how often the folds are cut anew": "cut, for a fold, a threshold or a split",
        "the box about the tumour": "about the tumour, for around",
    }
    for sentence, term in old.items():
        assert re.search(TERMS[term], sentence, re.IGNORECASE), sentence
    for sentence in (
        "papers share a split",
        "it was cut off in transfer",
        "we recommend",
        "what is read about the page",
    ):
        assert not any(re.search(pattern, sentence) for pattern in TERMS.values()), sentence


# Names: of the package, of columns and keys of the config.
NAMES = re.compile(r"hcc[-_]recurrence(\.\w+)*|\w+_recurrence\w*|recurrence_\w+")
OUTCOME = re.compile(r"\b(recur(s|red|rences?)?|relapses?|resections?)\b", re.IGNORECASE)
# Where recurrence is said on purpose: the words' own place, what the papers are of, whom a model with just that outcome
# was fitted on.
ON_PURPOSE = {
    "workflow/scripts/hcc_recurrence/endpoint.py",
    "workflow/scripts/hcc_recurrence/exported/pages.py",
    "workflow/report/workflow.rst",
}


def calls_an_outcome_recurrence(text: str) -> bool:
    """Whether a text says recurrence or resection itself, and does not take them from the cohort's `endpoint`."""
    return bool(OUTCOME.search(NAMES.sub("", text)))


def test_no_outcome_is_called_a_recurrence_but_by_the_cohorts_own_words():
    """A run may predict death or metastasis: captions, notes, labels and messages say what its `endpoint` says."""
    said = {}
    for path in sorted((REPOSITORY / "workflow/report").rglob("*")):
        if path.is_file():
            said[path] = list(enumerate(path.read_text().splitlines(), 1))
    for path in sorted((REPOSITORY / "workflow/scripts").rglob("*.py")):
        said[path] = texts_of(path)
    found = {
        f"{name}:{line}: {text.strip()[:100]!r}"
        for path, lines in said.items()
        for line, text in lines
        if (name := str(path.relative_to(REPOSITORY))) not in ON_PURPOSE and calls_an_outcome_recurrence(text)
    }
    assert len(said) > 300 and not found, "\n".join(sorted(found))


def test_no_figure_or_table_of_the_report_is_named_by_recurrence():
    """What the rules call a figure or table is between quotes; docstrings speak of the papers' own outcome."""
    found = [
        f"{path.relative_to(REPOSITORY)}: {text}"
        for path in sorted((REPOSITORY / "workflow/rules").rglob("*.smk"))
        for text in re.findall(r'(?<!")"([^"\n]+)"(?!")', re.sub(r'""".*?"""', "", path.read_text(), flags=re.S))
        if calls_an_outcome_recurrence(text)
    ]
    assert not found, "\n".join(found)


def test_that_pattern_finds_what_stood_there():
    assert calls_an_outcome_recurrence("calibration of recurrence-free survival")
    assert calls_an_outcome_recurrence("given a risk of 30%, 30% recur early")
    assert calls_an_outcome_recurrence("Which method predicts early recurrence after resection?")
    assert not calls_an_outcome_recurrence("python -m hcc_recurrence.published; hcc-recurrence; recurrence_date")
    assert not calls_an_outcome_recurrence("{{ model.training.early_recurrence }} of them with {{ model.outcome }}")
