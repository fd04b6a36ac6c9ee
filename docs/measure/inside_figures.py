"""Make the pictures of docs/inside.md, from docs/measure/inside.csv and from the networks of seed 0.

    python docs/measure/inside_figures.py gradient
    python docs/measure/inside_figures.py eigenvalues --runs runs --data imdb.npz
    python docs/measure/inside_figures.py direction --runs runs --data imdb.npz --index imdb_word_index.json
    python docs/measure/inside_figures.py gates --runs runs --data imdb.npz --index imdb_word_index.json

Each writes one file into docs/; docs/measure/results.py and docs/measure/inside.py come first. Needs matplotlib.
"""

import json

import figures  # first: it finds common
import inside

import common
import numpy as np
import tables
from matplotlib.figure import Figure

POSITIVE = (
    "i went in expecting nothing and found a wonderful film the actors are excellent the music is "
    "beautiful and even the slow part never becomes boring i would watch it again tomorrow"
)
NEGATIVE = (
    "a great cast and a lovely idea are wasted here the dialogue is terrible the story makes no "
    "sense and after an hour of this awful mess i wanted my money back"
)
STEPS = np.arange(1, common.WORDS + 1)


def gradient(args):
    """The gradient by word before and after training: mean, and the spread over the reviews."""

    def by_word(script, when, what):
        where = dict(script=script, when=when, of=what)
        curves = [tables.values("gradient", str(t), **where) for t in STEPS]
        return np.exp(np.log(curves).mean(axis=1))  # [80, seeds] -> [80]

    figure = Figure(figsize=(8, 5.8), layout="constrained")
    before, *after = figure.subplot_mosaic("AAA;BCD", height_ratios=(1, 1.1)).values()
    for script, axes in zip(inside.SCRIPTS, after):
        name, colour, style = (t[script] for t in (inside.SCRIPTS, figures.COLOURS, figures.STYLES))
        before.plot(STEPS, by_word(script, "before", "mean"), style, color=colour, label=name)
        axes.fill_between(
            STEPS, by_word(script, "after", "p10"), by_word(script, "after", "p90"), color="0.85"
        )
        axes.plot(STEPS, by_word(script, "after", "mean"), style, color=colour, label="mean")
        axes.plot(STEPS, by_word(script, "after", "p50"), "-", color="0.45", label="median review")
        axes.set(title=f"{name}, after 4 epochs", yscale="log", ylim=(1e-4, 1e1), xlabel="word")
    before.set(title="before training", yscale="log", xlabel="word (80: the last)")
    before.legend(loc="lower right")
    after[0].set_ylabel("norm of d loss / d x_t")
    after[0].legend(loc="lower right", fontsize="small")
    for axes in figure.axes:
        axes.set_xticks((1, 20, 40, 60, 80))
        axes.grid(alpha=0.3)
        axes.title.set_fontsize("medium")
    before.set_ylabel("norm of d loss / d x_t")
    figures.save(figure, "gradient.png")


def whole_reviews(args, n):
    """The first n test reviews that fill all 80 places: [n, 80]."""
    _, (x, _) = common.read_npz(args.data)
    return x[x[:, 0] != common.PAD][:n]


def trained(args, script):
    return inside.load(script, 0, args.runs / f"{script}-0.weights.h5")


def slow_layer(model, ids):
    """The layer whose largest eigenvalue is largest, 1 or 2, and the Jacobians there."""
    jacobians = inside.all_jacobians(model, ids)
    layer = int(np.argmax([inside.eigenvalue_sizes(j)[0] for j in jacobians]))
    return layer + 1, jacobians[layer]


def eigenvalues(args):
    """Eigenvalues of the step's Jacobian in the complex plane, before and after training."""
    ids = whole_reviews(args, 48)
    figure = Figure(figsize=(8, 3.3), layout="constrained")
    circle = np.exp(1j * np.linspace(0, 2 * np.pi, 200))
    for axes, (script, name) in zip(figure.subplots(1, 3, sharey=True), inside.SCRIPTS.items()):
        layer, after = slow_layer(trained(args, script), ids)
        before = inside.all_jacobians(inside.load(script, 0), ids)[layer - 1]
        axes.plot(circle.real, circle.imag, color="0.6", lw=1)
        for jacobian, style in (before, dict(marker="o", ms=6, mfc="none", mec="0.55")), (
            after, dict(marker="x", ms=5, color=figures.COLOURS[script]),
        ):  # fmt: skip
            values = np.linalg.eigvals(jacobian.mean(axis=0))
            when = "before" if jacobian is before else "after"
            axes.plot(values.real, values.imag, ls="", label=when, **style)
            print(name, layer, when, np.sort(np.abs(values))[::-1][:4].round(3))
        axes.set(title=f"{name}, layer {layer}", aspect="equal", xlabel="real part")
        axes.title.set_fontsize("medium")
        axes.grid(alpha=0.3)
    figure.axes[0].set_ylabel("imaginary part")
    figure.axes[0].legend(loc="center", fontsize="small")
    figures.save(figure, "eigenvalues.png")


