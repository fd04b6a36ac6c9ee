"""The names of the book: what the programs above measure, and what the pages call it."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ("rnn_cell_imdb", "rnn_layer_imdb", "lstm_imdb", "gru_imdb")
BASELINE = "docs/tools/baseline"
NETWORKS = {"rnn_layer_imdb": "SimpleRNN", "lstm_imdb": "LSTM", "gru_imdb": "GRU"}
GATES = {"lstm_imdb": "ifo", "gru_imdb": "zr"}
SEEDS = range(5)  # of the networks that are looked into
LAST_LINE = re.compile(  # of a run of a script
    r"(?P<script>\w+): test accuracy (?P<accuracy>[\d.]+) \((?P<right>\d+)/(?P<n>\d+)\), "
    r"loss (?P<loss>[\d.]+|nan), (?P<done>.+ s|loaded from .+), (?P<parameters>\d+) parameters, "
    r"seed (?P<seed>\d+), data (?P<data>.+), device (?P<device>CPU|GPU), "
    r"TensorFlow (?P<tensorflow>\S+), Keras (?P<keras>\S+)"
)


def saved(runs, name, script, seed):
    """Where a run of runs.py leaves its weights and its log, but for the endings .weights.h5, .csv.

    name: of the experiment: "as it is" (on IMDB) and "toy" are kept.
    """
    return runs / f"{name}-{Path(script).name}-{seed}".replace(" ", "-")
