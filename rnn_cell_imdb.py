"""rnn_cell_imdb.py: classify IMDB reviews by sentiment with two SimpleRNNCells, stepped by hand.

Goes with the post's "循环神经网络单元" (RNN cells) and its first program.
One cell, one time step (x_t: [b, in], h_t: [b, units]), 80 times with the same weights:

    h_t = tanh(x_t W_xh + h_{t-1} W_hh + b)        h_0 = 0

The cell returns `out, [h_t]`, and the two are one tensor; an LSTMCell would return two states. The
second cell reads the output of the first: x_t of cell 2 is h_t of cell 1.

The post writes W x for a column vector x; Keras keeps a batch of rows, so it is x W here.
W_xh is the cell's `kernel`, W_hh its `recurrent_kernel`, b its `bias`.

Left out: masking (the zeros in front of a short review are read like words) and pretrained word
vectors (the embedding starts random).
"""

import common  # first: it sets TensorFlow's environment variables

import keras
import tensorflow as tf
from keras import layers


class SentimentClassifier(keras.Model):
    """The probability that each review is positive: [b, 80] int32 -> [b, 1] float32."""

    def __init__(self, units):
        super().__init__()
        self.units = units
        self.embedding = layers.Embedding(common.VOCABULARY, common.EMBEDDING)
        self.cell_1 = layers.SimpleRNNCell(units, dropout=0.5)
        self.cell_2 = layers.SimpleRNNCell(units, dropout=0.5)
        self.dense = layers.Dense(1, activation="sigmoid")

    def build(self, input_shape):
        # Without build() Keras would run all 80 steps once more, only to learn these shapes.
        b, words = input_shape
        self.embedding.build((b, words))
        self.cell_1.build((b, common.EMBEDDING))
        self.cell_2.build((b, self.units))
        self.dense.build((b, self.units))

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
    args = common.parse_args(__doc__, argv)
    train, test = common.load_datasets(args)
    model = SentimentClassifier(args.units)
    model.build((None, common.WORDS))
    model.summary()
    # Down to 0 in a straight line: at full speed to the end, a run may stop at a bad moment.
    rate = keras.optimizers.schedules.PolynomialDecay(args.learning_rate, args.steps, 0.0)
    model.compile(
        optimizer=common.Adam(rate, clipnorm=args.clipnorm),  # Keras's, in fewer operations
        loss="binary_crossentropy",
        metrics=[keras.metrics.BinaryAccuracy(name="accuracy")],
        jit_compile=False,  # XLA compiles longer than it saves here
    )
    # Adam's variables now, not inside the first training step: that would trace the graph twice.
    model.optimizer.build(model.trainable_variables)
    if args.load:
        common.load_weights(args, model)
        scores = model.evaluate(test) if test is not None else None
    else:
        with common.training(args, model) as callbacks:
            # The test set is scored after each epoch to be looked at; nothing is chosen by it.
            history = model.fit(
                train, validation_data=test, epochs=args.epochs, callbacks=callbacks, shuffle=False
            ).history
        # The last epoch's validation has scored these weights: evaluate() would say the same.
        scores = history["val_loss"][-1], history["val_accuracy"][-1]
    common.read_reviews(args, model)
    if scores is not None:
        common.report(args, model, *scores)


if __name__ == "__main__":
    common.run(main)
