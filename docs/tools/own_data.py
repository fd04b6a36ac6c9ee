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
import array
import collections
import csv
import gzip
import html
import itertools
import json
import os
import random
import re
import sys
import tarfile
import zipfile
import zlib
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import common
import numpy as np

TEXT, LABEL = ("review", "text", "content", "评论"), ("sentiment", "label", "标签")
PAIRS = "0/1 negative/positive neg/pos false/true 负/正 差评/好评 消极/积极".split()
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
GZIP = b"\x1f\x8b"  # how such a file begins
QUOTES = "its quotes are not in order: --unquoted reads a table that quotes nothing"
NO_TABLES = {  # how files begin that are taken for tables, and what to do with them
    b"PK\3\4": "a zip or an Excel sheet: unpack it, or save the sheet as CSV UTF-8",
    b"\xd0\xcf\x11\xe0": "an Excel sheet: save it as CSV UTF-8",
    b"{": "JSON: make a CSV of it, as pandas.read_json(NAME, lines=True).to_csv(OTHER) does",
    b"[": "JSON: make a CSV of it, as pandas.read_json(NAME).to_csv(OTHER) does",
}
# A review in the authors' archive; those of unsup and a Mac's ._ files do not match.
MEMBER = re.compile(r"(?:\./)?aclImdb/(train|test)/(neg|pos)/\d+_\d+\.txt")
AUTHORS = 12_500  # reviews of each of the four kinds
FIELD = 1 << 24  # letters of a field, and bytes of a text in the archive, at most
REVIEWS = common.MEMBER_BYTES // common.MAX_REVIEW_LEN  # of training or of test, at most
LIMIT = f"the scripts read {REVIEWS} reviews, and {common.MEMBER_BYTES >> 20} MiB, of each part"

# part: "train", "test" or None, to be split; where: file and line; words: [n] numbers; label: text
Review = collections.namedtuple("Review", "part where words label")


def say(text, file=None):
    """Print a line in which names and words of the user's may be: no control characters."""
    print("".join(c if c.isprintable() else " " for c in text), file=file)


# --------------------------------------------------------------------------------- text and label
def words_of(text, number):
    """Split a text into words -> their numbers, [n] int32; number: {word: number}, grows."""
    text = re.sub(r"<br\s*/?>|\\[nrt]", " ", html.unescape(text))  # some write \n as two letters
    return array.array("i", [number[word] for word in common.tokenize(text)])


def value(field):
    """Bring a label to the form in which labels are compared: lower case, and 1.0 as 1."""
    text = field.strip().lower()
    return f"{float(text) + 0:.15g}" if NUMBER.fullmatch(text) else text  # + 0: there is a -0.0


def give_meaning(reviews, args):
    """Turn labels into 0 and 1, by the flags or by the one known pair in use.

    -> the reviews that have such a label, and the others.
    Where there is a doubt the run ends.
    """
    found = collections.Counter(review.label for review in reviews)
    pairs = [pair.split("/") for pair in PAIRS if not found.keys().isdisjoint(pair.split("/"))]
    meaning = dict.fromkeys(args.negative, 0) | dict.fromkeys(args.positive, 1)
    if not meaning:
        if len(pairs) != 1 or any(map(NUMBER.fullmatch, found.keys() - {"0", "1"})):
            labels = ", ".join(f"{label[:20]!r} ({n})" for label, n in found.most_common(8))
            common.fail(
                f"nothing is written: the labels are {labels}. Known are {', '.join(PAIRS)}, one "
                "pair at a time; of others say what they mean, as in --negative 1,2 --positive 4,5"
            )
        meaning = dict(zip(pairs[0], (0, 1)))
    known = [r._replace(label=meaning[r.label]) for r in reviews if r.label in meaning]
    return known, [r for r in reviews if r.label not in meaning]


# ----------------------------------------------------------------------------------------- a table
def column(names, wanted, known, flag):
    """Find the place of a column: the one named by the flag, or the first whose name is known."""
    lower = [name.strip().lower() for name in names]
    for name in [wanted.strip().lower()] if wanted else known:
        if name in lower:
            return lower.index(name)
    common.fail(
        f"no column {wanted or ' or '.join(known)} in the first line ({', '.join(names)[:200]}): "
        f"say {flag} NAME, or put a line of names on top, such as review,label"
    )


