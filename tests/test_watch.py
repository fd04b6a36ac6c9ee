"""docs/watch.html: what it shows is what the scripts' networks compute with the weights in it.

Its own script runs in node, with a small stand-in for the browser. What it shows is checked twice:
with the weights that are in it, and with others, of other numbers of units.
"""

import contextlib
import functools
import importlib
import itertools
import json
import random
import re
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from unicodedata import ucd_3_2_0
from xml.etree import ElementTree

import common  # first: it sets TensorFlow's environment variables
import numpy as np
import pytest
import reference
from conftest import ROOT, TINY, call, untraced
from docs.measure import networks, sentences, watch
from docs.measure.lookup import read_csv

TEXT = watch.PAGE.read_text(encoding="utf-8")
SCRIPTS = {"SimpleRNN": "rnn_layer_imdb", "LSTM": "lstm_imdb", "GRU": "gru_imdb"}
GATES = {"SimpleRNN": "", "LSTM": "ifo", "GRU": "zr"}
LETTERS = {"SimpleRNN": "h", "LSTM": "ifgo", "GRU": "zrg"}  # as Keras lays the blocks out
SHOWN = {"SimpleRNN": "h", "LSTM": "ifgoch", "GRU": "zrgh"}
LENGTH = common.MAX_REVIEW_LEN
WHENS = "after", "before", "held"
CHARACTER = "[\u4e00-\u9fff]"
HALF = 0.00501  # two places are shown
SIDES = "as written", "without the struck words"
INK = re.compile(  # how the style of a cell shows a gate, or another number
    r"background-size:(?P<width>[\d.]+)% 100%"
    r"|background-color:rgba\(var\(--(?P<colour>plus|minus)\),(?P<depth>[\d.]+)\)"
)


# --------------------------------------------------------------- the page, and Keras's own networks
def other_networks():
    """Networks that nobody trained, of other sizes, with weights large enough to be told apart."""
    rng, networks = np.random.RandomState(7), {}
    ids = len(common.toy_reviews()[2]) + 4
    for name, units in {"SimpleRNN": 5, "LSTM": 3, "GRU": 6}.items():
        m = units * len(LETTERS[name])
        b = (2, m) if name == "GRU" else (m,)
        shapes = (ids, m), (units, m), b, (units, m), (units, m), b, (units, 1), (1,)
        networks[name] = [[0.6 * rng.randn(*shape) for shape in shapes] for _ in watch.WHEN]
    return networks


@pytest.fixture(scope="module", params=["as it is", "other weights"])
def page(request):
    """The text of the page and the data in it."""
    text = TEXT
    if request.param != "as it is":
        text = watch.write(TEXT, watch.data_of(other_networks()))
    return SimpleNamespace(text=text, data=json.loads(watch.LINE.search(text)[1]), read={})


as_it_is = pytest.mark.parametrize("page", ["as it is"], indirect=True)


def arrays(page, name, when):
    """The arrays of a network in the page, as Keras has them: layer 1's kernel is an identity."""
    ids = 4 + len(page.data["words"])
    table, *rest = watch.unpack(name, page.data["nets"][name], when, ids)
    return [a.astype("f8") for a in (table, np.eye(table.shape[1]), *rest)]


def keras_model(page, name, when):
    """The script's own model with the page's weights in it."""
    units = page.data["nets"][name]["units"]
    model = importlib.import_module(SCRIPTS[name]).SentimentClassifier(units)
    model.build((None, LENGTH))
    table, one, *rest = arrays(page, name, when)
    embedding, kernel = (np.zeros(np.shape(w)) for w in model.get_weights()[:2])
    embedding[: len(table), : len(one)], kernel[: len(one)] = table, one
    model.set_weights([embedding, kernel, *rest])
    return model


def docstring(name):
    return importlib.import_module(SCRIPTS[name]).__doc__


def first_terms(name, x_t, before, W, U, bias):
    """What a step begins with: {term: [n, u]}; before: the terms of the step before."""
    terms = {"h_{t-1}": before["h_t"], "c_{t-1}": before["c_t"]}
    rows = {"SimpleRNN": ["b"], "LSTM": ["b_{}"], "GRU": ["b_x{}", "b_h{}"]}[name]
    sums = {"x_t W_x{}": x_t @ W, "h_{{t-1}} W_h{}": before["h_t"] @ U}
    for form, whole in (sums | dict(zip(rows, np.atleast_2d(bias)))).items():
        for letter, part in zip(LETTERS[name], np.split(whole, len(LETTERS[name]), axis=-1)):
            terms[form.format(letter)] = part
    return terms


def by_equations(page, name, when, ids, held=""):
    """Each term of the scripts' equations, in NumPy; of some gates the means in their place.

    -> of both layers {term: [n, 80, u]}; P, votes and b of Dense.
    """
    table, one, *weights, w, b = arrays(page, name, when)
    x, layers, shape = table[ids], [], (len(ids), len(w))
    means = page.data["nets"][name]["means"]
    for mean, (W, U, bias) in zip(means, ((one, *weights[:2]), weights[2:]), strict=True):
        steps = [dict.fromkeys(("h_t", "c_t"), np.zeros(shape))]
        for x_t in np.moveaxis(x, 1, 0):
            terms = first_terms(name, x_t, steps[-1], W, U, bias)
            reference.evaluate(docstring(name), terms, {k: np.array(mean[k]) for k in held})
            steps.append({"c_t": terms["h_t"]} | terms)
        terms = {k: [np.broadcast_to(step[k], shape) for step in steps[1:]] for k in terms}
        layers.append({key: np.stack(of_steps, axis=1) for key, of_steps in terms.items()})
        x = layers[-1]["h_t"]
    return SimpleNamespace(
        layers=layers, p=reference.sigmoid(x @ w + b)[..., 0], votes=x * w[:, 0], b=b[0]
    )


