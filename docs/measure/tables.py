"""Write every table of figures in README.md and docs/ from the CSVs beside this program.

    python docs/measure/tables.py            # writes the documents
    python docs/measure/tables.py --check    # only compares: names what differs, exits with 1

In a document a table stands between the marks `<!-- table: gates -->` and `<!-- end -->`. Its name
is that of a function below; pages in docs/zh-CN get its Chinese form. For a new table write such a
function, put the two marks where the table belongs, and run this program.
"""

import argparse
import csv
import functools
import itertools
import re
import statistics
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ("rnn_cell_imdb", "rnn_layer_imdb", "lstm_imdb", "gru_imdb")
NETWORKS = {"rnn_layer_imdb": "SimpleRNN", "lstm_imdb": "LSTM", "gru_imdb": "GRU"}
GATES = {"lstm_imdb": "ifo", "gru_imdb": "zr"}
COSTS = {"first_step_s": (".1f", "s", "秒"), "step_ms": (".0f", "ms", "毫秒"),
         "scoring_s": (".1f", "s", "秒"), "whole_s": (".0f", "s", "秒")}  # fmt: skip
MARKED = re.compile(r"(<!-- table: (\w+) -->\n)((?:(?!<!-- table:).)*?)(<!-- end -->)", re.S)
TABLES = {}


