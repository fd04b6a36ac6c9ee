"""Measure what the trained networks remember by, and what their gates do: memory.csv.

    python docs/measure/results.py --data imdb.npz --runs runs    # first: trains what is missing
    python docs/measure/memory.py --data imdb.npz --runs runs

Nothing is trained here. A network is read step by step, and between the steps its state or a gate
is changed; what that costs is counted. A network whose rows the CSV has is not measured again.
"""

import argparse
from pathlib import Path

import inside  # first: it finds common

import common
import numpy as np
import tensorflow as tf

CSV = inside.ROOT / "docs/measure/memory.csv"
HEAD = ("script", "seed", "when", "layer", "quantity", "value")
TOY_OPINIONS = (
    "bad awful dull boring terrible weak good great lovely brilliant moving clever".split()
)
ADVERBS = ("really", "so", "quite")
LAGS = range(6)
LISTED, AT_LEAST = 20, 40  # words that move the number most, of those that stand so often


# ----------------------------------------------------------------------------- changes to the state
def kept(matrix, mean, layer):
    """A change() for inside.read(): the state's deviation from its mean is multiplied by a matrix.

    matrix: [S, S], for rows; mean: [words, S], of each step. Other layers are left alone.
    """
    matrix, mean = (np.asarray(a, np.float32) for a in (matrix, mean))

    def change(here, t, state):
        return mean[t] + (state - mean[t]) @ matrix if here == layer else state

    return change


def carried(matrix, mean):
    """A step for inside.read() that sees of the state before it only what the matrix leaves.

    mean: [S]. What the step gives to the layer above is not changed: only memory is.
    """
    matrix, mean = (np.asarray(a, np.float32) for a in (matrix, mean))
    return lambda cell, x, state: inside.step(cell, x, mean + (state - mean) @ matrix)


def line(left, right):
    """The matrix [S, S] that keeps of a row its part along `right`, as `left` measures it."""
    return np.outer(left, right)


def other_real(jacobian):
    """The matrix that keeps the parts along all real eigendirections but that of the slow one."""
    values, right = np.linalg.eig(jacobian.mean(axis=0))
    left = np.linalg.inv(right)
    real = np.flatnonzero(np.abs(values.imag) < 1e-6)
    slow = real[np.argmax(values.real[real])]
    return sum(line(left[i].real, right[:, i].real) for i in real if i != slow)


def components(states):
    """The principal components of deviations [n, S]: columns, largest first; their variances."""
    variances, vectors = np.linalg.eigh(np.cov(states.T))
    return vectors[:, ::-1], variances[::-1]


# ----------------------------------------------------------------------------- changes to the gates
def held(given, chosen):
    """A step for one inside.read(): gates, or the candidate g, have given values at chosen words.

    given: {letter: [n, words, units]}; chosen: [n, words]; all else is the network's own.
    """
    steps = iter(range(chosen.shape[1]))

    def one(cell, x, state):
        t = next(steps)
        own, candidate = inside.gates(cell, x, state)
        own["g"] = candidate(own.get("r"))
        fixed = {k: tf.where(chosen[:, t, None], v[:, t], own[k]) for k, v in given.items()}
        return inside.gated_step(cell, x, state, fixed)

    return one


def frozen(model, ids, letters, layers):
    """Steps for inside.read(): the gates of these letters in these layers at their units' means."""
    steps = []
    for layer, own in enumerate(inside.all_gates(model, ids), start=1):
        fixed = {k: own[k].mean(axis=(0, 1)) for k in letters if layer in layers}
        steps.append(lambda cell, x, state, fixed=fixed: inside.gated_step(cell, x, state, fixed))
    return steps


def whole_gates(model, ids):
    """As inside.all_gates(), with g, for every word: of each layer {letter: [n, words, units]}."""
    _, states, inputs = inside.read(model, ids)
    layers = []
    for cell, s, x in zip(inside.cells(model), states, inputs):
        before = tf.concat([tf.zeros_like(s[:, :1]), s[:, :-1]], axis=1)
        values = []
        for t in range(x.shape[1]):
            own, candidate = inside.gates(cell, x[:, t], before[:, t])
            values.append({**own, "g": candidate(own.get("r"))})
        layers.append({k: np.stack([v[k] for v in values], axis=1) for k in values[0]})
    return layers


