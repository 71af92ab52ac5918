"""A program in a fresh process of its own, and what it cost: CPU seconds, peak memory, and what it tells itself.

``python -m tests.bench.measure MODULE FUNCTION ARGUMENTS`` runs one; ``run`` starts that and reads the answer.
"""

import json
import resource
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds (user and system) and peak MiB of a whole process, and the seconds of its ``told`` parts."""

    cpu_seconds: float
    peak_mib: float
    told: dict[str, Any]


def cpu_seconds() -> float:
    """CPU seconds of this process so far, user and system, all threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def peak_mib() -> float:
    """Peak resident memory of this process. Linux keeps a parent's peak in ``ru_maxrss``, so its own count is read."""
    status = Path("/proc/self/status")
    if status.exists():
        lines = (line.split() for line in status.read_text(encoding="ascii").splitlines())
        return int(next(words[1] for words in lines if words[0] == "VmHWM:")) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # macOS counts bytes


def command(module: str, function: str, **arguments: Any) -> list[str]:
    """The command line of a program in a process of its own."""
    return [sys.executable, "-m", "tests.bench.measure", module, function, json.dumps(arguments)]


def run(program: Callable[..., dict[str, Any]], **arguments: Any) -> Cost:
    """The cost of ``program(**arguments)`` in a fresh process, its imports included. Raises if the program fails."""
    line = command(program.__module__, program.__name__, **arguments)
    done = subprocess.run(line, cwd=ROOT, stdout=subprocess.PIPE, check=True)  # noqa: S603 - our own module
    return Cost(**json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    """Runs one program and prints its cost as JSON."""
    module, function, arguments = sys.argv[1:]
    told = getattr(import_module(module), function)(**json.loads(arguments))
    cost = {"cpu_seconds": cpu_seconds(), "peak_mib": peak_mib(), "told": told or {}}
    sys.stdout.write(json.dumps(cost) + "\n")


if __name__ == "__main__":
    main()