def reading(page, *what):
    """What by_equations returns, of a few texts; each reading is made once."""
    key = tuple(x if isinstance(x, str) else x.tobytes() for x in what)
    if key not in page.read:
        page.read[key] = by_equations(page, *what)
    return page.read[key]


def ids_of(page, texts):
    index = {word: rank for rank, word in enumerate(page.data["words"], start=1)}
    return common.encode([index.get(w, common.TOTAL_WORDS) for w in words] for words in texts)


# --------------------------------------------------------------------------------- the page in node
def node(text, **wanted):
    """Run the page in node -> what tests/browser/page.js prints. Skips where there is none."""
    if not shutil.which("node"):
        pytest.skip("there is no node")
    ran = subprocess.run(
        ["node", ROOT / "tests/browser/page.js"],
        input=json.dumps({"html": text, **wanted}),
        capture_output=True,
        encoding="utf-8",
        timeout=300,
    )
    assert not ran.returncode, ran.stderr[-2000:]
    return json.loads(ran.stdout)


def show(text, actions, language="en"):
    """What the page shows as it opens, and after each of the actions -> a list of views."""
    return [SimpleNamespace(**v) for v in node(text, actions=actions, language=language)]


def clicks(*actions):
    return [["click", action] for action in actions]


def tree(html):
    return ElementTree.fromstring(f"<div>{html}</div>")


def words_of(element):
    return "".join(element.itertext()).strip()


def shown(element):
    """Classes and text of an element; the text as a number if it is one, as .46 or −.46."""
    text, kinds = words_of(element), set(element.get("class", "").split())
    with contextlib.suppress(ValueError):
        text = number(text)
    return kinds, text


def number(text):
    return float(text.replace("\u2212", "-"))


def near(value):
    return pytest.approx(value, abs=HALF)


# --------------------------------------------------------------------------- reading as Keras does
def many_texts(words):
    """Texts of all kinds: empty, a word, 200 words, unknown ones, Chinese, capitals, emoji."""
    rng = random.Random(0)
    lengths = [*range(1, 15)] * 3 + [78, 79, 80, 81, 120, 200]
    texts = [" ".join(rng.choices(words, k=n)) for n in lengths]
    texts += [f"{rng.choice(words)} unheard {rng.choice(words)}".title() for _ in range(10)]
    odd = "|good|not|xyzzy|the PLOT, was (NOT) bad!|film's plot|don't|''|film\u2019s|a\u00a0b|---"
    odd += "|\u00c9t\u00e9 e\u0301te\u0301|\u0130stanbul|3.5/10|这部电影不错|这部 movie 不错。"
    odd += "|ＢＡＤ，ｇｏｏｄ＇ｓ！|bad\U0001f44d\U0001f3fdgood|7\ufe0f\u20e3"
    odd += "|\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1e8\U0001f1f3 \u2764\ufe0f"
    return [*texts, *odd.split("|")]


def test_it_splits_a_text_as_common_does():
    """Every character that Unicode 3.2 has, which no Python and no node has wrong, in a word."""
    old = [c for c in map(chr, range(0x20000)) if ucd_3_2_0.category(c) not in ("Cn", "Cs")]
    texts = [f"a{c}B {c}" for c in old]
    words = node(TEXT, texts=texts, only_words=True)["words"]
    wrong = {t: w for t, w in zip(texts, words, strict=True) if w != common.tokenize(t)}
    assert wrong == {} and len(texts) > 50_000


@as_it_is
def test_the_page_computes_what_the_scripts_compute(page):
    texts = many_texts(page.data["words"])
    found, words = node(page.text, texts=texts), [common.tokenize(text) for text in texts]
    ids = ids_of(page, words)
    assert (found["words"], found["ids"]) == (words, ids.tolist()) and len(found["p"]) == 6
    for key, p in found["p"].items():
        expected = keras_model(page, *key.split())(ids, training=False).numpy()[:, 0]
        np.testing.assert_allclose(p, expected, atol=1e-5, rtol=0)  # float32 beside float64


@as_it_is
def test_the_page_says_how_many_reviews_are_right(page):
    texts, labels, index = common.toy_reviews()
    _, (x, y) = common.load_toy()
    assert page.data["words"] == sorted(index, key=index.get) and page.data["tests"] == len(y)
    form = r"was (?:not )?(?:really |so |quite )?(\w+)(?: not (\w+))?"
    said = [word for text in texts for found in re.findall(form, text) for word in found]
    assert set(page.data["opinions"]) == set(said) - {""}
    assert page.data["pairs"] == sorted(f"{a or ''} {b}" for a, b in toy_pairs())
    lengths = {len(text.split()) for text in texts}
    assert page.data["lengths"] == [min(lengths), max(lengths)]
    for name, net in page.data["nets"].items():
        assert net["right"].keys() == {"before", "", *GATES[name], GATES[name]}
        for key, right in net["right"].items():
            when, held = ("before", "") if key == "before" else ("after", key)
            whole = by_equations(page, name, when, x, held)
            assert abs(((whole.p[:, -1] > 0.5) == y).sum() - right) <= 1, (name, key)  # one at .5
            if key:
                continue
            for layer, means in zip(whole.layers, net["means"], strict=True):
                assert means.keys() == set(GATES[name])
                for gate, mean in means.items():
                    np.testing.assert_allclose(layer[gate][x > 0].mean(0), mean, atol=1e-4)


def test_in_both_layers_more_leans_to_good_and_the_first_unit_leans_most(page):
    _, (x, y) = common.load_toy()
    for name in page.data["nets"]:
        for layer in by_equations(page, name, "after", x, "").layers:
            leaning = [np.corrcoef(unit, y)[0, 1] for unit in layer["h_t"][:, -1].T]
            assert min(leaning) >= 0 and leaning == sorted(leaning, reverse=True)


