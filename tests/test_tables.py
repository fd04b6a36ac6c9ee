"""docs/measure: the floors, how tables are written, and what the plots show."""

import ast
import itertools
import re

import common
import numpy as np
import pytest
from conftest import ROOT
from docs.measure import figures, lookup, names, networks, tables
from pages import PAGES

MODULES = {path.stem: path.read_text("utf-8") for path in ROOT.glob("docs/measure/*.py")}


# -------------------------------------------------------------------------------------- the floors
def imports(text):
    """The modules of docs/measure that one imports."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.module == "docs.measure":
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module.startswith("docs.measure."):
            yield node.module.split(".")[2]


def test_a_file_is_a_library_or_a_program_and_imports_only_libraries_below_it():
    programs = {name for name, text in MODULES.items() if "__main__" in text}
    floors = {name: set(imports(text)) for name, text in MODULES.items()}
    assert all(not below & programs for below in floors.values())
    while floors:  # take away what stands on nothing more
        ground = {name for name, below in floors.items() if not below & floors.keys()}
        assert ground, f"they import each other in a ring: {sorted(floors)}"
        floors = {name: below for name, below in floors.items() if name not in ground}


# -------------------------------------------------------------------------------------- the tables
HEADS = {"README.md": "| name | score |\n| --- | --- |\n",
         "docs/zh-CN/guide.md": "| 名称 | 成绩 |\n| --- | --- |\n"}  # fmt: skip


@pytest.fixture
def page(tmp_path, monkeypatch):
    """A page in each language with one table of two made-up CSV rows."""
    for module in tables, lookup:
        monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(tables, "TABLES", {})
    lookup.read_csv.cache_clear()
    (tmp_path / "docs/measure").mkdir(parents=True)
    (tmp_path / "docs/zh-CN").mkdir()
    (tmp_path / "docs/measure/made.csv").write_text("seed,of,value\n0,a,0.5\n1,a,0.75\n2,b,9\n")
    for name, head in HEADS.items():
        text = f"one\n<!-- table: made -->\n{head}<!-- end -->\ntwo\n"
        (tmp_path / name).write_text(text, "utf-8")

    @tables.table
    def made():
        yield ("first", "第一"), tables.percent(lookup.values("made", of="a"))
        yield "LSTM", tables.spread(lookup.values("made", of="b"), ".1f")

    yield tmp_path
    lookup.read_csv.cache_clear()


def start(capsys, *flags):
    """Start tables.py in this process -> its exit status, what it said."""
    with pytest.raises(SystemExit) as end:
        tables.main(flags)
    return end.value.code, capsys.readouterr().out.split()


def test_both_languages_are_written_and_check_names_what_differs(page, capsys):
    pages = ["README.md:", "made", "docs/zh-CN/guide.md:", "made"]
    both = ["differs:", *pages[:2], "differs:", *pages[2:]]
    assert start(capsys, "--check") == (1, both)
    assert "LSTM" not in (page / "README.md").read_text("utf-8")  # only compared
    assert start(capsys) == (0, [w.replace("differs", "written") for w in both])
    assert (page / "README.md").read_text("utf-8") == (
        f"one\n<!-- table: made -->\n{HEADS['README.md']}"
        "| first | 62.5 % (50.0 to 75.0) |\n| LSTM | 9.0 |\n<!-- end -->\ntwo\n"
    )
    assert "| 第一 | 62.5%（50.0～75.0） |\n" in (page / "docs/zh-CN/guide.md").read_text("utf-8")
    assert start(capsys, "--check") == (0, [])
    (page / "README.md").write_text((page / "README.md").read_text("utf-8").replace("9.0", "9.1"))
    assert start(capsys, "--check") == (1, ["differs:", *pages[:2]])


def test_a_table_without_its_marks_or_head_and_a_row_that_is_not_there_are_errors(page, capsys):
    mark, end = "<!-- table: made -->\n", "<!-- end -->\n"
    for text, message in (
        (f"{mark}\n{mark}{HEADS['README.md']}{end}", "a mark without its other"),
        (f"{mark}| a | b |\n{end}", "or without a head"),
        (f"{mark}| a |\n| --- |\n{end}", "made: rows of another length than the head"),
    ):
        (page / "README.md").write_text(text)
        said, _ = start(capsys)
        assert said.startswith("README.md: ") and message in said
        assert (page / "README.md").read_text() == text
    with pytest.raises(ValueError, match="made.csv has no row with"):
        lookup.values("made", of="c")


def test_every_table_is_the_one_made_from_the_csvs(capsys):
    assert start(capsys, "--check") == (0, [])


IN_BOTH = """SimpleRNN = SimpleRNN; LSTM = LSTM; GRU = GRU; whole run = 整次运行; both = 两处
accuracy = 准确率; training step = 训练一步; scoring 2 = 评估 2; parameters = 参数; pairs = 二元
highest = 最高; alike = 同样用心; why = 为什么; before = 训练前; second = 第二; median = 中位数
word 1 = 第 1 个词; word 80 = 第 80 个词; word T = 第 T 个词; Jacobian = 雅可比
mean, word = 平均，第; slow number = 慢的那个数; layer 1 = 第 1 层; layer 2 = 第 2 层
the marker = 标记词处; into the gates = 到门; into g = 到 g; by the carry = 只走
script = 脚本; network = 网络; model = 模型
exchanged = 对调; shuffled = 打乱; 40 = 40; 200 = 200; 0.002 = 0.002"""


def test_the_heads_of_a_table_stand_in_the_same_order_in_both_languages():
    """A head is the page's own: this notices most columns that are exchanged in one of them."""
    pairs = [pair.split(" = ") for pair in re.split("; |\n", IN_BOTH)]
    heads = {}
    for page, text in PAGES.items():
        for _, name, head, _ in tables.MARKED.findall(text):
            heads.setdefault(name, {})["zh-CN" in page] = head.split(" | ")
    assert heads.keys() == tables.TABLES.keys()
    for name, head in heads.items():
        for ours, theirs in zip(head.get(False, ()), head.get(True, ())):
            differ = [e for e, c in pairs if (e in ours) != (c in theirs)]
            numbers = [re.findall(r"\d+", text) for text in (ours, theirs)]
            alike = numbers[0] == numbers[1] or [] in numbers
            assert differ == [] and alike, (name, ours, theirs)


