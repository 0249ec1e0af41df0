"""Write the schema of the config as JSON, for editors that complete and check YAML (config/config.schema.json).

    python docs/config_schema.py

The schema itself is workflow/schemas/config.schema.yaml; tests/unit/test_ecosystem.py keeps the two in step. A config
whose first line is `# yaml-language-server: $schema=<path of the file>` is completed and checked while one types, in
VS Code (extension YAML of Red Hat), Neovim, Emacs and others.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).resolve().parents[1]
TARGET = REPOSITORY / "config/config.schema.json"


def schema_text() -> str:
    """The schema as JSON. What a run adds by itself is not asked of a person who lays a file on another."""
    schema: dict[str, Any] = yaml.safe_load((REPOSITORY / "workflow/schemas/config.schema.yaml").read_text("utf-8"))
    # Draft 7, which editors know best, has everything that is used here.
    schema = {**schema, "$schema": "http://json-schema.org/draft-07/schema#", "title": "Config of a run"}
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    TARGET.write_text(schema_text(), encoding="utf-8")
    print(TARGET.relative_to(REPOSITORY))
