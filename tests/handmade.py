"""Networks whose weights are set by hand, so that the answer is known, and what they read."""

import common
import lstm_imdb
import numpy as np
import rnn_layer_imdb

UP, DOWN, NOTHING = 4, 5, 6  # ids of words
LENGTH = 20  # words; each step is read by itself, and that takes its time


def with_vectors(model):
    """A model whose word vectors have only a first number: 0.01 of UP, -0.01 of DOWN."""
    model.build((None, LENGTH))
    vectors = np.zeros((common.TOTAL_WORDS, common.EMBEDDING_LEN), np.float32)
    vectors[[UP, DOWN], 0] = 0.01, -0.01
    model.embedding.embeddings.assign(vectors)
    return model


def counter():
    """A SimpleRNN of two units: layer 1 adds up ups and downs in unit 0, forgets in unit 1.

    Layer 2 hands on unit 0, and the word in unit 1. At sums below 0.1 tanh is the identity.
    """
    model = with_vectors(rnn_layer_imdb.SentimentClassifier(2))
    kernel = np.zeros((common.EMBEDDING_LEN, 2), np.float32)
    kernel[0] = 1
    model.rnn_1.set_weights([kernel, np.diag([1, 0]), np.zeros(2)])
    model.rnn_2.set_weights([np.eye(2), np.zeros((2, 2)), np.zeros(2)])
    model.dense.set_weights([np.array([[100], [0]]), np.zeros(1)])
    return model


def lstm():
    """An LSTM of one unit: i, f, o are open, g is the word: c counts ups and downs."""
    model = with_vectors(lstm_imdb.SentimentClassifier(1))
    kernel = np.zeros((common.EMBEDDING_LEN, 4), np.float32)
    kernel[0, 2] = 1  # i, f, g, o
    model.rnn_1.set_weights([kernel, np.zeros((1, 4)), np.array([20, 20, 0, 20])])
    of_h = np.array([[0, 0, 1, 0]])
    model.rnn_2.set_weights([of_h, np.zeros((1, 4)), np.array([20, -20, 0, 20])])
    model.dense.set_weights([np.array([[100]]), np.zeros(1)])
    return model


def three_reviews():
    """Three ups and a last down; one up and a last down; two downs and a last up: [3, 20]."""
    x = np.full((3, LENGTH), NOTHING, np.int32)
    x[0, [3, 8, 15]], x[1, 10], x[2, [3, 16]] = UP, UP, DOWN
    x[:, -1] = DOWN, DOWN, UP
    return x
