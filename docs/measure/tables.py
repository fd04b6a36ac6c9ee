"""Write every table of figures in README.md and docs/ from the CSVs beside this program.

    python -m docs.measure.tables            # writes the documents
    python -m docs.measure.tables --check    # only compares: names what differs, exits with 1

In a document a table stands between the marks `<!-- table: toy_gates -->` and `<!-- end -->`. Its
name is that of a function below, which makes the rows; pages in docs/zh-CN get their Chinese form.
The head is the page's own. For a new table write such a function, put the two marks and a head
where the table belongs, and run this program.
"""

import itertools
import re
import statistics
import sys
from functools import partial

from docs.measure import flags
from docs.measure.lookup import (
    LENGTHS,
    MODELS,
    at_start,
    first_word_runs,
    read_csv,
    rows,
    scores,
    scores_alike,
    scores_at,
    settings,
    values,
)
from docs.measure.names import GATES, NETWORKS, ROOT, SCRIPTS

COSTS = {"first_step_s": (".1f", "s", "秒"), "step_ms": (".0f", "ms", "毫秒"),
         "scoring_s": (".1f", "s", "秒"), "whole_s": (".0f", "s", "秒")}  # fmt: skip
MARKED = re.compile(  # the mark with its name, the head, the rows, the end
    r"(<!-- table: (\w+) -->\n(\|.*\|)\n\|[ -|]+\|\n)((?:\|.*\|\n)*)<!-- end -->"
)
TABLES = {}


# ------------------------------------------------------------------------------------------- cells
# A cell is a text, or a pair (English, Chinese) where the languages differ.
def with_unit(number, english, chinese=None):
    """A number with its unit, in English and in Chinese: "83.7 %", "83.7%"; "3.1 s", "3.1 秒"."""
    return f"{number} {english}".rstrip(), number + (english if chinese is None else f" {chinese}")


def punctuated(text):
    """A text without words, in English and in Chinese: "2 (7/10), 3 (3/10)"."""
    return text, text.replace(", ", "，").replace(" (", "（").replace(")", "）")


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
    median = statistics.median(values("costs", column, script=script))
    return with_unit(format(median, form), *units)


def learned(runs):
    """How many runs have 99 %, and in which epochs: "3/5 (2-4)", "0/5"."""
    first = [next((n for n, a in enumerate(run, 1) if a >= 0.99), 0) for run in runs]
    at = sorted(filter(None, first))
    when = f" ({at[0]})" if at and at[0] == at[-1] else f" ({at[0]}-{at[-1]})" if at else ""
    return f"{len(at)}/{len(runs)}{when}"


# -------------------------------------------------------------------------------------------- rows
def table(function):
    """Declare a function that gives the rows of a table."""
    TABLES[function.__name__] = function
    return function


def body(names, columns, cell):
    """Rows of a table. names: {key: the first cell}; the others are cell(*key, *column).

    A key, or a column, that is no tuple is one argument.
    """
    for key, name in names.items():
        yield name, *(cell(*as_tuple(key), *as_tuple(column)) for column in columns)


def as_tuple(key):
    return key if isinstance(key, tuple) else (key,)


PROGRAMS = {script: f"`{script}.py`" for script in SCRIPTS}
NAMED = {**dict(zip(MODELS, MODELS)), "averaging": ("averaging", "词向量取平均"),
         "averaging, pairs": ("averaging, pairs", "加上二元")}  # fmt: skip
WHEN = {"before": "训练前", "after": "训练后"}
EACH_GATE = {
    (script, letter): (f"{NETWORKS[script]} 1, {letter}", f"{NETWORKS[script]} 第 1 层 {letter}")
    for script, letters in GATES.items()
    for letter in letters
}


def before_and_after(scripts):
    """The names of rows by network, before training and after it: {(when, script): name}."""
    return {
        (when, script): (f"{NETWORKS[script]}, {when}", f"{NETWORKS[script]}，{chinese}")
        for when, chinese in WHEN.items()
        for script in scripts
    }


