"""Make one of the plots in docs/pictures.

    python -m docs.measure.figures gradient
    python -m docs.measure.figures curves --runs runs
    python -m docs.measure.figures gates --runs runs --data imdb.npz

Four are drawn from CSVs alone: gradient (gradient.csv), levels (paths.csv), first_word (tasks.csv)
and lengths (runs.csv), by lookup.py. The others read what docs.measure.runs leaves in the folder of
--runs: curves its logs; negation, and with --data gates, eigenvalues and direction, the trained
networks. Needs matplotlib. The two drawings (.svg) are written by hand.
"""

import csv
import inspect
import textwrap
from pathlib import Path

import common
import numpy as np
from docs.measure import flags, networks
from docs.measure.lookup import (
    LENGTHS,
    MODELS,
    at_start,
    first_word_runs,
    rows,
    scores_at,
    values,
)
from docs.measure.names import GATES, NETWORKS, ROOT, SCRIPTS, SEEDS, STARTS, saved
from matplotlib.figure import Figure

STYLES = dict(zip(NETWORKS, ("-", "--", ":")))  # told apart without colour
COLOURS = dict(zip(NETWORKS, ("#000000", "#0065a8", "#b5490f")))
STEPS = np.arange(1, common.MAX_REVIEW_LEN + 1)
POSITIVE = (
    "i went in expecting nothing and found a wonderful film the actors are excellent the music is "
    "beautiful and even the slow part never becomes boring i would watch it again tomorrow"
)
NEGATIVE = (
    "a great cast and a lovely idea are wasted here the dialogue is terrible the story makes no "
    "sense and after an hour of this awful mess i wanted my money back"
)


def geometric_mean(by_seed):
    """The mean of gradients [..., seeds], each of which counts by its power of ten: [...]."""
    with np.errstate(divide="ignore"):  # where float32 knows no smaller number than 0
        return np.exp(np.log(by_seed).mean(axis=-1))


# ------------------------------------------------------------------------------ drawn from the CSVs
def gradient():
    """The gradient by word before and after training: mean, and the spread over the reviews."""

    def by_word(script, when, of):
        where = dict(script=script, when=when, of=of)
        return geometric_mean([values("gradient", str(t), **where) for t in STEPS])

    figure = Figure(figsize=(8, 5.8), layout="constrained")
    before, *after = figure.subplot_mosaic("AAA;BCD", height_ratios=(1, 1.1)).values()
    for (script, name), axes in zip(NETWORKS.items(), after):
        colour, style = COLOURS[script], STYLES[script]
        before.plot(STEPS, by_word(script, "before", "mean"), style, color=colour, label=name)
        low, high = by_word(script, "after", "p10"), by_word(script, "after", "p90")
        axes.fill_between(STEPS, low, high, color="0.85")
        axes.plot(STEPS, by_word(script, "after", "mean"), style, color=colour, label="mean")
        axes.plot(STEPS, by_word(script, "after", "p50"), "-", color="0.45", label="median review")
        axes.set(title=f"{name}, after 4 epochs", yscale="log", ylim=(1e-4, 1e1), xlabel="word")
    before.set(title="before training", yscale="log", xlabel="word (80: the last)")
    before.legend(loc="lower right")
    after[0].legend(loc="lower right", fontsize="small")
    for axes in figure.axes:
        axes.set_xticks((1, 20, 40, 60, 80))
    for axes in before, after[0]:
        axes.set_ylabel("gradient at the word")
    return figure


def levels():
    """The gradient by word of the untrained LSTM, by b_f: it vanishes, stays level, or explodes."""
    figure = Figure(figsize=(6, 3.8), layout="constrained")
    axes = figure.subplots()
    words = [1, *range(10, 81, 10)]
    for bias, style in ("3", "k-^"), ("2", "k--o"), ("1", "k:v"):
        where = dict(script="lstm_imdb", bias=bias, data="imdb", when="before", cut="nothing")
        by_seed = [values("paths", str(word), **where) for word in words]
        axes.fill_between(words, np.min(by_seed, 1), np.max(by_seed, 1), color="0.85", lw=0)
        axes.plot(words, geometric_mean(by_seed), style, ms=5, label=f"b_f = {bias}")
    axes.set(yscale="log", xlabel="word (80: the last)", ylabel="gradient at the word")
    axes.set_title("LSTM before training")
    axes.legend(fontsize="small")
    return figure


