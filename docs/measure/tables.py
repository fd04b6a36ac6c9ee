"""Write every table of figures in README.md and docs/ from the CSVs beside this program.

    python -m docs.measure.tables            # writes the documents
    python -m docs.measure.tables --check    # only compares: names what differs, exits with 1

In a document a table stands between the marks `<!-- table: gates -->` and `<!-- end -->`. Its name
is that of a function below; pages in docs/zh-CN get its Chinese form. For a new table write such a
function, put the two marks where the table belongs, and run this program.
"""

import itertools
import re
import statistics
import sys
from functools import partial

from docs.measure import flags
from docs.measure.names import GATES, NETWORKS, ROOT, SCRIPTS
from docs.measure.readings import (
    LENGTHS,
    MODELS,
    USUAL,
    first_word_runs,
    read_csv,
    rows,
    scores,
    scores_alike,
    scores_at,
    settings,
    values,
)

COSTS = {"first_step_s": (".1f", "s", "秒"), "step_ms": (".0f", "ms", "毫秒"),
         "scoring_s": (".1f", "s", "秒"), "whole_s": (".0f", "s", "秒")}  # fmt: skip
MARKED = re.compile(r"(<!-- table: (\w+) -->\n)((?:(?!<!-- table:).)*?)(<!-- end -->)", re.S)
TABLES = {}


# ----------------------------------------------------------------------------------------- figures
def with_unit(number, english, chinese=None):
    """A number with its unit, in English and in Chinese: "83.7 %", "83.7%"; "3.1 s", "3.1 秒"."""
    return f"{number} {english}".rstrip(), number + (english if chinese is None else f" {chinese}")


def mean(numbers, form=".1f", unit=""):
    """A mean without its range."""
    return with_unit(format(statistics.mean(numbers), form), unit)


def spread(numbers, form=".2f", unit=""):
    """Mean and range, in English and in Chinese: "0.99 (0.98 to 1.00)", "0.99（0.98～1.00）"."""
    low, high = (format(f(numbers), form) for f in (min, max))
    english, chinese = mean(numbers, form, unit)
    if low == high:
        return english, chinese
    return f"{english} ({low} to {high})", f"{chinese}（{low}～{high}）"


tiny = partial(spread, form=".0e")  # a gradient: one digit and a power of ten


def percent(fractions, form=spread):
    """Mean and range of fractions, "83.7 % (83.4 to 83.9)", "83.7%（83.4～83.9）"; or the mean."""
    return form([100 * value for value in fractions], ".1f", "%")


def decimals(numbers):
    """A mean in one digit, written out: "0.0000006"."""
    return format(float(format(statistics.mean(numbers), ".0e")), ".9f").rstrip("0")


def median_cost(script, column):
    """Median of a column of costs.csv with its unit: "3.1 s", "3.1 秒"."""
    form, *units = COSTS[column]
    return with_unit(
        format(statistics.median(values("costs", column, script=script)), form), *units
    )


def named(model):
    """A model of MODELS in English and in Chinese."""
    return model, {"averaging": "词向量取平均", "averaging, pairs": "加上二元"}.get(model, model)


# ------------------------------------------------------------------------------------------ tables
def table(english, chinese):
    """Make a function that yields rows a table, with its heads in the two languages.

    A cell is a text, or a pair where the languages differ.
    """

    def declare(function):
        TABLES[function.__name__] = (english, chinese), function
        return function

    return declare


def listed(names, cells):
    """Rows that begin with a name: names: (key, English, Chinese); cells(key): what follows."""
    for key, english, chinese in names:
        yield (english, chinese), *cells(key)


@table(
    "script | mean | lowest | highest | epoch of the lowest test loss (runs of ten) | parameters "
    "| whole run",
    "脚本 | 平均 | 最低 | 最高 | 测试损失最低的轮次（10 次运行中的次数） | 参数量 | 整次运行",
)
def results():
    for script in SCRIPTS:
        runs = rows("runs", experiment="as it is", script=script)
        accuracy = scores("as it is", script=script)
        best = [row["best_epoch"] for row in runs]
        parts = [f"{n} ({best.count(n)}/{len(best)})" for n in sorted(set(best))]
        in_chinese = "，".join(parts).replace(" (", "（").replace(")", "）")
        cells = [percent([f(accuracy)]) for f in (statistics.mean, min, max)]
        cells += [(", ".join(parts), in_chinese), f"{int(runs[0]['parameters']):,}"]
        yield f"`{script}.py`", *cells, median_cost(script, "whole_s")


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


