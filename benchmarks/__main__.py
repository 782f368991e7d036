"""`make bench`: a table and a JSON file; ratios hold, times do not travel.

Every row is measured in interleaved rounds, and the median of the rounds counts. The
requests go through Django's WSGI handler in this process, so that no network and no
load generator is measured with them.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("CONSENT_DATA_DIR", tempfile.mkdtemp(prefix="consent-bench-"))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
os.environ.setdefault("TRUSTED_PROXIES", "127.0.0.1")
os.environ.setdefault("SECURE_SSL_REDIRECT", "0")

import django

django.setup()

from benchmarks.cases import Case, prepared  # noqa: E402

ROUNDS = 7


def _seconds(work: Callable[[], object], times: int) -> float:
    begin = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - begin) / times


def _measured(cases: list[Case], budget: float) -> dict[str, float]:
    """Median seconds per call of each case, measured in turns."""
    times = {}
    for case in cases:
        once = _seconds(case.work, case.warm)
        times[case.name] = max(1, int(budget / ROUNDS / max(once, 1e-9)))
    rounds: dict[str, list[float]] = {case.name: [] for case in cases}
    for number in range(ROUNDS):
        for case in cases if number % 2 == 0 else reversed(cases):
            rounds[case.name].append(_seconds(case.work, times[case.name]))
    return {name: statistics.median(found) for name, found in rounds.items()}


def _rows(cases: list[Case], medians: dict[str, float]) -> list[dict[str, object]]:
    return [
        {
            "name": case.name,
            "microseconds": round(medians[case.name] * 1e6, 2),
            "against": case.against,
            "times_faster": round(medians[case.against] / medians[case.name], 3)
            if case.against
            else None,
        }
        for case in cases
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.0, help="per case")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    options = parser.parse_args()
    cases = prepared()
    rows = _rows(cases, _measured(cases, options.seconds))
    machine = {
        "python": platform.python_version(),
        "django": django.get_version(),
        "cpus": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
    }
    sys.stdout.write(f"{machine}\n\n{'':44}{'µs':>10}  ratio\n")
    for row in rows:
        ratio = f"{row['times_faster']} × {row['against']}" if row["against"] else ""
        sys.stdout.write(f"{row['name']:44}{row['microseconds']:10}  {ratio}\n")
    if options.json:
        document = {"machine": machine, "rows": rows}
        options.json.write_text(json.dumps(document, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