class Table:
    """The rows of a table of text, each with the line on which it begins.

    To csv a stray quote joins all rows up to the next quote into one, often without an error. So
    what csv reads counts only if the quotes are in order (strict) and no line in it is a row; else
    its first line alone is wrong, and the next line may begin a row again.
    """

    def __init__(self, file, args):
        self.file, self.ahead = file, collections.deque()  # lines that are read and not used yet
        first = file.readline().lstrip("\ufeff")
        if "\0" in first:
            raise UnicodeError("it has zero bytes")
        self.delimiter = args.delimiter or max(",;\t", key=first.count)
        quoting = csv.QUOTE_NONE if args.unquoted else csv.QUOTE_MINIMAL
        self.dialect = {"delimiter": self.delimiter, "quoting": quoting, "strict": True}
        self.names = next(csv.reader([first], **self.dialect), [])
        self.text = column(self.names, args.text, TEXT, "--text")
        self.label = column(self.names, args.label, LABEL, "--label")
        # In quotes a quote is "", or \" in the whole table; it then stands before a letter too.
        escaped = re.compile(rf'\\"[^"\r\n{re.escape(self.delimiter)}]')
        self.escaped = not args.unquoted and any(map(escaped.search, file))
        file.seek(0)
        file.readline()
        self.known = {*args.negative, *args.positive} or {*"/".join(PAIRS).split("/")}

    def lines(self):
        """Look at the lines that are not used yet, one by one."""
        for i in itertools.count():
            if i == len(self.ahead):
                line = self.file.readline()
                if self.escaped:  # \" to "", but \\ is no sign that a quote follows
                    line = re.sub(r'(\\\\)|\\"', lambda found: found[1] or '""', line)
                self.ahead.append(line)
            if not self.ahead[i]:  # the end
                return
            yield self.ahead[i]

    def is_row(self, line):
        """Tell whether a line is a row with a label if a quote in it is a letter like others."""
        fields = line.rstrip("\r\n").split(self.delimiter)
        if len(fields) != len(self.names):
            return False
        label = value(fields[self.label].strip(' "'))
        return label in self.known or bool(NUMBER.fullmatch(label))

    def read(self):
        """Look at the next row -> its fields, what is wrong, how many lines it takes."""
        reader = csv.reader(self.lines(), **self.dialect)
        try:
            fields = next(reader)
        except csv.Error:
            return [], QUOTES, 1
        n = reader.line_num
        rows = [self.is_row(line) for line in itertools.islice(self.ahead, n)]
        if any(rows[1:-1]) or n > 1 and rows[0] and rows[-1]:
            return [], QUOTES, 1
        if fields and len(fields) != len(self.names):
            return [], f"{len(fields)} fields, not {len(self.names)}", n
        return fields, "", n

    def __iter__(self):
        """Yield ("line 7", text, label, "") of a row, or ("line 7", "", "", what is wrong)."""
        number = 2
        while any(self.lines()):
            fields, wrong, n = self.read()
            if wrong:
                yield f"line {number}", "", "", wrong
            elif fields:  # and not an empty line
                yield f"line {number}", fields[self.text], fields[self.label], ""
            number += n
            for _ in range(n):
                self.ahead.popleft()


def table_rows(path, args, part):
    """Yield (part, where, text, label, what is wrong) of each row of a table."""
    with open(path, encoding=args.encoding, newline="") as file:
        table = Table(file, args)
        say(f"{path}: text in {table.names[table.text]}, label in {table.names[table.label]}")
        for row in table:
            yield part, *row


# ----------------------------------------------------------------------------- the authors' archive
def archive_rows(path, args, part):
    """Yield (part, where, text, label, what is wrong) of each review in aclImdb_v1.tar.gz.

    In one pass over the archive, in which only the names of MEMBER are looked at.
    """
    with open(path, "rb") as file:
        opened = gzip.open if file.read(2) == GZIP else open  # some browsers unpack what they fetch
    kinds = collections.Counter()
    with opened(path, "rb") as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
        for member in archive:
            found = MEMBER.fullmatch(member.name)
            if found and member.isreg() and member.size <= FIELD:
                part, label = found.groups()
                kinds[part, label] += 1
                try:
                    text = archive.extractfile(member).read().decode("utf-8")
                    yield part, member.name, text, label, ""
                except UnicodeDecodeError:
                    yield part, member.name, "", label, "it is not in UTF-8"
        while stream.read(1 << 20):  # on to gzip's check sum, which stands at the end
            pass
    if sorted(kinds.values()) != 4 * [AUTHORS]:
        counts = ", ".join(f"{n} {part}/{label}" for (part, label), n in sorted(kinds.items()))
        print(f"warning: not the authors' 4 x {AUTHORS} reviews: {counts}", file=sys.stderr)