EXERCISES = {  # of runs.csv: what it is called, and what without the change is a row of runs.csv
    "1": ("clipping off (SimpleRNN)", "不裁剪梯度（SimpleRNN）", "rnn_layer_imdb"),
    "3": ("one layer (LSTM)", "只用一层（LSTM）", "lstm_imdb"),
    "4": ("200 words (LSTM)", "保留 200 个词（LSTM）", "lstm_imdb"),
    "5": ("both directions (LSTM)", "第二层双向（LSTM）", "lstm_imdb"),
    "6": ("padding masked (LSTM)", "屏蔽填充的零（LSTM）", "lstm_imdb"),
    "7": ("the first 80 words (LSTM)", "保留开头的 80 个词（LSTM）", "lstm_imdb"),
    "8": ("half the units (GRU)", "隐藏单元减半（GRU）", "gru_imdb"),
    "9": ("the rate held (SimpleRNN)", "固定学习率（SimpleRNN）", "rnn_layer_imdb"),
    "10": ("stepped by hand (LSTM)", "手写 for 循环（LSTM）", "lstm_imdb"),
    "11": ("pooled over time (LSTM)", "对 80 步的 h 取平均（LSTM）", "lstm_imdb"),
    "12": (
        "averaging, pairs added (baseline)",
        "词向量取平均，加上二元（baseline）",
        "baseline",
    ),
    "14": ("b_f begins at 3 (LSTM)", "b_f 从 3 起步（LSTM）", "lstm_imdb"),
    "15": ("minGRU (SimpleRNNCell)", "minGRU（SimpleRNNCell）", "rnn_cell_imdb"),
    "16": ("half the time (LSTM)", "一半的时间（LSTM）", "lstm_imdb"),
    "17": ("two classes (LSTM)", "两个类别（LSTM）", "lstm_imdb"),
    "18": ("the best epoch (LSTM)", "最好的一轮（LSTM）", "lstm_imdb"),
    "19": ("attention (LSTM)", "注意力（LSTM）", "lstm_imdb"),
}


@table("exercise | test accuracy | without the change", "练习 | 测试准确率 | 不改动")
def exercises():
    for number, (english, chinese, script) in EXERCISES.items():
        changed, plain = f"exercise {number}", "as it is"
        if script == "baseline":
            changed, plain = f"{changed}, pairs", changed
        yield (
            (f"{number}. {english}", f"{number}. {chinese}"),
            percent(scores(changed, **({"script": script} if number == "16" else {}))),
            percent(scores(plain, seeds=5, script=script)),
        )


@table(
    "network | mean, word 1 | median review, word 1 | mean, word 80 | kept by a step back",
    "网络 | 平均，第 1 个词 | 影评的中位数，第 1 个词 | 平均，第 80 个词 | 每往回一步保留的比例",
)
def gradient():
    for when, chinese in ("before", "训练前"), ("after", "训练后"):
        for script, name in NETWORKS.items():
            where = dict(script=script, when=when)
            falls = values("backward", quantity="gradient 1/71 p50", **where)
            yield (
                (f"{name}, {when}", f"{name}，{chinese}"),
                spread(values("gradient", "1", of="mean", **where), ".1e"),
                spread(values("gradient", "1", of="p50", **where), ".1e"),
                spread(values("gradient", "80", of="mean", **where), ".1e"),
                spread([fall ** (1 / 70) for fall in falls], ".3f"),
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
            *(
                spread(values("backward", quantity=f"eigenvalue {n}", when=when, **where), ".3f")
                for when, n in columns
            ),
        )


def learned(runs):
    """How many runs have 99 %, and in which epochs: "3/5 (2-4)", "0/5"."""
    first = [next((n for n, a in enumerate(run, 1) if a >= 0.99), 0) for run in runs]
    at = sorted(filter(None, first))
    when = f" ({at[0]})" if at and at[0] == at[-1] else f" ({at[0]}-{at[-1]})" if at else ""
    return f"{len(at)}/{len(runs)}{when}"


