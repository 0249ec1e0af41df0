"""The report in a browser: opens without network or console errors, every category and figure can be seen."""

from __future__ import annotations

import html
import json
import re

import pytest
from browser import CHROMIUM, dump

# Clicks every category of the menu and the eye of every line, and writes down what is then on the page.
PROBE = """
<script>
setTimeout(async () => {
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));
  const probe = document.createElement('pre');
  probe.id = 'probe';
  const seen = [];
  const entries = () => [...document.querySelectorAll('nav li a span')].map((s) => s.textContent);
  const first = entries();
  const open = async (name) => {
    const item = [...document.querySelectorAll('nav li a span')].find((s) => s.textContent === name);
    item.closest('a').click();
    await wait(200);
  };
  const categories = first.filter((name) => !['Workflow', 'Statistics', 'About'].includes(name));
  for (const category of categories) {
    await open(category);
    const lines = document.querySelectorAll('nav tbody tr').length;
    for (let i = 0; i < lines; i++) {
      const row = document.querySelectorAll('nav tbody tr')[i];
      const name = [...row.querySelectorAll('td')].slice(0, -1).map((cell) => cell.textContent).join(' | ');
      row.querySelector('a[iconname=eye]').click();
      await wait(200);
      const pictures = [...document.querySelectorAll('#app img')].filter((p) => !p.closest('h1'));
      const size = Math.max(0, ...pictures.map((p) => p.naturalWidth));
      const frames = [...document.querySelectorAll('#app iframe')].map((f) => (f.srcdoc || f.src || '').length);
      seen.push({category, name, size, frame: Math.max(0, ...frames)});
    }
    document.querySelectorAll('nav ol li a')[0].click();
    await wait(200);
  }
  probe.textContent = JSON.stringify({first, seen});
  document.body.appendChild(probe);
}, 1500);
</script></body>"""


@pytest.fixture(scope="module")
def report(tiny_run):
    path = tiny_run.folder / "results/report.html"
    assert path.is_file(), "a run must leave the report"
    return path


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed")
def test_the_report_opens_without_network_or_console_errors(report, tmp_path):
    page, console = dump(report, tmp_path / "profile", 8000)
    assert not console, console
    # The page is drawn by its own scripts: the start page and the categories are there only if they ran.
    body = re.sub(r"<script.*?</script>", "", page[page.find("<body") :], flags=re.S)
    assert "Methods in this run:" in body and "AUC (95% CI) on tiny" in body
    assert "Zhao 2024 RCR" in body and "real patients" in body
    assert "System Message" not in body, "reStructuredText of the start page has an error"


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed")
def test_every_category_opens_and_every_figure_is_seen(report, tmp_path, tiny_run):
    text = report.read_text()
    end = text.rindex("</body>")
    page = tmp_path / "probed.html"
    page.write_text(text[:end] + PROBE + text[end + len("</body>") :])
    dumped, console = dump(page, tmp_path / "profile", 120_000)
    assert not console, console
    found = json.loads(html.unescape(re.search(r'<pre id="probe">(.*?)</pre>', dumped, re.S).group(1)))
    assert {"Cohorts", "Comparison of methods", "Published tables", "Zhao 2024"} <= set(found["first"])
    results = tiny_run.folder / "results"
    # Three planes of each patient are files beside the page of all masks.
    apart = {"simulated", "quality"}
    figures = [f for f in results.rglob("*.png") if not apart & set(f.parts)]
    shown = [line for line in found["seen"] if line["size"] > 0]
    tables = [line for line in found["seen"] if line["frame"] > 0]
    assert len(found["seen"]) == len(shown) + len(tables), [
        line for line in found["seen"] if not line["size"] and not line["frame"]
    ]
    assert len(shown) == len(figures) and all(line["size"] > 400 for line in shown)
    assert len(tables) == len(list(results.rglob("*.html"))) - 1
