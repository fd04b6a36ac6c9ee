"""Turn your own reviews, a table with a text and a label, into a file for --data.

    python docs/tools/own_data.py reviews.csv --out my/reviews.npz
    python docs/tools/own_data.py train.tsv test.tsv --out my/reviews.npz
    python lstm_imdb.py --data my/reviews.npz

The table is CSV, or TSV if its name ends in .tsv, in UTF-8, with a first line of column names. One
table is split into training and test reviews by --seed, two are taken as they are. Beside the file
goes imdb_word_index.json, which --review needs. Labels: 0 1, negative positive, neg pos, 负 正.
Words are what stands between spaces and punctuation: text in Chinese must come with spaces between
its words (a segmenter such as jieba puts them in).
"""

import argparse
import collections
import csv
import json
import random
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import common
import numpy as np

TEXT, LABEL = ("review", "text", "content", "评论"), ("sentiment", "label", "标签")
LABELS = {"0": 0, "negative": 0, "neg": 0, "负": 0, "1": 1, "positive": 1, "pos": 1, "正": 1}


def column(names, wanted, known, flag):
    """The place of a column: the one named by the flag, or the first whose name is known."""
    lower = [name.strip().lower() for name in names]
    for name in [wanted.lower()] if wanted else known:
        if name in lower:
            return lower.index(name)
    common.fail(f"no column {wanted or ' or '.join(known)} in {', '.join(names)}: say {flag} NAME")


def read_table(path, args):
    """Read a table: [(words, label), ...], and what is wrong with which line: ["line 7: ...", ...].

    The line is the one on which a row ends, as a text may have line breaks in quotes.
    """
    rows, bad = [], []
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter="\t" if path.name.endswith(".tsv") else ",")
            names = next(reader, [])
            text = column(names, args.text, TEXT, "--text")
            label = column(names, args.label, LABEL, "--label")
            for row in filter(None, reader):  # but empty lines
                where = f"{path.name} line {reader.line_num}"
                if len(row) != len(names):
                    bad.append(f"{where}: {len(row)} fields, not {len(names)}")
                    continue
                words = common.split_words(re.sub(r"<br\s*/?>", " ", row[text]))
                value = LABELS.get(row[label].strip().lower().removesuffix(".0"))
                if not words:
                    bad.append(f"{where}: there is no word in it")
                elif value is None:
                    bad.append(f"{where}: the label {row[label][:20]!r}")
                else:
                    rows.append((words, value))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        common.fail(f"cannot read {path}: {error}")
    return rows, bad


def word_index(rows):
    """Number the words by frequency, 1 is the most frequent: {word: rank}."""
    counts = collections.Counter(word for words, _ in rows for word in words)
    return {word: rank for rank, (word, _) in enumerate(counts.most_common(), start=1)}


def arrays(rows, index):
    """Reviews as ranks, out of the vocabulary if not in training, and labels: [n] and [n]."""
    x = np.empty(len(rows), dtype=object)
    x[:] = [[index.get(word, common.VOCABULARY) for word in words] for words, _ in rows]
    return x, np.array([label for _, label in rows])


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("table", type=Path, help="of training reviews, or of all")
    parser.add_argument("test_table", type=Path, nargs="?", help="of test reviews")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="FILE.npz")
    parser.add_argument("--text", metavar="NAME", help="column of the text")
    parser.add_argument("--label", metavar="NAME", help="column of the label")
    parser.add_argument("--test-share", type=float, default=0.2, help="of one table (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the split (%(default)s)")
    parser.add_argument("--skip-bad", action="store_true", help="leave out rows that are no review")
    parser.add_argument("--replace", action="store_true", help="replace files that are there")
    args = parser.parse_args(argv)
    index_path = args.out.parent / "imdb_word_index.json"
    if args.out.suffix != ".npz":
        parser.error(f"--out {args.out}: the name must end in .npz")
    if not 0 < args.test_share < 1:
        parser.error("--test-share must be between 0 and 1")
    for path in (args.out, index_path):
        if path.exists() and not args.replace:
            parser.error(f"{path} is there: name another folder, or say --replace")
    csv.field_size_limit(2**24)  # a review may be longer than csv expects
    train, bad = read_table(args.table, args)
    if args.test_table:
        test, more = read_table(args.test_table, args)
        bad += more
    else:
        random.Random(args.seed).shuffle(train)
        n = max(1, round(len(train) * args.test_share))
        train, test = train[n:], train[:n]
    if bad:
        print(f"{len(bad)} rows are no reviews:", *bad[:10], sep="\n  ", file=sys.stderr)
        if not args.skip_bad:
            common.fail("nothing is written; mend them, or leave them out with --skip-bad")
    if not train or not test:
        common.fail(f"{len(train)} training and {len(test)} test reviews are too few")
    index = word_index(train)
    (x_train, y_train), (x_test, y_test) = arrays(train, index), arrays(test, index)
    try:
        args.out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        common.fail(f"cannot make the folder {args.out.parent}: {error}")

    def write_index(name):
        with open(name, "w", encoding="utf-8") as file:
            json.dump(index, file, ensure_ascii=False)

    def write_reviews(name):
        with open(name, "wb") as file:
            np.savez_compressed(
                file, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test
            )

    common.replace(index_path, write_index)
    common.replace(args.out, write_reviews)
    for name, y in ("training", y_train), ("test", y_test):
        print(f"{args.out}: {len(y)} {name} reviews, {y.mean():.0%} of them positive")
    print(f"{index_path}: {len(index)} words")


if __name__ == "__main__":
    common.run(main)