STARTS = {  # of names.STARTS: what the table calls them
    "SimpleRNN": ("SimpleRNN, W_hh orthogonal", "SimpleRNN，W_hh 正交"),
    "SimpleRNN .9": ("SimpleRNN, that times .9", "SimpleRNN，正交乘 0.9"),
    "SimpleRNN .7": ("SimpleRNN, that times .7", "SimpleRNN，正交乘 0.7"),
    "LSTM": ("LSTM, b_f = 1 (f = .73)", "LSTM，b_f = 1（f = 0.73）"),
    "LSTM b_f = 3": ("LSTM, b_f = 3 (f = .95)", "LSTM，b_f = 3（f = 0.95）"),
    "GRU": ("GRU, b_z = 0 (z = .5)", "GRU，b_z = 0（z = 0.5）"),
    "GRU b_z = 3": ("GRU, b_z = 3 (z = .95)", "GRU，b_z = 3（z = 0.95）"),
}
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
        yield names, tiny(gradients), *cells


def each_gate():
    """Each gate: its script, its letter, and what it is called in layer 1."""
    for script, letters in GATES.items():
        for letter in letters:
            name = NETWORKS[script]
            yield script, letter, (f"{name} 1, {letter}", f"{name} 第 1 层 {letter}")


@table(
    "gate, T = 80 | at the marker | at the word after it | at other opinion words | at the rest",
    "门，T = 80 | 标记词处 | 其后的词处 | 其他评价词处 | 其余的词处",
)
def marker_gates():
    for script, letter, names in each_gate():
        where = dict(task="marker", words="80", start=NETWORKS[script])
        kinds = (f"gate 1 {letter} {kind}" for kind in ("marker", "after", "opinion", "other"))
        yield names, *(spread(values("tasks", quantity=kind, **where)) for kind in kinds)


@table(
    'gate | opinion word | opinion word after "not" | "not" | all other words',
    "门 | 评价词 | not 之后的评价词 | not | 其余的词",
)
def toy_gates():
    for script, letter, names in each_gate():
        where = dict(script=script, layer="1", data="toy")
        kinds = (f"gate {letter} {kind}" for kind in ("plain", "turned", "not", "other"))
        yield names, *(spread(values("gates", quantity=kind, **where)) for kind in kinds)


@table(
    'network | held as without a "not" | layer 1 | layer 2 | plain words held, layer 1',
    "网络 | 固定为没有 not 时的值 | 第 1 层 | 第 2 层 | 改在普通评价词处固定，第 1 层",
)
def held():
    for script, letters in GATES.items():
        for which in (letters[0], letters, "g", letters + "g"):
            where = dict(script=script, data="toy", quantity="accuracy")
            cells = [
                (f"{which} held at {kind}", layer)
                for kind, layer in (("turned", "1"), ("turned", "2"), ("plain", "1"))
            ]
            yield (
                NETWORKS[script],
                ", ".join(which),
                *(percent(values("gates", when=when, layer=n, **where)) for when, n in cells),
            )


def remembered(when, name="kept", column="refitted", form=spread, **wanted):
    """The scores of the three networks with a part of their state taken away, from a CSV."""
    for script in NETWORKS:
        yield percent(values(name, column, when=when, script=script, **wanted), form)


PARTS = (  # of memory.csv and kept.csv
    ("as trained", "everything", "全部"),
    ("only slow", "**only the slow number**", "**只有慢的那个数**"),
    ("only first component", "only the first principal component", "只有第一主成分"),
    ("only random", "only a random direction", "只有一个随机方向"),
    ("slow away", "all but the slow number", "全部，除了慢的那个数"),
    ("ten others away", "all but the ten largest other components",
     "全部，除了另外十个最大的主成分"),
    ("other real away", "all but the other real eigendirections", "全部，除了其他的实特征方向"),
    ("first component away", "all but the first principal component", "全部，除了第一主成分"),
    ("half away", "a random half of the dimensions", "随机抽一半维度"),
    ("half away, slow kept", "the same half and the slow number", "同样的一半，加上慢的那个数"),
    ("half away, slow away", "the same half without the slow number", "同样的一半，去掉慢的那个数"),
)  # fmt: skip