def steps_back(**where):
    """By how much a gradient is multiplied in a step back, of each seed."""
    return [x ** (1 / 70) for x in values("backward", quantity="gradient 1/71 p50", **where)]


# ------------------------------------------------------------------------- scores, costs, settings
@table
def results():
    for script, name in PROGRAMS.items():
        runs = rows("runs", experiment="as it is", script=script)
        accuracy = [float(run["accuracy"]) for run in runs]
        best = [run["best_epoch"] for run in runs]
        counts = ", ".join(f"{n} ({best.count(n)}/{len(best)})" for n in sorted(set(best)))
        cells = (percent([f(accuracy)]) for f in (statistics.mean, min, max))
        parameters = f"{int(runs[0]['parameters']):,}"
        yield name, *cells, punctuated(counts), parameters, median_cost(script, "whole_s")


@table
def results_short():
    for script, english, chinese in (
        ("rnn_cell_imdb", "two SimpleRNNCells stepped by hand", "手写循环的 SimpleRNNCell"),
        ("rnn_layer_imdb", "the same as layers", "同样的网络，用现成的层"),
        ("lstm_imdb", "two LSTM layers", "两层 LSTM"),
        ("gru_imdb", "two GRU layers", "两层 GRU"),
    ):
        name = f"{PROGRAMS[script]}, {english}", f"{PROGRAMS[script]}，{chinese}"
        accuracy = percent(scores("as it is", script=script), mean)
        yield name, accuracy, median_cost(script, "whole_s")
    for experiment, english, chinese in (
        ("exercise 12", "no network: the average of the word vectors", "没有循环：词向量取平均"),
        ("exercise 12, pairs", "no network: words and pairs of words", "没有循环：再加上二元"),
    ):
        yield (english, chinese), percent(scores(experiment), mean), ""


@table
def costs():
    return body(PROGRAMS, COSTS, median_cost)


@table
def gpu():
    for row in read_csv("gpu"):  # typed in from the output of one run each, seed 0
        seconds = (with_unit(row[column], "s", "秒") for column in ("training_s", "whole_s"))
        steps = (row[column].split() for column in ("step_ms", "cpu_step_ms"))
        steps = ((f"{' to '.join(step)} ms", f"{'～'.join(step)} 毫秒") for step in steps)
        yield PROGRAMS[row["script"]], percent([float(row["accuracy"])]), *seconds, *steps


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
    "12": ("averaging, pairs added (baseline)", "词向量取平均，加上二元（baseline）", "baseline"),
    "14": ("b_f begins at 3 (LSTM)", "b_f 从 3 起步（LSTM）", "lstm_imdb"),
    "15": ("minGRU (SimpleRNNCell)", "minGRU（SimpleRNNCell）", "rnn_cell_imdb"),
    "16": ("half the time (LSTM)", "一半的时间（LSTM）", "lstm_imdb"),
    "17": ("two classes (LSTM)", "两个类别（LSTM）", "lstm_imdb"),
    "18": ("the best epoch (LSTM)", "最好的一轮（LSTM）", "lstm_imdb"),
    "19": ("attention (LSTM)", "注意力（LSTM）", "lstm_imdb"),
}


@table
def exercises():
    for number, (english, chinese, script) in EXERCISES.items():
        changed, plain = f"exercise {number}", "as it is"
        if script == "baseline":
            changed, plain = f"{changed}, pairs", changed
        wanted = dict(script="lstm_imdb") if number == "16" else {}
        yield (
            (f"{number}. {english}", f"{number}. {chinese}"),
            percent(scores(changed, **wanted)),
            percent(scores(plain, seeds=5, script=script)),
        )


@table
def lengths():
    return body(NAMED, (40, 80, 200, 320), lambda *where: percent(scores_at(*where)))


