"""The CSVs: rows go to the end of one as they are measured, and tell what is left to do."""

import csv
import os
import platform
import re
from pathlib import Path

import numpy as np

NUMBERS = ("script", "seed", "when", "layer", "quantity", "value")  # heads of a CSV of all sorts


def finished(path, head, columns):
    """Return what a CSV has: {its first columns: the last such row}. A new one is begun."""
    if not path.exists():
        append(path, [head])
    with open(path, newline="", encoding="utf-8") as file:
        return {tuple(row[:columns]): row for row in csv.reader(file)}


def append(path, rows):
    """Write rows to the end of a CSV, floats with five digits."""
    rows = [[f"{x:.5g}" if isinstance(x, (float, np.floating)) else x for x in row] for row in rows]
    with open(path, "a", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def complete(path, head, keys, measure):
    """Measure what a CSV lacks: measure(*key) yields the rows of a key, but for the key itself.

    If the CSV ends with the machine, so does each row. A key's rows are written together when it
    is over: a program that is stopped goes on there. A key whose network is not trained yet, so
    that a file is missing, is left for the next time.
    """
    end = [machine()] if head[-1] == "machine" else []
    for key in keys:
        if tuple(map(str, key)) not in finished(path, head, len(key)):
            try:
                rows = [(*key, *row, *end) for row in measure(*key)]
                append(path, rows)
                result = f"{len(rows)} rows"
            except FileNotFoundError:
                result = "left out, a file is missing (weights that are not trained yet?)"
            print(f"{path.name}: {', '.join(map(str, key))}: {result}", flush=True)


def machine():
    """Return what this computer is, as the CSVs have it: "AMD EPYC, 2 cores"."""
    info = Path("/proc/cpuinfo")  # Linux; elsewhere Python has a name, too
    text = info.read_text(encoding="utf-8") if info.exists() else ""
    model = re.search("model name.*: (.+)", text)
    return f"{model[1] if model else platform.processor()}, {os.cpu_count()} cores"