@table(
    "what stays of the slow layer's state | SimpleRNN | LSTM | GRU",
    "慢的那一层，状态里留下什么 | SimpleRNN | LSTM | GRU",
)
def kept():
    return listed(PARTS, partial(remembered, column="accuracy"))


@table(
    "threshold fitted on one half, scored on the other | SimpleRNN | LSTM | GRU",
    "阈值在一半影评上重定，在另一半上评估 | SimpleRNN | LSTM | GRU",
)
def kept_refitted():
    return listed(PARTS, remembered)


@table("what is remembered | SimpleRNN | LSTM | GRU", "记住了什么 | SimpleRNN | LSTM | GRU")
def ladder():
    names = (
        ("last word", "nothing: the last word alone", "什么都不记，只读最后一个词"),
        ("+ other layer", "the other layer's state", "加上另一层的状态"),
        ("+ rest of layer", "and the slow layer's, but for the slow number",
         "再加上慢的那一层，除了慢的那个数"),
        ("as trained", "and the slow number: as trained", "再加上慢的那个数，也就是原样"),
        ("without other layer", "the slow layer's state only", "只有慢的那一层的状态"),
    )  # fmt: skip
    in_memory = dict(name="memory", column="value", quantity="accuracy")
    return listed(names, partial(remembered, **in_memory))


@table(
    "first epoch, LSTM | word 1 | word 41 | word 61 | word 80",
    "LSTM，第一轮进行到 | 第 1 个词 | 第 41 个词 | 第 61 个词 | 第 80 个词",
)
def first_epoch():
    for tenth in (0, 1, 2, 10):
        yield f"{tenth}/10", *gradients_after("everywhere", tenth)


def gradients_after(hints, tenth, words=(1, 41, 61, 80), form=tiny):
    """The gradient at some words after so many tenths of the first epoch."""
    for n in words:
        quantity = f"gradient {n} after {tenth} tenths"
        yield form(values("first_epoch", hints=hints, quantity=quantity))


@table("model | 40 words | 80 | 200 | 320", "模型 | 40 个词 | 80 | 200 | 320")
def lengths():
    for model in MODELS:
        cells = (percent(scores_at(model, n)) for n in (40, 80, 200, 320))
        yield named(model), *cells


@table(
    "model | as the scripts stand | chosen alike | what was chosen",
    "模型 | 脚本的设置 | 同样用心去挑 | 挑出来的设置",
)
def equal_care():
    for model in MODELS:
        layers, rate, epochs = next(iter(settings(model)))
        english, chinese = f"rate {rate}, {epochs} epochs", f"学习率 {rate}，{epochs} 轮"
        if layers:
            english, chinese = f"{layers} layers, {english}", f"{layers} 层，{chinese}"
        yield (
            named(model),
            percent(scores_at(model, 80)) if layers else ("(as chosen)", "（就是挑出来的）"),
            percent(scores_alike(model)),
            (english.replace("1 layers", "1 layer"), chinese),
        )


@table(
    "held out, 2 / 3 / 4 epochs | rate 0.0005 | 0.001 | 0.002 | 0.003",
    "留出的影评，2 / 3 / 4 轮 | 学习率 0.0005 | 0.001 | 0.002 | 0.003",
)
def grid():
    for model in MODELS:
        tried = settings(model)
        for layers in sorted({setting[0] for setting in tried}):
            english, chinese = named(model)
            depth = ("", "") if not layers else (f", layers: {layers}", f"，层数 {layers}")
            cells = (
                [tried[layers, rate, epochs][0] for epochs in "234"]
                for rate in ("0.0005", "0.001", "0.002", "0.003")
            )
            yield (
                (english + depth[0], chinese + depth[1]),
                *(" / ".join(f"{100 * accuracy:.1f}" for accuracy in of) for of in cells),
            )


