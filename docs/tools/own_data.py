"""Turn your own reviews, or the archive of IMDB's authors, into a file for --data.

    python docs/tools/own_data.py reviews.csv --out my/reviews.npz
    python docs/tools/own_data.py train.tsv test.tsv --out my/reviews.npz
    python docs/tools/own_data.py aclImdb_v1.tar.gz --out my/imdb.npz
    python lstm_imdb.py --data my/reviews.npz

A table is text in UTF-8 with a line of column names on top; one column holds the review, one the
label. One table is split into training and test reviews, with the same share of each label in both;
two tables are taken as they are. The words lie in the file with the reviews, for --review. Every
row becomes a review or is named: none is lost, joined with another or guessed at. docs/data.md says
more, and has a small table in Chinese to begin with.
"""

import argparse
import csv
import html
import json
import os
import random
import re
import sys
import tarfile
import zipfile
import zlib
from collections import Counter, namedtuple
from functools import partial
from itertools import chain
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import common
import numpy as np

TEXT, LABEL = ("review", "text", "content", "评论"), ("sentiment", "label", "标签")
PAIRS = "0/1 negative/positive neg/pos false/true 负/正 负面/正面 差评/好评 消极/积极".split()
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
# letters of Thai, Lao, Burmese, Khmer and kana: written without blanks between words
SOLID = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff]")
NO_TABLES = {  # how files begin that are taken for tables, and what to do with them
    b"PK\3\4": "a zip or an Excel sheet: unpack it, or save the sheet as CSV UTF-8",
    b"\xd0\xcf\x11\xe0": "an Excel sheet: save it as CSV UTF-8",
    b"PAR1": "Parquet: make a CSV of it, as pandas.read_parquet(NAME).to_csv(OTHER) does",
    b"{": "JSON: make a CSV of it, as pandas.read_json(NAME, lines=True).to_csv(OTHER) does",
    b"[": "JSON: make a CSV of it, as pandas.read_json(NAME).to_csv(OTHER) does",
}
# A review in the authors' archive; those of unsup and a Mac's ._ files do not match.
MEMBER = re.compile(r"(?:\./)?aclImdb/(train|test)/(neg|pos)/\d+_\d+\.txt")
AUTHORS = 12_500  # reviews of each of the four kinds
FIELD = 1 << 24  # letters of a field, and bytes of a text in the archive, at most
REVIEWS = common.MEMBER_BYTES // common.MAX_REVIEW_LEN  # of training or of test, at most
LIMIT = f"the scripts read {REVIEWS} reviews, and {common.MEMBER_BYTES >> 20} MiB, of each part"

# names of the columns; places of text and label (or None); Rows; [what is wrong with other rows]
Table = namedtuple("Table", "names text label rows bad")
# part: "train", "test" or None, to be split; where: file and line
Row = namedtuple("Row", "part where fields")
Review = namedtuple("Review", "part where words label")


def say(text, file=None):
    """Print a line in which names and words of the user's may be: no control characters."""
    print("".join(c if c.isprintable() else " " for c in text), file=file)


# ----------------------------------------------------------------------------------------- a table
def normal(label):
    """Bring a label to the form in which labels are compared: lower case, and 1.0 as 1."""
    text = label.strip().lower()
    return f"{float(text) + 0:.15g}" if NUMBER.fullmatch(text) else text  # + 0: there is a -0.0


def column(names, wanted, known, flag, needed=True):
    """Find the place of a column: the one named by the flag, or that whose name is known, or None.

    Where there is a doubt, or none where one is needed, the run ends.
    """
    if wanted in names:  # to the letter
        return names.index(wanted)
    fitting = [wanted.strip().lower()] if wanted else known
    places = [i for i, name in enumerate(names) if name.lower() in fitting]
    if len(places) > 1:
        found = " and ".join(names[i] for i in places)
        common.fail(f"the first line has {found}: say which it is with {flag} NAME")
    if not places and (needed or wanted):
        common.fail(
            f"no column {' or '.join(fitting)} in the first line ({', '.join(names)[:200]}): "
            f"say {flag} NAME, or put a line of names on top, such as review,label"
        )
    return places[0] if places else None