@table
def lengths_alike():
    return body(NAMED, (40, 80, 200, 320), lambda *where: percent(scores_alike(*where)))


@table
def equal_care():
    for model, name in NAMED.items():
        layers, rate, epochs = next(iter(settings(model)))
        as_it_stands = percent(scores_at(model, 80))
        setting = f"rate {rate}, {epochs} epochs", f"学习率 {rate}，{epochs} 轮"
        if not layers:  # its rate was chosen so from the first
            yield name, ("(as chosen)", "（就是挑出来的）"), as_it_stands, setting
            continue
        depth = "1 layer" if layers == "1" else f"{layers} layers"
        setting = f"{depth}, {setting[0]}", f"{layers} 层，{setting[1]}"
        yield name, as_it_stands, percent(scores(f"chosen alike: {model}")), setting


@table
def grid():
    def cell(model, layers, rate):
        accuracies = (settings(model)[layers, rate, epochs][0] for epochs in "234")
        return " / ".join(f"{100 * accuracy:.1f}" for accuracy in accuracies)

    names = {(model, ""): NAMED[model] for model in list(MODELS)[:2]}
    for model, layers in itertools.product(NETWORKS.values(), "12"):
        names[model, layers] = f"{model}, layers: {layers}", f"{model}，层数 {layers}"
    return body(names, ("0.0005", "0.001", "0.002", "0.003"), cell)


@table
def best_three():
    def cell(model, place):
        setting, accuracies = list(settings(model).items())[place]
        name, (english, chinese) = "/".join(filter(None, setting)), percent(accuracies)
        return f"{name}: {english}", f"{name}：{chinese}"

    return body(NAMED, range(3), cell)


@table
def rates():
    names = {
        "rate 0.001, 4 epochs": ("falling from 0.001", "从 0.001 降到 0"),
        "rate 0.003, 4 epochs": ("falling from 0.003", "从 0.003 降到 0"),
        "rate 0.01, 4 epochs": ("falling from 0.01", "从 0.01 降到 0"),
        "0.001 held": ("held at 0.001", "固定为 0.001"),
    }

    def cell(rate, model):
        return percent(scores(f"held out: {model}, {rate}", seeds=3))

    return body(names, ("averaging", "averaging, pairs"), cell)


# ---------------------------------------------------------------------------------- the first word
START_NAMES = {  # of names.STARTS: what the table calls them
    "SimpleRNN": ("SimpleRNN, W_hh orthogonal", "SimpleRNN，W_hh 正交"),
    "SimpleRNN .9": ("SimpleRNN, that times .9", "SimpleRNN，正交乘 0.9"),
    "SimpleRNN .7": ("SimpleRNN, that times .7", "SimpleRNN，正交乘 0.7"),
    "LSTM": ("LSTM, b_f = 1 (f = .73)", "LSTM，b_f = 1（f = 0.73）"),
    "LSTM b_f = 3": ("LSTM, b_f = 3 (f = .95)", "LSTM，b_f = 3（f = 0.95）"),
    "GRU": ("GRU, b_z = 0 (z = .5)", "GRU，b_z = 0（z = 0.5）"),
    "GRU b_z = 3": ("GRU, b_z = 3 (z = .95)", "GRU，b_z = 3（z = 0.95）"),
}


@table
def first_word():
    for start, name in START_NAMES.items():
        cells = (learned(first_word_runs(start, n)) for n in LENGTHS)
        yield name, tiny(at_start("gradient 1", start)), *cells