@table(
    "the best three, held out | first | second | third",
    "留出的影评，最好的三个 | 第一 | 第二 | 第三",
)
def best_three():
    for model in MODELS:
        cells = []
        for setting, accuracies in list(settings(model).items())[:3]:
            name, (english, chinese) = "/".join(filter(None, setting)), percent(accuracies)
            cells.append((f"{name}: {english}", f"{name}：{chinese}"))
        yield named(model), *cells


@table(
    "rate, held-out training reviews | averaging | averaging, pairs",
    "学习率，训练集里留出的影评 | 词向量取平均 | 加上二元",
)
def rates():
    def cells(rate):
        for model in "averaging", "averaging, pairs":
            yield percent(scores(f"held out: {model}, {rate}", seeds=3))

    names = (
        ("rate 0.001, 4 epochs", "falling from 0.001", "从 0.001 降到 0"),
        ("rate 0.003, 4 epochs", "falling from 0.003", "从 0.003 降到 0"),
        ("rate 0.01, 4 epochs", "falling from 0.01", "从 0.01 降到 0"),
        ("0.001 held", "held at 0.001", "固定为 0.001"),
    )
    return listed(names, cells)


# ------------------------------------------------------------------------------------ what decides
ORDERS = ("as they are", "neighbours exchanged", "shuffled")  # of shuffle.csv
BY_HAND = {"rnn_cell_imdb": "SimpleRNNCell", **NETWORKS}
OPENING = [  # of the first word and paths.csv: name, script, b_f or b_z, start in tasks.csv
    (f"{name}, {gate} = {bias}", script, bias, name + (f" {gate} = {bias}" if n else ""))
    for script, name, gate, biases in (
        ("lstm_imdb", "LSTM", "b_f", ("1", "1.5", "2", "2.5", "3")),
        ("gru_imdb", "GRU", "b_z", ("0", "1", "2", "3")),
    )
    for n, bias in enumerate(biases)
]


@table(
    "trained on, network | words as they are | neighbours exchanged | shuffled "
    "| same verdict, exchanged | same verdict, shuffled",
    "训练数据，网络 | 原来的词序 | 相邻词两两对调 | 全部打乱 | 对调后判断不变 | 打乱后判断不变",
)
def shuffle():
    for experiment, english, chinese in ("as it is", "IMDB", "IMDB"), ("toy", "toy", "玩具数据"):
        for script, network in BY_HAND.items():
            where = dict(experiment=experiment, script=script)
            cells = [("accuracy", order) for order in ORDERS]
            cells += [("same_verdict", order) for order in ORDERS[1:]]
            yield (
                (f"{english}, {network}", f"{chinese}，{network}"),
                *(percent(values("shuffle", column, order=o, **where)) for column, o in cells),
            )


@table(
    "network | film reviews, as they are | shuffled | toy, as it is | shuffled",
    "网络 | 影评，原来的词序 | 打乱 | 玩具数据，原来的词序 | 打乱",
)
def shuffled():
    for script, network in NETWORKS.items():
        cells = itertools.product(("as it is", "toy"), (ORDERS[0], ORDERS[2]))
        where = (dict(experiment=e, order=o, script=script) for e, o in cells)
        yield network, *(percent(values("shuffle", "accuracy", **w), mean) for w in where)


@table(
    "start | gradient at word 1 | by the carry alone | word 1 / word 80 | first word of 80 learned",
    "初始值 | 第 1 个词处的梯度 | 只走 c 或 z h 那条路 | 第 1 个词 / 第 80 个词 | 学会首词",
)
def paths():
    for name, script, bias, start in OPENING:
        where = dict(script=script, bias=bias, data="first", when="before")
        alone = values("paths", "1", cut="h everywhere", **where)
        where = dict(task="first", start=start, words="80", **USUAL)
        first, last = (values("tasks", quantity=f"gradient {n}", **where) for n in ("1", "last"))
        yield (
            (name, name.replace(", ", "，")),
            tiny(first),
            tiny(alone),
            tiny([a / b for a, b in zip(first, last)]),
            learned(first_word_runs(start, "80")),
        )


