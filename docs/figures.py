"""Make the pictures of README.md from real runs.

    python docs/results.py --data imdb.npz --runs runs    # first: trains what is not there yet
    python docs/figures.py curves --runs runs
    python docs/figures.py gradient --runs runs --data imdb.npz
    python docs/figures.py reading --runs runs --index imdb_word_index.json
    python docs/figures.py network

Each writes one file into docs/. Needs matplotlib.
"""

import argparse
import csv
import importlib
import json
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS.parent))

import common
import matplotlib
import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

matplotlib.rcParams["svg.hashsalt"] = "network"  # the same file each time
NAMES = {
    "rnn_cell_imdb": "SimpleRNNCell by hand",
    "rnn_layer_imdb": "SimpleRNN",
    "lstm_imdb": "LSTM",
    "gru_imdb": "GRU",
}
STYLES = {"rnn_layer_imdb": "-", "lstm_imdb": "--", "gru_imdb": ":"}  # told apart without colour
COLOURS = {"rnn_layer_imdb": "#000000", "lstm_imdb": "#0065a8", "gru_imdb": "#b5490f"}
SEEDS = range(5)
READINGS = (("i did not love this film", "negative"), ("not a bad film at all", "positive"))


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


def gradient_norms(model, x, y):
    """Mean norm of d loss / d x_t of one review, for every time step t: [n, 80] -> [80].

    x_t is the word vector at step t. The gradient of the embedding has one row for every word of
    every review, in order, so nothing in the model has to be changed to read it off.
    """

    with tf.GradientTape() as tape:
        p = model(x, training=False)[:, 0]
        loss = -tf.reduce_sum(tf.math.log(tf.where(y == 1, p, 1 - p)))  # reviews do not mix
    rows = tape.gradient(loss, model.embedding.embeddings.value).values  # [n * 80, 100]
    norms = tf.norm(tf.reshape(rows, (len(x), common.WORDS, -1)), axis=-1)  # [n, 80]
    return norms.numpy().mean(axis=0)


def gradient(args):
    """The gradient by word, before training and after, on one logarithmic axis."""
    _, (x, y) = common.read_npz(args.data)
    whole = x[:, 0] != common.PAD  # 80 words, no padding
    x, y = tf.constant(x[whole][:512]), tf.constant(y[whole][:512])
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    steps = np.arange(1, common.WORDS + 1)
    for script in STYLES:
        module = importlib.import_module(script)
        norms = {"before": [], "after": []}
        for seed in SEEDS:
            tf.keras.utils.set_random_seed(seed)
            model = module.SentimentClassifier(64)
            model.build((None, common.WORDS))
            norms["before"].append(gradient_norms(model, x, y))
            model.load_weights(args.runs / f"{script}-{seed}.weights.h5")
            norms["after"].append(gradient_norms(model, x, y))
        for axes, (when, values) in zip(panels, norms.items()):
            low, high = np.min(values, 0), np.max(values, 0)
            mean = np.exp(np.mean(np.log(values), 0))
            axes.fill_between(steps, low, high, color=COLOURS[script], alpha=0.2, lw=0)
            axes.plot(steps, mean, STYLES[script], color=COLOURS[script], label=NAMES[script])
            print(
                f"{script} {when}: first word {mean[0]:.1e} [{low[0]:.1e} .. {high[0]:.1e}], "
                f"last word {mean[-1]:.1e} [{low[-1]:.1e} .. {high[-1]:.1e}]"
            )
    for axes, when in zip(panels, ("before training", "after 4 epochs")):
        axes.set(title=when, xlabel="time step t (80: the last word)", yscale="log")
        axes.set_xticks((1, 20, 40, 60, 80))
        axes.title.set_fontsize("medium")
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("mean norm of d loss / d x_t")
    panels[0].legend()
    save(figure, "gradient.png")


