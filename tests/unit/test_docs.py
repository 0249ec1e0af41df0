"""README and docs: what they name is there, and they say it in the field's own words."""

from __future__ import annotations

import importlib.util
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import yaml
from paper_tables import has_setting, lacking, pages, pattern, read_rows
from PIL import Image
from snakemake.cli import get_argument_parser
from workflow_runner import REPOSITORY

from hcc_recurrence.figures.style import COLOURS

DOCS = sorted([REPOSITORY / "README.md", *(REPOSITORY / "docs").rglob("*.md"), *REPOSITORY.glob("config/*.md")])
TEXT = (".py", ".smk", ".yaml", ".rst", ".md", ".csv", ".R", ".toml")
# A page and the numbers of its sections behind it: "docs/methods.md 3.6 and 4.5", "docs/architecture.md 4 and 6".
SECTION = r"\d+(?:\.\d+)?"
CITED = re.compile(rf"docs/(methods|architecture)\.md(?:\s+{SECTION}(?:(?:,| and| to)\s+{SECTION})*)?")


def source_files() -> list[Path]:
    """What people wrote: code, rules, settings, captions, pages and tests."""
    found = []
    for top in ("Snakefile", "README.md", "CHANGELOG.md", "workflow", "config", "docs", "tests", "profiles", "envs"):
        path = REPOSITORY / top
        found += [path] if path.is_file() else [p for p in path.rglob("*") if p.suffix in TEXT and p.is_file()]
    return sorted(found)


def sections(page: str) -> set[str]:
    """Numbers of the headings of a page: "## 3. Yan 2023", "### 3.6 Clinical part"."""
    text = (REPOSITORY / "docs" / f"{page}.md").read_text()
    return set(re.findall(rf"^#+ ({SECTION})\.?\s", text, re.MULTILINE))


def test_every_cited_page_and_section_exists():
    """Comments and captions cite the two pages by section; the citations are counted so that none is lost."""
    known = {page: sections(page) for page in ("methods", "architecture")}
    assert {"0", "1", "9"} <= known["methods"] and {"1", "6"} <= known["architecture"]
    cited = 0
    for path in source_files():
        for match in CITED.finditer(path.read_text()):
            numbers = re.findall(rf"(?<![\w.]){SECTION}(?![\w.]*/)", match.group().split(".md")[1])
            cited += len(numbers)
            assert set(numbers) <= known[match[1]], f"{path}: {match.group()}"
    assert cited > 80


def test_links_lead_to_files_and_headings_that_exist():
    for page in DOCS:
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
            if target.startswith(("http:", "https:", "mailto:")):
                continue
            file, _, anchor = target.partition("#")
            path = (page.parent / file).resolve() if file else page
            assert path.exists(), f"{page}: {target}"
            if anchor:
                headings = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
                slugs = {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}
                assert anchor in slugs, f"{page}: {target}"


def test_the_pages_name_tests_that_exist():
    """Each test that a page names by its function is there; `test_name*` stands for several."""
    tests = "".join(file.read_text() for file in (REPOSITORY / "tests").rglob("test_*.py"))
    counts = {}
    for page in DOCS:
        named = set(re.findall(r"`(test_\w+?)(?:\*|`)", page.read_text()))
        counts[page.name] = len(named)
        lost = {name for name in named if f"def {name}" not in tests and not list(REPOSITORY.rglob(f"{name}.py"))}
        assert not lost, f"{page}: {lost}"
    assert counts["ingestion.md"] > 25 and counts["reviewers.md"] > 40


# Config files of the reader's own.
OWN_CONFIGS = {"mine.yaml", "new.yaml", "theirs.yaml"}


def commands() -> list[tuple[str, list[str]]]:
    """Pages and what stands after `snakemake` on them, in code (`...` or an indented or fenced block)."""
    found = []
    for page in DOCS:
        text = page.read_text().replace("\\\n", " ")
        blocks = re.findall(r"```\w*\n(.*?)```", text, re.DOTALL)
        code = [line for block in blocks for line in block.splitlines()]
        code += re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
        for line in code:
            if (
                match := re.match(r"(?:\S+=\S+ +)?(?:\.venv/bin/)?snakemake +(.*)", line.strip())
            ) and "..." not in line:
                found.append((page.name, shlex.split(match[1], comments=True)))
    return found


def test_every_command_of_the_pages_can_be_given():
    """By Snakemake's own parser; its targets are rules or results, its config files are there, or the reader's own."""
    rules, outputs = set(), []
    for file in [REPOSITORY / "Snakefile", *(REPOSITORY / "workflow/rules").rglob("*.smk")]:
        text = file.read_text()
        rules |= set(re.findall(r"^ *(?:use rule \w+ as|rule) (\w+)", text, re.MULTILINE))
        outputs += re.findall(r'"((?:<results>|public|discovered)/[^"\n]+)"', text)
    rules |= {file.stem for file in (REPOSITORY / "config/papers").glob("*.yaml")}
    rules |= {file.stem for file in (REPOSITORY / "docs/example_method").rglob("config/papers/*.yaml")}
    made = [
        re.compile(re.sub(r"\\{.+?\\}", "[^/]+", re.escape(path.replace("<results>", "results")))) for path in outputs
    ]
    wrong, counted, parser = [], 0, get_argument_parser()
    for page, words in commands():
        try:
            parsed, unknown = parser.parse_known_args(words)
        except SystemExit:
            wrong.append((page, words, "options"))
            continue
        counted += 1
        wrong += [(page, word) for word in unknown]
        targets = map(str, parsed.targets or [])
        wrong += [(page, t) for t in targets if t not in rules and not any(path.fullmatch(t) for path in made)]
        files = [str(file) for file in parsed.configfile or []]
        wrong += [(page, f) for f in files if f not in OWN_CONFIGS and not (REPOSITORY / f).is_file()]
    assert wrong == [] and counted > 40


