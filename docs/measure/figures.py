"""Make the pictures of the results and of reading from real runs.

    python docs/measure/results.py --data imdb.npz --runs runs    # first: trains what is not there yet
    python docs/measure/figures.py curves --runs runs
    python docs/measure/figures.py reading --runs runs --index imdb_word_index.json

Each writes one file into docs/. docs/measure/inside_figures.py makes those of what happens inside,
docs/drawings.py the drawings. Needs matplotlib.
"""

import argparse
import csv
import importlib
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "docs/tools")]

import common  # first: it sets TensorFlow's environment variables

import numpy as np
from matplotlib.figure import Figure

NAMES = {
    "rnn_cell_imdb": "SimpleRNNCell by hand",
    "rnn_layer_imdb": "SimpleRNN",
    "lstm_imdb": "LSTM",
    "gru_imdb": "GRU",
}
STYLES = {"rnn_layer_imdb": "-", "lstm_imdb": "--", "gru_imdb": ":"}  # told apart without colour
COLOURS = {"rnn_layer_imdb": "#000000", "lstm_imdb": "#0065a8", "gru_imdb": "#b5490f"}
SEEDS = range(5)
READINGS = (("i did not love this film", "imdb"), ("not a bad film at all", "imdb"),
            ("the plot was not bad", "toy"), ("the cast was great not dull", "toy"))  # fmt: skip


def curves(args):
    """Loss and accuracy of the four models by epoch: mean and range over the seeds."""
    figure = Figure(figsize=(8, 4.4), layout="constrained")
    grid = figure.subplots(2, len(NAMES), sharex=True, sharey="row")
    for row, quantity in zip(grid, ("loss", "accuracy")):
        for axes, (script, name) in zip(row, NAMES.items()):
            for column, style, shade, label in (
                (quantity, "k--", "0.85", "training"),
                (f"val_{quantity}", "k-o", "0.65", "test"),
            ):
                runs = []
                for seed in SEEDS:
                    with open(args.runs / f"{script}-{seed}.csv", newline="") as file:
                        runs.append([float(epoch[column]) for epoch in csv.DictReader(file)])
                epochs = np.arange(1, len(runs[0]) + 1)
                axes.fill_between(epochs, np.min(runs, 0), np.max(runs, 0), color=shade, lw=0)
                axes.plot(epochs, np.mean(runs, 0), style, ms=4, label=label)
            axes.grid(alpha=0.3)
            if quantity == "loss":
                axes.set_title(name, fontsize="medium")
            else:
                axes.set(xlabel="epoch", xticks=epochs)
        row[0].set_ylabel(quantity)
    grid[1, 0].legend(loc="lower right", fontsize="small")
    save(figure, "curves.png")


def reading(args):
    """Reviews read word by word by the three networks of seed 0, trained on IMDB and on the toy."""
    figure = Figure(figsize=(8, 6), layout="constrained")
    panels = figure.subplots(2, 2, sharey=True).flat
    for axes, (text, data) in zip(panels, READINGS):
        index = common.toy_reviews()[2]
        if data == "imdb":
            index = json.loads(args.index.read_text(encoding="utf-8"))
        words = common.split_words(text)
        ranks = [index[word] for word in words]
        x = common.encode([ranks[: n + 1] for n in range(len(ranks))])
        for script, marker in zip(STYLES, "soD"):
            model = importlib.import_module(script).SentimentClassifier(64)
            model.build((None, common.WORDS))
            toy = "toy-" if data == "toy" else ""
            model.load_weights(args.runs / f"{toy}{script}-0.weights.h5")
            p = model(x, training=False).numpy()[:, 0]
            style = {"ls": STYLES[script], "color": COLOURS[script], "marker": marker, "ms": 4}
            axes.plot(p, label=NAMES[script], **style)
            print(f"{script}, {data}: {text}: {' '.join(f'{value:.2f}' for value in p)}")
        axes.axhline(0.5, color="0.6", lw=1)
        axes.set_xticks(range(len(words)), words, rotation=60, ha="right")
        axes.set(ylim=(-0.03, 1.03), title=f"trained on {'IMDB' if data == 'imdb' else 'the toy'}")
        axes.title.set_fontsize("medium")
    for axes in list(figure.axes)[::2]:
        axes.set_ylabel("P(positive) so far")
    figure.axes[1].legend(fontsize="small")
    save(figure, "reading.png")


def save(figure, name):
    """Write a picture into docs/, on white."""
    figure.savefig(
        ROOT / "docs/pictures" / name,
        dpi=120,
        metadata={"Date": None} if name.endswith("svg") else {},
    )
    print(ROOT / "docs/pictures" / name)


def choose(description, *figures):
    """Draw the figure that the command line names, one of these functions."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("figure", choices=[figure.__name__ for figure in figures])
    parser.add_argument("--runs", type=Path, metavar="FOLDER")
    parser.add_argument("--data", type=Path, metavar="NPZ")
    parser.add_argument("--index", type=Path, metavar="JSON")
    args = parser.parse_args()
    {figure.__name__: figure for figure in figures}[args.figure](args)


if __name__ == "__main__":
    choose(__doc__, curves, reading)
