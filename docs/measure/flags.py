"""The flags that the programs share: IMDB's reviews, and the folder of the trained networks."""

import argparse
from pathlib import Path

FLAGS = {"data": dict(metavar="NPZ"), "runs": dict(type=Path, metavar="FOLDER")}


def parser(description):
    """A parser of command lines that shows a program's docstring as it stands."""
    raw = argparse.RawDescriptionHelpFormatter
    return argparse.ArgumentParser(description=description, formatter_class=raw)


def parse(description, argv, *names):
    """Read the command line of a program that needs the flags so named (of FLAGS), and no other."""
    with_flags = parser(description)
    for name in names:
        with_flags.add_argument(f"--{name}", required=True, **FLAGS[name])
    return with_flags.parse_args(argv)
