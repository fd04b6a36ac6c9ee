"""SimpleRNN, LSTM and GRU in plain NumPy float64, written from the equations: no Keras in here.

x is one batch of sequences, [b, T, in]; every function returns h_1 .. h_T as [b, T, units]. The
letters are those of the scripts' docstrings; the weights come as Keras lays them out.
"""

import functools
import re

import numpy as np


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def simple_rnn(x, W_xh, W_hh, b, h=None):
    """Elman 1990: h_t = tanh(x_t W_xh + h_{t-1} W_hh + b), h_0 = 0 unless given."""
    h = np.zeros((len(x), len(W_hh))) if h is None else h
    steps = []
    for t in range(x.shape[1]):
        h = np.tanh(x[:, t] @ W_xh + h @ W_hh + b)
        steps.append(h)
    return np.stack(steps, axis=1)


def gates(x_t, h, kernel, recurrent_kernel, bias):
    """The gates of one LSTM step (i, f, o) or GRU step (z, r): {letter: [b, units]}."""
    if bias.ndim == 1:
        W_x, W_h, b = (np.split(w, 4, axis=-1) for w in (kernel, recurrent_kernel, bias))
        places = {"i": 0, "f": 1, "o": 3}
    else:
        W_x, W_h, b = (np.split(w, 3, axis=-1) for w in (kernel, recurrent_kernel, bias.sum(0)))
        places = {"z": 0, "r": 1}
    return {name: sigmoid(x_t @ W_x[k] + h @ W_h[k] + b[k]) for name, k in places.items()}


def lstm_step(x_t, state, kernel, recurrent_kernel, bias):
    """Hochreiter & Schmidhuber 1997 with the forget gate of Gers et al. 2000; blocks i, f, g, o.

    state is h and c side by side, [b, 2 units].
    """
    h, c = np.split(state, 2, axis=1)
    gate = gates(x_t, h, kernel, recurrent_kernel, bias)
    W_xg, W_hg, b_g = (np.split(w, 4, axis=-1)[2] for w in (kernel, recurrent_kernel, bias))
    c = gate["f"] * c + gate["i"] * np.tanh(x_t @ W_xg + h @ W_hg + b_g)
    return np.concatenate([gate["o"] * np.tanh(c), c], axis=1)


def gru_step(x_t, h, kernel, recurrent_kernel, bias):
    """Cho et al. 2014 with the reset gate after the product, as in cuDNN; blocks z, r, g."""
    gate = gates(x_t, h, kernel, recurrent_kernel, bias)
    W_xg, W_hg = (np.split(w, 3, axis=-1)[2] for w in (kernel, recurrent_kernel))
    b_xg, b_hg = (np.split(b, 3)[2] for b in bias)
    g = np.tanh(x_t @ W_xg + b_xg + gate["r"] * (h @ W_hg + b_hg))
    return gate["z"] * h + (1 - gate["z"]) * g


def over_time(step, parts):
    """Make a layer of a step: from zeros, over all of x, the first of the state's parts (h)."""

    def layer(x, *weights):
        units = len(weights[1])
        states = [np.zeros((len(x), parts * units))]
        for t in range(x.shape[1]):
            states.append(step(x[:, t], states[-1], *weights))
        return np.stack(states[1:], axis=1)[..., :units]

    return layer


lstm, gru = over_time(lstm_step, 2), over_time(gru_step, 1)
CELLS = dict(rnn_cell_imdb=simple_rnn, rnn_layer_imdb=simple_rnn, lstm_imdb=lstm, gru_imdb=gru)


def classifier(cell, ids, embedding, *weights):
    """The whole network: lookup, two layers of `cell`, Dense, sigmoid; ids [b, T] -> [b, 1]."""
    *layers, W, b = weights
    x = cell(embedding[ids], *layers[:3])
    return sigmoid(cell(x, *layers[3:])[:, -1] @ W + b)


def simple_rnn_gradient(x, W_xh, W_hh, b, dE_dh_T):
    """dE/dW_hh of one sequence x [T, in] as the post writes it: a list of its terms, i = 1 .. T.

    Term i is dE/dh_T dh_T/dh_i dh_i/dW, and dh_T/dh_i is the product of diag(f') W over the steps
    after i. (W stands transposed: the post has columns, Keras rows.)
    """
    h = np.vstack([np.zeros(len(W_hh)), simple_rnn(x[None], W_xh, W_hh, b)[0]])  # h[0] .. h[T]
    f_prime = 1 - h**2  # of tanh at every step
    terms = []
    for i in range(1, len(h)):
        dh_T_dh_i = np.eye(len(W_hh))
        for k in range(i + 1, len(h)):
            dh_T_dh_i = np.diag(f_prime[k]) @ W_hh.T @ dh_T_dh_i
        terms.append(np.outer(h[i - 1], (dE_dh_T @ dh_T_dh_i) * f_prime[i]))
    return terms


@functools.cache
def equations(docstring):
    """The equations of a script's docstring -> {what it gives: (right side, the same compiled)}.

    Compiled it reads its terms from a dict: T["x_t W_xi"] + T["b_i"].
    """
    term = r"(?:x_t|h_\{t-1\}) W_\w+|[hc]_\{t-1\}|b\w*|[hc]_t|\b[ifgozr]\b"
    lines = re.findall(r"^    ([a-z]\w*) += (\S+(?: \S+)*)", docstring, re.M)
    codes = [re.sub(term, lambda match: f"T[{match[0]!r}]", right) for _, right in lines]
    return {left: (right, compile(c, left, "eval")) for (left, right), c in zip(lines, codes)}


def evaluate(docstring, terms, held=()):
    """Add to the terms of a step what the equations make of them; held: values in their place."""
    scope = {"T": terms, "tanh": np.tanh, "sigmoid": sigmoid}
    for left, (_, code) in equations(docstring).items():
        terms[left] = held[left] if left in held else eval(code, scope)
