"""Writes the generated pages and schemas; with --check fails where one is out of date or something is undocumented."""

import argparse
import sys
from pathlib import Path

from connectors.registry import kinds
from sync.cli.reference import commands_page, options_without_help
from sync.config import SAMPLE
from sync.json_schema import SCHEMA_NAMES, schema_text
from sync.reference import configuration_page, fields_page, keys_without_meaning

ROOT = Path(__file__).resolve().parent.parent
DEFAULTS = ROOT / "sync" / "defaults"


def generated() -> dict[Path, str]:
    """Every generated file with the text it must have."""
    pages = {
        ROOT / "docs/reference/commands.md": commands_page(),
        ROOT / "docs/reference/configuration.md": configuration_page(),
        ROOT / "docs/reference/fields.md": fields_page(),
    }
    schemas = {ROOT / f"config/schema/{name}.json": schema_text(name) for name in SCHEMA_NAMES}
    return pages | schemas | samples()


def samples() -> dict[Path, str]:
    """What ``scoreback init`` writes, as ``config/`` shows it: general settings in use, the rest as samples to copy."""
    found = {ROOT / "config/scoreback.yaml": (DEFAULTS / "scoreback.yaml").read_text(encoding="utf-8")}
    for folder in ("connections", "plans"):
        for path in sorted((DEFAULTS / folder).glob("*.yaml")):
            text = path.read_text(encoding="utf-8")
            found[ROOT / "config" / folder / f"{path.stem}{SAMPLE}"] = text
    return found


def gaps() -> list[str]:
    """What exists and is not documented."""
    from scoring.metrics.results import family
    from scoring.settings import MetricSettings

    missing = [f"{option} has no help" for option in options_without_help()]
    missing += [f"the key {key} has no meaning: give its field a description" for key in keys_without_meaning()]
    metrics = (ROOT / "docs/reference/metrics.md").read_text(encoding="utf-8")
    missing += [
        f"metric {name} is not in docs/reference/metrics.md"
        for name in family(MetricSettings())
        if f"\n### {name}\n" not in metrics
    ]
    missing += [
        f"docs/connectors/{kind}.md is missing"
        for kind in kinds()
        if not (ROOT / f"docs/connectors/{kind}.md").exists()
    ]
    return missing


def main() -> int:
    """0 if all is written or up to date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    wanted = generated()
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in stale if not check else ():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(wanted[path], encoding="utf-8")
    findings = gaps() + (
        [f"{path.relative_to(ROOT)} is out of date: run docs/build.py" for path in stale] if check else []
    )
    sys.stdout.writelines(f"{finding}\n" for finding in findings)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
