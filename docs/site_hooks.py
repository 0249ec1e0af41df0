"""What the site needs beside docs/: the pages that stand elsewhere in the repository, and links that lead there.

README, the description of the config and the changelog are read where they lie as well, so their links start from
there. On the site each is a page (`OUTSIDE`), and every link between the pages is turned to where they are on it. A
link to any other file, such as a test or an example, is turned into its path in the repository, which the reader has.
A link to a file that is not there is left as it is, and mkdocs ends with it (`--strict`).
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

REPOSITORY = Path(__file__).resolve().parents[1]
# Where they lie in the repository -> their name on the site.
OUTSIDE = {"README.md": "index.md", "config/README.md": "config.md", "CHANGELOG.md": "changes.md"}
ON_SITE = {name: source for source, name in OUTSIDE.items()}
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that lie outside docs/."""
    for source, name in OUTSIDE.items():
        files.append(File.generated(config, name, content=(REPOSITORY / source).read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, page: Page, files: Files, **_: object) -> str:
    """Turn each link to where its target is on the site."""
    name = page.file.src_uri
    source = ON_SITE.get(name, f"docs/{name}")
    return LINK.sub(lambda match: turned(match, source, name, files), markdown)


def turned(match: re.Match[str], source: str, name: str, files: Files) -> str:
    """One link of a page that lies at `source` in the repository and is called `name` on the site."""
    picture, words, target = match.groups()
    path, hash_sign, heading = target.partition("#")
    if not path or re.match(r"[a-z]+:", path):
        return match[0]
    path = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
    if not (REPOSITORY / path).exists():
        return match[0]
    on_site = OUTSIDE.get(path, path.removeprefix("docs/"))
    file = files.get_file_from_path(on_site) if path in OUTSIDE or path.startswith("docs/") else None
    if file is None or file.inclusion.is_excluded():
        # A file or folder that is no page.
        return f"{words} (`{path}`)" if words.strip("`") != path else f"`{path}`"
    return f"{picture}[{words}]({posixpath.relpath(on_site, posixpath.dirname(name) or '.')}{hash_sign}{heading})"