# ----------------------------------------------------------------------------------------- figures
@functools.cache
def read_csv(name):
    """All rows of docs/measure/NAME.csv, each as {column: text}."""
    with open(ROOT / f"docs/measure/{name}.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def rows(name, **wanted):
    """The rows of a CSV whose columns are as wanted: {column: text} each. None is an error."""
    found = [row for row in read_csv(name) if wanted.items() <= row.items()]
    if not found:
        raise ValueError(f"{name}.csv has no row with {wanted}")
    return found


def values(name, column="value", **wanted):
    """One column of those rows, as numbers: one of each seed."""
    return [float(row[column]) for row in rows(name, **wanted)]


def spread(numbers, form=".2f", unit=""):
    """Mean and range, in English and in Chinese: "0.99 (0.98 to 1.00)", "0.99（0.98～1.00）"."""
    mean, low, high = (format(f(numbers), form) for f in (statistics.mean, min, max))
    english, chinese = (f"{mean} {unit}" if unit else mean), mean + unit
    if low == high:
        return english, chinese
    return f"{english} ({low} to {high})", f"{chinese}（{low}～{high}）"


def percent(fractions):
    """Mean and range of fractions: "83.7 % (83.4 to 83.9)", "83.7%（83.4～83.9）"."""
    return spread([100 * value for value in fractions], ".1f", "%")


def inside(quantity, **where):
    """A quantity of inside.csv, one number of each seed."""
    return values("inside", quantity=quantity, **where)


def exercise_score(number, change):
    """Test accuracy of an exercise as a spread."""
    return percent(values("exercises", "accuracy", exercise=str(number), change=change))


def unchanged(script):
    """Test accuracies of a script as it is, with the seeds that the exercises have."""
    seeds = {row["seed"] for row in read_csv("exercises")}
    return [float(r["accuracy"]) for r in rows("results", script=script) if r["seed"] in seeds]


def median_cost(script, column):
    """Median of a column of costs.csv with its unit: "3.1 s", "3.1 秒"."""
    form, english, chinese = COSTS[column]
    number = format(statistics.median(values("costs", column, script=script)), form)
    return f"{number} {english}", f"{number} {chinese}"


# ------------------------------------------------------------------------------------------ tables
def table(english, chinese):
    """Make a function that yields rows a table, with its heads in the two languages.

    A cell is a text, or a pair where the languages differ.
    """

    def declare(function):
        TABLES[function.__name__] = (english, chinese), function
        return function

    return declare


@table(
    "script | mean | lowest | highest | epoch of the lowest test loss (runs of ten) | parameters "
    "| whole run",
    "脚本 | 平均 | 最低 | 最高 | 测试损失最低的轮次（10 次运行中的次数） | 参数量 | 整次运行",
)
def results():
    for script in SCRIPTS:
        accuracy = values("results", "accuracy", script=script)
        best = [row["best_epoch"] for row in rows("results", script=script)]
        parts = [f"{n} ({best.count(n)}/{len(best)})" for n in sorted(set(best))]
        in_chinese = "，".join(parts).replace(" (", "（").replace(")", "）")
        scores = [percent([f(accuracy)]) for f in (statistics.mean, min, max)]
        parameters = f"{int(rows('results', script=script)[0]['parameters']):,}"
        best = ", ".join(parts), in_chinese
        yield f"`{script}.py`", *scores, best, parameters, median_cost(script, "whole_s")


@table(
    "script | launch to the end of the first step | a training step | scoring 25,000 reviews "
    "| whole run",
    "脚本 | 启动到第一步结束 | 训练一步 | 评估 25,000 条影评 | 整次运行",
)
def costs():
    for script in SCRIPTS:
        yield f"`{script}.py`", *(median_cost(script, column) for column in COSTS)


@table(
    "script | accuracy | training | whole run | a step with scoring | the same, eight CPU cores",
    "脚本 | 准确率 | 训练 | 整次运行 | 一步，含评估 | 一步，同一台机器的 8 个 CPU 核",
)
def gpu():
    for row in read_csv("gpu"):  # typed in from the output of one run each, seed 0
        steps = [row[column].split() for column in ("step_ms", "cpu_step_ms")]
        yield (
            f"`{row['script']}.py`",
            percent([float(row["accuracy"])]),
            *((f"{row[c]} s", f"{row[c]} 秒") for c in ("training_s", "whole_s")),
            *((f"{' to '.join(step)} ms", f"{'～'.join(step)} 毫秒") for step in steps),
        )


@table("exercise | test accuracy | without the change", "练习 | 测试准确率 | 不改动")
def exercises():
    for number, change, script, english, chinese in (
        (1, "--clipnorm 0", "rnn_layer_imdb", "clipping off", "不裁剪梯度"),
        (3, "03-one-layer", "lstm_imdb", "one layer", "只用一层"),
        (4, "04-200-words", "lstm_imdb", "200 words", "保留 200 个词"),
        (5, "05-both-directions", "lstm_imdb", "both directions", "第二层双向"),
        (6, "06-mask", "lstm_imdb", "padding masked", "屏蔽填充的零"),
        (7, "07-first-80-words", "lstm_imdb", "the first 80 words", "保留开头的 80 个词"),
        (8, "--units 32", "gru_imdb", "half the units", "隐藏单元减半"),
        (9, "09-hold-the-rate", "rnn_layer_imdb", "the rate held", "学习率一直不降"),
        (10, "10-lstm-by-hand", "lstm_imdb", "stepped by hand", "手动逐步计算"),
        (11, "11-pool-over-time", "lstm_imdb", "pooled over time", "对 80 步的 h 取平均"),
        (12, "--bigrams", "", "averaging, pairs added", "词向量取平均，加上相邻词对"),
        (14, "14-open-forget-gate", "lstm_imdb", "b_f begins at 3", "b_f 从 3 起步"),
        (15, "15-min-gru", "rnn_cell_imdb", "minGRU", "minGRU"),
    ):
        name = {"rnn_cell_imdb": "SimpleRNNCell", "": "baseline"}.get(script) or NETWORKS[script]
        names = f"{number}. {english} ({name})", f"{number}. {chinese}（{name}）"
        plain = percent(unchanged(script)) if script else exercise_score(number, "")
        yield names, exercise_score(number, change), plain


@table(
    "network | mean, word 1 | median review, word 1 | mean, word 80 | kept by a step back",
    "网络 | 平均，第 1 个词 | 影评的中位数，第 1 个词 | 平均，第 80 个词 | 每往回一步保留的比例",
)
def gradient():
    for when, chinese in ("before", "训练前"), ("after", "训练后"):
        for script, name in NETWORKS.items():
            where = dict(script=script, when=when)
            yield (
                (f"{name}, {when}", f"{name}，{chinese}"),
                spread(values("gradient", "1", of="mean", **where), ".1e"),
                spread(values("gradient", "1", of="p50", **where), ".1e"),
                spread(values("gradient", "80", of="mean", **where), ".1e"),
                spread([fall ** (1 / 70) for fall in inside("gradient 1/71 p50", **where)], ".3f"),
            )


@table(
    "layer | largest, before | largest, after | second, after | third, after",
    "层 | 最大，训练前 | 最大，训练后 | 第二，训练后 | 第三，训练后",
)
def eigenvalues():
    columns = ("before", 1), ("after", 1), ("after", 2), ("after", 3)
    for script, layer in itertools.product(NETWORKS, "12"):
        name, where = NETWORKS[script], dict(script=script, layer=layer)
        yield (
            (f"{name} {layer}", f"{name} 第 {layer} 层"),
            *(spread(inside(f"eigenvalue {n}", when=when, **where), ".3f") for when, n in columns),
        )


# What docs/measure/tasks.py, memory.py, opening.py and lengths.py found.
def memory(quantity, **where):
    """A quantity of memory.csv, one number of each seed."""
    return values("memory", quantity=quantity, **where)


def first_word_runs(start, words):
    """The runs of the first word: of each seed the test accuracy after every epoch."""
    runs = {}
    for row in rows("tasks", task="first", start=start, words=words, **USUAL):
        if row["quantity"].startswith("epoch"):
            runs.setdefault(row["seed"], []).append(float(row["value"]))
    return list(runs.values())


def learned(runs):
    """How many runs have 99 %, and in which epochs: "3/5 (2-4)", "0/5"."""
    first = [next((n for n, a in enumerate(run, 1) if a >= 0.99), 0) for run in runs]
    at = sorted(filter(None, first))
    when = f" ({at[0]})" if at and at[0] == at[-1] else f" ({at[0]}-{at[-1]})" if at else ""
    return f"{len(at)}/{len(runs)}{when}"


USUAL = dict(reviews="10000", epochs="6", rate="0.001")
STARTS = {
    "SimpleRNN": ("SimpleRNN, W_hh orthogonal", "SimpleRNN，W_hh 正交"),
    "SimpleRNN .9": ("SimpleRNN, that times .9", "SimpleRNN，正交乘 0.9"),
    "SimpleRNN .7": ("SimpleRNN, that times .7", "SimpleRNN，正交乘 0.7"),
    "LSTM": ("LSTM, b_f = 1 (f = .73)", "LSTM，b_f = 1（f = 0.73）"),
    "LSTM b_f = 3": ("LSTM, b_f = 3 (f = .95)", "LSTM，b_f = 3（f = 0.95）"),
    "GRU": ("GRU, b_z = 0 (z = .5)", "GRU，b_z = 0（z = 0.5）"),
    "GRU b_z = 3": ("GRU, b_z = 3 (z = .95)", "GRU，b_z = 3（z = 0.95）"),
}
LENGTHS = sorted({row["words"] for row in read_csv("tasks") if row["task"] == "first"}, key=int)
COLUMNS = " | ".join(f"T = {n}" for n in LENGTHS)


@table(
    f"start | gradient at word 1, T = 80 | {COLUMNS}",
    f"初始值 | 第 1 个词处的梯度，T = 80 | {COLUMNS}",
)
def first_word():
    for start, names in STARTS.items():
        where = dict(task="first", start=start, words="80", **USUAL)
        gradients = values("tasks", quantity="gradient 1", **where)
        cells = [learned(first_word_runs(start, n)) for n in LENGTHS]
        yield names, spread(gradients, ".0e"), *cells


@table(
    "gate, T = 80 | at the marker | at the word after it | at other opinion words | at the rest",
    "门，T = 80 | 标记词处 | 其后的词处 | 其他评价词处 | 其余的词处",
)
def marker_gates():
    for script, letters in GATES.items():
        for layer, letter in itertools.product("1", letters):
            name, where = NETWORKS[script], dict(task="marker", words="80", start=NETWORKS[script])
            yield (
                (f"{name} {layer}, {letter}", f"{name} 第 {layer} 层 {letter}"),
                *(
                    spread(values("tasks", quantity=f"gate {layer} {letter} {kind}", **where))
                    for kind in ("marker", "after", "opinion", "other")
                ),
            )


@table(
    'gate | opinion word | opinion word after "not" | "not" | all other words',
    "门 | 评价词 | not 之后的评价词 | not | 其余的词",
)
def toy_gates():
    for script, letters in GATES.items():
        for layer, letter in itertools.product("1", letters):
            name, where = NETWORKS[script], dict(script=script, layer=layer, when="toy")
            yield (
                (f"{name} {layer}, {letter}", f"{name} 第 {layer} 层 {letter}"),
                *(
                    spread(memory(f"gate {letter} {kind}", **where))
                    for kind in ("plain", "turned", "not", "other")
                ),
            )


@table(
    'network | held as without a "not" | layer 1 | layer 2 | plain words held, layer 1',
    "网络 | 固定为没有 not 时的值 | 第 1 层 | 第 2 层 | 改在普通评价词处固定，第 1 层",
)
def held():
    for script, letters in GATES.items():
        for which in (letters[0], letters, "g", letters + "g"):
            where = dict(script=script, quantity="accuracy")
            of = f"toy, {which} held at "
            cells = (of + "turned", "1"), (of + "turned", "2"), (of + "plain", "1")
            yield (
                NETWORKS[script],
                ", ".join(which),
                *(percent(values("memory", when=when, layer=n, **where)) for when, n in cells),
            )


@table(
    "what stays of the slow layer's state | SimpleRNN | LSTM | GRU",
    "慢的那一层，状态里留下什么 | SimpleRNN | LSTM | GRU",
)
def kept():
    for when, english, chinese in (
        ("as trained", "everything", "全部"),
        ("only slow", "**only the slow number**", "**只有慢的那个数**"),
        ("only first component", "only the first principal component", "只有第一主成分"),
        ("only random", "only a random direction", "只有一个随机方向"),
        ("slow away", "all but the slow number", "全部，除了慢的那个数"),
        ("ten others away", "all but the ten largest other components",
         "全部，除了另外十个最大的主成分"),
        ("other real away", "all but the other real eigendirections", "全部，除了其他的实特征方向"),
        ("half away", "a random half of the dimensions", "随机抽一半维度"),
        ("half away, slow kept", "the same half and the slow number", "同样的一半，加上慢的那个数"),
    ):  # fmt: skip
        yield (
            (english, chinese),
            *(percent(memory("accuracy", when=when, script=script)) for script in NETWORKS),
        )


@table("what is remembered | SimpleRNN | LSTM | GRU", "记住了什么 | SimpleRNN | LSTM | GRU")
def ladder():
    for when, english, chinese in (
        ("last word", "nothing: the last word alone", "什么都不记，只读最后一个词"),
        ("+ other layer", "the other layer's state", "加上另一层的状态"),
        ("+ rest of layer", "and the slow layer's, but for the slow number",
         "再加上慢的那一层，除了慢的那个数"),
        ("as trained", "and the slow number: as trained", "再加上慢的那个数，也就是原样"),
        ("without other layer", "the slow layer's state only", "只有慢的那一层的状态"),
    ):  # fmt: skip
        yield (
            (english, chinese),
            *(percent(memory("accuracy", when=when, script=script)) for script in NETWORKS),
        )


@table(
    "first epoch, LSTM | word 1 | word 41 | word 61 | word 80",
    "LSTM，第一轮进行到 | 第 1 个词 | 第 41 个词 | 第 61 个词 | 第 80 个词",
)
def first_epoch():
    for tenth in (0, 1, 2, 10):
        cells = [
            values("opening", quantity=f"gradient {n} after {tenth} tenths")
            for n in (1, 41, 61, 80)
        ]
        yield f"{tenth}/10", *(spread(numbers, ".0e") for numbers in cells)


@table("model | 40 words | 80 | 200 | 320", "模型 | 40 个词 | 80 | 200 | 320")
def lengths():
    for model, chinese in {
        "averaging": "词向量取平均", "averaging, pairs": "加上相邻词对",
        "SimpleRNN": "SimpleRNN", "LSTM": "LSTM", "GRU": "GRU",
    }.items():  # fmt: skip
        where = dict(what="test", model=model)
        cells = [
            values("lengths", "accuracy", words=n, **where) for n in ("40", "80", "200", "320")
        ]
        yield (model, chinese), *(percent(numbers) for numbers in cells)


@table(
    "rate, held-out training reviews | averaging | averaging, pairs",
    "学习率，训练集里留出的影评 | 词向量取平均 | 加上相邻词对",
)
def rates():
    for rate, chinese in {
        "falling from 0.001": "从 0.001 降到 0", "falling from 0.003": "从 0.003 降到 0",
        "falling from 0.01": "从 0.01 降到 0", "held at 0.001": "一直是 0.001",
    }.items():  # fmt: skip
        models = "averaging", "averaging, pairs"
        cells = [values("lengths", "accuracy", what=rate, model=model) for model in models]
        yield (rate, chinese), *(percent(numbers) for numbers in cells)


# --------------------------------------------------------------------------------------- documents
def markdown(name, chinese=False):
    """A table of TABLES as the lines of a document, in one of the two languages."""
    heads, body = TABLES[name]
    columns = heads[chinese].split(" | ")
    lines = [columns, ["---"] * len(columns)]
    lines += [[c if isinstance(c, str) else c[chinese] for c in row] for row in body()]
    if {len(line) for line in lines} != {len(columns)}:
        raise ValueError(f"{name}: rows of different lengths")
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def documents():
    """The pages that may hold tables."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 if one differs")
    check = parser.parse_args().check
    wrong = []
    for path in documents():
        page, old = path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")

        def made(match, page=page):
            begin, name, text, end = match.groups()
            new = markdown(name, chinese="zh-CN" in page)
            if new != text:
                wrong.append(f"{page}: {name}")
            return begin + new + end

        new, found = MARKED.subn(made, old)
        if found != old.count("<!-- table:") or found != old.count("<!-- end -->"):
            sys.exit(f"{page}: a mark without its other")
        if new != old and not check:
            path.write_text(new, encoding="utf-8", newline="\n")
    for name in wrong:
        print("differs:" if check else "written:", name)
    sys.exit(1 if check and wrong else 0)


if __name__ == "__main__":
    main()
