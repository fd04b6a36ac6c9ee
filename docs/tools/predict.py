"""Judge a file of reviews: every row comes back, with P(positive) and a verdict.

    python docs/tools/predict.py lstm_imdb.py my.weights.h5 new.csv --data my.npz --out judged.csv

A table is read, or refused, by own_data.py, but needs no labels: if there are some, the verdicts
are compared with them. --data and --units are those of the training: the words lie with the data.
"""

import argparse
import csv
import os
import runpy
import sys
from collections import Counter
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import common
import numpy as np
import own_data

ADDED = ["P(positive)", "verdict"]  # the last two columns of what is written


def parse_args(argv):
    """Read the command line; what is wrong with it ends the run with status 2."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    add, a_path = parser.add_argument, os.path.expanduser
    add("script", type=a_path, help="that was trained, such as lstm_imdb.py")
    add("load", type=common.saved_weights, metavar="weights", help="that its --save wrote")
    add("table", type=a_path, help="of reviews")
    add("--out", type=partial(common.output, ".csv"), required=True, metavar="FILE.csv")
    add("--data", type=a_path, default="auto", help="imdb, toy or an npz file")
    add("--units", type=partial(common.number, int, 1, 2_048), default=64, help="%(default)s")
    args = own_data.parse_table_args(parser, argv)
    if not os.path.isfile(args.script):  # then it is beside common.py
        args.script = Path(common.__file__).with_name(Path(args.script).stem + ".py")
    if not os.path.isfile(args.script):
        parser.error(f"{args.script}: no such file")
    if os.path.exists(args.out) and not is_own(args.out, args.encoding):
        parser.error(f"--out {args.out} is there, and not from this program: take another name")
    return args


def is_own(path, encoding):
    """Tell by its first line whether this program has written a file."""
    with open(path, "rb") as file:
        start = file.read(2**16).decode(encoding, errors="ignore")
    return start.partition("\n")[0].rstrip().endswith("," + ",".join(ADDED))


def load_model(args):
    """Build the network of the script with its weights -> a model, {word: rank}; or end the run."""
    names = runpy.run_path(str(args.script))
    if "SentimentClassifier" not in names:
        common.fail(f"{args.script} has no class SentimentClassifier")
    args.script = Path(args.script).stem
    model = names["SentimentClassifier"](args.units)
    model.build((None, common.MAX_REVIEW_LEN))
    return model, common.load_word_index(args.data, common.load_weights(args, model))


def judge(model, ranks):
    """P(positive) of n lists of word ranks: [n] float32, nan of an empty list."""
    p = common.positive(model, common.encode(ranks))
    return np.where([len(review) > 0 for review in ranks], p, np.nan)


def verdict(p):
    """Say which side of a half each probability is on, or nothing of nan: [n] -> [n] of text."""
    return np.select([p > 0.5, p <= 0.5], ["positive", "negative"], "")


def write(table, p, encoding, path):
    """Write the table with two more columns."""
    with open(path, "w", encoding=encoding, newline="") as file:
        writer = csv.writer(file)
        writer.writerow(table.names + ADDED)
        for row, p_row, side in zip(table.rows, p, verdict(p)):
            writer.writerow([*row.fields, f"{p_row:.6f}" if side else "", side])


def read_labels(table, args):
    """Find the label of each row: 0, 1, or None if it has none or another."""
    labels = [own_data.normal(row.fields[table.label]) for row in table.rows]
    counts = Counter(filter(None, labels))
    meaning = own_data.meanings(counts, args) if counts else {}
    return [meaning.get(label) for label in labels]


def compare(labels, p):
    """Print how far the verdicts agree with the labels."""
    n = Counter(zip(labels, verdict(p)))
    (tn, fp), (fn, tp) = ([n[label, v] for v in ("negative", "positive")] for label in (0, 1))
    total = tn + fp + fn + tp
    print(f"{total} of {len(labels)} rows have a known label and a verdict:")
    print(f"{'':17}  judged negative  judged positive")
    print(f"labelled negative  {tn:15}  {fp:15}\nlabelled positive  {fn:15}  {tp:15}")
    shares = {"accuracy": (tn + tp, total), "precision": (tp, tp + fp)}
    shares |= {"recall": (tp, tp + fn), "F1": (2 * tp, 2 * tp + fp + fn)}
    for name, (part, whole) in shares.items():
        print(f"{name:9}  {part / whole:.4f} ({part}/{whole})" if whole else f"{name:9}  none")


def report(path, ranks, p):
    """Print how many rows there are of each kind, and how many of their words are known."""
    n = Counter(verdict(p))
    own_data.say(f"{path}: {len(p)} rows, {n['positive']} positive, {n['negative']} negative")
    print(f"{n['']} rows have no word, and so no verdict")
    known = [rank + common.INDEX_FROM < common.TOTAL_WORDS for review in ranks for rank in review]
    print(f"{sum(known)} of {len(known)} words are known to the network")


def main(argv=None):
    args = parse_args(argv)
    table = own_data.read(args.table, args, label_needed=bool(args.negative))
    if table.bad or not table.rows:  # each row must come back, with its columns
        common.fail(f"nothing is written: {[*table.bad, f'{args.table} has no rows'][0]}")
    if set(ADDED) & set(table.names):
        common.fail(f"{args.table} has a column {' or '.join(ADDED)}: rename it")
    labels = [] if table.label is None else read_labels(table, args)
    model, index = load_model(args)
    reviews = [own_data.words_of(row.fields[table.text]) for row in table.rows]
    ranks = [[index.get(word, common.TOTAL_WORDS) for word in words] for words in reviews]
    p = judge(model, ranks)
    try:
        common.write_atomically(args.out, partial(write, table, p, args.encoding))
    except OSError as error:
        common.fail(f"cannot write {args.out}: {error}")
    report(args.out, ranks, p)
    if any(label is not None for label in labels):
        compare(labels, p)


if __name__ == "__main__":
    common.run(main)
