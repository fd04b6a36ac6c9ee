"""The flags that the programs share: IMDB's reviews, and the folder of the trained networks."""

import argparse
from pathlib import Path

FLAGS = {"data": dict(metavar="NPZ"), "runs": dict(type=Path, metavar="FOLDER")}


def parse(description, *names):
    """Read the command line of a program that needs the flags so named (of FLAGS), and no other."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in names:
        parser.add_argument(f"--{name}", required=True, **FLAGS[name])
    return parser.parse_args()
