"""The report in a browser: opens without network or console errors, every view and figure can be seen and used."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import pytest
from browser import CHROMIUM, dump

AXE = Path(__file__).parents[2] / ".venv/site/axe_core_python/axe.min.js"
# Opens every view by its link and each figure by its button, sorts the first table, and writes down what is then there.
PROBE = """
<script>
setTimeout(async () => {
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));
  const loaded = async (picture) => {
    await wait(10);
    for (let tries = 0; tries < 20 && !(picture.complete && picture.naturalWidth); tries++) await wait(20);
  };
  const seen = [], large = document.getElementById('large');
  for (const link of document.querySelectorAll('nav li a')) {
    link.click();
    await wait(50);
    const shown = [...document.querySelectorAll('.view')].filter((view) => !view.hidden);
    const view = shown[0], figures = [], masks = [];
    for (const button of view.querySelectorAll('button.open')) {
      button.click();
      const picture = large.querySelector('img');
      await loaded(picture);
      figures.push({width: picture.naturalWidth, alt: picture.alt, open: large.open});
      large.close();
    }
    for (const link of view.querySelectorAll('.pictures td a')) {
      link.click();
      const picture = large.querySelector('img');
      await loaded(picture);
      masks.push(picture.naturalWidth);
      large.close();
    }
    seen.push({name: view.id, shown: shown.length, height: view.offsetHeight, figures, masks,
      tables: [...view.querySelectorAll('.table')].map((table) => table.offsetHeight),
      links: [...view.querySelectorAll('.links a')].map((link) => link.getAttribute('href'))});
  }
  document.querySelector('nav li a').click();
  await wait(50);
  const table = document.querySelector('#overview table');
  const heads = [...table.tHead.rows[0].cells], column = heads.findIndex((head) => head.classList.contains('number'));
  const values = () => [...table.tBodies[0].rows].map((row) => row.cells[column].textContent);
  heads[column].querySelector('button').click();
  const down = values();
  heads[column].querySelector('button').click();
  const first = document.querySelector('#overview .result .table').getBoundingClientRect();
  write({seen, down, up: values(), top: first.top});
}, 500);
function write(found) {
  const probe = document.createElement('pre');
  probe.id = 'probe';
  probe.textContent = JSON.stringify(found);
  document.body.appendChild(probe);
}
</script></body>"""
# What axe-core, the library behind browsers' own checks, finds in each view.
CHECK = r"""
<script>
setTimeout(async () => {
  const found = [], checked = [];
  // Rows of a table are alike: three of each are enough, and most of the time.
  document.querySelectorAll('.table tbody tr:nth-child(n+4)').forEach((row) => row.remove());
  // Every kind of view once.
  const kinds = ['overview', 'comparison', 'zhao', 'patients', 'input', 'rules', 'cost'];
  for (const kind of kinds) {
    const link = [...document.querySelectorAll('nav li a')].find((a) => a.hash.startsWith('#' + kind));
    link.click();
    checked.push(kind);
    await new Promise((done) => setTimeout(done, 50));
    const rules = ['wcag2a', 'wcag2aa', 'best-practice'];
    const result = await axe.run(document, {resultTypes: ['violations'], runOnly: rules});
    for (const one of result.violations) {
      const nodes = one.nodes.slice(0, 2).map((node) => node.html.slice(0, 200));
      found.push({view: location.hash, rule: one.id, impact: one.impact, nodes});
    }
  }
  // Then each page of its own, in the place of this one.
  for (const [name, text] of Object.entries(PAGES)) {
    document.documentElement.innerHTML = text;
    document.documentElement.lang = /<html[^>]*lang="(\w+)"/.exec(text)?.[1] || '';
    document.querySelectorAll('tbody tr:nth-child(n+4)').forEach((row) => row.remove());
    checked.push(name);
    const rules = ['wcag2a', 'wcag2aa', 'best-practice'];
    const result = await axe.run(document, {resultTypes: ['violations'], runOnly: rules});
    for (const one of result.violations) {
      const nodes = one.nodes.slice(0, 2).map((node) => node.html.slice(0, 200));
      found.push({view: name, rule: one.id, impact: one.impact, nodes});
    }
  }
  const probe = document.createElement('pre');
  probe.id = 'probe';
  probe.textContent = JSON.stringify({found, checked});
  document.body.appendChild(probe);
}, 500);
</script></body>"""


# Pages of their own: one of each kind, by what a run calls them.
KINDS_OF_PAGE = (
    *("preflight/problems.html", "*/quality/all_patients.html", "*/labels.html", "*/changes/changes.html"),
    *("*/*/tables/metrics.html", "*/*/tables/risk_factors.html", "*/*/checklists/checklist_TRIPOD_AI.html"),
)


def pages_of_their_own(results: Path) -> dict[str, str]:
    """The HTML of the first page of each kind, without its pictures, whose places are beside another page."""
    first = {kind: next(iter(sorted(results.glob(kind))), None) for kind in KINDS_OF_PAGE}
    empty = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="
    shown = {kind: page.read_text() for kind, page in first.items() if page}
    return {kind: re.sub(r'src="[^"]*"', f'src="{empty}"', text) for kind, text in shown.items()}


def probed(report, script: str, profile) -> dict:
    """What a script that is added to the report finds; the page lies beside the report, whose files it leads to."""
    text = report.read_text()
    end = text.rindex("</body>")
    page = report.with_name("probed.html")
    page.write_text(text[:end] + script + text[end + len("</body>") :])
    try:
        dumped, console = dump(page, profile, 120_000)
    finally:
        page.unlink()
    assert not console, console
    return json.loads(html.unescape(re.search(r'<pre id="probe">(.*?)</pre>', dumped, re.S).group(1)))


@pytest.fixture(scope="module")
def report(tiny_run):
    path = tiny_run.folder / "results/report.html"
    assert path.is_file(), "a run must leave the report"
    return path


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed")
def test_the_report_opens_without_network_or_console_errors(report, tmp_path):
    page, console = dump(report, tmp_path / "profile", 3000)
    assert not console, console
    body = re.sub(r"<script.*?</script>", "", page[page.find("<body") :], flags=re.S)
    assert "Real patients" in body and "Zhao 2024" in body and "Before you believe a number" in body
    assert not re.search(r'(?:src|href)="(?:https?:)?//', body)


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed")
def test_every_view_opens_and_every_figure_is_seen(report, tmp_path, tiny_run):
    found = probed(report, PROBE, tmp_path / "profile")
    seen = {view["name"]: view for view in found["seen"]}
    cohort = "tiny-simulated-for-tests"
    assert {"overview", "rules", f"zhao-2024-{cohort}", f"comparison-of-methods-{cohort}-split-tiny"} <= set(seen)
    assert all(view["shown"] == 1 and view["height"] > 100 for view in seen.values())
    results = tiny_run.folder / "results"
    # Three planes of each patient are files beside the page of all masks; a comparison has no variants.
    apart = {"simulated", "quality"}
    figures = [f for f in results.rglob("*.png") if not apart & set(f.parts)]
    figures = [f for f in figures if not ("comparison" in f.parts and "roc_variants" in f.name)]
    shown = [figure for name, view in seen.items() if name != "overview" for figure in view["figures"]]
    assert len(shown) == len(figures) and all(f["width"] > 300 and f["open"] and f["alt"] for f in shown)
    assert len(seen["overview"]["figures"]) >= 2, "the ROC curves and the flow chart"
    # What it cost, and what made it, are tables of the report alone.
    assert len(seen["cost"]["tables"]) == len(seen["rules"]["tables"]) == 1
    apart = ("overview", "cost", "rules")
    tables = [height for name, view in seen.items() if name not in apart for height in view["tables"]]
    assert len(tables) == len(list(results.rglob("*.html"))) - 1 and all(height > 20 for height in tables)
    masks = [width for view in seen.values() for width in view["masks"]]
    assert len(masks) == len([f for f in results.rglob("quality/*/*.jpg") if ".small." not in f.name])
    # The files for print are there, three beside most pictures.
    links = [link for view in seen.values() for link in view["links"]]
    assert all((results / link).is_file() for link in links)
    assert sum(link.endswith(".pdf") for link in links) == sum(link.endswith(".svg") for link in links) > 0
    # At 1400 x 1000 the result is on the first screen, and a click sorts it.
    assert found["top"] < 600
    numbers = [float(re.match(r"[\d.]+", text).group()) for text in found["down"] if re.match(r"\d", text)]
    assert numbers == sorted(numbers, reverse=True) and len(numbers) > 3
    assert found["up"] != found["down"] and sorted(found["up"]) == sorted(found["down"])


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None or not AXE.is_file(), reason="needs Debian's chromium and `make site`'s axe-core")
def test_people_who_see_badly_or_use_no_mouse_can_read_it(report, tmp_path):
    pages = pages_of_their_own(report.parent)
    assert list(pages) == list(KINDS_OF_PAGE)
    listed = json.dumps(pages).replace("</", "<\\/")
    script = f"<script>{AXE.read_text()}</script><script>const PAGES = {listed};</script>{CHECK}"
    found = probed(report, script, tmp_path / "profile")
    assert len(found["checked"]) == 7 + len(KINDS_OF_PAGE)
    serious = [one for one in found["found"] if one["impact"] in ("serious", "critical")]
    assert serious == [], json.dumps(serious, indent=1)
