"""Claims about the distribution: nothing else may provide our package names, and the lock names no place (decision 0001)."""

import re
import subprocess
import sys
from importlib.metadata import distributions, packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OURS = ("connectors", "scoring", "sync")


@pytest.mark.parametrize("package", OURS)
def test_no_other_distribution_provides_our_packages(package: str) -> None:
    providers = set(packages_distributions().get(package, [])) | {
        str(one.metadata["Name"]) for one in distributions() for file in one.files or () if file.parts[0] == package
    }

    assert providers <= {"scoreback"}
    assert package in _imported_from_here()


def _imported_from_here() -> set[str]:
    import connectors
    import scoring
    import sync

    return {one.__name__ for one in (connectors, scoring, sync) if Path(str(one.__file__)).is_relative_to(ROOT)}


def test_the_lock_pins_every_package_with_a_hash_and_names_no_place() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pins = re.findall(r"^\S.*==.*\\$", text, flags=re.MULTILINE)

    assert pins
    assert "://" not in text
    assert not re.search(r"^\s*(-i|--index-url|--extra-index-url|--find-links|-f)\b", text, flags=re.MULTILINE)
    assert all(re.search(re.escape(pin) + r"\n    --hash=sha256:[0-9a-f]{64}", text) for pin in pins)


def test_what_only_reads_and_pulls_does_without_polars() -> None:
    asked = "import sync.cli, sync.run, sys; print('polars' in sys.modules)"

    told = subprocess.run(  # noqa: S603 # our own interpreter
        [sys.executable, "-c", asked], capture_output=True, text=True, check=True, cwd=ROOT
    )

    assert told.stdout == "False\n"