def test_every_target_of_make_on_the_pages_is_one():
    known = set(re.findall(r"^([a-z]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    named = {(page.name, word) for page in DOCS for word in re.findall(r"(?:`|^)make ([a-z]+)", page.read_text(), re.M)}
    assert {word for _, word in named} >= {"demo", "init", "test"}
    # Of a message: "make room on the disk".
    assert [name for name in named if name[1] not in {*known, "room"}] == []


# -- the papers' pages ---------------------------------------------------------------------------


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.stem)
def test_rows_of_a_paper_say_where_or_why_not(page):
    tests = "".join(file.read_text() for file in (REPOSITORY / "tests").rglob("test_*.py"))
    rows = read_rows(page)
    assert len(rows) >= 20
    for row in rows:
        named = row.files or row.settings or row.tests
        assert bool(named) == (row.verdict != "no"), f"{row.item}: {row.verdict}, and what it names is {named}"
        assert bool(row.reason) == (row.verdict != "yes"), f"{row.item}: {row.verdict} needs a reason, yes none"
        for key in row.settings:
            assert has_setting(row.paper, key), f"{row.item}: config/papers/{row.paper}.yaml has no {key}"
        for test in row.tests:
            assert f"def {test}(" in tests, f"{row.item}: {test}"


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.stem)
def test_the_settings_that_are_our_choice_stand_on_the_page_with_their_reasons(page, monkeypatch):
    monkeypatch.syspath_prepend(str(REPOSITORY / "docs"))
    from chosen_settings import chosen, filled

    paper = yaml.safe_load((REPOSITORY / f"config/papers/{page.stem}.yaml").read_text())
    assert filled(page.read_text(), paper) == page.read_text(), "the page is not that of the settings: run `make docs`"
    for key, _, reason in chosen(paper):
        assert len(reason.split()) >= 3, f"{page.stem}, {key}: no sentence, no reason ({reason!r})"


def test_a_file_of_a_table_stands_for_what_varies():
    assert pattern("<cohort>/p/figures/roc.<protocol>.png").fullmatch("a/p/figures/roc.strict.png")
    assert not pattern("<cohort>/p/figures/roc.<protocol>.png").fullmatch("a/p/figures/roc/strict.png")
    rows = [row for row in read_rows(pages()[0]) if row.files]
    there = [re.sub("<[^>]*>", "x", name) for row in rows for name in row.files]
    assert lacking(rows, there) == []
    assert lacking(rows, there[1:])[0][1] == rows[0].files[0]


def test_the_floors_of_the_page_are_those_that_are_tested():
    from test_structure import FLOORS

    section = (REPOSITORY / "docs/architecture.md").read_text().split("## 1.")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (\d) \| (.+) \|$", section, re.MULTILINE)
    assert tuple(tuple(re.findall(r"`(\w+)`", names)) for _, names in rows) == FLOORS


def test_the_messages_of_the_troubleshooting_page_are_those_of_the_code():
    """What stands in backticks in the second column of its first tables is in a message of the code."""
    page = (REPOSITORY / "docs/troubleshooting.md").read_text().split("## A result looks wrong")[0]
    code = "\n".join(path.read_text() for path in (REPOSITORY / "workflow/scripts").rglob("*.py"))
    # Long messages are written as several texts, one below the other.
    code += (REPOSITORY / "envs/snakemake_logger_plugin_command_line/__init__.py").read_text()
    joined = re.sub(r"[\"']\s*\n\s*f?[\"']", "", code)
    rows = [line for line in page.splitlines() if line.startswith("| ") and not line.startswith("| symptom")]
    quoted = [words for row in rows for words in re.findall(r"`([^`]+)`", row.split("|")[2])]
    assert len(quoted) > 30
    assert not [words for words in quoted if words not in joined]


def test_a_picture_of_the_pages_keeps_the_colour_of_each_line(tmp_path):
    """Five thin lines over pale bands, as calibration has them: two models had become one colour."""
    spec = importlib.util.spec_from_file_location("pictures", REPOSITORY / "docs" / "pictures.py")
    pictures = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pictures)
    pixels = np.full((500, 600, 3), 255, np.uint8)
    pixels[:400] = np.random.default_rng(0).integers(190, 250, (400, 600, 3))
    lines = [tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5)) for colour in COLOURS[:5]]
    for place, line in enumerate(lines):
        pixels[20 + 70 * place : 22 + 70 * place] = line
    Image.fromarray(pixels).save(tmp_path / "figure.png")
    pictures.copied(tmp_path / "figure.png", tmp_path / "picture.png", 600)
    seen = np.asarray(Image.open(tmp_path / "picture.png").convert("RGB")).astype(int)
    for place, line in enumerate(lines):
        assert np.abs(seen[20 + 70 * place, 300] - line).max() <= 24
