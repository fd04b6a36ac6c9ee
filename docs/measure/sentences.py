"""What the trained LSTM says of the sentences that the pages quote: sentences.csv.

    python -m docs.measure.runs --data imdb.npz --runs runs --only "as it is"   # first: trains
    python -m docs.measure.runs --data imdb.npz --runs runs --only toy
    python -m docs.measure.sentences --data imdb.npz --runs runs

P(positive) after the last word, as --review prints it, by the networks of seeds 0 to 4.
"""

import argparse
from pathlib import Path

import common
import keras
from docs.measure import networks, records
from docs.measure.names import ROOT, SEEDS, weights

CSV = ROOT / "docs/measure/sentences.csv"
HEAD = ("experiment", "script", "seed", "text", "positive", "machine")
SCRIPT = "lstm_imdb"
TEXTS = {
    "toy": ("the plot was not bad", "the plot was not good"),
    "as it is": ("not a bad film at all", "a bad film", "a good film at all"),
}


def encode(text, index):
    """A text as the scripts read it: ids [1, 80]."""
    unknown = common.TOTAL_WORDS  # as a rank: no word that the networks know
    return common.encode([[index.get(word, unknown) for word in common.tokenize(text)]])


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", metavar="NPZ", required=True)
    parser.add_argument("--runs", type=Path, metavar="FOLDER", required=True)
    args = parser.parse_args()
    indices = {"toy": common.load_word_index("toy"), "as it is": common.load_word_index(args.data)}

    def rows(experiment, script, seed):
        model = networks.load(script, seed, weights(args.runs, experiment, script, seed))
        for text in TEXTS[experiment]:
            p = model(encode(text, indices[experiment]), training=False)[0, 0]
            yield text, float(p), records.machine()
        keras.backend.clear_session()

    keys = [(experiment, SCRIPT, seed) for seed in SEEDS for experiment in TEXTS]
    records.complete(CSV, HEAD, keys, rows)


if __name__ == "__main__":
    common.run(main)
