"""Networks whose weights are set by hand, so that the answer is known, and what they read."""

import importlib

import common
import numpy as np

UP, DOWN, NOTHING = 4, 5, 6  # ids of words
LENGTH = 20  # words; each step is read by itself, and that takes its time
UPS_AND_DOWNS = {UP: [0.01], DOWN: [-0.01]}


def network(script, vectors, kernel, *weights):
    """The network of a script with weights as get_weights() has them, from layer 1 to Dense.

    vectors: {id: first numbers of its word vector}; kernel: first rows of layer 1's. The rest is 0.
    """
    model = importlib.import_module(script).SentimentClassifier(len(weights[-2]))
    model.build((None, common.MAX_REVIEW_LEN))
    embedding, whole_kernel = (np.zeros(weight.shape) for weight in model.get_weights()[:2])
    for word, numbers in vectors.items():
        embedding[word, : len(numbers)] = numbers
    whole_kernel[: len(kernel)] = kernel
    model.set_weights([embedding, whole_kernel, *map(np.array, weights)])
    return model


def counter(layer=1):
    """A SimpleRNN of two units: one layer adds up ups and downs in unit 0, has the word in unit 1.

    The other remembers nothing; layer 2 hands on unit 0. At sums below 0.1 tanh is the identity.
    """
    counts, forgets = np.diag([1, 0]), np.zeros((2, 2))
    first = [[1, 1]], counts if layer == 1 else forgets, [0, 0]
    second = np.diag([1, layer - 1]), counts if layer == 2 else forgets, [0, 0]
    return network("rnn_layer_imdb", UPS_AND_DOWNS, *first, *second, [[100], [0]], [0])


def lstm(vectors=UPS_AND_DOWNS, b_i=20):
    """An LSTM of one unit: i, f, o are open, g is the word: c counts ups and downs.

    With b_i = -20 a word counts if its vector is (number, 1): i is shut at the others.
    """
    first = [[0, 0, 1, 0], [40, 0, 0, 0]], np.zeros((1, 4)), [b_i, 20, 0, 20]  # i, f, g, o
    second = [[0, 0, 1, 0]], np.zeros((1, 4)), [20, -20, 0, 20]
    return network("lstm_imdb", vectors, *first, *second, [[100]], [0])


def three_reviews():
    """Three ups and a last down; one up and a last down; two downs and a last up: [3, 20]."""
    x = np.full((3, LENGTH), NOTHING, np.int32)
    x[0, [3, 8, 15]], x[1, 10], x[2, [3, 16]] = UP, UP, DOWN
    x[:, -1] = DOWN, DOWN, UP
    return x
