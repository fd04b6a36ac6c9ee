"""docs/by-hand.md in both languages: every number in it is worked out here once more."""

import math
import re

import common  # before TensorFlow
import numpy as np
import pytest
from conftest import ROOT
from docs.measure import by_hand, networks
from docs.measure.lookup import USUAL, read_csv, values

PAGES = {path.parent.name: path for path in ROOT.glob("docs/**/by-hand.md")}
each_page = pytest.mark.parametrize("page", PAGES)
POWER = {"docs": ("79", ""), "zh-CN": ("", "79")}  # of w: the steps from word 80 back to word 1
NUMBER = r"\d[\d,]*(?:\.\d+)?(?:e-?\d+)?"


def blocks(page, section):
    """The blocks of text of a section, one behind the other; x and * are both "times"."""
    text = PAGES[page].read_text(encoding="utf-8").split(f"\n## {section}. ")[1].split("\n## ")[0]
    return "\n".join(re.findall(r"```text\n(.*?)```", text, re.S)).replace(" x ", " * ")


def numbers(text):
    """The numbers of a text without their signs, as it shows them."""
    return [n.replace(",", "") for n in re.findall(rf"(?<![\w.]){NUMBER}(?![\w])", text)]


def shows(number, value):
    """Is a number, as a page shows it, this value rounded to as many digits?"""
    mantissa, _, exponent = number.partition("e")
    digits = len(mantissa.partition(".")[2])
    return abs(float(number) - abs(value)) <= 0.501 * 10.0 ** (int(exponent or 0) - digits)


def check(page, section, known, needed):
    """Each number of a section is one that is known, and those that it is about are there."""
    found = numbers(blocks(page, section))
    assert [n for n in found if not any(shows(n, value) for value in known)] == []
    assert [value for value in needed if not any(shows(n, value) for n in found)] == []


def equations(text):
    """What stands on both sides of an equals sign, where the left is digits and signs only."""
    left = r"[(+-]* ?\d[\d ,.*+/()-]*(?:tanh\([\d.]+\))?"
    return [
        (left.replace(",", ""), right.replace(",", ""))
        for left, right in re.findall(rf"(?:^|  |= )({left}?) += +(-?{NUMBER})", text, re.M)
    ]


@each_page
@pytest.mark.parametrize("section, at_least", [(1, 7), (5, 2), (6, 4)])
def test_what_stands_left_of_an_equals_sign_is_what_stands_right(page, section, at_least):
    sums = equations(blocks(page, section))
    assert len(sums) >= at_least
    for left, right in sums:
        value = eval(left, {"tanh": math.tanh})
        assert shows(right.lstrip("-"), value) and float(right) * value >= 0, (left, right)


@each_page
def test_the_parameters_are_those_of_the_shapes(page):
    shapes = {100: [(100, 64), (64, 64), (64,)], 64: [(64, 64), (64, 64), (64,)]}  # W_xh, W_hh, b
    rnn, rnn_2 = (sum(np.zeros(s).size for s in shapes[n]) for n in (100, 64))
    gru = 3 * (rnn + 64)  # a second row of biases
    results = {int(right) for _, right in equations(blocks(page, 1))}
    assert {rnn, rnn_2, 4 * rnn, 4 * rnn_2, gru, 65, 1_000_000} <= results


@each_page
def test_one_unit_to_the_79th_stands_beside_the_networks(page):
    powers, ratios = [np.prod(np.full(79, w)) for w in (0.7, 0.9, 1, 1.1)], []
    for start in "SimpleRNN .7", "SimpleRNN .9", "SimpleRNN":
        where = dict(task="first", start=start, words="80", **USUAL)
        word_1, word_80 = (values("tasks", quantity=f"gradient {n}", **where) for n in (1, "last"))
        ratios.append(np.mean(np.divide(word_1, word_80)))
    assert set(re.findall(r"\^(\d+)|的 (\d+) 次方", blocks(page, 2))) == {POWER[page]}
    counted = [1, 79, 80]  # words and steps
    check(page, 2, [*powers, *ratios, 0.7, 0.9, 1.1, *counted], [*powers, *ratios])
    assert max(ratio / power for ratio, power in zip(ratios, powers)) < 7  # the page says so


@each_page
def test_forgetting_forwards_is_vanishing_backwards(page):
    known, needed = [*range(7), 0.8], []
    for f in 0.73, 0.95, 1:
        c, moved = ([c_1 * f**n for n in range(6)] for c_1 in (0.8, 0.9))  # i * g is 0 after word 1
        derivative = (moved[-1] - c[-1]) / (moved[0] - c[0])
        known += [f, *c, derivative]
        needed += [c[-1], derivative]
        if page == "docs":
            row = re.search(rf"(?m)^f = {f} .*$", blocks(page, 3)).group()
            assert all(map(shows, numbers(row), [f, *c, derivative])), row
    check(page, 3, known, needed)


