"""Stands in for a script where common.py is tested, which knows no kind of cell.

It is gru_imdb.py with a network that averages the word vectors and is never traced: Keras runs it
step by step. `python tests/averaged.py` runs it as a program.
"""

import sys
from pathlib import Path
from unittest import mock

sys.path.append(str(Path(__file__).resolve().parent.parent))

import common  # before TensorFlow, as in the scripts
import gru_imdb
import keras


class SentimentClassifier(keras.Model):
    def __init__(self, units, unroll=False):
        super().__init__()
        self.embedding = keras.layers.Embedding(common.TOTAL_WORDS, common.EMBEDDING_LEN)
        self.pooling = keras.layers.GlobalAveragePooling1D()
        self.hidden = keras.layers.Dense(units, activation="tanh")
        self.dense = keras.layers.Dense(1, activation="sigmoid")

    def build(self, shape):
        for layer in self.layers:
            layer.build(shape)
            shape = layer.compute_output_shape(shape)

    def compile(self, *args, **kwargs):
        super().compile(*args, **kwargs, run_eagerly=True)

    def call(self, inputs, training=False):
        return self.dense(self.hidden(self.pooling(self.embedding(inputs))))


def main(argv=None):
    with mock.patch.object(gru_imdb, "SentimentClassifier", SentimentClassifier):
        return gru_imdb.main(argv)


if __name__ == "__main__":
    common.run(main)