def test_before_is_before_and_kept_is_by_network():
    """A figure of three tables, from the rows themselves."""
    (first,) = [row for row in tables.gradient() if row[0][0] == "LSTM, after"]
    curves = [r for r in lookup.rows("gradient", script="lstm_imdb", of="mean", when="after")]
    assert first[1][0].startswith(f"{np.mean([float(row['1']) for row in curves]):.1e} (")
    (rest,) = [row for row in tables.kept() if row[0][0] == "all but the slow number"]
    gone = [float(r["accuracy"]) for r in lookup.rows("kept", script="gru_imdb", when="slow away")]
    assert rest[3][0].startswith(f"{100 * np.mean(gone):.1f} %")
    (lstm,) = [row for row in tables.lengths() if row[0] == "LSTM"]
    (exercise,) = [row for row in tables.exercises() if row[0][0].startswith("4. ")]
    assert lstm[3] == exercise[1]  # 200 words


# --------------------------------------------------------------------------------------- the plots
def lines(axes, x=None):
    """What an axes shows: {label: y}, at x. Lines with a name look each another way."""
    named = [line for line in axes.lines if not line.get_label().startswith("_")]
    low, high = axes.get_ylim()
    assert all(low <= np.median(line.get_ydata()) <= high for line in named)
    assert x is None or all(list(line.get_xdata()) == [*x] for line in named)
    looks = [(a.get_color(), a.get_linestyle(), a.get_marker(), a.get_mfc()) for a in named]
    assert len(set(looks)) == len(looks)
    return {line.get_label(): np.array(line.get_ydata(), float) for line in axes.lines}


def ticks(axes):
    return [tick.get_text() for tick in axes.get_xticklabels()]


def said(axes):
    return axes.get_title(), axes.get_xlabel(), axes.get_ylabel()


