"""The report as one HTML file that opens without a network, or as a folder of the page and its pictures for a zip."""

from __future__ import annotations

import base64
import hashlib
import html
import io
import os
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hcc_recurrence.report.contents import BESIDE, PROTOCOLS, Item, View, slug

# Pixels an inch of the pictures in the page; those for print lie beside it.
SCREEN_DPI = 150
SCREEN_COLOURS = 64
FORMATS = {"png": "PNG", "pdf": "PDF", "svg": "SVG", "numbers.csv": "numbers (CSV)"}


def screen_copy(path: Path) -> tuple[bytes, int, int, str]:
    """A figure for the screen: PNG bytes, width, height, and its title, which does not stand in it."""
    from PIL import Image

    with Image.open(path) as image:
        title = str(image.info.get("Title", ""))
        smaller = max(1, round(float(image.info.get("dpi", (SCREEN_DPI,))[0]) / SCREEN_DPI))
        if smaller == 1:
            return path.read_bytes(), image.width, image.height, title
        reduced = image.convert("RGB").reduce(smaller)
    stream = io.BytesIO()
    reduced.quantize(SCREEN_COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(stream, "PNG")
    return stream.getvalue(), reduced.width, reduced.height, title


def embedded(content: bytes, kind: str) -> str:
    """A file inside of the page."""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def body_of(page: str) -> str:
    """What a table's page (`figures.html`) shows, without its head and its heading, which the report repeats."""
    main = re.search(r"<main>(.*)</main>", page, re.S)
    text = main.group(1) if main else page
    return re.sub(r"^\s*<h1>.*?</h1>", "", text, count=1, flags=re.S)


class Writer:
    """Fills the page's templates from the files of a run.

    Args:
        templates: folder of report.html.j2, report.css and report.js. results: the folder that the page lies in.
        picture: what becomes of a picture: its bytes and kind to the address of an <img>. threads: pictures at a time.
    """

    def __init__(
        self,
        templates: Path,
        results: Path,
        picture: Callable[[bytes, str], str] = embedded,
        threads: int = 1,
    ) -> None:
        self.templates, self.results, self.picture, self.threads = templates, results, picture, threads
        self._copies: dict[Path, tuple[bytes, int, int, str]] = {}
        self.environment = Environment(
            loader=FileSystemLoader(templates),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=StrictUndefined,
        )

    def page(self, facts: Mapping[str, Any], views: Sequence[View]) -> str:
        """The whole page.

        Args:
            facts: question, lead, warnings, comparisons, citations, graph; comparisons with a figure or flow chart have
                its path, which becomes a picture.
        """
        figures = {own[name] for own in facts["comparisons"] for name in ("roc", "flow") if own[name]}
        for item in (item for view in views for items in view.parts.values() for item in items):
            figures |= {file.path for file in item.files if file.is_figure}
        ordered = sorted(figures)
        with ThreadPoolExecutor(self.threads) as pool:
            self._copies = dict(zip(ordered, pool.map(screen_copy, ordered), strict=True))
        comparisons = [
            {
                **own,
                "roc": self.figure(own["roc"], f"ROC curves, {own['title']}") if own["roc"] else None,
                "flow": self.figure(own["flow"], f"Flow chart of patients, {own['title']}") if own["flow"] else None,
            }
            for own in facts["comparisons"]
        ]
        groups: dict[str, list[View]] = {}
        for view in views:
            groups.setdefault(view.group, []).append(view)
        return self.environment.get_template("report.html.j2").render(
            **{**facts, "comparisons": comparisons},
            groups=groups,
            views=[{"view": view, "parts": self._parts(view)} for view in views],
            css=(self.templates / "report.css").read_text(encoding="utf-8"),
            js=(self.templates / "report.js").read_text(encoding="utf-8"),
        )

    def _parts(self, view: View) -> dict[str, list[dict[str, Any]]]:
        return {name: [self.item(item, view) for item in items] for name, items in view.parts.items()}

    def item(self, item: Item, view: View) -> dict[str, Any]:
        """A figure in its protocols, or a table, as the template takes it."""
        shown = []
        for file in item.files:
            protocol = file.protocol if file.protocol in PROTOCOLS else ""
            about = f"{item.what}{', ' + protocol if protocol else ''}: {view.group}, {view.title}"
            own = self.figure(file.path, about) if file.is_figure else self.table(file.path)
            shown.append({**own, "protocol": protocol})
        return {"what": item.what, "id": slug(f"{view.name} {item.what}"), "caption": item.caption, "files": shown}

    def figure(self, path: Path, about: str) -> dict[str, Any]:
        """A picture with what it says in words, and the files beside it."""
        content, width, height, title = self._copies[path]
        beside = [(FORMATS["png"], path), *((FORMATS[kind], path.with_suffix(f".{kind}")) for kind in BESIDE)]
        links = [(name, file) for name, file in beside if file.exists()]
        return {
            "kind": "figure",
            "protocol": "",
            "src": self.picture(content, "png"),
            "width": width,
            "height": height,
            "alt": f"{about}. {title}".strip(),
            "title": title,
            "links": [(name, self.link(p)) for name, p in links],
        }

    def table(self, path: Path) -> dict[str, Any]:
        """A table out of its own page, with the same numbers as CSV where they are."""
        text = body_of(path.read_text(encoding="utf-8"))
        if self.picture is not embedded:
            text = re.sub(r"data:image/(\w+);base64,([A-Za-z0-9+/=]+)", self._apart, text)
        rows = text.count("<tr")
        links = [("CSV", self.link(p)) for p in [path.with_suffix(".csv")] if p.exists()]
        links.append(("page of its own", self.link(path)))
        # Pages of pictures lead to larger ones in their own folder.
        folder = html.escape(os.path.relpath(path.parent, self.results)).replace(os.sep, "/")
        text = re.sub(r'href="(?![a-z]+:|#|/)', f'href="{folder}/', text)
        return {"kind": "table", "html": text, "rows": rows, "pictures": "<img" in text, "links": links}

    def _apart(self, found: re.Match[str]) -> str:
        return self.picture(base64.b64decode(found.group(2)), found.group(1))

    def link(self, path: Path) -> str:
        """A file beside the page, as the page calls it."""
        return os.path.relpath(path, self.results).replace(os.sep, "/")


class Apart:
    """Pictures as files beside the page, each once."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def __call__(self, content: bytes, kind: str) -> str:
        name = f"pictures/{hashlib.sha256(content).hexdigest()[:16]}.{kind}"
        self.files[name] = content
        return name


def write_zip(path: Path, page: str, results: Path, pictures: Mapping[str, bytes]) -> None:
    """The page, its pictures and every file that it leads to; the same bytes for the same content."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as kept:
        names = [*pictures, *(name for name in files_beside(page) if (results / name).is_file())]
        for name in ["report.html", *sorted(names)]:
            content = page.encode() if name == "report.html" else pictures.get(name)
            content = (results / name).read_bytes() if content is None else content
            # Pictures and PDF are compressed already.
            packed = zipfile.ZIP_STORED if name.endswith((".png", ".jpeg", ".jpg", ".pdf")) else zipfile.ZIP_DEFLATED
            kept.writestr(zipfile.ZipInfo(f"report/{name}"), content, compress_type=packed)


def files_beside(page: str) -> list[str]:
    """The files that a page leads to, for a zip of them all."""
    links = re.findall(r'href="([^"#][^":]*)"', page)
    return sorted({html.unescape(link) for link in links})