@table
def first_word_80():
    for start, english, chinese in (
        ("SimpleRNN", "SimpleRNN as in Keras", "SimpleRNN，默认"),
        ("SimpleRNN .7", "SimpleRNN, its W_hh times .7", "SimpleRNN，W_hh 乘以 0.7"),
        ("LSTM", "LSTM as in Keras (forget gate .73)", "LSTM，默认（遗忘门从 0.73 起）"),
        ("LSTM b_f = 3", "LSTM, forget gate .95", "LSTM，遗忘门从 0.95 起"),
        ("GRU", "GRU as in Keras (update gate .5)", "GRU，默认（更新门从 0.5 起）"),
        ("GRU b_z = 3", "GRU, update gate .95", "GRU，更新门从 0.95 起"),
    ):
        runs = first_word_runs(start)
        n = sum(max(run) >= 0.99 for run in runs)
        yield (english, chinese), (f"{n} of {len(runs)}", f"{len(runs)} 次里 {n} 次")


@table
def size():
    for start, loss, epsilon in (
        *(("SimpleRNN", loss, "1e-7") for loss in ("1", "1e-3", "1e-6", "1e-9")),
        ("SimpleRNN", "1e-9", "1e-20"),
        *((start, "1", e) for start in ("SimpleRNN .7", "LSTM", "GRU") for e in ("1e-7", "1e-20")),
    ):
        condition = f", loss * {loss}" if loss != "1" else ""
        condition += f", epsilon {epsilon}" if epsilon != "1e-7" else ""
        yield start, loss, epsilon, learned(first_word_runs(start + condition))


def auc(higher, lower):
    """The share of the pairs in which the first number is the larger one; equal ones count half."""
    pairs = [(a > b) + (a == b) / 2 for a in higher for b in lower]
    return statistics.mean(pairs)


def cells_of_first_word():
    """The cells of the first word up to T = 160: of each the runs (size, ratio, learned)."""
    for start, words in itertools.product(START_NAMES, LENGTHS[:-1]):
        first, last = (at_start(f"gradient {n}", start, words) for n in ("1", "last"))
        good = [max(run) >= 0.99 for run in first_word_runs(start, words)]
        yield [(a, a / b, c) for a, b, c in zip(first, last, good)]


@table
def sorting():
    cells = list(cells_of_first_word())
    runs = [run for cell in cells for run in cell]
    mixed = [cell for cell in cells if len({good for *_, good in cell}) == 2]
    pairs = [(a, b) for cell in mixed for a in cell for b in cell if a[2] > b[2]]
    size, ratio = (
        auc([r[n] for r in runs if r[2]], [r[n] for r in runs if not r[2]]) for n in (0, 1)
    )
    yield ("of all runs, T <= 160", "所有的运行，T 不超过 160"), f"{size:.3f}", f"{ratio:.3f}"
    size, ratio = (statistics.mean(a[n] > b[n] for a, b in pairs) for n in (0, 1))
    name = f"within the {len(mixed)} mixed cells", f"{len(mixed)} 个有成有败的格子之内"
    yield name, f"{size:.3f}", f"{ratio:.3f}"


# ------------------------------------------------------------------------------------ the gradient
@table
def gradient():
    for (when, script), name in before_and_after(NETWORKS).items():
        where = dict(script=script, when=when)
        cells = (
            spread(values("gradient", word, of=of, **where), ".1e")
            for word, of in (("1", "mean"), ("1", "p50"), ("80", "mean"))
        )
        yield name, *cells, spread(steps_back(**where), ".3f")


@table
def step_back():
    for script, english, chinese in (
        ("rnn_layer_imdb", "Keras starts W_hh as a rotation, and only tanh shrinks a little",
         "W_hh 初始是正交矩阵：只把状态转个方向，不缩小；缩小一点的是 tanh"),
        ("lstm_imdb", "the forget gate starts at .73, more comes back another way (section 4)",
         "遗忘门初始只有 0.73，另有一些从别的路绕回来（第 4 节）"),
        ("gru_imdb", "the update gate starts at .5, more comes back another way (section 4)",
         "更新门初始只有 0.5，另有一些从别的路绕回来（第 4 节）"),
    ):  # fmt: skip
        kept = mean(steps_back(script=script, when="before"), ".3f")
        yield NETWORKS[script], kept, (english, chinese)