def read_records(file, delimiter, quoting, escaped):
    r"""Read a table as csv does, strictly -> [(number of its first line, its lines, its fields)].

    escaped: a quote in quotes is \" and not "". csv.Error has the line where the record begins.
    """
    records, lines, number = [], [], 1

    def remember():
        for line in file:
            lines.append(line.removeprefix("\ufeff"))  # in the middle too: of files put together
            # \\ is no sign that a quote follows
            yield re.sub(r'(\\\\)|\\"', lambda m: m[1] or '""', lines[-1]) if escaped else lines[-1]

    try:
        for fields in csv.reader(remember(), delimiter=delimiter, quoting=quoting, strict=True):
            if fields:  # and not an empty line
                records.append((number, lines.copy(), fields))
            if len(records) > 2 * REVIEWS:
                common.fail(f"too many reviews, at line {number} already: {LIMIT}")
            number += len(lines)
            lines.clear()
    except csv.Error as error:
        raise csv.Error(number, str(error)) from error
    return records


def look_for_rows(path, args, records, table, delimiter):
    """End the run if a text in quotes has lines that could be rows, for only the user knows.

    To csv a stray quote joins all rows up to the next quote into one, often without an error. A
    line could be a row if something like a label is in the label's place.
    """
    n, label = len(table.names), table.label
    if label is not None:
        labels = {normal(fields[label]) for _, _, fields in records if len(fields) == n} - {""}
        labels = labels.union(args.negative, args.positive, *(pair.split("/") for pair in PAIRS))
        # from the nearer side, and from that without the text, which may have delimiters
        places = {label if near else label - n for near in (2 * label < n - 1, label < table.text)}

    def is_row(line):
        fields = line.rstrip("\r\n").split(delimiter)
        if label is None:
            return len(fields) >= n and fields != [""]
        found = [normal(fields[i].strip(' "')) for i in places if -len(fields) <= i < len(fields)]
        return any(value in labels or NUMBER.fullmatch(value) for value in found)

    for number, lines, fields in records:
        rows = [is_row(line) for line in lines]
        odd = number == records[0][0] or len(fields) != n
        if len(lines) > 1 and (odd or any(rows[1:-1]) or rows[0] and rows[-1]):
            common.fail(
                f"{os.path.basename(path)} line {number}: a text in quotes has lines that could be "
                "rows, nothing is written: say --quoted if line breaks in quotes belong to the "
                "text, or --unquoted if a quote is a letter like others in this table"
            )


def parse(path, args):
    """Read a table of text -> what stands between its columns, its records; or end the run."""
    quoting, errors = csv.QUOTE_NONE if args.unquoted else csv.QUOTE_MINIMAL, []
    with open(path, encoding=args.encoding, newline="") as file:
        first = next((line for line in file if line.strip("\ufeff\r\n")), "")
        if "\0" in first:
            raise UnicodeError("it has zero bytes")
        found = max(",;\t", key=first.count)
        delimiter = args.delimiter or (found if found in first else "\x1f")  # there is one column
        for escaped in (False, True):  # in quotes a quote is "", or \" in the whole table
            file.seek(0)
            try:
                return delimiter, read_records(file, delimiter, quoting, escaped)
            except csv.Error as error:
                errors.append(error.args)
    line, why = max(errors)  # of the reading that came further
    what = (
        f"a field has more than {FIELD} letters"
        if "limit" in why
        else "its quotes are not in order"
    )
    common.fail(
        f"{os.path.basename(path)} line {line}: {what} ({why}), nothing is written: mend them, or "
        "say --unquoted if a quote is a letter like others in this table"
    )


def read_table(path, args, label_needed):
    """Read a table of text -> a Table, or end the run."""
    delimiter, records = parse(path, args)
    names = [name.strip() for name in records[0][2]] if records else []
    twice = [name for name, n in Counter(names).items() if name and n > 1]
    if twice:
        common.fail(f"more than one column has the name {twice[0]}: rename all but one")
    text = column(names, args.text, TEXT, "--text")
    table = Table(names, text, column(names, args.label, LABEL, "--label", label_needed), [], [])
    if not args.quoted:
        look_for_rows(path, args, records, table, delimiter)
    for line, _, fields in records[1:]:
        where = f"{os.path.basename(path)} line {line}"
        if len(fields) == len(names):
            table.rows.append(Row(None, where, fields))
        else:
            table.bad.append(f"{where}: {len(fields)} fields, not {len(names)}")
    label = "no column" if table.label is None else names[table.label]
    say(f"{path}: text in {names[text]}, label in {label}")
    return table


