"""docs/ as a site: it builds without a complaint, leads nowhere that is not there, and fetches nothing."""

from __future__ import annotations

import html
import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from browser import CHROMIUM, dump
from workflow_runner import REPOSITORY

SITE_TOOLS = REPOSITORY / ".venv" / "site"
AXE = SITE_TOOLS / "axe_core_python" / "axe.min.js"
# The front page, one of wide tables, one of lists, code and pictures.
READ = ("index.html", "ingestion.html", "own_patients.html")
# What axe-core, the library behind browsers' own checks, finds in a page. Rows of a table are alike: three are enough.
CHECK = """
<script>
setTimeout(async () => {
  document.querySelectorAll('tbody tr:nth-child(n+4)').forEach((row) => row.remove());
  const rules = ['wcag2a', 'wcag2aa', 'best-practice'];
  const result = await axe.run(document, {resultTypes: ['violations'], runOnly: rules});
  const found = result.violations.map((one) => ({rule: one.id, impact: one.impact,
    nodes: one.nodes.slice(0, 2).map((node) => node.html.slice(0, 200))}));
  const probe = document.createElement('pre');
  probe.id = 'probe';
  probe.textContent = JSON.stringify({found, passed: result.passes.length});
  document.body.appendChild(probe);
}, 500);
</script></body>"""


class Page(HTMLParser):
    """What a page refers to: (tag, address); the names of its places; pictures without a text for who cannot see."""

    def __init__(self, path: Path):
        super().__init__()
        self.references: list[tuple[str, str]] = []
        self.places: set[str] = set()
        self.unnamed_pictures: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.places |= {given[key] for key in ("id", "name") if given.get(key)}
        self.references += [(tag, given[key]) for key in ("href", "src") if given.get(key)]
        if tag == "img" and not given.get("alt"):
            self.unnamed_pictures.append(given.get("src", ""))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The pages by their path, built as `make site` builds them."""
    folder = tmp_path_factory.mktemp("site")
    environment = {**os.environ, "PYTHONPATH": str(SITE_TOOLS), "NO_MKDOCS_2_WARNING": "1"}
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True)
    # In strict mode a page that is not in the menu, a link to nothing and a missing picture each end the build.
    assert done.returncode == 0, done.stdout + done.stderr
    return {path.relative_to(folder): Page(path) for path in folder.rglob("*.html")}, folder


def test_every_page_of_the_docs_is_on_the_site(site):
    pages, _ = site
    wanted = {p.relative_to(REPOSITORY / "docs").with_suffix(".html") for p in (REPOSITORY / "docs").glob("**/*.md")}
    assert wanted <= set(pages)
    # README, the description of the config and the changelog, which lie elsewhere.
    assert {Path("index.html"), Path("config.html"), Path("changes.html")} <= set(pages)


def test_every_link_and_picture_of_the_built_pages_is_there(site):
    """Read from the pages themselves: what mkdocs checks are its sources."""
    pages, folder = site
    dead, followed = [], 0
    for path, page in pages.items():
        if path.name == "404.html":
            continue
        for _, address in page.references:
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                continue
            target = (folder / path.parent / unquote(parts.path)).resolve() if parts.path else folder / path
            target = target / "index.html" if target.is_dir() else target
            followed += 1
            if not target.is_file():
                dead.append(f"{path}: {address}")
            elif parts.fragment and target.suffix == ".html":
                known = pages[target.relative_to(folder.resolve())].places
                if unquote(parts.fragment) not in known and parts.fragment != "__consent":
                    dead.append(f"{path}: {address}, no such place")
    assert followed > 500
    assert dead == []


def test_nothing_is_fetched_from_another_server(site):
    pages, folder = site
    fetched = [
        (str(path), address)
        for path, page in pages.items()
        for tag, address in page.references
        if tag in ("link", "script", "img", "iframe") and urlsplit(address).netloc
    ]
    # Only the address under which a page calls itself may stand there, and the site has none.
    assert fetched == []
    for sheet in folder.rglob("*.css"):
        assert "fonts.googleapis" not in sheet.read_text(encoding="utf-8"), sheet


def test_every_picture_has_a_text(site):
    pages, _ = site
    assert [(str(path), page.unnamed_pictures) for path, page in pages.items() if page.unnamed_pictures] == []


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None or not AXE.is_file(), reason="needs Debian's chromium and `make site`'s axe-core")
@pytest.mark.parametrize("name", READ)
def test_people_who_see_badly_or_use_no_mouse_can_read_the_site(site, name, tmp_path):
    _, folder = site
    text, page = (folder / name).read_text(encoding="utf-8"), folder / f"probed.{name}"
    end = text.rindex("</body>")
    script = f"<script>{AXE.read_text()}</script>{CHECK}"
    page.write_text(text[:end] + script + text[end + len("</body>") :], encoding="utf-8")
    try:
        dumped, _ = dump(page, tmp_path / "profile", 60_000)
    finally:
        page.unlink()
    told = json.loads(html.unescape(re.search(r'<pre id="probe">(.*?)</pre>', dumped, re.S).group(1)))
    serious = [one for one in told["found"] if one["impact"] in ("serious", "critical")]
    assert told["passed"] > 10 and serious == [], json.dumps(serious, indent=1)
