#!/usr/bin/env python3
"""Shows that TensorBoard's own reader finds in event files what the report's JSON has: every point of every curve.

    heirloom report RUN --format json --output report.json
    heirloom export tensorboard events --run RUN
    python3 scripts/check-tensorboard.py events report.json

Prints one JSON object: trainings, curves and points compared. Exit status 1 when one is missing, too many, or another number than the
report's as float32, which is what event files hold. Wants tensorboard and numpy from PyPI.
"""

import argparse
import json
import math
import sys
from pathlib import Path

import numpy
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def scalars(directory: Path) -> dict:
    accumulator = EventAccumulator(str(directory), size_guidance={"scalars": 0})
    accumulator.Reload()
    return {tag: [(e.step, e.value) for e in accumulator.Scalars(tag)] for tag in accumulator.Tags()["scalars"]}


def same(ours: float, theirs: float) -> bool:
    return math.isclose(float(numpy.float32(ours)), theirs, rel_tol=0, abs_tol=0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("events", type=Path)
    parser.add_argument("report", type=Path)
    arguments = parser.parse_args()
    found = sorted((scalars(path.parent) for path in arguments.events.rglob("events.out.tfevents.*")), key=str)
    curves = json.loads(arguments.report.read_text(encoding="utf-8")).get("curves", [])
    wrong = []
    points = series_count = 0
    wanted = [{s["name"]: list(zip(s["steps"], s["values"])) for s in c["series"]} for c in curves]
    if len(found) != len(wanted):
        wrong.append(f"{len(found)} event files, {len(wanted)} trainings")
    for training in wanted:
        match = next((f for f in found if f.keys() == training.keys() and all(
            len(f[n]) == len(p) and all(a[0] == b[0] and same(b[1], a[1]) for a, b in zip(f[n], p)) for n, p in training.items())), None)
        if match is None:
            wrong.append(f"no event file has the curves {sorted(training)[:4]}… as the report has them")
            continue
        found.remove(match)
        series_count += len(training)
        points += sum(map(len, training.values()))
    print(json.dumps({"trainings": len(wanted), "curves": series_count, "points": points, "wrong": wrong}))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