@table
def mean_over_median():
    names = {
        "gradient 1 mean over median": ("as it is", "原样"),
        "gradient 1 mean over median by |p - y|": ("each divided by its p - y", "每条除以 p - y"),
    }

    def cell(quantity, script):
        return spread(values("backward", quantity=quantity, script=script), ".1f")

    return body(names, NETWORKS, cell)


@table
def eigenvalues():
    def cell(script, layer, when, n):
        where = dict(script=script, layer=layer, when=when, quantity=f"eigenvalue {n}")
        return spread(values("backward", **where), ".3f")

    names = {
        (script, layer): (f"{name} {layer}", f"{name} 第 {layer} 层")
        for script, name in NETWORKS.items()
        for layer in "12"
    }
    return body(names, (("before", 1), ("after", 1), ("after", 2), ("after", 3)), cell)


@table
def decay():
    def cell(script, quantity, steps):
        numbers = values("decay", script=script, quantity=quantity)
        return spread([number**steps for number in numbers])

    of_a_step, of_all = ("mean size", "mean Jacobian"), ("number p50", "gradient p50")
    columns = [(quantity, 70) for quantity in of_a_step] + [(quantity, 1) for quantity in of_all]
    return body(NETWORKS, columns, cell)


OPENING = {  # script, b_f or b_z, start in tasks.csv: name
    (script, bias, name + (f" {gate} = {bias}" if n else "")): punctuated(
        f"{name}, {gate} = {bias}"
    )
    for script, name, gate, biases in (
        ("lstm_imdb", "LSTM", "b_f", ("1", "1.5", "2", "2.5", "3")),
        ("gru_imdb", "GRU", "b_z", ("0", "1", "2", "3")),
    )
    for n, bias in enumerate(biases)
}


def gradient_of(script, bias, word="1", cut="nothing", data="imdb", when="before"):
    """A gradient of paths.csv, of each seed."""
    where = dict(script=script, bias=bias, data=data, when=when, cut=cut)
    return values("paths", word, **where)


@table
def paths():
    for (script, bias, start), name in OPENING.items():
        first, last = (at_start(f"gradient {n}", start) for n in ("1", "last"))
        alone = gradient_of(script, bias, cut="h everywhere", data="first")
        ratios = [a / b for a, b in zip(first, last)]
        yield name, *map(tiny, (first, alone, ratios)), learned(first_word_runs(start))


@table
def levels():
    for (script, bias, _), name in OPENING.items():
        yield name, *(tiny(gradient_of(script, bias, n)) for n in ("1", "20", "40", "60", "80"))


@table
def starts_imdb():
    names = {
        "LSTM, b_f = 1": "as it is",
        "LSTM, b_f = 3": "exercise 14",
        "GRU, b_z = 0": "as it is",
    }
    for (script, bias, _), name in OPENING.items():
        experiment = names.get(name[0], name[0].split(", ")[1])
        accuracy = percent(scores(experiment, seeds=5, script=script))
        yield name, tiny(gradient_of(script, bias)), accuracy


@table
def ways():
    def cell(when, script, cut):
        bias = {"lstm_imdb": "1", "gru_imdb": "0"}[script]
        return spread(gradient_of(script, bias, cut=cut, when=when), ".1e")

    cuts = "nothing", "h into the gates", "h into g", "h everywhere", "carry"
    return body(before_and_after(GATES), cuts, cell)


def gradients_after(hints, tenth, word, form=tiny):
    """The gradient at a word after so many tenths of the first epoch."""
    quantity = f"gradient {word} after {tenth} tenths"
    return form(values("first_epoch", hints=hints, quantity=quantity))


@table
def first_epoch():
    names = {("everywhere", tenth): f"{tenth}/10" for tenth in (0, 1, 2, 10)}
    return body(names, (1, 41, 61, 80), gradients_after)