@each_page
def test_the_sum_stays_and_the_difference_goes(page):
    shown = re.findall(r"(?m)^[ |]+(-?0\.\d)  (-?0\.\d)(?: \|)?$", blocks(page, 4))
    matrix, turns = np.array(shown, float).reshape(2, 2, 2)
    state, rows = np.array([1.0, 0.0]), []
    for _ in range(21):
        rows.append([*state, state.sum(), state[0] - state[1]])
        state = state @ matrix
    assert np.allclose(matrix @ [1, 1], [1, 1]) and np.allclose(matrix @ [1, -1], [0.4, -0.4])
    turned = [np.linalg.matrix_power(turns, n)[0] for n in range(4)]  # from (1, 0) on
    assert np.allclose(np.linalg.norm(turned, axis=1), 1)
    np.testing.assert_allclose(sorted(np.linalg.eigvals(turns).imag), [-0.8, 0.8])
    way = re.findall(r"-> \((-?[\d.]+), (-?[\d.]+)\)", blocks(page, 4))
    np.testing.assert_allclose(np.array(way, float), turned[1:])
    known = [*np.ravel(rows[:4] + rows[20:]), *np.ravel(turned), *range(4), 20, 0.7, 0.3, 0.4]
    check(page, 4, known, [*np.ravel(rows[1:4]), 0.4])
    if page == "docs":
        form = r"W \* \((.*?)\) += .* = \((.*?)\) +times (.*)"
        products = re.findall(form, blocks(page, 4))
        assert len(products) == 2
        for weights, left, factor in products:
            weights, left = (np.array(text.split(","), float) for text in (weights, left))
            np.testing.assert_allclose(left, matrix @ weights)
            np.testing.assert_allclose(left, weights * float(factor))
        for line in re.findall(r"(?m)^step (.*)$", blocks(page, 4)):
            step, *shown = line.split()  # all of them positive
            assert all(map(shows, shown, rows[int(step)])) and "-" not in line, line


@each_page
def test_an_average_cannot_tell_the_two_sentences_apart(page):
    assert "good not bad" in blocks(page, 5) and "bad not good" in blocks(page, 5)
    assert {right for _, right in equations(blocks(page, 5))} == {"0"}


def check_unit(of):
    """The numbers of a unit are those of an LSTM's equations."""
    for letter in "ifgo":
        total = of[f"x W_{letter}"] + of[f"h W_{letter}"] + of[f"b_{letter}"]
        value = np.tanh(total) if letter == "g" else 1 / (1 + np.exp(-total))
        assert of[letter] == pytest.approx(value, abs=2e-5)
    c = of["f"] * of["c before"] + of["i"] * of["g"]
    assert of["c"] == pytest.approx(c, abs=3e-5)  # five digits each in the CSV
    assert of["h"] == pytest.approx(of["o"] * np.tanh(c), abs=3e-5)


def test_the_numbers_of_a_unit_are_read_at_the_last_word(tmp_path, monkeypatch):
    model, index = networks.load("lstm_imdb", 0), common.toy_reviews()[2]
    model.embedding.embeddings.assign(20 * model.embedding.embeddings)
    ids = common.encode([[index[word] for word in by_hand.TEXTS[1].split()]])
    of = by_hand.numbers(model, by_hand.TEXTS[1])
    check_unit(of)
    h = model.rnn_1(model.embedding(ids))[0, -1, by_hand.UNIT]
    assert of["h"] == pytest.approx(float(h), abs=1e-5)
    assert of["P(positive)"] == pytest.approx(float(model(ids)[0, 0]), abs=1e-5)
    word = (model.embedding(ids)[0, -1:] @ model.rnn_1.cell.kernel)[0, by_hand.UNIT :: 64]
    assert [of[f"x W_{k}"] for k in "ifgo"] == pytest.approx(word, abs=1e-5)
    assert [of[f"b_{k}"] for k in "ifgo"] == [0, 1, 0, 0]
    monkeypatch.setattr(by_hand, "CSV", tmp_path / "by_hand.csv")
    model.save_weights(tmp_path / "toy.weights.h5")
    for _ in range(2):  # the second time it is made anew
        by_hand.main(["--weights", str(tmp_path / "toy.weights.h5")])
        head, *rows = (line.split(",") for line in by_hand.CSV.read_text().splitlines())
        there = [[*row.values()][:2] for row in read_csv("by_hand")]
        assert head == [*read_csv("by_hand")[0]] and [row[:2] for row in rows] == there
    values = [float(value) for *_, value in rows[-len(of) :]]
    assert values == pytest.approx([*of.values()], abs=6e-6)  # five digits


@each_page
def test_the_unit_is_that_of_the_network_of_the_readme(page):
    known, needed = [], []
    rows = read_csv("by_hand")
    for text in by_hand.TEXTS:
        of = {row["quantity"]: float(row["value"]) for row in rows if row["text"] == text}
        check_unit(of)
        total = of["x W_i"] + of["h W_i"] + of["b_i"]
        needed += [of[name] for name in ("x W_i", "h W_i", "b_i", "i", "f", "g", "o", "c", "h")]
        known += [*of.values(), total]
    check(page, 6, [*known, 1], needed)
    text = PAGES[page].read_text(encoding="utf-8")
    assert re.search(rf"(number|的) {by_hand.UNIT}\b", text)  # its number in layer 1


def test_inside_shows_the_same_unit():
    lines = re.findall(r"(?m)^the plot was .*=.*$", blocks("docs", 6))[:2]
    inside = (ROOT / "docs/inside.md").read_text(encoding="utf-8")
    assert len(lines) == 2 and all(line in inside for line in lines)
