"""docs/measure: the floors, how tables are written, and what the plots show."""

import ast
import sys
from types import SimpleNamespace

import common
import numpy as np
import pytest
from conftest import ROOT
from docs.measure import figures, names, networks, readings, tables

MODULES = {path.stem: path for path in (ROOT / "docs/measure").glob("*.py")}


# -------------------------------------------------------------------------------------- the floors
def imports(name):
    """The modules of docs/measure that one imports."""
    nodes = [
        n
        for n in ast.walk(ast.parse(MODULES[name].read_text("utf-8")))
        if isinstance(n, ast.ImportFrom)
    ]
    of_folder = {alias.name for n in nodes if n.module == "docs.measure" for alias in n.names}
    return of_folder | {
        n.module.split(".")[2] for n in nodes if n.module.startswith("docs.measure.")
    }


def test_a_file_is_a_library_or_a_program_and_imports_only_libraries_below_it():
    programs = {name for name, path in MODULES.items() if "__main__" in path.read_text("utf-8")}
    floors = {name: imports(name) for name in MODULES}
    assert all(not below & programs for below in floors.values())
    while floors:  # take away what stands on nothing more
        ground = {name for name, below in floors.items() if not below & floors.keys()}
        assert ground, f"they import each other in a ring: {sorted(floors)}"
        floors = {name: below for name, below in floors.items() if name not in ground}


# -------------------------------------------------------------------------------------- the tables
@pytest.fixture
def page(tmp_path, monkeypatch):
    """A page in each language with one table of two made-up CSV rows."""
    for module in tables, readings:
        monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(tables, "TABLES", {})
    readings.read_csv.cache_clear()
    (tmp_path / "docs/measure").mkdir(parents=True)
    (tmp_path / "docs/zh-CN").mkdir()
    (tmp_path / "docs/measure/made.csv").write_text("seed,of,value\n0,a,0.5\n1,a,0.75\n2,b,9\n")
    for name in "README.md", "docs/zh-CN/guide.md":
        (tmp_path / name).write_text("one\n<!-- table: made -->\n<!-- end -->\ntwo\n", "utf-8")

    @tables.table("name | score", "名称 | 成绩")
    def made():
        yield ("first", "第一"), tables.percent(readings.values("made", of="a"))
        yield "LSTM", tables.spread(readings.values("made", of="b"), ".1f")

    yield tmp_path
    readings.read_csv.cache_clear()


def start(monkeypatch, capsys, *flags):
    """Start tables.py in this process -> its exit status, what it said."""
    monkeypatch.setattr(sys, "argv", ["tables", *flags])
    with pytest.raises(SystemExit) as end:
        tables.main()
    return end.value.code, capsys.readouterr().out.split()


def test_both_languages_are_written_and_check_names_what_differs(page, monkeypatch, capsys):
    pages = ["README.md:", "made", "docs/zh-CN/guide.md:", "made"]
    both = ["differs:", *pages[:2], "differs:", *pages[2:]]
    assert start(monkeypatch, capsys, "--check") == (1, both)
    assert "|" not in (page / "README.md").read_text("utf-8")  # only compared
    assert start(monkeypatch, capsys)[0] == 0
    assert (page / "README.md").read_text("utf-8") == (
        "one\n<!-- table: made -->\n| name | score |\n| --- | --- |\n"
        "| first | 62.5 % (50.0 to 75.0) |\n| LSTM | 9.0 |\n<!-- end -->\ntwo\n"
    )
    assert "| 第一 | 62.5%（50.0～75.0） |\n" in (page / "docs/zh-CN/guide.md").read_text("utf-8")
    assert start(monkeypatch, capsys, "--check") == (0, [])
    (page / "README.md").write_text((page / "README.md").read_text("utf-8").replace("9.0", "9.1"))
    assert start(monkeypatch, capsys, "--check") == (1, ["differs:", *pages[:2]])


def test_a_mark_without_its_other_and_a_row_that_is_not_there_are_errors(page, monkeypatch, capsys):
    (page / "README.md").write_text("<!-- table: made -->\n\n<!-- table: made -->\n<!-- end -->\n")
    assert "README.md: a mark without its other" in start(monkeypatch, capsys)[0]
    with pytest.raises(ValueError, match="made.csv has no row with"):
        readings.values("made", of="c")


def test_every_table_is_the_one_made_from_the_csvs(monkeypatch, capsys):
    assert start(monkeypatch, capsys, "--check") == (0, [])


