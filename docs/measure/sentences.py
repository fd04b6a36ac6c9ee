"""Four sentences, read word by word by the networks as they are: docs/measure/sentences.csv.

    python -m docs.measure.sentences

Each script trains on the toy reviews as a user starts it (64 units, seed 0), and then reads. What
the CSV has is not run again.
"""

import re
import subprocess
import sys

from docs.measure import flags, records
from docs.measure.names import NETWORKS, ROOT

CSV = ROOT / "docs/measure/sentences.csv"
HEAD = "script", "seed", "text", "words", "word", "p", "machine"  # words: read so far
TEXTS = "the plot was bad", "the plot was not bad", "the plot was good", "the plot was not good"
ROW = re.compile(r"^  (\S+) +(\d\.\d+) \|", re.M)  # what --review prints for a word


def read(script, seed):
    """Train a script and let it read -> rows of the CSV, but for script and seed."""
    reviews = [flag for text in TEXTS for flag in ("--review", text)]
    command = [sys.executable, ROOT / f"{script}.py", "--data", "toy", "--seed", str(seed)]
    options = dict(check=True, capture_output=True, encoding="utf-8")
    matches = ROW.findall(subprocess.run(command + reviews, **options).stdout)
    places = [(text, n) for text in TEXTS for n in range(1, len(text.split()) + 1)]
    if [word for word, _ in matches] != [text.split()[n - 1] for text, n in places]:
        raise SystemExit(f"{script}: what it read is not what it was given")
    return [(*place, *match) for place, match in zip(places, matches)]


def main(argv=None):
    flags.parse(__doc__, argv)
    records.complete(CSV, HEAD, [(script, 0) for script in NETWORKS], read)


if __name__ == "__main__":
    main()
