"""gru_imdb.py: classify IMDB reviews by sentiment with two stacked GRU layers.

Goes with the post's "GRU" and the end of "LSTM文本情感分类实战".
One layer, one time step (x_t: [b, in], h_t: [b, units]; * is elementwise):

    z   = sigmoid(x_t W_xz + b_xz + h_{t-1} W_hz + b_hz)       update gate: how much of h stays
    r   = sigmoid(x_t W_xr + b_xr + h_{t-1} W_hr + b_hr)       reset gate
    g   = tanh(x_t W_xg + b_xg + r * (h_{t-1} W_hg + b_hg))    candidate
    h_t = z * h_{t-1} + (1 - z) * g                            h_0 = 0

This is Keras's `reset_after=True`, cuDNN's form: r multiplies after the product with W_hg (before
it in Cho et al. 2014), hence two biases. Many texts swap the roles of z and 1 - z.

The post writes W x for a column vector x; Keras keeps a batch of rows, so it is x W here.
`kernel` is W_xz, W_xr, W_xg side by side, `recurrent_kernel` W_hz, W_hr, W_hg; of the two rows of
`bias` the first is b_xz, b_xr, b_xg and the second b_hz, b_hr, b_hg.

Left out: masking (the zeros in front of a short review are read like words) and pretrained word
vectors (the embedding starts random).
"""

import common  # first: it sets TensorFlow's environment variables

import keras
from keras import layers


class SentimentClassifier(keras.Model):
    """The probability that each review is positive: [b, 80] int32 -> [b, 1] float32."""

    def __init__(self, units, unroll=False):
        super().__init__()
        self.units = units
        self.embedding = layers.Embedding(common.VOCABULARY, common.EMBEDDING)
        self.rnn_1 = layers.GRU(units, dropout=0.5, return_sequences=True, unroll=unroll)
        self.rnn_2 = layers.GRU(units, dropout=0.5, unroll=unroll)
        self.dense = layers.Dense(1, activation="sigmoid")

    def build(self, input_shape):
        b, words = input_shape
        self.embedding.build((b, words))
        self.rnn_1.build((b, words, common.EMBEDDING))
        self.rnn_2.build((b, words, self.units))
        self.dense.build((b, self.units))

    def call(self, inputs, training=False):
        x = self.embedding(inputs)  # [b, 80] -> [b, 80, 100]
        x = self.rnn_1(x, training=training)  # [b, 80, 100] -> [b, 80, 64], h of every time step
        x = self.rnn_2(x, training=training)  # [b, 80, 64] -> [b, 64], h of the last one
        return self.dense(x)  # [b, 64] -> [b, 1]


def main(argv=None):
    args = common.parse_args(__doc__, argv, unroll=False)
    train, test = common.load_datasets(args)
    model = SentimentClassifier(args.units, unroll=args.unroll)
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