def first_word():
    """Cause and effect: what is lost of the gradient before training, and who learns the word."""
    figure = Figure(figsize=(8, 3.9), layout="constrained")
    cause, effect = figure.subplots(1, 2)
    at = range(len(LENGTHS))
    for start, label in {  # the other starts of the table would lie on these lines, or between
        "SimpleRNN": "SimpleRNN",
        "SimpleRNN .7": "SimpleRNN, W_hh times .7",
        "LSTM": "LSTM",
        "LSTM b_f = 3": "LSTM, forget gate starts open",
    }.items():
        script, change = STARTS[start]
        style = dict(color=COLOURS[script], ls="-", marker="o", ms=5, label=label)
        style |= dict(ls="--", mfc="white") if change else {}
        lost = [
            np.divide(*(at_start(f"gradient {word}", start, n) for word in ("1", "last")))
            for n in LENGTHS
        ]
        cause.plot(at, [geometric_mean(ratios) for ratios in lost], **style)
        best = [[max(run) for run in first_word_runs(start, n)] for n in LENGTHS]
        effect.plot(at, [100 * np.mean(runs) for runs in best], **style)
    cause.set(yscale="log", ylim=(1e-14, 1e5), title="before training")
    cause.set_ylabel("gradient at the first word / at the last")
    effect.set(ylabel="test accuracy, %", ylim=(45, 103), title="best of six epochs")
    for axes in cause, effect:
        axes.set_xticks(at, LENGTHS)
        axes.set_xlabel("words of a review")
    lines, labels = cause.get_legend_handles_labels()
    figure.legend(lines, labels, loc="outside lower center", ncols=4, fontsize="small")
    return figure


def lengths():
    """The score of each model by the number of words that it reads: mean and range of the seeds."""
    figure = Figure(figsize=(6, 3.8), layout="constrained")
    axes = figure.subplots()
    words = [40, 80, 200, 320]
    colours = "0.5", "0.5", *COLOURS.values()
    for model, style, colour in zip(MODELS, ("--s", "--D", "-o", "-^", "-v"), colours):
        scores = [100 * np.array(scores_at(model, n)) for n in words]
        low, mean, high = np.array([(s.min(), s.mean(), s.max()) for s in scores]).T
        error = [mean - low, high - mean]
        axes.errorbar(range(4), mean, error, fmt=style, color=colour, label=model, ms=5)
    axes.set_xticks(range(4), words)
    axes.set(xlabel="words of each review", ylabel="test accuracy, %")
    axes.legend(fontsize="small")
    return figure