@table
def first_epoch_short():
    names = {0: ("nothing", "还没开始"), 1: ("one tenth", "十分之一"),
             2: ("two tenths", "十分之二"), 10: ("all", "结束")}  # fmt: skip
    return body(names, (1, 80), partial(gradients_after, "everywhere", form=decimals))


@table
def hints():
    places = {"everywhere": "到处", "last 20": "末尾 20 个词", "first 20": "开头 20 个词"}
    names = {
        (where, tenth): (f"{where}, {tenth}/10", f"{chinese}，{tenth}/10")
        for where, chinese in places.items()
        for tenth in (0, 1, 2, 3, 5, 10)
    }
    return body(names, (1, 41, 61, 80), gradients_after)


# --------------------------------------------------------------------------------------- the gates
@table
def marker_gates():
    def cell(script, letter, kind):
        where = dict(task="marker", words="80", start=NETWORKS[script])
        return spread(values("tasks", quantity=f"gate 1 {letter} {kind}", **where))

    return body(EACH_GATE, ("marker", "after", "opinion", "other"), cell)


@table
def toy_gates():
    def cell(script, letter, kind):
        where = dict(script=script, layer="1", data="toy")
        return spread(values("gates", quantity=f"gate {letter} {kind}", **where))

    return body(EACH_GATE, ("plain", "turned", "not", "other"), cell)


@table
def held():
    for script, letters in GATES.items():
        for which in (letters[0], letters, "g", letters + "g"):
            where = dict(script=script, data="toy", quantity="accuracy")
            cells = (
                percent(values("gates", when=f"{which} held at {kind}", layer=layer, **where))
                for kind, layer in (("turned", "1"), ("turned", "2"), ("plain", "1"))
            )
            yield NETWORKS[script], ", ".join(which), *cells


def marker_accuracy(script, which, at, form=spread):
    """The score on the marker task with gates held."""
    return percent(values("marker", "accuracy", script=script, held=which, at=at), form)


@table
def marker_held():
    for script, letters in GATES.items():
        for which in (*letters, letters, "g", letters + "g"):
            places = "marker", "after", "both", "every word"
            cells = (marker_accuracy(script, which, at) for at in places)
            yield NETWORKS[script], ", ".join(which), *cells


@table
def marker_short():
    for lstm, gru, at, english, chinese in (
        ("nothing", "nothing", "", "nothing", "什么都不固定"),
        ("ifo", "zr", "after", "all gates, at the word after the marker",
         "所有的门，在标记的后一个词"),
        ("ifo", "zr", "marker", "all gates, at the marker", "所有的门，在标记词"),
        ("g", "g", "marker", "the candidate, at the marker", "候选 g，在标记词"),
        ("f", "z", "every word", "f (of the GRU: z), at every word", "f（GRU：z），在每个词"),
        ("i", "r", "every word", "another gate, i (of the GRU: r), at every word",
         "另一个门，i（GRU：r），在每个词"),
    ):  # fmt: skip
        cells = (marker_accuracy(*one, at, mean) for one in zip(GATES, (lstm, gru)))
        yield (english, chinese), *cells


# -------------------------------------------------------------------------------------- the memory
PARTS = {  # of memory.csv and kept.csv
    "as trained": ("everything", "全部"),
    "only slow": ("**only the slow number**", "**只有慢的那个数**"),
    "only first component": ("only the first principal component", "只有第一主成分"),
    "only random": ("only a random direction", "只有一个随机方向"),
    "slow away": ("all but the slow number", "全部，除了慢的那个数"),
    "ten others away":
        ("all but the ten largest other components", "全部，除了另外十个最大的主成分"),
    "other real away": ("all but the other real eigendirections", "全部，除了其他的实特征方向"),
    "first component away": ("all but the first principal component", "全部，除了第一主成分"),
    "half away": ("a random half of the dimensions", "随机抽一半维度"),
    "half away, slow kept": ("the same half and the slow number", "同样的一半，加上慢的那个数"),
    "half away, slow away":
        ("the same half without the slow number", "同样的一半，去掉慢的那个数"),
}  # fmt: skip


