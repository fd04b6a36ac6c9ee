"""Look results up in the CSVs: what the tables and the plots are made of."""

import csv
import functools
import re
import statistics

from docs.measure.names import NETWORKS, ROOT

LENGTHS = ("10", "20", "40", "80", "160", "320")  # words of the reviews of tasks.csv
USUAL = dict(reviews="10000", epochs="6", rate="0.001")  # of its runs
MODELS = {  # of the lengths: experiment and script of runs.csv
    "averaging": ("exercise 12", "baseline"),
    "averaging, pairs": ("exercise 12, pairs", "baseline"),
    "SimpleRNN": ("as it is", "rnn_layer_imdb"),
    "LSTM": ("as it is", "lstm_imdb"),
    "GRU": ("as it is", "gru_imdb"),
}


@functools.cache
def read_csv(name):
    """All rows of docs/measure/NAME.csv, each as {column: text}."""
    with open(ROOT / f"docs/measure/{name}.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def rows(name, **wanted):
    """The rows of a CSV whose columns are as wanted: {column: text} each. None is an error."""
    matches = [row for row in read_csv(name) if wanted.items() <= row.items()]
    if not matches:
        raise ValueError(f"{name}.csv has no row with {wanted}")
    return matches


def values(name, column="value", **wanted):
    """One column of those rows, as numbers: one of each seed."""
    return [float(row[column]) for row in rows(name, **wanted)]


def scores(experiment, seeds=None, **wanted):
    """The test accuracies of an experiment of runs.csv; seeds: only the first so many."""
    matches = rows("runs", experiment=experiment, **wanted)
    return [float(r["accuracy"]) for r in matches if seeds is None or int(r["seed"]) < seeds]


def scores_at(model, words):
    """The test accuracies of a model of MODELS at so many words, seeds 0 to 4 at most: runs.csv."""
    experiment, script = MODELS[model]
    if (model, words) == ("LSTM", 200):
        experiment = "exercise 4"
    elif words != 80:
        experiment = f"{words} words: {model}"
    return scores(experiment, seeds=5, script=script)


def scores_alike(model, words):
    """The same with the setting that was chosen on held-out reviews of 80 words."""
    if model not in NETWORKS.values():  # it stands as it was chosen
        return scores_at(model, words)
    name = "chosen alike" if words == 80 else f"chosen alike, {words} words"
    return scores(f"{name}: {model}")


def at_start(quantity, start, words="80"):
    """A quantity of tasks.csv, the first word, before training: "gradient 1", "gradient last"."""
    return values("tasks", task="first", quantity=quantity, start=start, words=words, **USUAL)


def first_word_runs(start, words="80"):
    """The runs of the first word in tasks.csv: of each seed the test accuracy by epoch."""
    runs = {}
    for row in rows("tasks", task="first", start=start, words=words, **USUAL):
        if row["quantity"].startswith("epoch"):
            runs.setdefault(row["seed"], []).append(float(row["value"]))
    return list(runs.values())


def settings(model):
    """What runs.csv has "held out" of a model of MODELS, best mean of seeds 0 to 2 first.

    {(layers, rate, epochs), texts, layers "" where there is no choice: accuracies by seed}; the
    settings with one seed come last. Seeds 3 and 4 were run when the choice had been made.
    """
    pattern = re.compile(rf"held out: {model}(?:, (\d) layers)?, rate ([\d.]+), (\d) epochs")
    tried = {}
    for row in sorted(read_csv("runs"), key=lambda row: int(row["seed"])):
        match = pattern.fullmatch(row["experiment"])
        if match:
            setting = tuple(text or "" for text in match.groups())
            tried.setdefault(setting, []).append(float(row["accuracy"]))
    order = sorted(tried, key=lambda s: (len(tried[s]) > 1, statistics.mean(tried[s][:3])))
    return {setting: tried[setting] for setting in reversed(order)}
