"""The connector author's tutorial: its package installs, is known, and passes the contract."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def installed(tmp_path: Path) -> dict[str, str]:
    """The environment of a process that has the tutorial's package installed, and nothing changed for the others."""
    source, target = tmp_path / "source", tmp_path / "site"
    shutil.copytree(ROOT / "docs/tutorial/abacus", source)
    subprocess.run(  # noqa: S603 - our own package
        [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--no-build-isolation",
         "--disable-pip-version-check", "--root-user-action=ignore", "--target", target, source],
        check=True,
    )  # fmt: skip
    return {**os.environ, "PYTHONPATH": str(target)}


def test_the_tutorials_connector_passes_the_contract(installed: dict[str, str]) -> None:
    scoreback = Path(sys.executable).with_name("scoreback")

    done = subprocess.run(  # noqa: S603 - our own command
        [scoreback, "test-connector", "abacus"], env=installed, cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout


def _connection_file(installed: dict[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    scoreback = Path(sys.executable).with_name("scoreback")
    return subprocess.run(  # noqa: S603 - our own command
        [scoreback, "sandbox", "abacus", "--port", "8810", "--print-connection"],
        env=installed, cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_init_offers_the_tutorials_connection_file(installed: dict[str, str], tmp_path: Path) -> None:
    done = _connection_file(installed, tmp_path)

    assert done.returncode == 0, done.stderr
    assert "kind: abacus\nbase_url: http://127.0.0.1:8810\n" in done.stdout
    assert "token: sandbox" in done.stdout


def test_a_connector_in_its_packages_init_has_its_connection_file_beside_it(
    installed: dict[str, str], tmp_path: Path
) -> None:
    site = Path(installed["PYTHONPATH"])
    (site / "scoreback_abacus" / "connector.py").rename(site / "scoreback_abacus" / "__init__.py")
    [points] = site.glob("*.dist-info/entry_points.txt")
    points.write_text(points.read_text().replace("scoreback_abacus.connector:", "scoreback_abacus:"))

    done = _connection_file(installed, tmp_path)

    assert done.returncode == 0, done.stderr
    assert "token: sandbox" in done.stdout