def remembered(when, script, name="kept", column="refitted", form=spread, **wanted):
    """The score of a network with a part of its state taken away, from a CSV."""
    return percent(values(name, column, when=when, script=script, **wanted), form)


@table
def kept():
    return body(PARTS, NETWORKS, partial(remembered, column="accuracy"))


@table
def kept_refitted():
    return body(PARTS, NETWORKS, remembered)


@table
def kept_short():
    names = {
        "as trained": ("everything", "全部"),
        "only slow": ("only the slow number", "只有慢的那个数"),
        "only random": ("only a random direction", "只有随便一个方向"),
        "slow away": ("everything but the slow number", "全部，除了慢的那个数"),
    }
    return body(names, NETWORKS, partial(remembered, form=mean))


@table
def ladder():
    names = {
        "last word": ("nothing: the last word alone", "什么都不记，只读最后一个词"),
        "+ other layer": ("the other layer's state", "加上另一层的状态"),
        "+ rest of layer":
            ("and the slow layer's, but for the slow number", "再加上慢的那一层，除了慢的那个数"),
        "as trained": ("and the slow number: as trained", "再加上慢的那个数，也就是原样"),
        "without other layer": ("the slow layer's state only", "只有慢的那一层的状态"),
    }  # fmt: skip
    in_memory = dict(name="memory", column="value", quantity="accuracy")
    return body(names, NETWORKS, partial(remembered, **in_memory))


# --------------------------------------------------------------------------- the order of the words
ORDERS = ("as they are", "neighbours exchanged", "shuffled")  # of shuffle.csv


def reordered(experiment, script, column, order, form=spread):
    """A column of shuffle.csv: the score, or the share of verdicts that stay the same."""
    return percent(
        values("shuffle", column, experiment=experiment, script=script, order=order), form
    )


@table
def shuffle():
    names = {
        (experiment, script): (f"{english}, {network}", f"{chinese}，{network}")
        for experiment, english, chinese in (
            ("as it is", "IMDB", "IMDB"),
            ("toy", "toy", "玩具数据"),
        )
        for script, network in {"rnn_cell_imdb": "SimpleRNNCell", **NETWORKS}.items()
    }
    columns = [("accuracy", order) for order in ORDERS]
    columns += [("same_verdict", order) for order in ORDERS[1:]]
    return body(names, columns, reordered)


@table
def shuffled():
    def cell(script, experiment, order):
        return reordered(experiment, script, "accuracy", order, mean)

    columns = itertools.product(("as it is", "toy"), ("as they are", "shuffled"))
    return body(NETWORKS, list(columns), cell)


# --------------------------------------------------------------------------------------- documents
def documents():
    """The pages that may hold tables."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def markdown(name, head, language):
    """The rows of a table as the lines of a document; language: 0 for English, 1 for Chinese."""
    lines = [[c if isinstance(c, str) else c[language] for c in row] for row in TABLES[name]()]
    if {len(line) for line in lines} != {head.count(" | ") + 1}:
        raise ValueError(f"{name}: rows of another length than the head")
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def remade(page, text):
    """A page with every table made anew -> its text, and the names of those that differ.

    ValueError for a mark without its other, or without a head.
    """
    changed = []

    def made(match):
        begin, name, head, old = match.groups()
        new = markdown(name, head, language=int("zh-CN" in page))
        if new != old:
            changed.append(name)
        return f"{begin}{new}<!-- end -->"

    new, count = MARKED.subn(made, text)
    if count != text.count("<!-- table:") or count != text.count("<!-- end -->"):
        raise ValueError("a mark without its other, or without a head")
    return new, changed


def main(argv=None):
    parser = flags.parser(__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 if one differs")
    check, differ = parser.parse_args(argv).check, False
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