# ---------------------------------------------------------------------------- what is on the screen
def views_of(page):
    """Texts, networks, layers and gates held, as the page itself writes them."""
    texts = ["the plot was not bad", "so NOT NOT dull, in spring", "not xyzzy bad not good",
             "we saw it " * 26 + "the plot was not bad it is set"]  # fmt: skip
    rounds, actions = 2 if page.text == TEXT else 1, []
    for n, (name, layer, when) in enumerate(rounds * [*itertools.product(SCRIPTS, (0, 1), WHENS)]):
        text, holds = texts[(n + n // 18) % len(texts)], [*GATES[name], GATES[name]]
        held = holds[(n + n // 18) % len(holds)] if when == "held" else ""
        letter = (SHOWN[name] + "v")[n % (len(SHOWN[name]) + layer)]
        view = dict(net=name, layer=layer, held=held, unit=n % 3, letter=letter)
        view |= dict(when="before" if when == "before" else "after")
        actions.append(["write", text, view | dict(at=len(text.split()) - 1 - n % 3)])
    return actions


def expected(page, view):
    """What both sentences must show, by the equations."""
    state, sides, words = view.state, [], common.tokenize(view.state["text"])
    for side in (0, 1):
        stays = [not (side and k in state["out"]) for k in range(len(words))]
        up_to = [[w for w, s in zip(words[: k + 1], stays) if s] for k in range(len(words))]
        ids, read = ids_of(page, up_to), {}
        for name in SCRIPTS:
            held = state["held"] if name == state["net"] else ""
            read[name] = reading(page, name, state["when"], ids, held)
        start, at = LENGTH - len(up_to[state["at"]]) - 1, state["at"]  # of the reading shown
        steps = [start + len(up_to[k]) if stays[k] and k <= at else -1 for k in range(len(words))]
        p, one = {name: whole.p[:, -1] for name, whole in read.items()}, read[state["net"]]
        early = [not set(some) & set(page.data["opinions"]) for some in up_to]
        kinds = {
            name: ["early" if e else "good" if q > 0.5 else "bad" for e, q in zip(early, of)]
            for name, of in p.items()
        }
        inside = {key: a[at] for key, a in one.layers[state["layer"]].items()}
        inside |= {"votes": one.votes[at], "P": one.p[at], "b of Dense": one.b}
        sides.append(
            SimpleNamespace(words=words, stays=stays, p=p, kinds=kinds, inside=inside, steps=steps)
        )
    return sides


@functools.cache
def toy_pairs():
    """Two words that stand side by side in a toy review; None stands before the first."""
    reviews = [[None, *text.split()] for text in common.toy_reviews()[0]]
    return {pair for words in reviews for pair in itertools.pairwise(words)}


def strange(words):
    """What no toy review has, as the page writes it."""
    pairs = itertools.pairwise([None, *words])
    return [f"{a or '(start)'} {b}" for a, b in pairs if (a, b) not in toy_pairs()]


def only(**flags):
    return {name for name, flag in flags.items() if flag}


def marks(k, at):
    return only(now=k == at, later=k > at)


def check_stage(page, view, sides):
    state, at, opinions = view.state, view.state["at"], page.data["opinions"]
    bodies = tree(view.html["stage"]).findall("table/tbody")
    for s, (body, side) in enumerate(zip(bodies, sides, strict=True)):
        head, *rows = body.findall("tr")
        assert words_of(head[0]) == SIDES[s]
        for k, (cell, word) in enumerate(zip(head[1:-1], side.words, strict=True)):
            out, (button,) = not side.stays[k], cell
            differs, pressed = not s and k in state["out"], str(out if s else k == at).lower()
            assert shown(cell) == (marks(k, at) | only(out=out, differs=differs), word)
            unknown = word not in page.data["words"]
            assert shown(button[0])[0] == only(opinion=word in opinions, unknown=unknown)
            does = f"{'out' if s else 'at'} {k}"
            assert (button.get("aria-pressed"), button.get("data-do")) == (pressed, does)
            assert button.get("title").startswith("strike" if s else "read up to this")
        for row, (name, p) in zip(rows, side.p.items(), strict=True):
            held = state["held"] if name == state["net"] else ""
            note = f"{', '.join(held)}: held at its mean" if held else ""
            assert words_of(row[0]) == name + note
            read = [k for k in range(at + 1) if side.stays[k]]
            for k, cell in enumerate(row[1:-1]):
                if k not in read:  # neither a bar nor a number
                    assert (words_of(cell), len(cell)) == ("", 0)
                    continue
                assert shown(cell) == ({side.kinds[name][k]} | marks(k, at), near(p[k]))
                bar = re.fullmatch(r"(bottom|top):50%;height:([\d.]+)%", cell[0][0].get("style"))
                assert bar[1] == ("bottom" if p[k] > 0.5 else "top")
                assert float(bar[2]) == pytest.approx(100 * abs(p[k] - 0.5), abs=0.06)
            verdict = side.kinds[name][read[-1]] if read else "early"
            doubt = "?" if verdict != "early" and strange([side.words[k] for k in read]) else ""
            text = verdict.replace("early", "not yet") + doubt
            assert shown(row[-1]) == ({"verdict", verdict}, text)


def ink(cell):
    """How far a cell is filled: a gate's width, or another number's depth with its sign."""
    style = INK.fullmatch(cell.get("style"))
    if style["width"]:
        return float(style["width"]) / 100
    return float(style["depth"]) * (1 if style["colour"] == "plus" else -1)


def check_cells(page, view, sides):
    state, at, units = view.state, view.state["at"], page.data["nets"][view.state["net"]]["units"]
    letters = SHOWN[state["net"]] + "v" * state["layer"]
    terms = [{"c": "c_t", "h": "h_t"}.get(letter, letter) for letter in letters]
    blocks = tree(view.html["blocks"])
    assert [h3.text.strip() for h3 in blocks.iter("h3")] == terms
    wanted = {}
    tables = zip(blocks.iter("table"), itertools.product(zip(letters, terms), (0, 1)), strict=True)
    for table, ((letter, term), s) in tables:
        side, values = sides[s], sides[s].inside["votes" if letter == "v" else term]
        assert words_of(table.find("caption")) == SIDES[s]
        assert shown(table)[0] == {"cells"} | only(gate=letter in "ifozr")
        heads = [(words_of(th), th.find("s") is None, shown(th)[0]) for th in table[1][0][1:]]
        columns = [marks(k, at) for k in range(len(side.words))]
        assert heads == [*zip(side.words, side.stays, columns)]
        assert [words_of(row[0]) for row in table[2]] == [str(unit) for unit in range(units)]
        for row in table[2]:  # a word that is not read has an empty cell
            empty = [k for k, cell in enumerate(row[1:]) if shown(cell) == (columns[k], "")]
            assert empty == [k for k, step in enumerate(side.steps) if step < 0]
        for unit, (k, step) in itertools.product(range(units), enumerate(side.steps)):
            if step >= 0:
                v, chosen = values[step, unit], (unit, k) == (state["unit"], at)
                depth = np.tanh(v) if letter in "cv" else v
                kinds = columns[k] | only(unit=chosen)
                wanted[f"cell {letter} {s} {unit} {k}"] = kinds, near(v), near(depth), chosen
    cells = [cell for cell in blocks.iter("td") if cell.get("data-do")]
    assert wanted == {
        cell.get("data-do"): (*shown(cell), ink(cell), cell.get("tabindex") == "0")
        for cell in cells
    }


def check_head(view, sides):
    """Above the equations: which unit, and P of the three networks."""
    state, at, head = view.state, view.state["at"], tree(view.html["chosen"])
    title = f"{sides[0].words[at]}: layer {state['layer'] + 1}, unit {state['unit']}"
    assert words_of(head.find("h2")) == title
    for s, (key, side) in enumerate(zip(head.findall("span"), sides, strict=True)):
        label, *scores = key
        assert shown(label) == ({f"side{s}"}, f"■ {SIDES[s]}")
        for score, (name, p) in zip(scores, side.p.items(), strict=True):
            kind, (shown_name, text) = shown(score)[0], words_of(score).split()
            assert shown_name == name
            if side.stays[at]:
                assert (number(text), kind) == (near(p[at]), {side.kinds[name][at]})
            else:
                assert (text, kind) == ("\u2013", {"early"})


def check_equations(page, view, sides):
    state, units = view.state, page.data["nets"][view.state["net"]]["units"]
    unit, at, whole = state["unit"], state["at"], tree(view.html["equations"])
    votes = [f"v_{k}" for k in range(units)]
    lines = {
        left: right for left, (right, _) in reference.equations(docstring(state["net"])).items()
    }
    lines["P"] = f"sigmoid({' + '.join(votes)} + b)"
    equations = [e for e in whole.iter("div") if "equation" in shown(e)[0]]
    for (left, right), equation in zip(lines.items(), equations, strict=True):
        held, letter = left in state["held"], "v" if left == "P" else left[0]
        assert shown(equation)[0] == {"equation"} | only(chosen=letter == state["letter"])
        *columns, note = equation
        assert words_of(note) == ("held at its mean" if held else "")
        names, *rows = zip(*map(list, columns), strict=True)  # names, as written, without
        text = left if held else f"{left} = {right}"
        assert re.sub(r"\s", "", "".join(map(words_of, names))) == re.sub(r"\s", "", text)
        numbers = [[words_of(cell.find("em")) for cell in row] for row in rows]
        # + \u2212.09 is written \u2212.09
        assert "+ \u2212" not in " ".join("".join(cell.itertext()) for row in rows for cell in row)
        for s, (row, texts, side) in enumerate(zip(rows, numbers, sides, strict=True)):
            step = side.steps[at]
            assert all(f"side{s}" in shown(cell)[0] for cell in row)
            if step < 0:
                assert set(texts) == {"\u2013"}
                continue
            if left == "P":
                values = dict(zip(votes, side.inside["votes"][step]))
                values |= {"P": side.inside["P"][step], "b": side.inside["b of Dense"]}
            else:
                values = {key: a[step, unit] for key, a in side.inside.items() if np.ndim(a) == 2}
            terms = [words_of(cell.find("em")) for cell in names]
            assert [number(text) for text in texts] == [near(values[term]) for term in terms]
            if not held:  # the line as it stands comes out, but for the places that are not shown
                line = "".join("".join(cell.itertext()) for cell in row).replace("\u2212", "-")
                result, formula = line.split("=", 1)
                off = HALF * (2 + len(texts)) * max(1, *(abs(number(n)) for n in texts))
                scope = {"sigmoid": reference.sigmoid, "tanh": np.tanh}
                assert eval(formula, scope) == pytest.approx(float(result), abs=off)
        for a, b, (_, *cells) in zip(*numbers, columns, strict=True):
            differ = a != b and "\u2013" not in (a, b)
            assert all(("changed" in shown(cell)[0]) == differ for cell in cells)
    onward = ("h_t goes to the next step", "Here x_t is h_t of layer 1")[state["layer"]]
    assert onward in words_of(whole)


def check_buttons(page, view):
    state, net = view.state, page.data["nets"][view.state["net"]]
    keys = "nets", "layers", "held", "when", "questions"
    buttons = [button for key in keys for button in tree(view.html[key]).iter("button")]
    pressed = {b.get("data-do").strip() for b in buttons if b.get("aria-pressed") == "true"}
    wanted = {f"net {state['net']}", f"layer {state['layer']}", f"when {state['when']}"}
    gates, choices = GATES[state["net"]] if state["when"] == "after" else "", []
    if gates:
        wanted.add(f"held {state['held']}".strip())
        choices = [f"held {letters}" for letters in ("", *gates, gates)]
    assert pressed == wanted
    assert [b.get("data-do") for b in tree(view.html["held"]).iter("button")] == choices
    right = net["right"][state["held"] if state["when"] == "after" else "before"]
    said = f"Right on {right:,} of the {page.data['tests']:,} toy test reviews"
    if state["held"]:
        said += f", with {', '.join(state['held'])} of both layers held"
    assert re.match(re.escape(said) + "[.:]", view.text["right"])
    words = common.tokenize(state["text"])
    unknown = not set(words) <= set(page.data["words"])
    assert ("not one of their words" in view.text["unknown"]) == unknown
    read = [(k, word) for k, word in enumerate(words) if k <= state["at"]]
    sides = [[w for k, w in read if not s or k not in state["out"]] for s in (0, 1)]
    odd = [] if unknown else [f"“{pair}”" for words in sides for pair in strange(words)]
    found = view.text["unknown"].partition("No toy review has ")[2].removesuffix(".")
    assert found == ", ".join(dict.fromkeys(odd))
    assert view.max == len(words) - 1 and view.value["at"] == state["at"]
    assert view.aria == ["word read last", words[state["at"]]]


def test_all_that_is_shown_is_the_networks_own(page):
    _, *views = show(page.text, views_of(page))
    assert len(views) in (18, 36)
    for view in views:
        sides = expected(page, view)
        check_stage(page, view, sides)
        check_cells(page, view, sides)
        check_head(view, sides)
        check_equations(page, view, sides)
        check_buttons(page, view)


# ------------------------------------------------------------------------------- what can be done
def stage_words(view):
    bodies = tree(view.html["stage"]).iter("tbody")
    return [[words_of(cell) for cell in body.find("tr")[1:-1]] for body in bodies]


def test_what_is_seen_first_is_two_sentences_and_that_the_verdict_turns():
    (view,) = show(TEXT, [])
    assert stage_words(view) == [["the", "plot", "was", "not", "bad"]] * 2
    assert view.state["out"] == [3] and view.state["when"] == "after"
    stage = tree(view.html["stage"])
    verdicts = [words_of(row[-1]) for row in stage.iter("tr")]
    assert verdicts == ["", "good", "good", "good", "", "bad", "bad", "bad"]
    early = [cell for cell in stage.iter("td") if "early" in shown(cell)[0]]
    assert len(early) == 3 * (4 + 3)  # what P says before the opinion is grey
    assert view.text["unknown"] == ""


def test_each_click_does_what_it_says(page):
    word, texts = page.data["words"][7], ("the plot was not bad", "the plot was not good")
    steps = (  # what is done; what is then so
        ("click", "at 2", dict(at=2, text=texts[0], out=[3])),
        ("click", "out 4", dict(out=[3, 4])),
        ("click", "out 3", dict(out=[4])),
        ("click", "example 1", dict(text=texts[1], out=[3], at=4)),
        ("click", "net GRU", dict(net="GRU", letter="h")),
        ("click", "layer 1", dict(layer=1)),
        ("click", "held zr", dict(held="zr")),
        ("click", "when before", dict(when="before", held="")),
        ("click", "when after", dict(when="after", held="")),
        ("click", "cell g 1 2 1", dict(letter="g", unit=2, at=1)),
        ("click", "word 7", dict(text=f"{texts[1]} {word}", at=5)),
        ("click", "held r", dict(held="r")),
        ("type", "so good", dict(text="so good", out=[], at=1)),
        ("click", "question 3", dict(question=3, net="GRU", when="after", held="")),
        ("click", "held z", dict(held="z")),
        ("click", "net SimpleRNN", dict(net="SimpleRNN", held="")),
        ("click", "question 5", dict(question=5, when="before", net="LSTM")),
        ("slide", "1", dict(at=1)),
        ("type", " .", dict(question=None)),
        ("type", "Bad", dict(text="Bad", at=0)),
        ("click", "language", {}),
        ("click", "language", {}),
    )
    _, *views = show(page.text, [[kind, what] for kind, what, _ in steps])
    for view, (kind, what, wanted) in zip(views, steps, strict=True):
        assert wanted.items() <= view.state.items(), what
        if kind == "click":  # what was pressed is made anew, and has the focus again
            assert view.focused == f'[data-do="{what}"]'
        assert view.scroll == 500 - 76
        if view.lang == "en" and any(stage_words(view)):
            check_stage(page, view, expected(page, view))
    assert [view.value["text"] for view in (views[3], views[10])] == [
        texts[1],
        f"{texts[1]} {word}",
    ]
    assert views[13].text["asked"] in views[13].html["questions"] and views[13].text["asked"]
    nothing, bad = views[18:20]
    assert "Type a sentence" in nothing.html["stage"]
    assert (nothing.html["blocks"], nothing.max) == ("", 0)
    assert stage_words(bad) == [["bad"], ["bad"]]
    assert [view.lang for view in views[-2:]] == ["zh-CN", "en"]


def test_the_arrows_move_from_cell_to_cell():
    keys = "ArrowUp ArrowDown ArrowDown ArrowLeft ArrowRight ArrowRight Enter".split()
    _, *views = show(TEXT, [["key", key, "cell f 1 0 4"] for key in keys])
    places = [(view.state["unit"], view.state["at"]) for view in views]
    assert places == [(0, 4), (1, 4), (2, 4), (2, 3), (2, 4), (2, 4), (2, 4)]
    assert views[-1].prevented == 6  # an arrow does not scroll the page
    assert views[3].focused == '[data-do="cell f 1 2 3"]' and views[3].state["letter"] == "f"


def test_read_goes_on_word_by_word_and_can_be_stopped():
    (play,), (at_3,), tick = clicks("play"), clicks("at 3"), ["tick"]
    more = [play, ["type", "so bad"], play, ["slide", "0"]]
    _, *views = show(TEXT, [play, *4 * [tick], play, tick, at_3, tick, play, play, *more])
    assert [view.state["at"] for view in views[:9]] == [0, 1, 2, 3, 4, 0, 1, 3, 3]
    running = [view.running for view in views]
    assert running == [True] * 4 + [False, True, True, False, False] + 3 * [True, False]
    assert 400 < views[0].pause < 2_000  # ms: to be read along with
    assert ["Stop" in view.text["play"] for view in views] == running
    assert ["Read" in view.text["play"] for view in views] == [not r for r in running]


LABELS = {f"when {key}": f"{key} training" for key in watch.WHEN}
LABELS |= {"layer 0": "layer 1", "layer 1": "layer 2", "held ": "nothing"}
TERMS = dict(i="输入门", f="遗忘门", o="输出门", z="更新门", r="重置门", c_t="记忆", h_t="输出")
IN_CHINESE = {"good": "好评", "bad": "差评", "good?": "好评?", "bad?": "差评?", "nothing": "不固定",
              "before training": "训练前", "after training": "训练后", "as written": "原句",
              "without the struck words": "去掉划掉的词"}  # fmt: skip
SAYS = {  # what legend and colours say in both languages
    "above the line good (over .5), below it bad": "柱子在线上，偏好评；否则在线下，偏差评",
    "Blue is +, orange is −, the deeper the larger": "蓝色为正，橙色为负，颜色越深，绝对值越大",
    "a green bar shows how far": "绿条越长，门开得越大",
    "higher in good test reviews than in bad ones": "好评测试影评的 h_t 平均比差评的高",
}
PARAGRAPHS = "title language lead legend yours known questions inside colours how reading click"


@pytest.fixture(scope="module")
def both():
    """Views of the page in English and in Chinese: as it opens, six questions, some clicks."""
    steps = clicks(*(f"question {k}" for k in range(6)), "layer 1", "held ifo", "net GRU")
    steps += clicks("when before", "net SimpleRNN")
    steps += [["type", text] for text in ("xyzzy", "the plot", "")]
    views = [show(TEXT, steps, language) for language in ("en-GB", "zh-TW")]
    assert [of[0].lang for of in views] == ["en", "zh-CN"]
    return [*zip(*views, strict=True)]


def test_both_languages_are_complete_and_the_questions_use_its_words(both):
    data = json.loads(watch.LINE.search(TEXT)[1])
    assert len({view.text["asked"] for views in both[1:7] for view in views}) == 12
    for english, chinese in both:
        assert (english.state, chinese.title) == (chinese.state, chinese.said["title"])
        assert english.html["stage"].count("<td") == chinese.html["stage"].count("<td")
        # in a line of Chinese an end of a line would be a blank
        assert "\n" not in "".join((*chinese.said.values(), *chinese.text.values()))
        in_english = {key for key, text in chinese.said.items() if not re.search(CHARACTER, text)}
        assert in_english == {"language"}
        texts = [words_of(tree(html)) for html in english.html.values()]
        assert not re.search(CHARACTER, " ".join([english.title, *english.text.values(), *texts]))
        assert set(english.state["text"].split()) <= {*data["words"], "xyzzy"}
    for view, _ in both[1:7]:
        assert set(view.state["text"].split()) & set(data["opinions"])
    lead, colours = (both[0][0].said[key] for key in ("lead", "colours"))  # on its face
    assert "small" in lead and "turned" in colours and "64 units can do without" in colours
    assert re.search(r"\b64\b", lead)
    assert all(f"{net['units']} ({name})" in lead for name, net in data["nets"].items())
    for view, said in zip(both[0], zip(*SAYS.items())):
        assert [*view.said] == PARAGRAPHS.split()  # all of them stand on the page
        text = " ".join((view.said["legend"] + view.said["colours"]).split())
        assert all(sentence in text for sentence in said)
    assert "Hold at its mean:" in both[0][0].html["held"]
    unknown, none, _ = (view.text["unknown"] for view, _ in both[-3:])
    assert unknown.startswith("Dotted: ") and none.startswith("There is no word of opinion")


def test_labels_headings_and_counts_say_what_they_stand_beside(both):
    for view, chinese in both:
        texts = [v.said | v.text | {k: words_of(tree(h)) for k, h in v.html.items()}
                 for v in (view, chinese)]  # fmt: skip
        numbers = [{k: sorted(re.findall(r"\d+", t)) for k, t in some.items()} for some in texts]
        assert numbers[0] == numbers[1]
        for key in ("nets", "layers", "when", "held"):
            for button in tree(view.html[key]).iter("button"):
                action, value = button.get("data-do").split(" ")
                label = ", ".join(value) if action == "held" else value
                assert words_of(button) == LABELS.get(f"{action} {value}", label)
        lines = docstring(view.state["net"]).splitlines()
        for english, other in zip(*(tree(v.html["blocks"]).iter("h3") for v in (view, chinese))):
            term, said = english.text.strip(), words_of(english[0])
            (line,) = [s for s in lines if s.startswith(f"    {term} ")] or ["  votes: "]
            if len(term) == 1:  # those of c_t and h_t are the page's own words
                assert f"  {said.split(': h_t')[0]}" in line
            assert words_of(other[0]).startswith(TERMS.get(term, ""))
        for key, tag in ("stage", "td"), ("stage", "th"), ("when", "button"), ("held", "button"):
            for pair in zip(*(tree(v.html[key]).iter(tag) for v in (view, chinese)), strict=True):
                ours, theirs = map(words_of, pair)
                button = pair[0].find("button")  # a word is English in both
                assert button is not None or theirs == IN_CHINESE.get(ours, theirs)
        n, of = re.findall(r"\d[\d,]*", view.text["right"])[:2]
        assert chinese.text["right"].startswith(f"{of} 条玩具测试影评，答对 {n} 条")


def test_a_question_sets_up_what_it_asks_about(both):
    first, *views = (english for english, _ in both[:7])
    panel = tree(first.html["questions"]).findall("li/button")
    for k, (button, view) in enumerate(zip(panel, views, strict=True)):
        asked, state, words = words_of(button), view.state, view.state["text"].split()
        assert (button.get("data-do"), view.text["asked"]) == (f"question {k}", asked)
        assert view.seen == "asked"  # is scrolled to
        quoted = re.search("“(.+?)”", asked)  # comes last, of what has been read
        assert " ".join(words[: state["at"] + 1]).endswith(quoted[1] if quoted else words[-1])
        assert all(state["unit"] == int(unit) for unit in re.findall(r"unit\s+(\d)", asked))
        letter = re.search(r"i(?=nput gate)|c(?=_t of)|z(?= of)|$", asked)[0]
        assert letter in ("", state["letter"])
        assert state["net"] == ("GRU" if "GRU" in asked else "LSTM")
        assert state["when"] == ("before" if "Before training" in asked else "after")
        assert bool(state["held"]) == ("Hold" in asked)
        pressed = [b.get("aria-pressed") for b in tree(view.html["questions"]).iter("button")]
        assert pressed == ["true" if n == k else "false" for n in range(6)]


def test_the_page_is_one_file_and_small():
    outside = r"src\s*=|url\(|@import|import\(|fetch\(|XMLHttp|https?:|localStorage"
    assert not re.search(outside, TEXT) and '<label for="text"' in TEXT and 'id="sum" open' in TEXT
    policy = re.search('content="(default-src .*)"', TEXT)[1].split("; ")
    inline = ["style-src 'unsafe-inline'", "script-src 'unsafe-inline'"]
    assert policy == ["default-src 'none'", "img-src data:", *inline]
    assert re.findall(r'href="([^"]*)"', TEXT) == ["data:,"]
    style = TEXT.split("<style>")[1].split("</style>")[0]
    assert style.count("{") == style.count("}") > 50 and "hidden" not in watch.LINE.sub("", TEXT)
    assert re.findall("motion: (.*?\\}) }", style) == [
        "no-preference) { html { scroll-behavior: smooth }"
    ]
    assert "maxlength" not in TEXT and "the arrow keys." in TEXT and "方向键" in TEXT
    lines = watch.LINE.sub("", TEXT).splitlines()
    assert len(TEXT.encode()) <= 90_000 and len(lines) <= 601 and max(map(len, lines)) <= 120


LOOKS = r"""\.out button {.*line-through; \.unknown {.*dotted; \.opinion {.*bold
\.differs button span {.*var\(--changed\); \.changed em {.*var\(--changed\); \.scroll {.*x: auto
\.gate td {.*image: .*var\(--gate\); \.early \.bar b {.*var\(--quiet\); , \.later {.*var\(--soft\)
\.good { color: var\(--good\); \.bad { color: var\(--bad\); \.side1 {.*var\(--other\)
\.cells td\.unit {.*outline: 2px; \.stage td\.now {.*background; \.equation\.chosen {.*background
button\[aria-pressed=true\] {.*background; button {.*cursor: pointer"""


SCHEMES = re.findall(r"--paper: .*\n.*\n.*--changed: .*;", TEXT)  # the colours, light and dark


def test_the_style_shows_what_the_words_of_the_page_say():
    style = TEXT.split("<style>")[1].split("</style>")[0]
    for look in re.split("; |\n", LOOKS):
        assert re.search(look.replace(".*", "[^}]*"), style), look
    assert style.count("display: none") == 2  # of what is empty; on a phone a sign is not repeated
    named = {*re.findall(r"(--\w+):", style), "--letters"}
    assert {*re.findall(r"var\((--\w+)", TEXT)} | {"--plus", "--minus"} == named
    for scheme in SCHEMES:
        colours = re.findall(r": (#\w+|\d+, \d+, \d+);", scheme)
        assert len({*colours}) == len(colours) == 14  # what is marked is not of the paper's colour
    assert all(green == max(red, green, blue)
               for red, green, blue in re.findall("--gate: #(..)(..)(..)", TEXT))  # fmt: skip


def luminance(colour):
    """That of WCAG 2: how light #rrggbb is, from 0 to 1."""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    return np.dot([0.2126, 0.7152, 0.0722], [((c + 0.055) / 1.055) ** 2.4 for c in parts])


def test_what_is_written_can_be_read_in_both_schemes():
    """The contrast of WCAG 2 for text, 4.5 to 1, of ink, of what is soft, of good and of bad."""
    assert len(SCHEMES) == 2
    for scheme in SCHEMES:
        colours, inks = dict(re.findall(r"--(\w+): (#\w{6})", scheme)), "ink soft good bad"
        for ink, ground in itertools.product(inks.split(), ("paper", "card", "faint")):
            low, high = sorted(luminance(colours[name]) for name in (ink, ground))
            assert (high + 0.05) / (low + 0.05) >= 4.5, (ink, ground)


def test_what_can_be_clicked_has_an_action_and_more_has_the_colour_of_good():
    actions = TEXT.split("const ACTIONS = {")[1].split("\n};")[0]
    clicked = set(re.findall(r'data-do="(\w+)', TEXT))
    assert {"language", "play"} < clicked <= set(re.findall(r"^  (\w+)[(:,]", actions, re.M))
    hue = r"--(good|bad|plus|minus): (?:#(..)..(..)|(\d+), \d+, (\d+));"
    colours = re.findall(hue, TEXT)
    assert [name for name, *_ in colours] == 2 * ["good", "bad", "plus", "minus"]  # light and dark
    for name, *two_digits, red, blue in colours:
        red, blue = (int(n, 16) for n in two_digits) if two_digits[0] else (int(red), int(blue))
        assert (blue > red) == (name in ("good", "plus"))


# ------------------------------------------------------------------------ the program that makes it
@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of the page, in its place."""
    path = tmp_path / "watch.html"
    path.write_text(TEXT, encoding="utf-8")
    monkeypatch.setattr(watch, "PAGE", path)
    return path


def test_the_page_is_as_it_was_made_and_check_says_when_it_is_not(copy, capsys, monkeypatch):
    data_of, calls = watch.data_of, []

    def once(nets):  # ten seconds: of the same networks it is the same
        calls.append((nets, calls[0][1] if calls else data_of(nets)))
        np.testing.assert_equal(nets, calls[0][0])
        return calls[0][1]

    monkeypatch.setattr(watch, "data_of", once)
    watch.main(["--check"])
    assert f"LSTM, {watch.UNITS['LSTM']} units, right of 2000" in capsys.readouterr().out
    right = re.search(r'"i":(\d+)', TEXT)
    changed = TEXT.replace(right[0], f'"i":{int(right[1]) + 1}')
    copy.write_text(changed, encoding="utf-8")
    with pytest.raises(SystemExit, match="make it again"):
        watch.main(["--check"])
    assert copy.read_text(encoding="utf-8") == changed
    monkeypatch.setattr(watch, "trained", lambda *of: calls[0][0])
    watch.main([])
    assert copy.read_text(encoding="utf-8") == TEXT
    copy.write_text("no such line")
    with pytest.raises(SystemExit, match="0 lines begin with const DATA"):
        watch.main([])


def instead_of_a_process(monkeypatch, module, *flags):
    """Let a program run the scripts in this process, untraced -> their names, their flags."""
    started, lines = [], []

    def run(command, **options):
        started.append(Path(command[1]).stem)
        lines.append(" ".join(map(str, command[2:])))
        assert options["check"]  # a script that fails ends the program
        with untraced():
            result = call(started[-1], *command[2:], *flags)
        assert not result.returncode, result.stderr
        return result

    monkeypatch.setattr(module.subprocess, "run", run)
    return started, lines


def test_it_trains_by_the_scripts_and_refuses_what_did_not_learn(copy, monkeypatch, tmp_path):
    started, lines = instead_of_a_process(monkeypatch, watch)
    assert watch.FLAGS == "--data toy --epochs 8 --learning-rate 0.005"
    monkeypatch.setattr(watch, "FLAGS", "--data toy --subset 64 --epochs 1")
    toy = common.load_toy
    monkeypatch.setattr(common, "load_toy", lambda: (toy()[0], [a[:100] for a in toy()[1]]))
    with pytest.raises(SystemExit, match="SimpleRNN: less than 99% right"):
        watch.main(["--runs", str(tmp_path / "runs"), "--seed", "3"])
    assert copy.read_text(encoding="utf-8") == TEXT
    before, after = watch.trained(3, tmp_path / "runs")["LSTM"]
    assert started == list(SCRIPTS.values())  # what is there is not trained again
    assert all("--seed 3 " in line and "-seed-3" in line for line in lines)  # and in its file
    units = watch.UNITS["LSTM"]
    assert before[-2].shape == (units, 1) and not np.array_equal(before[0], after[0])
    start = watch.arrays_of(networks.load("lstm_imdb", 3, units=units), len(before[0]))
    assert all(np.array_equal(*pair) for pair in zip(before, start, strict=True))


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_network_whose_units_are_turned_is_the_same_network(name):
    arrays, ids = other_networks()[name][0], common.encode([[1, 2, 3, 40], [6]])
    order = np.roll(np.arange(len(arrays[-2])), 1)
    sign = np.where(order % 2, 1.0, -1.0)
    for layer in (0, 1):
        turned = watch.turn(name, arrays, layer, order, sign)
        (p, h), (p_turned, h_turned) = (
            (read[0], read[1][layer][:, -1, : len(order)].numpy())
            for read in (networks.read(watch.model_of(name, a), ids) for a in (arrays, turned))
        )
        np.testing.assert_allclose(p_turned, p, atol=1e-6)  # float32
        np.testing.assert_allclose(h_turned, (h * sign)[:, order], atol=1e-6)


# ------------------------------------------------------------------------- four sentences, 64 units
def test_the_four_sentences_are_in_the_csv_and_not_turns_their_verdict(monkeypatch):
    rows = read_csv("sentences")
    last = {(row["script"], row["text"]): float(row["p"]) > 0.5 for row in rows}
    good = {text: ("not" in text) != ("good" in text) for text in sentences.TEXTS}
    assert last == {(script, t): good[t] for script in SCRIPTS.values() for t in sentences.TEXTS}
    _, lines = instead_of_a_process(monkeypatch, sentences, *TINY)
    key = "lstm_imdb", 0
    made = [tuple(map(str, (*key, *row))) for row in sentences.read(*key)]  # untrained: other P
    there = [tuple(row.values()) for row in rows if row["script"] == "lstm_imdb"]
    assert [row[:5] for row in made] == [row[:5] for row in there]
    assert all(0 <= float(row[5]) <= 1 for row in made)
    assert lines[0].startswith("--data toy --seed 0 --review the plot was bad ")
