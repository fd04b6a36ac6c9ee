"""plot.py: draw loss and accuracy by epoch from what --log wrote, one run or several.

    python lstm_imdb.py --log lstm.csv
    python docs/tools/plot.py lstm.csv gru.csv --out curves.png

Needs matplotlib.
"""

import argparse
import csv
import os
import sys
from pathlib import Path

KEYS = "loss", "accuracy"


def read_log(path):
    """Read a table of --log -> {column: numbers, one of each epoch}; ValueError if it is none."""
    try:
        with open(path, encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        if not rows:
            raise ValueError("there is no epoch in it")
        columns = [split + key for key in KEYS for split in ("", "val_")]
        # a score that an epoch has not, as with validation_freq=2, is left out of the picture
        none = {f"val_{key}": "nan" for key in KEYS}
        numbers = [none | {k: "nan" if v == "" else v for k, v in row.items()} for row in rows]
        return {column: [float(row[column]) for row in numbers] for column in columns}
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise ValueError(f"{path} is no table that --log wrote: {error}") from error


def draw(logs):
    """Draw the runs, {name: read_log()}, side by side: loss and accuracy -> a Figure."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.2), layout="constrained")
    for axes, key in zip(figure.subplots(1, 2), KEYS):
        for number, (name, log) in enumerate(logs.items()):
            epochs = [str(epoch) for epoch in range(1, len(log[key]) + 1)]
            axes.plot(epochs, log[key], "--o", color=f"C{number}")
            axes.plot(epochs, log["val_" + key], "-s", color=f"C{number}", label=ascii(name)[1:-1])
        axes.set(xlabel="epoch", ylabel=key)
    axes.legend()
    figure.suptitle("solid: val_, not trained on; dashed: training, with dropout", fontsize=10)
    return figure


def write_picture(figure, path):
    """Write a figure in the format of the path's ending: whole, or not at all."""
    real = os.path.realpath(path)  # where a link points to
    new = f"{real}.{os.getpid()}.unfinished"
    try:
        figure.savefig(new, dpi=120, format=Path(path).suffix[1:] or "png")
        os.replace(new, real)
    finally:
        Path(new).unlink(missing_ok=True)


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("logs", nargs="+", metavar="LOG.csv")
    parser.add_argument("--out", required=True, metavar="PICTURE", help=".png, .svg or .pdf")
    args = parser.parse_args(argv)
    try:
        write_picture(draw({path: read_log(path) for path in args.logs}), args.out)
    except (ImportError, OSError, ValueError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        print("error: interrupted", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