def encode(text, args):
    """The words of a text and its ids, padded in front: [1, 80]."""
    index = json.loads(args.index.read_text(encoding="utf-8"))
    words = common.split_words(text)
    return words, common.encode([[index[word] for word in words]])


def direction(args):
    """The state of the LSTM along its slow direction, word by word, and P(positive) beside it."""
    model, ids = trained(args, "lstm_imdb"), whole_reviews(args, 512)
    layer, jacobian = slow_layer(model, ids[:48])
    left, _ = inside.slow_direction(jacobian)
    p, states, _ = inside.read(model, ids)
    along = states[layer - 1].numpy() @ left
    correlation = np.corrcoef(along[:, -1], p)[0, 1]
    sign = np.sign(correlation)
    print(f"layer {layer}: correlation of the last value with P(positive) {abs(correlation):.2f}")
    figure = Figure(figsize=(9, 5.6), layout="constrained")
    grid = figure.subplots(2, 2, sharey="row", sharex="col")
    for column, (text, label) in zip(grid.T, ((POSITIVE, "positive"), (NEGATIVE, "negative"))):
        words, x = encode(text, args)
        _, states, _ = inside.read(model, x)
        value = sign * (states[layer - 1].numpy() @ left)[0, -len(words) :]
        ranks = [int(i) - common.INDEX_FROM for i in x[0, -len(words) :]]
        so_far = common.encode([ranks[: n + 1] for n in range(len(words))])  # as --review reads
        places = range(len(words))
        column[0].plot(places, value, "k-o", ms=3)
        column[0].set_title(f"meant as {label}", fontsize="medium")
        column[1].plot(places, model(so_far, training=False).numpy()[:, 0], "k--s", ms=3)
        column[1].set_xticks(places, words, rotation=90, fontsize=8)
        column[1].axhline(0.5, color="0.6", lw=1)
        column[0].axhline(0, color="0.6", lw=1)
        for axes in column:
            axes.grid(alpha=0.3)
    grid[0, 0].set_ylabel("state along the slow direction")
    grid[1, 0].set(ylabel="P(positive)", ylim=(-0.03, 1.03))
    figures.save(figure, "direction.png")


def gates(args):
    """The spread of the gates before and after training, and the gates of one text word by word."""
    ids = whole_reviews(args, 256)
    figure = Figure(figsize=(9, 6), layout="constrained")
    top, *below = figure.subplot_mosaic("AA;BC").values()
    labels, place = [], 0
    for script, letters in inside.GATES.items():
        for layer in (0, 1):
            for letter in letters:
                for model, style, dx in (
                    (inside.load(script, 0), dict(mfc="white", color="0.5"), -0.15),
                    (trained(args, script), dict(color="black"), 0.15),
                ):
                    values = inside.all_gates(model, ids[:64])[layer][letter]
                    low, middle, high = np.percentile(values, (10, 50, 90))
                    error = [[middle - low], [high - middle]]
                    top.errorbar(place + dx, middle, error, fmt="o", capsize=3, **style)
                labels.append(f"{inside.SCRIPTS[script]} {layer + 1}\n{letter}")
                place += 1
    top.set_xticks(range(place), labels)
    top.set(ylim=(0, 1), ylabel="gate (10th, 50th, 90th percentile)")
    top.set_title("left: before training, right: after", fontsize="medium")
    words, x = encode(NEGATIVE, args)
    for axes, (script, letters) in zip(below, inside.GATES.items()):
        model = trained(args, script)
        layer, _ = slow_layer(model, ids[:48])
        own = inside.all_gates(model, x)[layer - 1]
        for letter, style in zip(letters, ("k-", "k--", "k:")):
            values = own[letter][-len(words) :, 0]  # [words, units]
            axes.plot(values.mean(axis=1), style, label=f"{letter}, mean of the units")
            if letter in "fz":
                band = np.percentile(values, (10, 90), axis=1)
                label = f"{letter}, 10th to 90th percentile"
                axes.fill_between(range(len(words)), *band, color="0.85", label=label)
        axes.set_xticks(range(len(words)), words, rotation=90, fontsize=8)
        axes.set(ylim=(0, 1))
        axes.set_title(f"{inside.SCRIPTS[script]}, layer {layer}, word by word", fontsize="medium")
        axes.legend(fontsize="small", loc="lower right")
    for axes in figure.axes:
        axes.grid(alpha=0.3)
    figures.save(figure, "gates.png")


if __name__ == "__main__":
    figures.choose(__doc__, gradient, eigenvalues, direction, gates)