def test_before_is_before_and_kept_is_by_network():
    """A figure of three tables, from the rows themselves."""
    rows = [list(row) for row in tables.gradient()]
    (first,) = [row for row in rows if row[0][0] == "LSTM, after"]
    curves = [r for r in readings.rows("gradient", script="lstm_imdb", of="mean", when="after")]
    mean = np.mean([float(row["1"]) for row in curves])
    assert first[1][0].startswith(f"{mean:.1e} (")
    (rest,) = [row for row in tables.kept() if row[0][0] == "all but the slow number"]
    scores = [
        float(r["value"]) for r in readings.rows("memory", script="gru_imdb", when="slow away")
    ]
    assert rest[3][0].startswith(f"{100 * np.mean(scores):.1f} %")
    (lstm,) = [row for row in tables.lengths() if row[0][0] == "LSTM"]
    (exercise,) = [row for row in tables.exercises() if row[0][0].startswith("4. ")]
    assert lstm[3] == exercise[1]  # 200 words


# --------------------------------------------------------------------------------------- the plots
def lines(axes):
    """What an axes shows: {label: y}."""
    return {line.get_label(): np.array(line.get_ydata(), float) for line in axes.lines}


def ticks(axes):
    return [tick.get_text() for tick in axes.get_xticklabels()]


def test_the_gradient_is_drawn_before_and_after_by_word():
    before, *after = figures.gradient(None).axes
    assert [axes.get_title() for axes in after] == [
        f"{name}, after 4 epochs" for name in names.NETWORKS.values()
    ]
    assert before.get_title() == "before training" and before.get_yscale() == "log"
    assert before.get_ylabel() == after[0].get_ylabel() == "gradient at the word"
    for when, axes, label in ("before", before, "LSTM"), ("after", after[1], "mean"):
        rows = readings.rows("gradient", script="lstm_imdb", when=when, of="mean")
        for word in 1, 80:
            by_seed = [float(row[str(word)]) for row in rows]
            mean = np.exp(np.log(by_seed).mean())
            assert lines(axes)[label][word - 1] == pytest.approx(mean)


def test_the_first_word_is_drawn_as_cause_and_effect_by_length():
    figure = figures.first_word(None)
    cause, effect = figure.axes
    label = "gradient at the first word / at the last"
    assert (cause.get_ylabel(), cause.get_yscale()) == (label, "log")
    assert effect.get_ylabel() == "test accuracy, %"
    assert ticks(cause) == ticks(effect) == ["10", "20", "40", "80", "160", "320"]
    shrunk, is_open = "SimpleRNN, W_hh times .7", "LSTM, forget gate starts open"
    assert list(lines(cause)) == list(lines(effect)) == ["SimpleRNN", shrunk, "LSTM", is_open]
    (legend,) = figure.legends  # one for both
    assert [text.get_text() for text in legend.get_texts()] == list(lines(cause))
    for label, start in ("LSTM", "LSTM"), (shrunk, "SimpleRNN .7"):
        runs = readings.first_word_runs(start, "80")
        assert lines(effect)[label][3] == pytest.approx(100 * np.mean([max(run) for run in runs]))
        where = dict(task="first", start=start, words="80", **readings.USUAL)
        first, last = (
            np.array(readings.values("tasks", quantity=f"gradient {word}", **where))
            for word in ("1", "last")
        )
        ratio = np.exp(np.log(first / last).mean())
        assert lines(cause)[label][3] == pytest.approx(ratio)
    assert lines(cause)[shrunk][3] < 1e-10 < lines(cause)["LSTM"][3] < 1e-3
    assert lines(cause)["SimpleRNN"][3] < 1 < 100 < lines(cause)[is_open][3]


def test_lengths_are_drawn_by_model_with_their_range():
    (axes,) = figures.lengths(None).axes
    assert axes.get_ylabel() == "test accuracy, %" and axes.get_xlabel() == "words of each review"
    assert ticks(axes) == ["40", "80", "200", "320"]
    containers = {c.get_label(): c for c in axes.containers}
    assert list(containers) == list(readings.MODELS)
    scores = 100 * np.array(readings.scores("exercise 4"))
    line, _, (bars,) = containers["LSTM"]
    assert line.get_ydata()[2] == pytest.approx(scores.mean())
    assert bars.get_segments()[2][:, 1] == pytest.approx([scores.min(), scores.max()])