# ----------------------------------------------------------------------------- the authors' archive
def read_archive(path):
    """Read aclImdb_v1.tar.gz, in one pass and only the names of MEMBER -> a Table."""
    table = Table(["label", "text"], 1, 0, [], [])
    with tarfile.open(path) as archive:
        for member in archive:
            found = MEMBER.fullmatch(member.name)
            if not found or not member.isreg():
                continue
            try:
                if member.size > FIELD:
                    raise ValueError(f"it has more than {FIELD} bytes")
                fields = found[2], archive.extractfile(member).read().decode("utf-8")
                table.rows.append(Row(found[1], member.name, fields))
            except ValueError as error:  # UnicodeDecodeError is one
                table.bad.append(f"{member.name}: {error}")
        while archive.fileobj.read(1 << 20):  # on to gzip's check sum, which stands at the end
            pass
    kinds = Counter((row.part, row.fields[0]) for row in table.rows)
    if sorted(kinds.values()) != 4 * [AUTHORS]:
        counts = ", ".join(f"{n} {part}/{label}" for (part, label), n in sorted(kinds.items()))
        print(f"warning: not the authors' 4 x {AUTHORS} reviews: {counts}", file=sys.stderr)
    return table


def read(path, args, label_needed=True):
    """Read a table or the archive -> a Table; what is wrong with the file ends the run."""
    try:
        if os.path.isdir(path):
            raise OSError("it is a folder; of IMDB's authors give the .tar.gz, not unpacked")
        if os.path.exists(path) and not os.path.isfile(path):
            raise OSError("it is no file")  # a pipe can be read only once
        with open(path, "rb") as file:
            start = file.read(512)
        for magic, what in NO_TABLES.items():
            if start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(magic):
                common.fail(f"{path} is {what}")
        if start.startswith(b"\x1f\x8b") or start[257:262] == b"ustar":
            return read_archive(path)  # some browsers unpack what they fetch
        return read_table(path, args, label_needed)
    except UnicodeError as error:
        common.fail(
            f"{path} is not in {args.encoding} ({error}): say --encoding gb18030 (Excel on a "
            "Chinese Windows), --encoding utf-16 or --encoding cp1252"
        )
    except (EOFError, tarfile.TarError, zlib.error) as error:
        common.fail(f"{path} is not a whole .tar.gz: {error} (a table must be unpacked)")
    except OSError as error:
        common.fail(f"cannot read {path}: {error}")


# -------------------------------------------------------------------------- words and labels of rows
def split_words(text):
    """Split a text into words; the same word is the same object, to save memory."""
    text = re.sub(r"&#\d{9,};?", " ", text)  # no character; of 5,000 digits Python makes no number
    text = re.sub(
        r"(?i:<br\s*/?>)|\\[nrt]", " ", html.unescape(text)
    )  # some write \n as two letters
    return [sys.intern(word) for word in common.tokenize(text)]


def meanings(labels, args):
    """Say which labels mean 0 and 1: those of the flags, or those of the one known pair in use.

    labels: a Counter. Raises ValueError where there is a doubt.
    """
    if args.negative:
        for label in {*args.negative, *args.positive} - labels.keys():
            say(f"warning: no row has the label {label!r}", sys.stderr)
        return dict.fromkeys(args.negative, 0) | dict.fromkeys(args.positive, 1)
    pairs = [pair.split("/") for pair in PAIRS if not labels.keys().isdisjoint(pair.split("/"))]
    if len(pairs) != 1 or any(map(NUMBER.fullmatch, labels.keys() - {"0", "1"})):
        shown = ", ".join(f"{label[:20]!r} ({n})" for label, n in labels.most_common(8))
        raise ValueError(
            f"the labels are {shown}. Known are {', '.join(PAIRS)}, one pair at a time; of others "
            "say what they mean, as in --negative 1,2 --positive 4,5 or --negative 负面,很差 "
            "--positive 正面,很好"
        )
    return dict(zip(pairs[0], (0, 1)))