@table(
    "gradient by word, IMDB, before | word 1 | word 20 | word 40 | word 60 | word 80",
    "各词处的梯度，IMDB，训练前 | 第 1 个词 | 第 20 个词 | 第 40 个词 | 第 60 个词 | 第 80 个词",
)
def levels():
    for name, script, bias, _ in OPENING:
        where = dict(script=script, bias=bias, data="imdb", when="before", cut="nothing")
        cells = (values("paths", word, **where) for word in ("1", "20", "40", "60", "80"))
        yield (name, name.replace(", ", "，")), *(tiny(cell) for cell in cells)


@table(
    "start | gradient at word 1, IMDB, before | test accuracy, IMDB",
    "初始值 | IMDB，训练前，第 1 个词处的梯度 | IMDB 测试准确率",
)
def starts_imdb():
    for b_f, experiment in ("1", "as it is"), ("2", "b_f = 2"), ("3", "exercise 14"):
        where = dict(script="lstm_imdb", bias=b_f, data="imdb", when="before", cut="nothing")
        accuracies = scores(experiment, seeds=5, script="lstm_imdb")
        names = f"LSTM, b_f = {b_f}", f"LSTM，b_f = {b_f}"
        yield names, tiny(values("paths", "1", **where)), percent(accuracies)


@table(
    "IMDB, gradient at word 1 | nothing cut | h into the gates | h into g | h everywhere "
    "| the carry",
    "IMDB，第 1 个词处的梯度 | 都不切断 | 切断 h 到门 | 切断 h 到 g | 切断所有的 h | 切断 c 或 z h",
)
def ways():
    for when, chinese in ("before", "训练前"), ("after", "训练后"):
        for script, bias in ("lstm_imdb", "1"), ("gru_imdb", "0"):
            where = dict(script=script, bias=bias, data="imdb", when=when)
            cuts = "nothing", "h into the gates", "h into g", "h everywhere", "carry"
            yield (
                (f"{NETWORKS[script]}, {when}", f"{NETWORKS[script]}，{chinese}"),
                *(spread(values("paths", "1", cut=cut, **where), ".1e") for cut in cuts),
            )


@table(
    "Dense kernel times | gradient at word 1, SimpleRNN | learned | gradient at word 1, "
    "LSTM b_f = 3 | learned",
    "Dense 的核乘以 | 第 1 个词处的梯度，SimpleRNN | 学会 | 第 1 个词处的梯度，LSTM b_f = 3 | 学会",
)
def smaller():
    for factor in ("1", "1e-3", "1e-6", "1e-9", "1e-12"):
        cells = []
        for start in "SimpleRNN", "LSTM b_f = 3":
            start += f", Dense * {factor}" if factor != "1" else ""
            where = dict(task="first", start=start, words="80", **USUAL)
            cells.append(tiny(values("tasks", quantity="gradient 1", **where)))
            cells.append(learned(first_word_runs(start, "80")))
        yield factor, *cells


def auc(higher, lower):
    """The share of the pairs in which the first number is the larger one; equal ones count half."""
    pairs = [(a > b) + (a == b) / 2 for a in higher for b in lower]
    return statistics.mean(pairs)


def cells_of_first_word():
    """The cells of the first word up to T = 160: of each the runs (size, ratio, learned)."""
    for start, words in itertools.product(STARTS, LENGTHS):
        where = dict(task="first", start=start, words=words, **USUAL)
        if int(words) <= 160:
            size, last = (values("tasks", quantity=f"gradient {w}", **where) for w in ("1", "last"))
            good = [max(run) >= 0.99 for run in first_word_runs(start, words)]
            yield [(a, a / b, c) for a, b, c in zip(size, last, good)]


@table(
    "a run learned has the larger | size at word 1 | word 1 / word T",
    "学会的那次更大的是 | 第 1 个词处的大小 | 第 1 个词 / 第 T 个词",
)
def sorting():
    cells = list(cells_of_first_word())
    mixed = [cell for cell in cells if len({good for *_, good in cell}) == 2]

    def shares(column):
        runs = [run for cell in cells for run in cell]
        yield auc([r[column] for r in runs if r[2]], [r[column] for r in runs if not r[2]])
        pairs = [(a[column] > b[column]) for c in mixed for a in c for b in c if a[2] > b[2]]
        yield statistics.mean(pairs)

    names = ("of all runs, T <= 160", "所有的运行，T 不超过 160"), (
        f"within the {len(mixed)} mixed cells", f"{len(mixed)} 个有成有败的格子之内")  # fmt: skip
    for name, size, ratio in zip(names, shares(0), shares(1)):
        yield name, f"{size:.3f}", f"{ratio:.3f}"