# ----------------------------------------------------------------------------- from rows to a file
def read(path, args, part, number):
    """Read a table or the archive -> its reviews, and a list of what is wrong with other rows.

    part: that of a table's reviews; number: as for words_of(). What cannot be read ends the run.
    """
    reviews, bad, words = [], [], 0
    parts = 1 if part else 2  # of the file, that these reviews can fill
    try:
        if os.path.exists(path) and not os.path.isfile(path):
            raise OSError("it is no file")  # a pipe can be read only once
        with open(path, "rb") as file:
            start = file.read(512)
        for magic, what in NO_TABLES.items():
            if start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(magic):
                common.fail(f"{path} is {what}")
        archive = start.startswith(GZIP) or start[257:262] == b"ustar"
        if archive and part:
            common.fail(f"{path} has training and test reviews: name no other table beside it")
        rows = (archive_rows if archive else table_rows)(path, args, part)
        for part, where, text, label, wrong in rows:
            where = f"{os.path.basename(path)} {where}"
            review = Review(part, where, words_of(text, number), value(label))
            if review.words:
                reviews.append(review)
                words += len(review.words)
            else:
                bad.append(f"{where}: {wrong or 'there is no word in it'}")
            if len(reviews) + len(bad) > parts * REVIEWS or 2 * words > parts * common.MEMBER_BYTES:
                common.fail(f"too many reviews, at {where} already: {LIMIT}")
    except UnicodeError as error:
        common.fail(
            f"{path} is not in {args.encoding} ({error}): say --encoding gb18030 (Excel on a "
            "Chinese Windows), --encoding utf-16 or --encoding cp1252"
        )
    except (EOFError, tarfile.TarError, zlib.error) as error:
        common.fail(f"{path} is not a whole .tar.gz: {error} (a table must be unpacked)")
    except (OSError, csv.Error) as error:
        common.fail(f"cannot read {path}: {error}")
    return reviews, bad


def choose_test(reviews, share, seed):
    """Set the part of each review of one table: the same share of each label is for the test."""
    rng, test = random.Random(seed), set()
    for label in (0, 1):
        places = [i for i, review in enumerate(reviews) if review.label == label]
        n = max(1, round(len(places) * share))
        test.update(rng.sample(places, min(n, len(places))))
    parts = ("test" if i in test else "train" for i in range(len(reviews)))
    return [review._replace(part=part) for part, review in zip(parts, reviews)]


def rank(train, number):
    """Rank the words by how often they are in training, 1 the most frequent.

    number: {word: number} -> {word: rank}, and ranks by number, [len(number)]: for a word that is
    not in training one beyond the vocabulary.
    """
    counts = np.bincount(np.concatenate([review.words for review in train]), minlength=len(number))
    order = np.argsort(-counts, kind="stable")[: np.count_nonzero(counts)]  # equals: as they come
    ranks = np.full(len(number), max(common.TOTAL_WORDS, len(order) + 1))
    ranks[order] = np.arange(1, len(order) + 1)
    words = list(number)  # in the order of their numbers
    return {words[i]: r for r, i in enumerate(order, start=1)}, ranks


def write(path, arrays, index):
    """Write the reviews and their words into one file, whole or not at all. Raises OSError."""

    def write_to(name):
        with open(name, "wb") as file:
            np.savez_compressed(file, **arrays)
        with zipfile.ZipFile(name, "a", zipfile.ZIP_DEFLATED) as archive:
            with archive.open("words.json", "w") as file:
                file.write(json.dumps(index, ensure_ascii=False).encode())
            if max(member.file_size for member in archive.infolist()) > common.MEMBER_BYTES:
                common.fail(f"too many reviews, nothing is written: {LIMIT}")

    os.makedirs(os.path.dirname(path), exist_ok=True)
    common.write_atomically(path, write_to)