def test_the_curves_are_those_of_the_logs(tmp_path):
    for script in names.SCRIPTS:
        for seed in names.SEEDS:
            path = names.saved(tmp_path, "as it is", script, seed)
            head = "epoch,loss,accuracy,val_loss,val_accuracy\n"
            path.with_name(path.name + ".csv").write_text(
                f"{head}1,{seed},.1,.2,.3\n2,9,.5,.6,.7\n"
            )
    axes = figures.curves(SimpleNamespace(runs=tmp_path)).axes
    loss, accuracy = axes[0], axes[4]
    assert (loss.get_ylabel(), accuracy.get_ylabel()) == ("loss", "accuracy")
    assert accuracy.get_xlabel() == "epoch" and axes[2].get_title() == "LSTM"
    assert lines(loss)["training"].tolist() == [2, 9] and lines(loss)["test"].tolist() == [0.2, 0.6]
    assert lines(accuracy)["training"].tolist() == [0.1, 0.5]
    assert lines(accuracy)["test"].tolist() == [0.3, 0.7]


@pytest.fixture
def args(tmp_path, monkeypatch, ids):
    """Untrained networks in the place of trained ones, five reviews, an index of all words used."""
    for name, script in [("as it is", s) for s in names.NETWORKS] + [
        ("toy", s) for s in names.GATES
    ]:
        model = networks.load(script, 5)
        model.save_weights(names.weights(tmp_path, name, script, 0))
    ids[:, 0] = 7
    monkeypatch.setattr(networks, "TIMES", (20,))
    monkeypatch.setattr(common, "read_npz", lambda path: (None, (ids, None)))
    words = common.tokenize(f"{figures.POSITIVE} {figures.NEGATIVE}")
    index = {word: rank for rank, word in enumerate(dict.fromkeys(words), start=1)}
    monkeypatch.setattr(common, "load_word_index", lambda path: index)
    return SimpleNamespace(runs=tmp_path, data="imdb.npz")


def test_gates_are_drawn_before_and_after_and_word_by_word(args):
    top, lstm, gru = figures.gates(args).axes
    letters = [f"{name} {layer}\n{letter}" for name, ls in (("LSTM", "ifo"), ("GRU", "zr"))
               for layer in (1, 2) for letter in ls]  # fmt: skip
    assert ticks(top) == letters and top.get_title() == "left: before training, right: after"
    before, after = networks.load("lstm_imdb", 0), networks.load("lstm_imdb", 5)
    ids = common.read_npz(None)[1][0]
    middles = [line for line in top.lines if line.get_marker() == "o"]  # others: caps of the bars
    at = {line.get_xdata()[0]: line.get_ydata()[0] for line in middles}
    for dx, model in (-0.15, before), (0.15, after):
        f = np.median(networks.read_gates(model, ids)[0]["f"][:, 1:])
        assert at[1 + dx] == pytest.approx(f)
    for axes, name, n in (lstm, "LSTM", 3), (gru, "GRU", 2):
        assert axes.get_title().startswith(f"{name}, layer ") and len(axes.lines) == n
        assert ticks(axes) == common.tokenize(figures.NEGATIVE)
    assert list(lines(gru)) == ["z, mean of the units", "r, mean of the units"]


def test_a_toy_text_is_drawn_with_a_not_and_without(args):
    plain, negated, *_ = figures.negation(args).axes
    assert ticks(plain) == ["the", "plot", "was", "good"]
    assert ticks(negated) == ["the", "plot", "was", "not", "good"]
    words, so_far = figures.encode("the plot was not good", common.toy_reviews()[2])
    values = networks.read_gates(networks.load("lstm_imdb", 5), so_far[-1:])[0]["f"][0, -5:]
    np.testing.assert_allclose(lines(negated)["f"], values.mean(axis=1), atol=1e-5)


def test_the_slow_number_goes_up_with_the_verdict(args):
    figure = figures.direction(args)
    state, other, p, _ = figure.axes
    assert (state.get_title(), other.get_title()) == ("meant as positive", "meant as negative")
    assert state.get_ylabel() == "the slow number"
    assert p.get_ylabel() == "P(positive)" and ticks(p) == common.tokenize(figures.POSITIVE)
    down, up = figure.get_supxlabel().split("Up most: ")
    assert "worst" in down and "excellent" in up


def test_eigenvalues_are_drawn_for_the_slow_layer(args):
    axes = figures.eigenvalues(args).axes
    assert [a.get_title().split(",")[0] for a in axes] == list(names.NETWORKS.values())
    (before,) = [line for line in axes[0].lines if line.get_label() == "before"]
    assert np.hypot(*before.get_data()).max() > 0.5 and axes[0].get_ylabel() == "imaginary part"


def test_a_figure_says_what_flags_it_needs(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["figures", "gates", "--runs", "runs"])
    with pytest.raises(SystemExit, match="2"):
        figures.main()
    assert capsys.readouterr().err.endswith("error: gates needs --data\n")
