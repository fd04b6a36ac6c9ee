"""The CSVs: rows go to the end of one as they are measured, and tell what is left to do."""

import csv
import os
import platform
import re
from pathlib import Path


def finished(path, head, columns):
    """Return what a CSV has, by its first columns: a set of tuples of text. A new one is begun."""
    if not path.exists():
        append(path, [head])
    with open(path, newline="", encoding="utf-8") as file:
        return {tuple(row[:columns]) for row in csv.reader(file)}


def append(path, rows):
    """Write rows to the end of a CSV: a program that is stopped goes on after them."""
    with open(path, "a", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def machine():
    """Return what this computer is, as the CSVs have it: "AMD EPYC, 2 cores"."""
    info = Path("/proc/cpuinfo")  # Linux; elsewhere Python has a name, too
    model = re.search("model name.*: (.+)", info.read_text() if info.exists() else "")
    return f"{model[1] if model else platform.processor()}, {os.cpu_count()} cores"
