"""rnn_cell_imdb.py: classify IMDB reviews by sentiment with two SimpleRNNCells, stepped by hand.

Goes with the post's "循环神经网络单元" (RNN cells) and its first program.
One cell, one time step (x_t: [b, in], h_t: [b, units]), 80 times with the same weights:

    h_t = tanh(x_t W_xh + h_{t-1} W_hh + b)        h_0 = 0

The cell returns `out, [h_t]`, and the two are one tensor. The state is a list because other cells
have more: an LSTMCell returns `out, [h_t, c_t]`. The second cell reads the output of the first:
x_t of cell 2 is h_t of cell 1.

The post writes W x for a column vector x; Keras keeps a batch of rows, so it is x W here.
W_xh is the cell's `kernel`, W_hh its `recurrent_kernel`, b its `bias`.
"""

import common  # first: it sets TensorFlow's environment variables

import keras
import tensorflow as tf
from keras import layers


class SentimentClassifier(keras.Model):
    """The probability that each review is positive: [b, 80] int32 -> [b, 1] float32."""

    def __init__(self, units):
        super().__init__()
        self.embedding = layers.Embedding(common.TOTAL_WORDS, common.EMBEDDING_LEN)
        # dropout: in training half of each step's inputs are zero, the same half at every step
        self.cell_1 = layers.SimpleRNNCell(units, dropout=0.5)
        self.cell_2 = layers.SimpleRNNCell(units, dropout=0.5)
        self.dense = layers.Dense(1, activation="sigmoid")

    def build(self, shape):
        # Makes the weights, from shapes alone: Keras would make none, or run call() to learn them.
        self.embedding.build(shape)  # [b, 80]
        self.cell_1.build((None, common.EMBEDDING_LEN))  # [b, 100]
        self.cell_2.build((None, self.cell_1.units))  # [b, 64]
        self.dense.build((None, self.cell_2.units))  # [b, 64]
        # For summary() alone: a cell returns out and states, so Keras cannot know which is meant.
        self.cell_1.output_shape = (None, self.cell_1.units)
        self.cell_2.output_shape = (None, self.cell_2.units)

    def call(self, inputs, training=False):
        x = self.embedding(inputs)  # [b, 80] -> [b, 80, 100]
        b = tf.shape(x)[0]  # the last batch is smaller
        state_1 = self.cell_1.get_initial_state(b)  # [[b, 64]], zeros
        state_2 = self.cell_2.get_initial_state(b)  # [[b, 64]], zeros
        # A cell draws its mask at the first step and keeps it; each batch needs a new one.
        self.cell_1.reset_dropout_mask()
        self.cell_2.reset_dropout_mask()
        for word in tf.unstack(x, axis=1):  # 80 times [b, 100]
            out_1, state_1 = self.cell_1(word, state_1, training=training)  # [b, 100] -> [b, 64]
            out_2, state_2 = self.cell_2(out_1, state_2, training=training)  # [b, 64] -> [b, 64]
        assert out_2 is state_2[0]  # the post's "out and h1 are the same": the output is the state
        return self.dense(out_2)  # [b, 64] -> [b, 1]


def main(argv=None):
    args = common.parse_args(__file__, argv, unroll=True)
    model = SentimentClassifier(args.units)
    model.build((None, common.MAX_REVIEW_LEN))
    if args.load:
        return common.evaluate_saved(args, model)  # nothing is trained
    train, test, data = common.load_datasets(args)
    model.summary()
    adam = keras.optimizers.Adam(common.linear_decay(args, train), clipnorm=args.clipnorm)
    # an object, because Keras builds the metric of a string inside fit(), and then traces twice
    accuracy = keras.metrics.BinaryAccuracy("accuracy")
    model.compile(adam, loss="binary_crossentropy", metrics=[accuracy], jit_compile=False)
    with common.Record(args, test, data) as record:  # each epoch's files, and the last line
        model.fit(
            train, validation_data=test, epochs=args.epochs, callbacks=[record], verbose=common.BAR
        )
    return model


if __name__ == "__main__":
    common.run(main)