# ------------------------------------------------------------------------------ drawn from the logs
def read_log(runs, script, seed):
    """The log of a run on IMDB: {column: text} of each epoch."""
    with open(f"{saved(runs, 'as it is', script, seed)}.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def curves(runs):
    """Loss and accuracy of the four scripts by epoch: mean and range over seeds 0 to 4."""
    logs = {script: [read_log(runs, script, seed) for seed in SEEDS] for script in SCRIPTS}
    figure = Figure(figsize=(8, 4.4), layout="constrained")
    grid = figure.subplots(2, len(SCRIPTS), sharex=True, sharey="row")
    for row, quantity in zip(grid, ("loss", "accuracy")):
        for axes, script in zip(row, SCRIPTS):
            for column, style, shade, label in (
                (quantity, "k--", "0.85", "training"),
                (f"val_{quantity}", "k-o", "0.65", "test"),
            ):
                by_seed = [[float(epoch[column]) for epoch in log] for log in logs[script]]
                epochs = np.arange(1, len(by_seed[0]) + 1)
                low, high = np.min(by_seed, 0), np.max(by_seed, 0)
                axes.fill_between(epochs, low, high, color=shade, lw=0)
                axes.plot(epochs, np.mean(by_seed, 0), style, ms=4, label=label)
            axes.set_xticks(epochs)
        row[0].set_ylabel(quantity)
    for script, upper, lower in zip(SCRIPTS, *grid):
        upper.set_title(NETWORKS.get(script, "SimpleRNNCell by hand"))
        lower.set_xlabel("epoch")
    grid[1, 0].legend(loc="lower right", fontsize="small")
    return figure


# ----------------------------------------------------------------------- drawn by trained networks
def full_reviews(data, n):
    """The first n test reviews that fill all 80 places: [n, 80]."""
    return networks.filled(common.read_npz(data)[1], n)[0]


def prefixes(text, index):
    """The words of a text, and the ids of the text after each of its words: [words, 80]."""
    words = common.tokenize(text)
    ranks = [index[word] for word in words]
    return words, common.encode([ranks[: n + 1] for n in range(len(ranks))])


def name_words(axes, words, rotation=90):
    """Write the words of a text below an axis."""
    axes.set_xticks(range(len(words)), words, rotation=rotation, fontsize=8)


def eigenvalues(runs, data):
    """Eigenvalues of the step's Jacobian in the complex plane, before and after training."""
    ids = full_reviews(data, 48)
    figure = Figure(figsize=(8, 3.3), layout="constrained")
    circle = np.exp(1j * np.linspace(0, 2 * np.pi, 200))
    for axes, (script, name) in zip(figure.subplots(1, 3, sharey=True), NETWORKS.items()):
        layer, after = networks.slow_jacobians(networks.trained(script, 0, runs), ids)
        before = networks.jacobians(networks.load(script, 0), ids)[layer - 1]
        axes.plot(circle.real, circle.imag, color="0.6", lw=1)
        for when, jacobian, style in (
            ("before", before, dict(marker="o", ms=6, mfc="none", mec="0.55")),
            ("after", after, dict(marker="x", ms=5, color=COLOURS[script])),
        ):
            sizes = np.linalg.eigvals(jacobian.mean(axis=0))
            axes.plot(sizes.real, sizes.imag, ls="", label=when, **style)
        axes.set(title=f"{name}, layer {layer}", aspect="equal", xlabel="real part")
    figure.axes[0].set_ylabel("imaginary part")
    figure.axes[0].legend(loc="center", fontsize="small")
    return figure


def direction(runs, data):
    """The state of the LSTM along its slow direction, word by word, and P(positive) beside it."""
    model, ids = networks.trained("lstm_imdb", 0, runs), full_reviews(data, 512)
    index = common.load_word_index(data)
    layer, jacobian = networks.slow_jacobians(model, ids[:48])
    left, _ = networks.slow_direction(jacobian)
    p, states, _ = networks.read(model, ids)
    correlation = np.corrcoef(states[layer - 1][:, -1].numpy() @ left, p)[0, 1]
    print(f"layer {layer}: correlation of the last value with P(positive) {abs(correlation):.2f}")
    figure = Figure(figsize=(9, 6.4), layout="constrained")
    grid = figure.subplots(2, 2, sharey="row", sharex="col")
    quantities = [row["quantity"] for row in rows("memory", script="lstm_imdb", seed="0")]
    moved = [q.removeprefix("moved by ") for q in quantities if q.startswith("moved by ")]
    half = len(moved) // 2
    lists = zip(("Down", "Up"), (moved[:half], moved[half:]))
    lines = [textwrap.fill(f"{way} most: {', '.join(words)}", 150) for way, words in lists]
    figure.supxlabel("\n".join(lines), fontsize=8, ha="center")
    for (upper, lower), text, label in zip(grid.T, (POSITIVE, NEGATIVE), ("positive", "negative")):
        words, so_far = prefixes(text, index)
        _, states, _ = networks.read(model, so_far[-1:])
        value = np.sign(correlation) * (states[layer - 1][0].numpy() @ left)  # up: positive
        upper.plot(value[-len(words) :], "k-o", ms=3)
        upper.set_title(f"meant as {label}")
        upper.axhline(0, color="0.6", lw=1)
        lower.plot(model(so_far, training=False).numpy()[:, 0], "k--s", ms=3)  # as --review reads
        lower.axhline(0.5, color="0.6", lw=1)
        name_words(lower, words)
    grid[0, 0].set_ylabel("the slow number")
    grid[1, 0].set(ylabel="P(positive)", ylim=(-0.03, 1.03))
    return figure


def percentiles(axes, models, ids):
    """Draw the 10th, 50th and 90th percentile of each gate of two networks, side by side."""
    styles = (-0.15, dict(mfc="white", color="0.5")), (0.15, dict(color="black"))
    labels = []
    for script, letters in GATES.items():
        spreads = [networks.read_gates(model, ids) for model in models[script]]
        for layer in (1, 2):
            for letter in letters:
                for spread, (dx, style) in zip(spreads, styles):
                    numbers = spread[layer - 1][letter][:, 1:]
                    low, middle, high = np.percentile(numbers, (10, 50, 90))
                    error = [[middle - low], [high - middle]]
                    axes.errorbar(len(labels) + dx, middle, error, fmt="o", capsize=3, **style)
                labels.append(f"{NETWORKS[script]} {layer}\n{letter}")
    axes.set_xticks(range(len(labels)), labels)
    axes.set(ylim=(0, 1), ylabel="gate (10th, 50th, 90th percentile)")
    axes.set_title("left: before training, right: after")


def gates(runs, data):
    """The spread of the gates before and after training, and the gates of one text word by word."""
    ids, index = full_reviews(data, 64), common.load_word_index(data)
    figure = Figure(figsize=(9, 6), layout="constrained")
    top, *below = figure.subplot_mosaic("AA;BC").values()
    models = {s: (networks.load(s, 0), networks.trained(s, 0, runs)) for s in GATES}
    percentiles(top, models, ids)
    words, so_far = prefixes(NEGATIVE, index)
    for axes, (script, letters) in zip(below, GATES.items()):
        _, model = models[script]
        layer, _ = networks.slow_jacobians(model, ids[:48])
        of_layer = networks.read_gates(model, so_far[-1:])[layer - 1]
        for letter, style in zip(letters, ("k-", "k--", "k:")):
            of_text = of_layer[letter][0, -len(words) :]  # [words, units]
            axes.plot(of_text.mean(axis=1), style, label=f"{letter}, mean of the units")
            if letter in "fz":
                low, high = np.percentile(of_text, (10, 90), axis=1)
                label = f"{letter}, 10th to 90th percentile"
                axes.fill_between(range(len(words)), low, high, color="0.85", label=label)
        name_words(axes, words)
        axes.set(ylim=(0, 1), title=f"{NETWORKS[script]}, layer {layer}, word by word")
        axes.legend(fontsize="small", loc="lower right")
    return figure


def negation(runs):
    """The gates of layer 1 at each word of two toy texts: with a "not" and without."""
    figure = Figure(figsize=(8, 5), layout="constrained")
    grid = figure.subplots(2, 2, sharey=True)
    index = common.toy_reviews()[2]
    for row, (script, letters) in zip(grid, GATES.items()):
        model = networks.trained(script, 0, runs, "toy")
        for axes, text in zip(row, ("the plot was good", "the plot was not good")):
            words, so_far = prefixes(text, index)
            of_layer = networks.read_gates(model, so_far[-1:])[0]
            for letter, style in zip(letters, ("k-o", "k--s", "k:^")):
                mean = of_layer[letter][0, -len(words) :].mean(axis=1)
                axes.plot(mean, style, ms=4, label=letter)
            name_words(axes, words, rotation=0)
            axes.set(ylim=(0, 1), title=f"{NETWORKS[script]}, layer 1")
        row[0].legend(fontsize="small", loc="lower left")
        row[0].set_ylabel("gate, mean of the units")
    return figure


FIGURES = gradient, levels, first_word, lengths, curves, eigenvalues, direction, gates, negation


def main(argv=None):
    parser = flags.parser(__doc__)
    figures = {make.__name__: make for make in FIGURES}
    parser.add_argument("figure", choices=figures)
    parser.add_argument("--runs", type=Path, metavar="FOLDER")
    parser.add_argument("--data", metavar="NPZ")
    args = parser.parse_args(argv)
    make = figures[args.figure]
    needed = {flag: getattr(args, flag) for flag in inspect.signature(make).parameters}
    missing = [f"--{flag}" for flag, value in needed.items() if not value]
    if missing:
        parser.error(f"{args.figure} needs {' and '.join(missing)}")
    figure = make(**needed)
    for axes in figure.axes:
        axes.grid(alpha=0.3)
        axes.title.set_fontsize("medium")
    figure.savefig(ROOT / f"docs/pictures/{args.figure}.png", dpi=120)
    print(f"docs/pictures/{args.figure}.png")


if __name__ == "__main__":
    main()
