"""A copy of the scripts in which something is changed: a patch of docs/exercises, or lines."""

import shutil
import subprocess
import textwrap

from docs.measure.names import ROOT


def copy_scripts(folder, patch="", lines=()):
    """Copy the programs that a learner runs into a folder, and change them there.

    patch: name of a patch of docs/exercises; lines: (file, how the line begins, what takes its
    place, or "" for nothing) each. ValueError when there is not just one such line.
    """
    for path in (*ROOT.glob("*.py"), *ROOT.glob("docs/tools/*.py")):
        copy = folder / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    if patch:
        path = ROOT / f"docs/exercises/{patch}.patch"
        subprocess.run(["git", "apply", path], check=True, cwd=folder)
    for name, start, new in lines:
        change_line(folder / name, start, new)


def change_line(path, start, new):
    """Put lines in the place of the one that begins so, with its indentation."""
    lines = path.read_text(encoding="utf-8").split("\n")
    places = [n for n, line in enumerate(lines) if line.strip().startswith(start)]
    if len(places) != 1:
        raise ValueError(f"{path.name}: {len(places)} lines begin with {start!r}")
    (n,) = places
    lines[n] = textwrap.indent(new, lines[n][: lines[n].index(start)])
    path.write_text("\n".join(lines), encoding="utf-8")
