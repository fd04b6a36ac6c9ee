"""Turn your own reviews, or the archive of IMDB's authors, into a file for --data.

    python docs/tools/own_data.py reviews.csv --out my/reviews.npz
    python docs/tools/own_data.py train.tsv test.tsv --out my/reviews.npz
    python docs/tools/own_data.py aclImdb_v1.tar.gz --out my/imdb.npz
    python lstm_imdb.py --data my/reviews.npz

A table is text in UTF-8 with a line of column names on top; one column holds the review, one the
label. One table is split into training and test reviews, with the same share of each label in both;
two tables are taken as they are. The words lie in the file with the reviews, for --review. Every
row becomes a review or is named: none is lost, joined with another or guessed at. More, and a small
table in Chinese to begin with: docs/data.md.
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
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import common
import numpy as np

TEXT, LABEL = ("review", "text", "content", "评论"), ("sentiment", "label", "标签")
PAIRS = "0/1 negative/positive neg/pos false/true 负/正 负面/正面 差评/好评 消极/积极".split()
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
SOLID = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff]")  # Thai to kana
NO_TABLES = {  # how files begin that are taken for tables, and what to do with them
    b"PK\3\4": "a zip or an Excel sheet: unpack it, or save the sheet as CSV UTF-8",
    b"\xd0\xcf\x11\xe0": "an Excel sheet: save it as CSV UTF-8",
    b"PAR1": "Parquet: make a CSV of it, as pandas.read_parquet(NAME).to_csv(OTHER) does",
    b"{": "JSON: make a CSV of it, as pandas.read_json(NAME, lines=True).to_csv(OTHER) does",
    b"[": "JSON: make a CSV of it, as pandas.read_json(NAME).to_csv(OTHER) does",
}
# A review in the authors' archive; those of unsup and a Mac's ._ files do not match.
MEMBER = re.compile(r"(?:\./)?aclImdb/(train|test)/(neg|pos)/\d+_\d+\.txt")
LETTER = "if a quote is a letter like others in this table"
AUTHORS = 12_500  # reviews of each of the four kinds
FIELD = 1 << 24  # letters of a field, at most
REVIEWS = common.MEMBER_BYTES // common.MAX_REVIEW_LEN  # of training or of test, at most
LIMIT = f"the scripts read {REVIEWS} reviews, and {common.MEMBER_BYTES >> 20} MiB, of each part"

Table = namedtuple("Table", "names text label rows bad")  # text, label: places; bad: messages
Row = namedtuple("Row", "part where fields")  # part: train, test or None; where: file and line
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
    """Find the place of a column: that of the flag, or one whose name is known, or end the run."""
    fitting = [wanted.strip().lower()] if wanted else known
    places = [i for i, name in enumerate(names) if name == wanted]  # to the letter
    places = places or [i for i, name in enumerate(names) if name.lower() in fitting]
    if len(places) == 1 or not (places or needed or wanted):
        return places[0] if places else None
    found = " and ".join(names[i] for i in places) or f"no column {' or '.join(fitting)}"
    common.fail(
        f"{found} in the first line ({', '.join(names)[:200]}): say {flag} NAME, or --delimiter if "
        "it has others; a table begins with a line of names, each of them once, as in review,label"
    )


def lines_of(file, escaped):
    r"""Yield the lines of a table; escaped: with "" for \", but not for the end of \\"."""
    file.seek(0)
    for line in file:
        line = line.lstrip("\ufeff")  # in the middle too: two files may have been joined
        yield re.sub(r'(\\\\)|\\"', lambda found: found[1] or '""', line) if escaped else line


def parse(path, args):
    """Read a table of text strictly -> its delimiter, [(line of a record, its fields)]; or end."""
    form = dict(strict=True, quoting=csv.QUOTE_NONE if args.unquoted else csv.QUOTE_MINIMAL)
    with open(path, encoding=args.encoding, newline="") as file:
        first = next((line for line in file if line.strip("\ufeff\r\n")), "")
        if "\0" in first:
            raise UnicodeError("it has zero bytes")
        delimiter = args.delimiter or max("\x1f,;\t", key=first.count)  # \x1f: of one column
        form |= dict(delimiter=delimiter, skipinitialspace=delimiter != " ")  # as in 1, "a text"
        for escaped in (False, True):  # in quotes a quote is "", or \" in the whole table
            records, line, reader = [], 1, csv.reader(lines_of(file, escaped), **form)
            try:
                for fields in reader:
                    if fields:  # and not an empty line
                        records.append((line, fields))
                    if len(records) > 2 * REVIEWS:
                        common.fail(f"{path} line {line}: too many rows, {LIMIT}")
                    line = reader.line_num + 1
                return delimiter, records
            except csv.Error as error:
                why = error
    common.fail(
        f"{os.path.basename(path)} line {line}: its quotes are not in order, or a field is too "
        f"long (csv: {why}). Nothing is written: mend it, or say --unquoted {LETTER}"
    )


def ask_about_quotes(path, args, table, records, delimiter):
    """End the run if lines of a text in quotes could be rows, for only the user knows.

    To csv a stray quote joins all rows up to the next quote into one, often without an error.
    """
    n, label = len(table.names), table.label
    labels = {*args.negative, *args.positive, *"/".join(PAIRS).split("/")}
    if label is not None:
        labels |= {normal(fields[label]) for _, fields in records if len(fields) == n}
        places = {label, label - n}  # from both sides, for what is beside it may hold delimiters

    def could_be_row(line):
        fields = line.split(delimiter)
        if label is None:
            return line != "" and len(fields) >= n
        found = [normal(fields[i].strip(' "')) for i in places if -len(fields) <= i < len(fields)]
        whole = len(fields) >= n  # only then nothing in the label's place is an empty label
        return any((v or whole) and v in labels or NUMBER.fullmatch(v) for v in found)

    for number, fields in records:
        lines = re.split("\r\n|\r|\n", delimiter.join(fields))
        rows = [could_be_row(line) for line in lines]
        odd = len(fields) != n or fields is records[0][1]
        if len(lines) > 1 and (odd or any(rows[1:-1]) or rows[0] and rows[-1]):
            common.fail(
                f"{os.path.basename(path)} line {number}: lines of a text in quotes could be rows: "
                f"say --quoted if they belong to the text, or --unquoted {LETTER}"
            )


def read_table(path, args, label_needed):
    """Read a table of text -> a Table, or end the run."""
    name, (delimiter, records) = os.path.basename(path), parse(path, args)
    names = [name.strip() for name in records[0][1]] if records else []
    text = column(names, args.text, TEXT, "--text")
    label = column(names, args.label, LABEL, "--label", label_needed)
    if text == label:
        common.fail(f"{names[text]} can not be both --text and --label")
    table = Table(names, text, label, [], [])
    if not args.quoted:
        ask_about_quotes(path, args, table, records, delimiter)
    for line, fields in records[1:]:
        if len(fields) == len(names):
            table.rows.append(Row(None, f"{name} line {line}", fields))
        else:
            table.bad.append(f"{name} line {line}: {len(fields)} fields, not {len(names)}")
    say(f"{path}: text in {names[text]}, label in {'none' if label is None else names[label]}")
    return table


# ----------------------------------------------------------------------------- the authors' archive
def read_archive(path):
    """Read aclImdb_v1.tar.gz, in one pass and only the names of MEMBER -> a Table."""
    table = Table(["label", "text"], 1, 0, [], [])
    with tarfile.open(path) as archive:
        for member in archive:
            found = MEMBER.fullmatch(member.name)
            if found and member.isreg():
                try:
                    text = archive.extractfile(member).read().decode("utf-8")
                    table.rows.append(Row(found[1], member.name, (found[2], text)))
                except UnicodeDecodeError as error:
                    table.bad.append(f"{member.name}: {error}")
        while archive.fileobj.read(1 << 20):  # on to gzip's check sum, which stands at the end
            pass
    kinds = Counter((row.part, row.fields[0]) for row in table.rows)
    if sorted(kinds.values()) != 4 * [AUTHORS]:
        counts = ", ".join(f"{n} {part}/{label}" for (part, label), n in sorted(kinds.items()))
        say(f"warning: not the authors' 4 x {AUTHORS} in aclImdb/: {counts or 'none'}", sys.stderr)
    return table


def read(path, args, label_needed=True):
    """Read a table or the archive -> a Table; what is wrong with the file ends the run."""
    try:
        if os.path.exists(path) and not os.path.isfile(path):  # a pipe can be read only once
            raise OSError("it is no file; of IMDB's authors' data name the .tar.gz, not unpacked")
        with open(path, "rb") as file:
            start = file.read(512)
        for magic, what in NO_TABLES.items():
            if start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(magic):
                common.fail(f"{path} is {what}")
        if start.startswith(b"\x1f\x8b") or start[257:262] == b"ustar":
            return read_archive(path)  # some browsers unpack what they fetch
        return read_table(path, args, label_needed)
    except UnicodeError as error:
        ways = "gb18030 (Excel in China), big5 (Taiwan), utf-16, utf-16-le, cp1252 or utf-8"
        common.fail(f"{path} is not in {args.encoding} ({error}): unpack it, or --encoding {ways}")
    except (EOFError, tarfile.TarError, zlib.error) as error:
        common.fail(f"{path} is not a whole .tar.gz: {error} (a table must be unpacked)")
    except OSError as error:
        common.fail(f"cannot read {path}: {error}")


# ------------------------------------------------------------------------------ from rows to a file
def words_of(text):
    """Split a text into words; the same word is the same object, to save memory."""
    text = re.sub(r"&#\d{9,};?", " ", text)  # no character; of 5,000 digits Python makes no number
    text = re.sub(r"(?i:<br\s*/?>)|\\[nrt]", " ", html.unescape(text))  # \n: in two letters
    return [sys.intern(word) for word in common.tokenize(text)]


def meanings(labels, args):
    """Say which labels, a Counter, mean 0 and 1: those of the flags or of the one pair in use."""
    if args.negative:
        meaning = dict.fromkeys(args.negative, 0) | dict.fromkeys(args.positive, 1)
        for label in sorted(meaning.keys() - labels.keys()):
            say(f"warning: no row has the label {label!r}", sys.stderr)
        for label in [label for label, _ in labels.most_common() if label not in meaning][:8]:
            say(f"{labels[label]} rows have the label {label[:20]!r}, which no flag names")
        return meaning
    pairs = [pair.split("/") for pair in PAIRS if not labels.keys().isdisjoint(pair.split("/"))]
    if len(pairs) != 1 or any(map(NUMBER.fullmatch, labels.keys() - {"0", "1"})):
        shown = ", ".join(f"{label[:20]!r} ({n})" for label, n in labels.most_common(8))
        common.fail(
            f"nothing is written: the labels are {shown}. Known are {', '.join(PAIRS)}, one pair; "
            "say what others mean: --negative 1,2 --positive 4,5 or --negative 负面 --positive 正面"
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
            words, label = words_of(row.fields[table.text]), normal(row.fields[table.label])
            if words:
                reviews.append(Review(part or row.part, row.where, words, label))
            else:
                bad.append(f"{row.where}: there is no word in it")
    return reviews, bad


def give_meaning(reviews, args):
    """Turn labels into 0 and 1 -> Reviews, [what is wrong with each other one]."""
    meaning = meanings(Counter(review.label for review in reviews), args)
    known = [r._replace(label=meaning[r.label]) for r in reviews if r.label in meaning]
    others = [f"{r.where}: the label {r.label[:20]!r}" for r in reviews if r.label not in meaning]
    return known, [] if args.negative and not args.skip_bad else others  # by the flags: on purpose


def name_bad(bad, rows, skip):
    """Name the rows that are no reviews: all that are skipped, else the first ten, and end."""
    if bad:
        say(f"{len(bad)} of {rows} rows are no reviews:", sys.stderr)
        for line in bad if skip else bad[:10]:
            say(f"  {line}", sys.stderr)
        if not skip:
            common.fail("nothing is written; mend them, or leave them out with --skip-bad")


def split(reviews, args):
    """Split into training and test reviews: by their parts, or the same share of each label."""
    rng = random.Random(args.seed)
    test = {i for i, review in enumerate(reviews) if review.part == "test"}
    for label in (0, 1):
        places = [i for i, r in enumerate(reviews) if r.label == label and not r.part]
        if places:
            test.update(rng.sample(places, max(1, round(len(places) * args.test_share))))
    train = [review for i, review in enumerate(reviews) if i not in test]
    n = Counter(review.label for review in train)
    if not (n[0] and n[1] and test):
        counts = f"{n[0]} negative and {n[1]} positive to train on, {len(test)} to test on"
        common.fail(f"nothing is written: of the reviews {counts}: there must be some of each")
    return train, [reviews[i] for i in sorted(test)]


def write(train, test, index, path):
    """Write reviews and {word: rank} into one file."""
    beyond, arrays = max(common.TOTAL_WORDS, len(index) + 1), {}  # of a word not in training
    for part, reviews in ("train", train), ("test", test):
        arrays[f"x_{part}"] = np.empty(len(reviews), dtype=object)
        arrays[f"x_{part}"][:] = [[index.get(word, beyond) for word in r.words] for r in reviews]
        arrays[f"y_{part}"] = np.array([review.label for review in reviews])
    np.savez_compressed(path, **arrays)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("words.json", "w") as file:  # without a date, as the arrays
            file.write(json.dumps(index, ensure_ascii=False).encode())
        largest = max(member.file_size for member in archive.infolist())
    if largest > common.MEMBER_BYTES or max(len(train), len(test)) > REVIEWS:
        common.fail(f"too many reviews, nothing is written: {LIMIT}")


def report(path, train, test, index):
    """Print how many reviews there are, and what has to be known of a score on them."""
    for name, reviews in ("training", train), ("test", test):
        share = sum(review.label for review in reviews) / len(reviews)
        say(f"{path}: {len(reviews)} {name} reviews, {share:.0%} of them positive")
    print(f"to say the same of every test review would be right for {max(share, 1 - share):.0%}")
    seen = {tuple(review.words) for review in train}
    again = sum(tuple(review.words) in seen for review in test)
    print(f"{again} test reviews are training reviews too, word for word")
    print(f"{len(index)} different words in training")
    solid = [r for r in train + test if len(SOLID.findall("".join(r.words))) > 6 * len(r.words)]
    if solid:  # these scripts have no blanks between words
        text = f"{len(solid)} texts have no blanks, so that each is one word or a few"
        say(f"warning: {text}: {solid[0].where}", sys.stderr)


def parse_table_args(parser, argv):
    """Read a command line, with the flags that say how a table is read."""

    def labels(text):
        return [normal(label) for label in re.split("[,，]", text) if label.strip()]

    add, either = parser.add_argument, parser.add_mutually_exclusive_group().add_argument
    add("--text", metavar="NAME", help="column of the text")
    add("--label", metavar="NAME", help="column of the label")
    add("--negative", type=labels, default=[], metavar="A,B", help="labels that mean negative")
    add("--positive", type=labels, default=[], metavar="C,D", help="labels that mean positive")
    add("--delimiter", metavar="C", help="between columns (found out if , or ; or tab)")
    either("--quoted", action="store_true", help="line breaks in quotes belong to the text")
    either("--unquoted", action="store_true", help="a quote is a letter like others")
    add("--encoding", default="utf-8", help="of the tables, such as gb18030 (%(default)s)")
    args = parser.parse_args(argv)
    if bool(args.negative) != bool(args.positive) or {*args.negative} & {*args.positive}:
        parser.error("--negative and --positive go together and have no label in common")
    args.delimiter = args.delimiter and args.delimiter.replace("\\t", "\t")
    csv.field_size_limit(FIELD)  # a review may be longer than csv expects
    try:
        csv.reader([], delimiter=args.delimiter or ",")
        "".encode(args.encoding)
    except (TypeError, ValueError, LookupError) as error:
        parser.error(f"--delimiter or --encoding: {error}")
    return args


def parse_args(argv):
    """Read the command line; what is wrong with it ends the run with status 2."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    add, a_path = parser.add_argument, os.path.expanduser
    add("table", type=a_path, help="of training reviews, or of all; or the authors' archive")
    add("test_table", type=a_path, nargs="?", help="of test reviews")
    add("--out", type=a_path, required=True, metavar="FILE", help="FILE.npz")
    share = partial(common.number, float, 0, 1)
    add("--test-share", type=share, default=0.2, metavar="X", help="of each label (%(default)s)")
    add("--seed", type=int, default=0, help="of the split (%(default)s)")
    add("--skip-bad", action="store_true", help="leave out rows that are no review, and name them")
    add("--replace", action="store_true", help="replace the file if it is there")
    args = parse_table_args(parser, argv)
    args.tables = [args.table, args.test_table] if args.test_table else [args.table]
    args.out = os.path.realpath(args.out)  # a link is followed
    if not args.out.endswith(".npz"):
        parser.error(f"--out {args.out}: the name must end in .npz")
    if os.path.exists(args.out):
        if any(os.path.exists(path) and os.path.samefile(path, args.out) for path in args.tables):
            parser.error(f"--out {args.out} is a table to be read")
        if not (args.replace and os.path.isfile(args.out)):
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
    train, test = split(reviews, args)
    # every word once, as they come, for so the rank of words of equal frequency is settled
    counts = Counter(dict.fromkeys((w for r in reviews for w in r.words), 0))
    counts.update(word for review in train for word in review.words)
    index = {word: rank for rank, (word, n) in enumerate(counts.most_common(), start=1) if n}
    try:
        common.write_atomically(args.out, partial(write, train, test, index))
    except OSError as error:
        common.fail(f"cannot write {args.out}: {error}")
    print(f"{rows} rows: {len(reviews)} reviews, {rows - len(reviews)} left out")
    report(args.out, train, test, index)


if __name__ == "__main__":
    common.run(main)