@table(
    "network | held | at the marker | at the word after it | at both | at every word, its mean",
    "网络 | 固定 | 标记词处 | 其后的词处 | 两处都固定 | 每个词处固定为平均值",
)
def marker_held():
    for script, letters in GATES.items():
        for which in (*letters, letters, "g", letters + "g"):
            where = dict(script=script, held=which)
            places = "marker", "after", "both", "every word"
            yield (
                NETWORKS[script],
                ", ".join(which),
                *(percent(values("marker", "accuracy", at=at, **where)) for at in places),
            )


@table(
    "hints, after | word 1 | word 41 | word 61 | word 80",
    "线索在哪里，第一轮进行到 | 第 1 个词 | 第 41 个词 | 第 61 个词 | 第 80 个词",
)
def hints():
    for where, chinese in (
        ("everywhere", "到处"), ("last 20", "末尾 20 个词"), ("first 20", "开头 20 个词"),
    ):  # fmt: skip
        for tenth in (0, 1, 2, 3, 5, 10):
            name = f"{where}, {tenth}/10", f"{chinese}，{tenth}/10"
            yield name, *gradients_after(where, tenth)


@table(
    "70 steps, trained on IMDB | mean size | mean Jacobian | slow number along a review "
    "| gradient, word 1 / word 71",
    "70 步，在 IMDB 上训练之后 | 平均大小 | 平均雅可比矩阵 | 慢的那个数，沿着影评 "
    "| 梯度，第 1 个词 / 第 71 个词",
)
def decay():
    for script, network in NETWORKS.items():
        cells = [
            [value**70 for value in values("decay", script=script, quantity=quantity)]
            for quantity in ("mean size", "mean Jacobian")
        ]
        cells += [
            values("decay", script=script, quantity=f"{q} p50") for q in ("number", "gradient")
        ]
        yield network, *(spread(cell) for cell in cells)


# ------------------------------------------------------------- short tables of the learner's pages
@table("model | accuracy | whole run, two CPU cores", "模型 | 准确率 | 整次运行，两个 CPU 核")
def results_short():
    for script, english, chinese in (
        ("rnn_cell_imdb", "two SimpleRNNCells stepped by hand", "手写循环的 SimpleRNNCell"),
        ("rnn_layer_imdb", "the same as layers", "同样的网络，用现成的层"),
        ("lstm_imdb", "two LSTM layers", "两层 LSTM"),
        ("gru_imdb", "two GRU layers", "两层 GRU"),
    ):
        accuracy = percent(scores("as it is", script=script), mean)
        names = f"`{script}.py`, {english}", f"`{script}.py`，{chinese}"
        yield names, accuracy, median_cost(script, "whole_s")
    for experiment, english, chinese in (
        ("exercise 12", "no network: the average of the word vectors", "没有循环：词向量取平均"),
        ("exercise 12, pairs", "no network: words and pairs of words", "没有循环：再加上二元"),
    ):
        yield (english, chinese), percent(scores(experiment), mean), ""


@table("before training | a step back keeps | why", "训练前 | 每往回一步乘以 | 为什么")
def step_back():
    for script, english, chinese in (
        ("rnn_layer_imdb", "Keras starts W_hh as a rotation, which shrinks nothing",
         "W_hh 初始是正交矩阵：只把状态转个方向，不缩小"),
        ("lstm_imdb", "the forget gate starts at .73, and some more comes back by way of h",
         "遗忘门初始只有 0.73，另有一些经 h 绕回来"),
        ("gru_imdb", "the update gate starts at .5, and some more comes back by way of h",
         "更新门初始只有 0.5，另有一些经 h 绕回来"),
    ):  # fmt: skip
        falls = values("backward", quantity="gradient 1/71 p50", script=script, when="before")
        kept = mean([fall ** (1 / 70) for fall in falls], ".3f")
        yield NETWORKS[script], kept, (english, chinese)