def read_reviews(args):
    """Read the table, two tables or the archive -> Reviews, [what is wrong with each other row]."""
    reviews, bad = [], []
    for path, part in zip(args.tables, ("train", "test") if args.test_table else (None,)):
        table = read(path, args)
        if part and any(row.part for row in table.rows):
            common.fail(f"{path} has training and test reviews: name no other table beside it")
        bad += table.bad
        for row in table.rows:
            words, label = split_words(row.fields[table.text]), normal(row.fields[table.label])
            if words:
                reviews.append(Review(part or row.part, row.where, words, label))
            else:
                bad.append(f"{row.where}: there is no word in it")
    return reviews, bad


def give_meaning(reviews, args):
    """Turn labels into 0 and 1 -> Reviews, [what is wrong with each other one]; or end the run."""
    try:
        meaning = meanings(Counter(review.label for review in reviews), args)
    except ValueError as error:
        common.fail(f"nothing is written: {error}")
    known = [r._replace(label=meaning[r.label]) for r in reviews if r.label in meaning]
    others = [f"{r.where}: the label {r.label[:20]!r}" for r in reviews if r.label not in meaning]
    return known, [] if args.negative else others  # by the flags it is on purpose


def name_bad(bad, rows, skip):
    """Name the rows that are no reviews: all that are skipped, else the first ten, and end."""
    if bad:
        say(f"{len(bad)} of {rows} rows are no reviews:", sys.stderr)
        for line in bad if skip else bad[:10]:
            say(f"  {line}", sys.stderr)
        if not skip:
            common.fail("nothing is written; mend them, or leave them out with --skip-bad")


def warn_of_solid(reviews):
    """Say if texts are written without blanks between words."""
    solid = [r.where for r in reviews if len(SOLID.findall("".join(r.words))) > 6 * len(r.words)]
    if solid:
        text = (
            "has no blanks between its words: it is read as one word. A segmenter puts them there"
        )
        say(f"warning: {solid[0]} {text} ({len(solid)} such reviews)", sys.stderr)


# ----------------------------------------------------------------------------- from reviews to a file
def choose_test(reviews, share, seed):
    """Choose the places of test reviews: the same share of each label, and one at least."""
    rng, test = random.Random(seed), set()
    for label in (0, 1):
        places = [i for i, review in enumerate(reviews) if review.label == label]
        n = max(1, round(len(places) * share))
        test.update(rng.sample(places, min(n, len(places))))
    return test


def split(reviews, args):
    """Split into training and test reviews: by their parts, or by chance where they have none."""
    test = {i for i, review in enumerate(reviews) if review.part == "test"}
    if reviews and not reviews[0].part:
        test = choose_test(reviews, args.test_share, args.seed)
    train = [review for i, review in enumerate(reviews) if i not in test]
    n = Counter(review.label for review in train)
    if not (n[0] and n[1] and test):
        common.fail(
            f"{n[0]} negative and {n[1]} positive reviews for training, {len(test)} for the test: "
            "there must be some of each"
        )
    return train, [reviews[i] for i in sorted(test)]


def rank_words(reviews):
    """Rank words by how often they are in the reviews, equals as they come -> {word: 1, 2, ...}."""
    counts = Counter(chain.from_iterable(review.words for review in reviews))
    return {word: rank for rank, (word, _) in enumerate(counts.most_common(), start=1)}


def to_arrays(reviews, index):
    """Make of n reviews an array of n lists of ranks, and one of n labels."""
    beyond = max(common.TOTAL_WORDS, len(index) + 1)  # of a word that is not in training
    x = np.empty(len(reviews), dtype=object)
    x[:] = [[index.get(word, beyond) for word in review.words] for review in reviews]
    return x, np.array([review.label for review in reviews])


def write(path, train, test, index):
    """Write the reviews and their words into one file, whole or not at all. Raises OSError."""
    x_train, y_train = to_arrays(train, index)
    x_test, y_test = to_arrays(test, index)

    def write_to(name):
        with open(name, "wb") as file:
            np.savez_compressed(
                file, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test
            )
        with zipfile.ZipFile(name, "a", zipfile.ZIP_DEFLATED) as archive:
            with archive.open("words.json", "w") as file:
                file.write(json.dumps(index, ensure_ascii=False).encode())
            largest = max(member.file_size for member in archive.infolist())
        if largest > common.MEMBER_BYTES or max(len(train), len(test)) > REVIEWS:
            common.fail(f"too many reviews, nothing is written: {LIMIT}")

    os.makedirs(os.path.dirname(path), exist_ok=True)
    common.write_atomically(path, write_to)


