"""Names in code: the scripts, networks and starts, the files of a run, the form of its last line.

What the pages call things, in both languages, stands in tables.py.
"""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ("rnn_cell_imdb", "rnn_layer_imdb", "lstm_imdb", "gru_imdb")
BASELINE = "docs/tools/baseline"
NETWORKS = {"rnn_layer_imdb": "SimpleRNN", "lstm_imdb": "LSTM", "gru_imdb": "GRU"}
GATES = {"lstm_imdb": "ifo", "gru_imdb": "zr"}
SEEDS = range(5)  # of the networks that are looked into
STARTS = {  # of the page's first word: the script, and what is set before training (tasks.begin)
    "SimpleRNN": ("rnn_layer_imdb", None),  # W_hh orthogonal, as Keras begins
    "SimpleRNN .9": ("rnn_layer_imdb", 0.9),  # W_hh orthogonal times .9: every eigenvalue that size
    "SimpleRNN .7": ("rnn_layer_imdb", 0.7),
    "LSTM": ("lstm_imdb", None),  # b_f = 1: f begins at .73
    "LSTM b_f = 3": ("lstm_imdb", 3.0),  # .95
    "GRU": ("gru_imdb", None),  # b_z = 0: z begins at .5
    "GRU b_z = 3": ("gru_imdb", 3.0),  # .95
}
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


def weights(runs, name, script, seed):
    """The weights that such a run left."""
    return f"{saved(runs, name, script, seed)}.weights.h5"