def reading(args):
    """Two reviews read word by word by the SimpleRNN and the LSTM of seed 0."""
    index = json.loads(args.index.read_text(encoding="utf-8"))
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    panels = figure.subplots(1, len(READINGS), sharey=True)
    models = []
    for script in ("rnn_layer_imdb", "lstm_imdb"):
        model = importlib.import_module(script).SentimentClassifier(64)
        model.build((None, common.WORDS))
        model.load_weights(args.runs / f"{script}-0.weights.h5")
        models.append((script, model))
    for axes, (text, label) in zip(panels, READINGS):
        words = common.split_words(text)
        ids = common.encode_words(words, index)
        x = tf.keras.utils.pad_sequences([ids[: n + 2] for n in range(len(words))], common.WORDS)
        for (script, model), marker in zip(models, "so"):
            p = model(x, training=False).numpy()[:, 0]
            style = {"ls": STYLES[script], "color": COLOURS[script], "marker": marker, "ms": 4}
            axes.plot(p, label=NAMES[script], **style)
            print(f"{script}: {text}: {' '.join(f'{value:.2f}' for value in p)}")
        axes.axhline(0.5, color="0.6", lw=1)
        axes.set_xticks(range(len(words)), words, rotation=60, ha="right")
        axes.set(ylim=(0, 1), title=f"meant as {label}")
        axes.title.set_fontsize("medium")
    panels[0].set_ylabel("P(positive) so far")
    panels[-1].legend(fontsize="small")
    save(figure, "reading.png")


def network(args):
    """The two layers unrolled over the 80 words, the weights of a layer the same at every step."""
    figure = Figure(figsize=(8, 4))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, 16), ylim=(0, 7.7))
    axes.axis("off")

    def box(x, y, text, fill):
        style = "round,pad=0.05,rounding_size=0.12"
        axes.add_patch(
            FancyBboxPatch((x - 0.85, y - 0.4), 1.7, 0.8, boxstyle=style, fc=fill, ec="black")
        )
        axes.text(x, y, text, ha="center", va="center", fontsize=10)

    def arrow(start, end, text="", dx=0.0, dy=0.0):
        axes.add_patch(
            FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=11, color="black", lw=1)
        )
        x, y = (start[0] + end[0]) / 2 + dx, (start[1] + end[1]) / 2 + dy
        axes.text(x, y, text, ha="center", va="center", fontsize=9)

    columns = ((3.2, "1"), (6.4, "2"), (11.2, "80"))
    for x, t in columns:
        axes.text(x, 0.45, f"word {t}", ha="center", va="center", fontsize=10)
        arrow((x, 0.7), (x, 1.15))
        box(x, 1.6, "Embedding", "#ffffff")
        arrow((x, 2.05), (x, 2.95), f"x_{t}  [b, 100]", dx=1.05)
        box(x, 3.4, "layer 1", "#dcebf5")
        arrow((x, 3.85), (x, 4.75), f"h_{t}  [b, 64]", dx=1.0)
        box(x, 5.2, "layer 2", "#f7e3d4")
    for y in (3.4, 5.2):
        arrow((1.2, y), (2.3, y))
        axes.text(0.65, y, "h_0 = 0", ha="center", va="center", fontsize=9)
        arrow((4.1, y), (5.5, y), "W_hh", dy=0.28)
        arrow((7.3, y), (8.4, y), "W_hh", dy=0.28)
        axes.text(8.8, y, ". . .", ha="center", va="center", fontsize=13)
        arrow((9.2, y), (10.3, y), "W_hh", dy=0.28)
    axes.text(8.8, 1.6, ". . .", ha="center", va="center", fontsize=13)
    arrow((12.1, 5.2), (13.0, 5.2))
    box(13.95, 5.2, "Dense", "#ffffff")
    arrow((13.95, 4.75), (13.95, 3.85), "sigmoid", dx=0.75)
    axes.text(13.95, 3.4, "P(positive)  [b, 1]", ha="center", va="center", fontsize=10)
    axes.text(
        8,
        7.1,
        "h_t = tanh(x_t W_xh + h_{t-1} W_hh + b):  one W_xh, W_hh, b for layer 1 and one for "
        "layer 2,\nthe same at each of the 80 steps.  x_t of layer 2 is h_t of layer 1.",
        ha="center",
        va="center",
        fontsize=11,
    )
    save(figure, "network.svg")


def save(figure, name):
    """Write a picture into docs/, on white."""
    metadata = {"Date": None} if name.endswith("svg") else {}
    figure.savefig(DOCS / name, dpi=120, metadata=metadata)
    print(DOCS / name)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    figures = {f.__name__: f for f in (curves, gradient, reading, network)}
    parser.add_argument("figure", choices=figures)
    parser.add_argument("--runs", type=Path, metavar="FOLDER")
    parser.add_argument("--data", type=Path, metavar="NPZ")
    parser.add_argument("--index", type=Path, metavar="JSON")
    args = parser.parse_args()
    figures[args.figure](args)


if __name__ == "__main__":
    main()
