"""Write a table of a hundred made-up reviews in Chinese, to try own_data.py on.

    python docs/tools/example_reviews.py my/影评.csv

They come in pairs that differ in their opinion alone, so that nothing else tells the labels apart.
这部电影真好看 is in none of them: it is kept for --review.
"""

import argparse
import csv
import os
import random
import sys
from pathlib import Path

TOPICS = "这部电影 这部片子 剧情 演员 音乐 画面 结局 台词".split()
VERY = "真 很 太 非常 确实".split()
OPINIONS = {
    "正": "好看 精彩 感人 有趣 动人 出色".split(),
    "负": "难看 无聊 拖沓 乏味 尴尬 糟糕".split(),
}
ADVICE = {
    "正": "推荐 值得一看 还想再看一遍".split(),
    "负": "失望 浪费时间 看到一半就走了".split(),
}
NEUTRAL = "昨天和朋友看的 周末在家看的 下班以后看的 是同学选的".split()

KEPT = "这部电影真好看"


def reviews(pairs=50):
    """Make pairs of a positive and a negative review, none twice: [(text, label), ...]."""
    rng, rows = random.Random(0), {}
    while len(rows) < 2 * pairs:
        topic, very, neutral = map(rng.choice, (TOPICS, VERY, NEUTRAL))
        form = rng.choice(("{a}", "{a}，{b}", "{a}，{c}", "{c}，{a}", "{c}，{a}，{b}"))
        i, j = rng.randrange(6), rng.randrange(3)
        if topic + very + OPINIONS["正"][i] == KEPT:
            continue
        for label in "正负":
            opinion = topic + very + OPINIONS[label][i]
            rows[form.format(a=opinion, b=ADVICE[label][j], c=neutral) + "。"] = label
    return list(rows.items())


def write(path):
    """Write the table, whole or not at all. Raises OSError."""
    new = Path(f"{path}.{os.getpid()}.unfinished")
    new.parent.mkdir(parents=True, exist_ok=True)
    try:
        with open(new, "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("评论", "标签"), *reviews()])
        os.replace(new, path)
    finally:
        new.unlink(missing_ok=True)


def main(argv=None):
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("table", type=os.path.expanduser, help="a new FILE.csv")
    path = parser.parse_args(argv).table
    if not path.endswith(".csv") or os.path.lexists(path):
        parser.error(f"{path} does not end in .csv, or is there: take another name")
    try:
        write(path)
    except OSError as error:
        sys.exit(f"error: cannot write {path}: {error}")
    print(f"{path}: 100 reviews")


if __name__ == "__main__":
    main()