def parse_args(argv):
    """Read the command line; what is wrong with it ends the run with status 2."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    add, a_path = parser.add_argument, os.path.expanduser

    def labels(text):
        return [value(label) for label in text.split(",")]

    def tab(text):
        return text.replace("\\t", "\t")

    add("table", type=a_path, help="of training reviews, or of all; or the authors' archive")
    add("test_table", type=a_path, nargs="?", help="of test reviews")
    add("--out", type=a_path, required=True, metavar="FILE", help="FILE.npz")
    add("--text", metavar="NAME", help="column of the text")
    add("--label", metavar="NAME", help="column of the label")
    add("--negative", type=labels, default=[], metavar="A,B", help="labels that mean negative")
    add("--positive", type=labels, default=[], metavar="C,D", help="labels that mean positive")
    add("--delimiter", type=tab, metavar="C", help="between columns (found out if , or ; or tab)")
    add("--unquoted", action="store_true", help="in the table a quote is a letter like others")
    add("--encoding", default="utf-8", help="of the tables, such as gb18030 (%(default)s)")
    add("--test-share", type=partial(common.number, float, 0, 1), default=0.2, metavar="X")
    add("--seed", type=int, default=0, help="of the split (%(default)s)")
    add("--skip-bad", action="store_true", help="leave out rows that are no review")
    add("--replace", action="store_true", help="replace the file if it is there")
    args = parser.parse_args(argv)
    args.tables = [args.table] + [args.test_table] * (args.test_table is not None)
    args.out = os.path.realpath(args.out)  # a link is followed
    if not args.out.endswith(".npz"):
        parser.error(f"--out {args.out}: the name must end in .npz")
    for path in args.tables:
        if os.path.exists(path) and os.path.exists(args.out) and os.path.samefile(path, args.out):
            parser.error(f"--out {args.out} is a table to be read")
    if os.path.exists(args.out) and not (args.replace and os.path.isfile(args.out)):
        parser.error(f"{args.out} is there: take another name, or say --replace")
    if bool(args.negative) != bool(args.positive) or {*args.negative} & {*args.positive}:
        parser.error("--negative and --positive go together and have no label in common")
    try:
        csv.reader([], delimiter=args.delimiter or ",")
        "".encode(args.encoding)
    except (TypeError, ValueError, LookupError) as error:
        parser.error(f"--delimiter or --encoding: {error}")
    return args


def main(argv=None):
    args = parse_args(argv)
    csv.field_size_limit(FIELD)
    number = collections.defaultdict(itertools.count().__next__)  # a new word gets the next number
    reviews, bad = [], []
    for path, part in zip(args.tables, ("train", "test") if args.test_table else (None,)):
        more, more_bad = read(path, args, part, number)
        reviews, bad = reviews + more, bad + more_bad
    rows = len(reviews) + len(bad)
    if reviews:
        reviews, others = give_meaning(reviews, args)
        if not args.negative:  # else it is on purpose that they are left out
            bad += [f"{review.where}: the label {review.label[:20]!r}" for review in others]
    if bad:
        say(f"{len(bad)} of {rows} rows are no reviews:", sys.stderr)
        for line in bad[:10]:
            say(f"  {line}", sys.stderr)
        if not args.skip_bad:
            common.fail("nothing is written; mend them, or leave them out with --skip-bad")
    if reviews and not reviews[0].part:
        reviews = choose_test(reviews, args.test_share, args.seed)
    train, test = ([r for r in reviews if r.part == part] for part in ("train", "test"))
    if {r.label for r in train} != {0, 1} or not test:
        counts = (sum(r.label == label for r in train) for label in (0, 1))
        n = "{} negative and {} positive".format(*counts)
        common.fail(
            f"{n} reviews for training, {len(test)} for the test: there must be some of each"
        )
    index, ranks = rank(train, number)
    arrays = {}
    for part, chosen in ("train", train), ("test", test):
        if len(chosen) > REVIEWS:
            common.fail(f"{len(chosen)} {part} reviews are too many: {LIMIT}")
        arrays[f"x_{part}"] = np.empty(len(chosen), dtype=object)
        arrays[f"x_{part}"][:] = [ranks[r.words].tolist() for r in chosen]
        arrays[f"y_{part}"] = np.array([r.label for r in chosen])
    try:
        write(args.out, arrays, index)
    except OSError as error:
        common.fail(f"cannot write {args.out}: {error}")
    print(f"{rows} rows: {len(reviews)} reviews, {rows - len(reviews)} left out")
    for name, y in ("training", arrays["y_train"]), ("test", arrays["y_test"]):
        say(f"{args.out}: {len(y)} {name} reviews, {y.mean():.0%} of them positive")
    largest = max(y.mean(), 1 - y.mean())
    print(f"to say the same of every test review would be right for {largest:.0%}")
    seen = {r.words.tobytes() for r in train}
    again = sum(r.words.tobytes() in seen for r in test)
    print(f"{again} test reviews are training reviews too, word for word")
    print(f"{len(index)} different words in training")


if __name__ == "__main__":
    common.run(main)
