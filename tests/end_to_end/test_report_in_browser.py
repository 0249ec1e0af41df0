"""The report opens in a browser without network and without an error in its console."""

from __future__ import annotations

import shutil
import subprocess

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="Debian's chromium is not installed")
def test_the_report_opens_without_network_or_console_errors(tiny_run, tmp_path):
    report = tiny_run.folder / "results/report.html"
    assert report.is_file(), "a run must leave the report"
    command = [
        CHROMIUM,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--host-resolver-rules=MAP * ~NOTFOUND",
        f"--user-data-dir={tmp_path / 'profile'}",
        "--enable-logging=stderr",
        "--v=0",
        "--virtual-time-budget=8000",
        "--dump-dom",
        report.as_uri(),
    ]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr[-2000:]
    # Chromium prints every console message at one level. The one that Snakemake's report always gives is advice
    # of its bundled style library to developers.
    advice = "cdn.tailwindcss.com should not be used in production"
    console = [line for line in result.stderr.splitlines() if "CONSOLE" in line and advice not in line]
    assert not console, console
    # The page is drawn by its own scripts: the studies and the categories are there only if they ran.
    assert "zhao2024" in result.stdout and "Cohorts" in result.stdout
    assert "Zhao 2024 (radiomics and clinical half)" in result.stdout
