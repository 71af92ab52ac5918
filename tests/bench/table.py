"""Figures beside their references and targets, as a table."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

HEADS = ("figure", "ours", "reference", "ratio", "target", "verdict")


@dataclass(frozen=True, slots=True)
class Figure:
    """One line. ``most`` is the largest good value of the ratio if there is a reference, else of ``ours``; ``least`` the
    smallest."""

    name: str
    ours: float
    unit: str
    reference: float | None = None
    most: float | None = None
    places: int = 1
    least: float | None = None

    def cells(self) -> tuple[str, ...]:
        """The line's cells in the order of ``HEADS``."""
        ratio = None if self.reference is None else self.ours / self.reference
        judged = self.ours if ratio is None else ratio
        unit = f" {self.unit}" if ratio is None else " x"
        target = verdict = ""
        if self.most is not None:
            target = f"<= {self.most:g}{unit}"
            verdict = "met" if round(judged, 2) <= self.most else "missed"
        elif self.least is not None:
            target = f">= {self.least:g}{unit}"
            verdict = "met" if round(judged, 2) >= self.least else "missed"
        shown = [f"{self.ours:,.{self.places}f} {self.unit}"]
        shown.append("" if self.reference is None else f"{self.reference:,.{self.places}f} {self.unit}")
        shown.append("" if ratio is None else f"{ratio:.2f} x")
        return (self.name, *shown, target, verdict)


def lines(figures: Sequence[Figure]) -> Iterator[str]:
    """The table, heads first."""
    rows = [HEADS, *(figure.cells() for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADS))]
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:5], widths[1:5], strict=True)]
        yield "  ".join([*cells, row[5]]).rstrip()


def show(figures: Sequence[Figure]) -> None:
    """Prints the table."""
    sys.stdout.write("".join(f"{line}\n" for line in lines(figures)) + "\n")
    sys.stdout.flush()