def report(path, train, test, index):
    """Print how many reviews there are, and what an accuracy on them has to be compared with."""
    for name, reviews in ("training", train), ("test", test):
        share = sum(review.label for review in reviews) / len(reviews)
        say(f"{path}: {len(reviews)} {name} reviews, {share:.0%} of them positive")
    largest = max(share, 1 - share)  # of the test reviews
    print(f"to say the same of every test review would be right for {largest:.0%}")
    seen = {tuple(review.words) for review in train}
    again = sum(tuple(review.words) in seen for review in test)
    print(f"{again} test reviews are training reviews too, word for word")
    print(f"{len(index)} different words in training")


# ------------------------------------------------------------------------------- the command line
def add_table_flags(parser):
    """Add the flags that say how a table is read."""

    def labels(text):
        return [normal(label) for label in re.split("[,，]", text)]

    add, either = parser.add_argument, parser.add_mutually_exclusive_group().add_argument
    add("--text", metavar="NAME", help="column of the text")
    add("--label", metavar="NAME", help="column of the label")
    add("--negative", type=labels, default=[], metavar="A,B", help="labels that mean negative")
    add("--positive", type=labels, default=[], metavar="C,D", help="labels that mean positive")
    add("--delimiter", metavar="C", help="between columns (found out if , or ; or tab)")
    add("--encoding", default="utf-8", help="of the tables, such as gb18030 (%(default)s)")
    either("--quoted", action="store_true", help="line breaks in quotes belong to the text")
    either("--unquoted", action="store_true", help="a quote is a letter like others")


def check_table_flags(parser, args):
    """End the run with status 2 if the flags of add_table_flags() make no sense."""
    if bool(args.negative) != bool(args.positive) or {*args.negative} & {*args.positive}:
        parser.error("--negative and --positive go together and have no label in common")
    args.delimiter = args.delimiter and args.delimiter.replace("\\t", "\t")
    csv.field_size_limit(FIELD)  # a review may be longer than csv expects
    try:
        csv.reader([], delimiter=args.delimiter or ",")
        "".encode(args.encoding)
    except (TypeError, ValueError, LookupError) as error:
        parser.error(f"--delimiter or --encoding: {error}")


def parse_args(argv):
    """Read the command line; what is wrong with it ends the run with status 2."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    add, a_path = parser.add_argument, os.path.expanduser
    add("table", type=a_path, help="of training reviews, or of all; or the authors' archive")
    add("test_table", type=a_path, nargs="?", help="of test reviews")
    add("--out", type=a_path, required=True, metavar="FILE", help="FILE.npz")
    add_table_flags(parser)
    add("--test-share", type=partial(common.number, float, 0, 1), default=0.2, metavar="X")
    add("--seed", type=int, default=0, help="of the split (%(default)s)")
    add("--skip-bad", action="store_true", help="leave out rows that are no review, and name them")
    add("--replace", action="store_true", help="replace the file if it is there")
    args = parser.parse_args(argv)
    check_table_flags(parser, args)
    args.tables = [args.table, args.test_table] if args.test_table else [args.table]
    args.out = os.path.realpath(args.out)  # a link is followed
    if not args.out.endswith(".npz"):
        parser.error(f"--out {args.out}: the name must end in .npz")
    for path in args.tables:
        if os.path.exists(path) and os.path.exists(args.out) and os.path.samefile(path, args.out):
            parser.error(f"--out {args.out} is a table to be read")
    if os.path.exists(args.out) and not (args.replace and os.path.isfile(args.out)):
        parser.error(f"{args.out} is there: take another name, or say --replace")
    return args


def main(argv=None):
    args = parse_args(argv)
    reviews, bad = read_reviews(args)
    rows = len(reviews) + len(bad)
    if reviews:
        reviews, others = give_meaning(reviews, args)
        bad += others
    name_bad(bad, rows, args.skip_bad)
    warn_of_solid(reviews)
    train, test = split(reviews, args)
    index = rank_words(train)
    try:
        write(args.out, train, test, index)
    except OSError as error:
        common.fail(f"cannot write {args.out}: {error}")
    print(f"{rows} rows: {len(reviews)} reviews, {rows - len(reviews)} left out")
    report(args.out, train, test, index)


if __name__ == "__main__":
    common.run(main)
