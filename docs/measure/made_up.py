"""Two made-up tasks on which it is known what to remember.

first: a review has T words; the first is one of ten positive or ten negative ones and decides,
the others are drawn from 200 that say nothing. marker: nine opinion words stand anywhere among
words that say nothing, and only the one right after the word "verdict" decides.
"""

import itertools
import json
import zipfile

import numpy as np

BAD = "bad awful dull boring terrible weak poor silly empty clumsy".split()
GOOD = "good great lovely brilliant moving clever fine funny rich graceful".split()
MARKER = "verdict"
SAY_NOTHING = ["".join(s) for s in itertools.product("bdfgklmnprstvz", "aeiou", "lnr")][:200]
WORDS = [*BAD, *GOOD, MARKER, *SAY_NOTHING]  # the word of rank r is WORDS[r - 1]
OPINIONS = 9  # of a review of the marker task
TEST = 2_000  # reviews to test on; the others are trained on
REVIEWS = {"first": 10_000, "marker": 20_000}  # to train on


def first_word(words, n, rng):
    """The task of the first word -> ranks [n, words] int64, labels [n]: half of each, shuffled."""
    y = rng.permutation(np.arange(n) % 2)
    ranks = rng.choice(len(SAY_NOTHING), (n, words)) + 1 + WORDS.index(SAY_NOTHING[0])
    ranks[:, 0] = opinions(y, rng)
    return ranks, y


def after_marker(words, n, rng):
    """The task of the word after the marker -> ranks [n, words] int64, labels [n].

    Of the nine opinion words one follows the marker; the sides of the others are drawn by a coin.
    """
    ranks, y = first_word(words, n, rng)
    ranks[:, 0] = ranks[:, -1]  # another word that says nothing
    for row, label in zip(ranks, y):
        marker = rng.randint(words - 1)
        free = [place for place in range(words) if place not in (marker, marker + 1)]
        places = rng.choice(free, OPINIONS - 1, replace=False)
        row[places] = opinions(rng.randint(2, size=OPINIONS - 1), rng)
        row[marker] = 1 + WORDS.index(MARKER)
        row[marker + 1] = opinions(label, rng)
    return ranks, y


def kinds(ranks):
    """Where the words of each kind of the marker task stand: {kind: [n, words] bool}."""
    marker = ranks == 1 + WORDS.index(MARKER)
    after = np.roll(marker, 1, axis=1)  # the marker is never the last word
    opinion = ranks <= len(BAD) + len(GOOD)
    other = ~(marker | opinion)
    return {"marker": marker, "after": after, "opinion": opinion & ~after, "other": other}


def opinions(labels, rng):
    """A rank for each label: one of the ten words of that side."""
    return 1 + len(BAD) * labels + rng.randint(len(BAD), size=np.shape(labels))


TASKS = {"first": first_word, "marker": after_marker}


def splits(task, words, reviews, seed):
    """A task with so many reviews to train on -> (ranks, labels) to train on, and to test on."""
    ranks, y = TASKS[task](words, reviews + TEST, np.random.RandomState(seed))
    return (ranks[TEST:], y[TEST:]), (ranks[:TEST], y[:TEST])


def write_npz(task, words, path):
    """Write a task in the layout of imdb.npz, with its words."""
    members = {}
    for split, (ranks, y) in zip(("train", "test"), splits(task, words, REVIEWS[task], seed=0)):
        members[f"x_{split}"], members[f"y_{split}"] = np.empty(len(ranks), dtype=object), y
        members[f"x_{split}"][:] = ranks.tolist()
    with open(path, "wb") as file:
        np.savez_compressed(file, **members)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        index = {word: rank for rank, word in enumerate(WORDS, start=1)}
        archive.writestr("words.json", json.dumps(index))