def legend(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def check_shade(shade, ends):
    """A shade lies between these ends [n, 2] at the places of an axis."""
    x, y = shade.get_paths()[0].vertices.T
    found = [(y[x == at].min(), y[x == at].max()) for at in np.unique(x)]
    np.testing.assert_allclose(found, list(ends), rtol=1e-5)


def geometric_mean(numbers):
    return np.prod(np.array(numbers, float)) ** (1 / len(numbers))


def test_the_gradient_is_drawn_before_and_after_by_word():
    before, *after = figures.gradient().axes
    label, steps = "gradient at the word", range(1, 81)
    for name, axes, y in zip(names.NETWORKS.values(), after, (label, "", "")):
        assert said(axes) == (f"{name}, after 4 epochs", "word", y) and axes.get_yscale() == "log"
    assert said(before) == ("before training", "word (80: the last)", label)
    assert before.get_yscale() == "log"
    assert (legend(before), legend(after[0])) == ([*lines(before)], ["mean", "median review"])
    assert len({line.get_linestyle() for line in before.lines}) == 3  # without colour, too
    for (script, name), axes in zip(names.NETWORKS.items(), after):
        line = {
            (when, of): [geometric_mean(lookup.values("gradient", str(n), **where)) for n in steps]
            for when, of in itertools.product(("before", "after"), ("mean", "p10", "p50", "p90"))
            for where in [dict(script=script, when=when, of=of)]
        }
        assert lines(before, steps)[name] == pytest.approx(line["before", "mean"])
        assert lines(axes, steps)["mean"] == pytest.approx(line["after", "mean"])
        assert lines(axes)["median review"] == pytest.approx(line["after", "p50"])
        check_shade(axes.collections[0], zip(line["after", "p10"], line["after", "p90"]))


def test_the_level_of_the_gradient_is_drawn_by_how_far_the_forget_gate_is_open():
    (axes,) = figures.levels().axes
    labels = "LSTM before training", "word (80: the last)", "gradient at the word"
    assert axes.get_yscale() == "log" and said(axes) == labels
    words = (1, *range(10, 81, 10))
    shown = lines(axes, words)
    assert list(shown) == legend(axes) == ["b_f = 3", "b_f = 2", "b_f = 1"]
    where = dict(script="lstm_imdb", data="imdb", when="before", cut="nothing")
    for bias in "123":
        gradients = [lookup.values("paths", str(n), bias=bias, **where) for n in words]
        assert shown[f"b_f = {bias}"] == pytest.approx([*map(geometric_mean, gradients)])
        check_shade(axes.collections["321".index(bias)], [(min(of), max(of)) for of in gradients])


def test_the_first_word_is_drawn_as_cause_and_effect_by_length():
    figure = figures.first_word()
    cause, effect = figure.axes
    label, x = "gradient at the first word / at the last", "words of a review"
    assert (*said(cause), cause.get_yscale()) == ("before training", x, label, "log")
    assert said(effect) == ("best of six epochs", x, "test accuracy, %")
    assert ticks(cause) == ticks(effect) == ["10", "20", "40", "80", "160", "320"]
    shrunk, is_open = "SimpleRNN, W_hh times .7", "LSTM, forget gate starts open"
    shown = list(lines(cause, range(6)))
    assert shown == list(lines(effect, range(6))) == ["SimpleRNN", shrunk, "LSTM", is_open]
    (of_both,) = figure.legends
    assert [text.get_text() for text in of_both.get_texts()] == shown
    starts = "SimpleRNN", "SimpleRNN .7", "LSTM", "LSTM b_f = 3"
    gradients = "gradient 1", "gradient last"
    for label, start in zip(lines(cause), starts):
        for at, n in enumerate(lookup.LENGTHS):
            best = [max(run) for run in lookup.first_word_runs(start, n)]
            assert lines(effect)[label][at] == pytest.approx(100 * np.mean(best))
            lost = np.divide(*(lookup.at_start(gradient, start, n) for gradient in gradients))
            assert lines(cause)[label][at] == pytest.approx(geometric_mean(lost))
    assert lines(cause)[shrunk][3] < 1e-10 < lines(cause)["LSTM"][3] < 1e-3
    assert lines(cause)["SimpleRNN"][3] < 1 < 100 < lines(cause)[is_open][3]


def test_lengths_are_drawn_by_model_with_their_range():
    (axes,) = figures.lengths().axes
    assert axes.get_ylabel() == "test accuracy, %" and axes.get_xlabel() == "words of each review"
    assert ticks(axes) == ["40", "80", "200", "320"]
    containers = {c.get_label(): c for c in axes.containers}
    assert list(containers) == list(lookup.MODELS) == legend(axes)
    for model, (line, _, (bars,)) in containers.items():
        for at, words in enumerate((40, 80, 200, 320)):
            scores = 100 * np.array(lookup.scores_at(model, words))
            assert line.get_ydata()[at] == pytest.approx(scores.mean())
            assert bars.get_segments()[at][:, 1] == pytest.approx([scores.min(), scores.max()])


def test_the_curves_are_those_of_the_logs(tmp_path):
    for script in names.SCRIPTS:
        for seed in names.SEEDS:
            path = names.saved(tmp_path, "as it is", script, seed)
            head = "epoch,loss,accuracy,val_loss,val_accuracy\n"
            rows = f"{head}1,{seed},.1,.2,.3\n2,9,.5,.6,.7\n"
            path.with_name(path.name + ".csv").write_text(rows)
    axes = figures.curves(tmp_path).axes
    loss, accuracy = axes[0], axes[4]
    titles = [f"SimpleRNN{title}" for title in ("Cell by hand", "")] + ["LSTM", "GRU"]
    assert [said(a)[0] for a in axes[:4]] == titles and said(loss)[2] == "loss"
    assert said(accuracy) == ("", "epoch", "accuracy") and legend(accuracy) == ["training", "test"]
    shown = [{label: y.tolist() for label, y in lines(a, (1, 2)).items()} for a in (loss, accuracy)]
    assert shown == [{"training": [2, 9], "test": [0.2, 0.6]},
                     {"training": [0.1, 0.5], "test": [0.3, 0.7]}]  # fmt: skip
    check_shade(loss.collections[0], [(0, 4), (9, 9)])  # of the losses by seed


@pytest.fixture
def given(tmp_path, monkeypatch, ids):
    """Untrained networks in the place of trained ones, five reviews, an index of all words used."""
    runs = [("as it is", s) for s in names.NETWORKS] + [("toy", s) for s in names.GATES]
    for name, script in runs:
        path = names.weights(tmp_path, name, script, 0)
        networks.load(script, 6 if name == "toy" else 5).save_weights(path)
    ids[:, 0] = 7
    monkeypatch.setattr(networks, "TIMES", (20,))
    monkeypatch.setattr(common, "read_npz", lambda path: (None, (ids, np.zeros(5))))
    words = common.tokenize(f"{figures.POSITIVE} {figures.NEGATIVE}")
    index = {word: rank for rank, word in enumerate(dict.fromkeys(words), start=1)}
    monkeypatch.setattr(common, "load_word_index", {"imdb.npz": index}.get)
    return tmp_path, "imdb.npz"


def test_gates_are_drawn_before_and_after_and_word_by_word(given, ids):
    top, lstm, gru = figures.gates(*given).axes
    letters = [f"{name} {layer}\n{letter}" for name, ls in (("LSTM", "ifo"), ("GRU", "zr"))
               for layer in (1, 2) for letter in ls]  # fmt: skip
    assert ticks(top) == letters and top.get_title() == "left: before training, right: after"
    middles = [line for line in top.lines if line.get_marker() == "o"]  # others: caps of the bars
    at = {line.get_xdata()[0]: line.get_ydata()[0] for line in middles}
    for dx, seed in (-0.15, 0), (0.15, 5):
        f = networks.read_gates(networks.load("lstm_imdb", seed), ids)[0]["f"]
        assert at[1 + dx] == pytest.approx(np.median(f[:, 1:]))
        (bar,) = [c[2][0] for c in top.containers if c[0].get_xdata()[0] == 1 + dx]
        ends = np.percentile(f[:, 1:], (10, 90))
        np.testing.assert_allclose(bar.get_segments()[0][:, 1], ends, atol=1e-6)
    words, so_far = figures.prefixes(figures.NEGATIVE, common.load_word_index("imdb.npz"))
    for axes, script, letters in (lstm, "lstm_imdb", "ifo"), (gru, "gru_imdb", "zr"):
        name, layer = axes.get_title().split(",")[0], int(axes.get_title().split()[2][0])
        assert name == names.NETWORKS[script] and ticks(axes) == words
        values = networks.read_gates(networks.load(script, 5), so_far[-1:])[layer - 1]
        of_text = {letter: values[letter][0, -len(words) :] for letter in letters}
        assert list(lines(axes)) == [f"{letter}, mean of the units" for letter in letters]
        for letter, line in zip(letters, axes.lines):
            np.testing.assert_allclose(line.get_ydata(), of_text[letter].mean(axis=1), atol=1e-5)
        (shade,), (letter,) = axes.collections, set("fz") & set(letters)
        assert shade.get_label() == f"{letter}, 10th to 90th percentile"
        assert {*legend(axes)} == {*lines(axes), shade.get_label()}
        ends = np.percentile(of_text[letter], (10, 90), axis=1).T
        check_shade(shade, ends)


def test_a_toy_text_is_drawn_with_a_not_and_without(given):
    index, texts = common.toy_reviews()[2], ("the plot was good", "the plot was not good")
    drawn = figures.negation(given[0]).axes
    for axes, (script, text) in zip(drawn, itertools.product(names.GATES, texts), strict=True):
        assert ticks(axes) == text.split()
        y = "" if "not" in text else "gate, mean of the units"
        assert said(axes) == (f"{names.NETWORKS[script]}, layer 1", "", y)
        assert not y or "".join(legend(axes)) == names.GATES[script]
        ids = common.encode([[index[word] for word in text.split()]])
        values, _ = networks.read_gates(networks.load(script, 6), ids)
        assert "".join(lines(axes)) == names.GATES[script]
        for letter, line in lines(axes).items():
            mean = values[letter][0, -len(line) :].mean(axis=1)
            np.testing.assert_allclose(line, mean, atol=1e-5)
    _, so_far = figures.prefixes(text, index)
    assert so_far[:, -1].tolist() == ids[0, -5:].tolist() and so_far[-1].tolist() == ids[0].tolist()


def test_the_words_that_a_page_sees_in_the_picture_are_read_there():
    for page, form in (
        ("", "Look at the upper curves: (.*?) each"),
        ("zh-CN/", "先看右上：读到 (.*?)，"),
    ):
        text = (names.ROOT / f"docs/{page}inside.md").read_text(encoding="utf-8")
        words = re.findall(r"[a-z]+", re.search(form, text)[1].replace(" and ", " "))
        assert [word for word in figures.NEGATIVE.split() if word in words] == words != []
    for page in "README.md", "docs/zh-CN/guide.md", "docs/zh-CN/inside.md":
        text = (names.ROOT / page).read_text(encoding="utf-8")
        phrase = re.search('"(.*?)" costs the left review|左边的 (.*?) 本来是夸', text)
        assert f" {phrase[1] or phrase[2]} " in figures.POSITIVE


def test_the_slow_number_goes_up_with_the_verdict(given, ids):
    figure = figures.direction(*given)
    *above, good, bad = figure.axes
    assert [said(axes)[::2] for axes in (*above, good)] == [
        ("meant as positive", "the slow number"), ("meant as negative", ""), ("", "P(positive)"),
    ]  # fmt: skip
    below = figure.get_supxlabel().removeprefix("Down most: ").replace("\n", " ")
    lists = [words.strip().split(", ") for words in below.split("Up most: ")]
    moved = [[lookup.values("memory", script="lstm_imdb", seed="0", quantity=f"moved by {word}")
              for word in words] for words in lists]  # fmt: skip
    assert np.shape(moved) == (2, 20, 1) and np.max(moved[0]) < 0 < np.min(moved[1])
    model = networks.load("lstm_imdb", 5)
    layer, jacobian = networks.slow_jacobians(model, ids)
    left, _ = networks.slow_direction(jacobian)
    p, states, _ = networks.read(model, ids)
    goes_up = np.sign(np.corrcoef(states[layer - 1][:, -1].numpy() @ left, p)[0, 1])
    for upper, lower, text in zip(above, (good, bad), (figures.POSITIVE, figures.NEGATIVE)):
        words, so_far = figures.prefixes(text, common.load_word_index("imdb.npz"))
        number = networks.read(model, so_far[-1:])[1][layer - 1][0, -len(words) :].numpy() @ left
        assert upper.lines[0].get_ydata() == pytest.approx(goes_up * number, rel=1e-3, abs=1e-6)
        line, half = lower.lines
        assert line.get_ydata() == pytest.approx(model(so_far).numpy()[:, 0], abs=1e-5)
        assert ticks(lower) == words and set(half.get_ydata()) == {0.5}


def test_eigenvalues_are_drawn_for_the_slow_layer(given, ids):
    axes = figures.eigenvalues(*given).axes
    assert said(axes[0])[1:] == ("real part", "imaginary part")
    assert legend(axes[0]) == ["before", "after"]
    for (script, name), of in zip(names.NETWORKS.items(), axes, strict=True):
        before, after = (networks.jacobians(networks.load(script, seed), ids) for seed in (0, 5))
        n = networks.slow_layer(after) - 1
        assert said(of)[0] == f"{name}, layer {n + 1}"
        circle, *points = of.lines
        np.testing.assert_allclose(np.hypot(*circle.get_data()), 1)
        for line, label, jacobian in zip(points, ("before", "after"), (before[n], after[n])):
            found = np.sort_complex(np.linalg.eigvals(jacobian.mean(axis=0)))
            drawn = np.sort_complex(line.get_xdata() + 1j * line.get_ydata())
            assert line.get_label() == label and drawn == pytest.approx(found, abs=1e-5)


def test_a_figure_is_written_by_its_name_and_says_what_flags_it_needs(
    tmp_path, monkeypatch, capsys
):
    (tmp_path / "docs/pictures").mkdir(parents=True)
    monkeypatch.setattr(figures, "ROOT", tmp_path)
    figures.main(["levels"])
    assert [path.name for path in tmp_path.rglob("*.*")] == ["levels.png"]
    with pytest.raises(SystemExit, match="2"):
        figures.main(["gates", "--runs", "runs"])
    assert capsys.readouterr().err.endswith("error: gates needs --data\n")
