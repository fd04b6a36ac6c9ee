"""Judge a file of reviews: every row comes back, with P(positive) and a verdict.

    python docs/tools/predict.py lstm_imdb.py my/lstm.weights.h5 new.csv --out my/judged.csv
        --data my/reviews.npz

SCRIPT and WEIGHTS: what was trained, and what its --save wrote; --data as in the training, for the
words lie there. The table is read as own_data.py reads one and needs no label. If it has a column
of labels, the verdicts are compared with them.
"""

import argparse
import csv
import os
import runpy
from collections import Counter
from functools import partial
from pathlib import Path

import own_data  # first: it finds common

import common
import numpy as np

ADDED = ["P(positive)", "verdict"]  # the last two columns of what is written


def parse_args(argv):
    """Read the command line; what is wrong with it ends the run with status 2."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    add, a_path = parser.add_argument, os.path.expanduser
    add("script", type=a_path, help="such as lstm_imdb.py")
    add("load", type=a_path, metavar="weights", help="what the script's --save wrote")
    add("table", type=a_path, help="of reviews")
    add(
        "--out", type=partial(common.output, ".csv"), required=True, metavar="FILE", help="FILE.csv"
    )
    add(
        "--data", type=a_path, default="auto", help="that of the training: imdb, toy or an npz file"
    )
    add("--units", type=partial(common.number, int, 1, 2_048), default=64, help="%(default)s")
    args = own_data.parse_table_args(parser, argv)
    if not os.path.isfile(args.script):  # in the folder of the scripts, perhaps without its ending
        args.script = Path(common.__file__).with_name(Path(args.script).stem + ".py")
    for path in args.script, args.load, args.table:
        if not os.path.exists(path):
            parser.error(f"{path}: no such file")
    if os.path.exists(args.out) and not is_own(args.out, args.encoding):
        parser.error(f"--out {args.out} is there, and not from this program: take another name")
    return args


def is_own(path, encoding):
    """Tell by its first line whether this program has written a file."""
    try:
        with open(path, encoding=encoding, errors="replace", newline="") as file:
            return next(csv.reader(file), [])[-2:] == ADDED
    except csv.Error:
        return False


def load_model(args):
    """Build the network of the script with its weights -> a model, {word: rank}; or end the run."""
    names = runpy.run_path(str(args.script))
    args.script = Path(args.script).stem
    model = names["SentimentClassifier"](args.units)
    model.build((None, common.MAX_REVIEW_LEN))
    return model, common.load_word_index(args.data, common.load_weights(args, model))


def judge(model, ranks):
    """P(positive) of n lists of word ranks: [n] float32, nan of an empty list."""
    model.compile(jit_compile=False)
    p = model.predict(common.encode(ranks), batch_size=common.TEST_BATCH, verbose=0)
    if p.shape[1:] != (1,) or np.isnan(p).any():
        common.fail(f"the network does not give one probability for a review, but {p[0].tolist()}")
    return np.where([len(review) > 0 for review in ranks], p[:, 0], np.nan)


def verdict(p):
    """Say which side of a half a probability is on, or nothing of nan."""
    return "" if np.isnan(p) else "positive" if p > 0.5 else "negative"


def write(path, table, p, encoding):
    """Write the table with two more columns, whole or not at all."""

    def write_to(name):
        with open(name, "w", encoding=encoding, newline="") as file:
            rows = csv.writer(file)
            rows.writerow(table.names + ADDED)
            for row, p_row in zip(table.rows, p):
                shown = "" if np.isnan(p_row) else f"{p_row:.6f}"
                rows.writerow([*row.fields, shown, verdict(p_row)])

    try:
        common.write_atomically(path, write_to)
    except OSError as error:
        common.fail(f"cannot write {path}: {error}")


def read_labels(table, args):
    """Find the label of each row: 0, 1, or None if it has none or another."""
    if table.label is None:
        return [None] * len(table.rows)
    labels = [own_data.normal(row.fields[table.label]) for row in table.rows]
    counts = Counter(label for label in labels if label)
    meaning = own_data.meanings(counts, args) if counts else {}
    return [meaning.get(label) for label in labels]


def compare(labels, p):
    """Print how far the verdicts agree with the labels."""
    n = Counter((label, verdict(p_row)) for label, p_row in zip(labels, p))
    (tn, fp), (fn, tp) = ([n[label, v] for v in ("negative", "positive")] for label in (0, 1))
    print(f"{'':17}  judged negative  judged positive")
    print(f"labelled negative  {tn:15}  {fp:15}\nlabelled positive  {fn:15}  {tp:15}")
    for name, part, whole in (
        ("accuracy", tn + tp, tn + fp + fn + tp),
        ("precision", tp, tp + fp),
        ("recall", tp, tp + fn),
        ("F1", 2 * tp, 2 * tp + fp + fn),
    ):
        print(f"{name:9}  {part / whole:.4f} ({part}/{whole})" if whole else f"{name:9}  none")


def main(argv=None):
    args = parse_args(argv)
    table = own_data.read(args.table, args, label_needed=False)
    if table.bad or not table.rows:  # each row must come back, with its columns
        common.fail(f"nothing is written: {[*table.bad, f'{args.table} has no rows'][0]}")
    if set(ADDED) & set(table.names):
        common.fail(f"{args.table} has a column {' or '.join(ADDED)}: rename it")
    labels = read_labels(table, args)
    model, index = load_model(args)
    reviews = [own_data.split_words(row.fields[table.text]) for row in table.rows]
    ranks = [[index.get(word, common.TOTAL_WORDS) for word in words] for words in reviews]
    p = judge(model, ranks)
    write(args.out, table, p, args.encoding)
    n = Counter(map(verdict, p))
    known = [rank + common.INDEX_FROM < common.TOTAL_WORDS for review in ranks for rank in review]
    own_data.say(f"{args.out}: {len(p)} rows: {n['positive']} positive, {n['negative']} negative")
    print(f"{n['']} rows have no word, and so no verdict")
    print(f"{sum(known)} of {len(known)} words are known to the network")
    if any(label is not None for label in labels):
        compare(labels, p)


if __name__ == "__main__":
    common.run(main)