@table(
    "network, and how it starts | runs that learn the first of 80 words",
    "网络，和它的初始值 | 学会 80 个词里第一个的次数",
)
def first_word_80():
    for start, english, chinese in (
        ("SimpleRNN", "SimpleRNN as in Keras", "SimpleRNN，默认"),
        ("SimpleRNN .7", "SimpleRNN, its W_hh times .7", "SimpleRNN，W_hh 乘以 0.7"),
        ("LSTM", "LSTM as in Keras (forget gate .73)", "LSTM，默认（遗忘门从 0.73 起）"),
        ("LSTM b_f = 3", "LSTM, forget gate .95", "LSTM，遗忘门从 0.95 起"),
        ("GRU", "GRU as in Keras (update gate .5)", "GRU，默认（更新门从 0.5 起）"),
        ("GRU b_z = 3", "GRU, update gate .95", "GRU，更新门从 0.95 起"),
    ):
        runs = first_word_runs(start, "80")
        n = sum(max(run) >= 0.99 for run in runs)
        yield (english, chinese), (f"{n} of {len(runs)}", f"{len(runs)} 次里 {n} 次")


@table(
    "part of the first epoch that is done | gradient at word 1 | at word 80",
    "第一轮进行到 | 第一个词处的梯度 | 最后一个词处",
)
def first_epoch_short():
    names = [(0, "nothing", "还没开始"), (1, "one tenth", "十分之一")]
    names += [(2, "two tenths", "十分之二"), (10, "all", "结束")]
    return listed(names, lambda tenth: gradients_after("everywhere", tenth, (1, 80), decimals))


@table(
    "what stays of the layer's state | SimpleRNN | LSTM | GRU",
    "这一层的状态里留下什么 | SimpleRNN | LSTM | GRU",
)
def kept_short():
    names = (
        ("as trained", "everything", "全部"),
        ("only slow", "only the slow number", "只有慢的那个数"),
        ("only random", "only a random direction", "只有随便一个方向"),
        ("slow away", "everything but the slow number", "全部，除了慢的那个数"),
    )
    return listed(names, partial(remembered, form=mean))


@table("what is held, and where | LSTM | GRU", "固定什么，在哪里 | LSTM | GRU")
def marker_short():
    names = (
        (("nothing", "nothing", ""), "nothing", "什么都不固定"),
        (
            ("ifo", "zr", "after"),
            "all gates, at the word after the marker",
            "所有的门，在标记的后一个词",
        ),
        (("ifo", "zr", "marker"), "all gates, at the marker", "所有的门，在标记词"),
        (("g", "g", "marker"), "the candidate, at the marker", "候选 g，在标记词"),
        (("f", "z", "every word"), "f (of the GRU: z), at every word", "f（GRU：z），在每个词"),
        (("i", "r", "every word"), "i (of the GRU: r), at every word", "i（GRU：r），在每个词"),
    )

    def cells(key):
        *held, at = key
        for script, which in zip(GATES, held):
            yield percent(values("marker", "accuracy", script=script, held=which, at=at), mean)

    return listed(names, cells)


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


def remade(page, text):
    """A page with every table made anew -> its text, and the names of those that differ.

    ValueError for a mark without its other.
    """
    changed = []

    def made(match):
        begin, name, old, end = match.groups()
        new = markdown(name, chinese="zh-CN" in page)
        if new != old:
            changed.append(name)
        return begin + new + end

    new, count = MARKED.subn(made, text)
    if count != text.count("<!-- table:") or count != text.count("<!-- end -->"):
        raise ValueError("a mark without its other")
    return new, changed


def main():
    parser = flags.parser(__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 if one differs")
    check, differ = parser.parse_args().check, False
    for path in documents():
        page, old = path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
        try:
            new, names = remade(page, old)
        except ValueError as error:
            sys.exit(f"{page}: {error}")
        for name in names:
            print("differs:" if check else "written:", f"{page}: {name}")
        differ = differ or bool(names)
        if new != old and not check:
            path.write_text(new, encoding="utf-8", newline="\n")
    sys.exit(1 if check and differ else 0)


if __name__ == "__main__":
    main()