def toy_words(x):
    """What stands where in toy reviews [n, 80]: {kind: [n, 80] bool}.

    turned: an opinion word after "not", an adverb between them or none; plain: any other one.
    """
    index = common.toy_reviews()[2]

    def is_one_of(words):
        return np.isin(x, [index[word] + common.INDEX_FROM for word in words])

    def before(mask):
        return np.pad(mask, ((0, 0), (1, 0)))[:, :-1]

    no, opinion, adverb = is_one_of(["not"]), is_one_of(TOY_OPINIONS), is_one_of(ADVERBS)
    turned = opinion & (before(no) | (before(adverb) & before(before(no))))
    kinds = {"plain": opinion & ~turned, "turned": turned, "not": no}
    kinds["other"] = (x > common.OOV) & ~(opinion | no)
    return kinds


# ------------------------------------------------------------------------------------ measurements
def accuracy(model, x, y, steps=None, **changes):
    """The share of right verdicts; steps: a function that gives fresh ones for each part."""
    parts = np.split(np.arange(len(x)), max(1, len(x) // 1_000))
    right = 0
    for n in parts:
        own = {"steps": steps(n)} if steps else {}
        right += ((inside.read(model, x[n], **own, **changes)[0] > 0.5) == y[n]).sum()
    return right / len(x)


def measure_memory(script, seed, args, x, y, note):
    """Of one network on IMDB: keep only a part of the state of the slow layer, or take it away."""
    whole = np.flatnonzero(x[:, 0] != common.PAD)
    few, many = x[whole[:48]], x[whole[:512]]
    scored = x[:5_000], y[:5_000]
    untrained = inside.load(script, seed)
    model = inside.load(script, seed, args.runs / f"{script}-{seed}.weights.h5")
    for when, network in ("before", untrained), ("after", model):
        for layer, jacobian in enumerate(inside.all_jacobians(network, few), start=1):
            values = np.linalg.eigvals(jacobian.mean(axis=0))
            real = values.real[np.abs(values.imag) < 1e-6]
            note(when, layer, "largest real eigenvalue", real.max(initial=0))
            note(when, layer, "real eigenvalues", len(real))
    measure_sure(model, many, y[whole[:512]], note)
    jacobians = inside.all_jacobians(model, few)
    layer = 1 + int(np.argmax([inside.eigenvalue_sizes(j)[0] for j in jacobians]))
    left, right = inside.slow_direction(jacobians[layer - 1])
    p, all_states, _ = inside.read(model, many)
    means = [s.numpy().mean(axis=(0, 1)) for s in all_states]
    states = all_states[layer - 1].numpy()
    mean = states.mean(axis=0)
    deviations = (states - mean).reshape(-1, len(left))
    size, rng = len(left), np.random.RandomState(seed)
    slow, everything = line(left, right), np.eye(size)
    vectors, variances = components(deviations)
    others, _ = components(deviations @ (everything - slow))
    ten = everything - others[:, :10] @ others[:, :10].T
    unit = rng.randn(20, size)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)

    # how much of the state it is, and how it goes with the verdict
    total = variances.sum()
    note("after", layer, "variance slow", (deviations @ slow).var(axis=0).sum() / total)
    note("after", layer, "variance random", np.mean([(deviations @ u).var() for u in unit]) / total)
    note("after", layer, "variance first component", variances[0] / total)
    real = deviations @ other_real(jacobians[layer - 1])
    note("after", layer, "variance other real", real.var(axis=0).sum() / total)
    cosine = abs(vectors[:, 0] @ right) / np.linalg.norm(right)
    note("after", layer, "cosine slow, first component", cosine)
    last = deviations.reshape(states.shape)[:, -1]
    for name, readers in ("slow", [left]), ("random", unit), ("first component", [vectors[:, 0]]):
        found = [abs(np.corrcoef(last @ a, p)[0, 1]) for a in readers]
        note("after", layer, f"correlation {name}", np.mean(found))

    # keep, take away
    def score(when, matrix):
        note(when, layer, "accuracy", accuracy(model, *scored, change=kept(matrix, mean, layer)))

    def scores(when, matrices):
        found = [accuracy(model, *scored, change=kept(m, mean, layer)) for m in matrices]
        note(when, layer, "accuracy", np.mean(found))

    halves = [np.linalg.qr(rng.randn(size, size))[0][:, : size // 2] for _ in range(3)]
    halves = [q @ q.T for q in halves]
    rest = everything - slow
    first = line(vectors[:, 0], vectors[:, 0])
    note("as trained", layer, "accuracy", accuracy(model, *scored))
    score("only slow", slow)
    scores("only random", [line(u, u) for u in unit[:3]])
    score("only first component", first)
    score("slow away", rest)
    score("first component away", everything - first)
    score("ten others away", slow + rest @ ten @ rest)
    score("other real away", everything - other_real(jacobians[layer - 1]))
    scores("half away", halves)
    scores("half away, slow kept", [slow + rest @ half @ rest for half in halves])

    # the ladder: only what is carried from step to step is changed, not what layer 2 sees of a word
    nothing = np.zeros((size, size))

    def ladder(when, own, other):
        pair = [carried(own, means[layer - 1])]
        pair.insert(
            2 - layer, carried(other, means[2 - layer]) if other is not None else inside.step
        )
        note(when, layer, "accuracy", accuracy(model, *scored, steps=lambda n: pair))

    ladder("last word", nothing, nothing)
    ladder("+ other layer", nothing, None)
    ladder("+ rest of layer", rest, None)
    ladder("without other layer", everything, nothing)

    measure_delay(model, layer, left, means, many, note)
    if script == "lstm_imdb":
        measure_way_back(model, layer, left, right, jacobians, few, y[whole[:48]], note)
    if script in inside.GATES:
        for letter in inside.GATES[script]:
            steps = frozen(model, many, letter, layers=(1, 2))
            found = accuracy(model, *scored, steps=lambda n, steps=steps: steps)
            note(f"gates {letter} at mean", 0, "accuracy", found)
    if script == "lstm_imdb":
        measure_words(model, layer, left, x, args, note)


def measure_sure(model, x, y, note):
    """How many times the median the mean gradient at word 1 is, as it is and divided by |p - y|."""
    norms = inside.gradient_norms(model, x, y)[:, 0]
    p = model(x, training=False).numpy()[:, 0]
    for name, numbers in ("", norms), (" by |p - y|", norms / np.abs(p - y)):
        note("after", 0, f"gradient 1 mean over median{name}", numbers.mean() / np.median(numbers))


def logits(model, states):
    """What Dense says of every step of layer 2, before the sigmoid: [n, words]."""
    h = states[:, :, : model.rnn_2.units].numpy()
    kernel, bias = model.dense.get_weights()
    return (h @ kernel)[:, :, 0] + bias


def measure_delay(model, layer, left, means, x, note):
    """How a change of the slow number at a word goes with the verdict's change some words later."""
    size = len(means[1])
    cut = carried(np.zeros((size, size)), means[1])
    for when, steps in ("after", (inside.step, inside.step)), ("layer 2 cut", (inside.step, cut)):
        _, states, _ = inside.read(model, x, steps=steps)
        number = np.diff(states[layer - 1].numpy() @ left, axis=1)  # [n, 79]
        verdict = np.diff(logits(model, states[1]), axis=1)
        for lag in LAGS:
            a, b = number[:, 20 : 70 - lag], verdict[:, 20 + lag : 70]
            note(when, layer, f"delay {lag}", abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]))


def measure_way_back(model, layer, left, right, jacobians, x, y, note):
    """Through what the LSTM's slow number, and its gradient, comes back from step to step."""
    jacobian, units = jacobians[layer - 1].mean(axis=0), len(left) // 2
    note("after", layer, "kept through c", left @ jacobian[:, units:] @ right[units:])
    note("after", layer, "kept through h", left @ jacobian[:, :units] @ right[:units])
    for cut in "", "gates", "candidate", "gates, candidate":
        note("after", 0, f"gradient 1 cut {cut or 'nowhere'}", first_gradient(model, x, y, cut))


def first_gradient(model, ids, labels, cut):
    """Mean norm of d loss / d x_1 of an LSTM, no gradient flowing from `cut` back to h."""

    def one(cell, x, state):
        h, c = tf.split(state, 2, axis=1)
        ends = {name: tf.stop_gradient(h) if name in cut else h for name in ("gates", "candidate")}
        own, _ = inside.gates(cell, x, tf.concat([ends["gates"], c], axis=1))
        _, candidate = inside.gates(cell, x, tf.concat([ends["candidate"], c], axis=1))
        c = own["f"] * c + own["i"] * candidate(None)
        return tf.concat([own["o"] * tf.tanh(c), c], axis=1)

    first, rest = tf.split(model.embedding(ids), (1, ids.shape[1] - 1), axis=1)
    with tf.GradientTape() as tape:
        tape.watch(first)
        x = tf.concat([first, rest], axis=1)
        for cell in inside.cells(model):
            state, out = inside.zero_state(cell, len(ids)), []
            for t in range(x.shape[1]):
                state = one(cell, x[:, t], state)
                out.append(state[:, : cell.units])
            x = tf.stack(out, axis=1)
        p = model.dense(x[:, -1])[:, 0]
        loss = -tf.reduce_sum(tf.math.log(tf.where(labels == 1, p, 1 - p)))
    return tf.norm(tape.gradient(loss, first)[:, 0], axis=1).numpy().mean()


def measure_words(model, layer, left, x, args, note):
    """The words that move the slow number most, on the average over the test set, each way."""
    index = common.load_word_index(args.data)
    names = {rank + common.INDEX_FROM: word for word, rank in index.items()}
    moved, ids, ends = [], [], []
    for part in np.split(x, 25):
        p, states, _ = inside.read(model, part)
        number = states[layer - 1].numpy() @ left
        moved.append(np.diff(number, axis=1))
        ids.append(part[:, 1:])
        ends.append((number[:, -1], p))
    sign = np.sign(np.corrcoef(*(np.concatenate(a) for a in zip(*ends)))[0, 1])
    moved, ids = sign * np.concatenate(moved).ravel(), np.concatenate(ids).ravel()
    count = np.bincount(ids, minlength=common.TOTAL_WORDS)
    mean = np.bincount(ids, moved, minlength=common.TOTAL_WORDS) / np.maximum(count, 1)
    mean[(count < AT_LEAST) | (np.arange(common.TOTAL_WORDS) <= common.INDEX_FROM)] = 0
    order = np.argsort(mean)
    for number in (*order[:LISTED], *order[: -LISTED - 1 : -1]):
        note("after", layer, f"moved by {names[number]}", mean[number])


def measure_gates(script, seed, args, note):
    """What the gates of a network do on the toy, and what holding them at some words changes."""
    texts, _, _ = common.toy_reviews()
    (x_train, y_train), (x, y) = common.load_toy()
    model = inside.load(script, seed, args.runs / f"toy-{script}-{seed}.weights.h5")
    kinds = toy_words(x)
    negated = kinds["turned"].any(axis=1)
    layers = whole_gates(model, x)
    for layer, own in enumerate(layers, start=1):
        for letter, values in own.items():
            if letter != "g":
                for kind, chosen in kinds.items():
                    note("toy", layer, f"gate {letter} {kind}", values[chosen].mean())
    note("toy", 0, "accuracy not", accuracy(model, x[negated], y[negated]))
    for layer, own in enumerate(layers, start=1):
        typical = {}  # the values of the same word where it stands plain
        for letter, values in own.items():
            typical[letter] = np.zeros_like(values)
            for word in np.unique(x[kinds["plain"]]):
                plain = kinds["plain"] & (x == word)
                typical[letter][x == word] = values[plain].mean(axis=0)
        together = inside.GATES[script]
        for letters in (*own, together, together + "g"):
            for kind, reviews in ("turned", negated), ("plain", ~negated):
                chosen = kinds[kind][reviews]
                given = {letter: typical[letter][reviews] for letter in letters}

                def steps(n, layer=layer, given=given, chosen=chosen):
                    pair = [inside.step, inside.step]
                    pair[layer - 1] = held({k: v[n] for k, v in given.items()}, chosen[n])
                    return pair

                found = accuracy(model, x[reviews], y[reviews], steps)
                note(f"toy, {letters} held at {kind}", layer, "accuracy", found)
    for letters in (*inside.GATES[script], inside.GATES[script]):
        for which in (1,), (2,), (1, 2):
            fixed = frozen(model, x[:512], letters, which)
            where = which[0] if len(which) == 1 else 0
            found = accuracy(model, x, y, lambda n, fixed=fixed: fixed)
            note(f"toy, gates {letters} at mean", where, "accuracy", found)


def measure(args):
    """Measure what the CSV does not have, and append each network's rows."""
    _, (x, y) = common.read_npz(args.data)
    has = inside.finished(CSV, HEAD, 3)
    finished = {(script, seed, when[:3]) for script, seed, when in has}
    for seed in inside.SEEDS:
        for script in inside.SCRIPTS:
            rows = []

            def note(when, layer, quantity, value, script=script, seed=seed, rows=rows):
                rows.append((script, seed, when, layer, quantity, f"{value:.5g}"))

            if (script, str(seed), "bef") not in finished:
                measure_memory(script, seed, args, x, y, note)
            if script in inside.GATES and (script, str(seed), "toy") not in finished:
                measure_gates(script, seed, args, note)
            inside.append(CSV, rows)
            print(script, seed, len(rows), flush=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, metavar="NPZ", required=True)
    parser.add_argument("--runs", type=Path, metavar="FOLDER", required=True)
    measure(parser.parse_args())


if __name__ == "__main__":
    main()
