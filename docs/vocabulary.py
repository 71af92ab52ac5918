"""One word per thing: fails where code or pages use a synonym of a word that the project has."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

SYNONYMS = {
    r"\bdata ?sources?\b": "connection",
    r"\bKPIs?\b": "metric",
    r"\bwrite-?backs? job\b": "push",
    r"\bsync job\b": "run",
    r"\bsales ?reps? card\b": "scorecard",
    r"\bingest(s|ed|ion)?\b(?!.{0,40}(job|result|Bulk))": "pull",
}

ALLOWED = {"docs/connectors/salesforce.md", "docs/reference/emulators.md"}
"""Pages that quote a vendor's own word."""


def main() -> int:
    """0 if every page and module keeps to the words."""
    findings = []
    for folder in ("connectors", "scoring", "sync", "docs"):
        for path in sorted((ROOT / folder).rglob("*")):
            name = str(path.relative_to(ROOT))
            if (
                path.suffix not in (".py", ".md")
                or name in ALLOWED
                or "salesforce" in name
                or name == "docs/vocabulary.py"
            ):
                continue
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                findings += [
                    f"{name}:{number}: say {word} instead of {match[0]!r}"
                    for pattern, word in SYNONYMS.items()
                    if (match := re.search(pattern, line))
                ]
    sys.stdout.writelines(f"{finding}\n" for finding in findings)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
