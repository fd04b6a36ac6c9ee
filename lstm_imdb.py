"""lstm_imdb.py: classify IMDB reviews by sentiment with two stacked LSTM layers.

Goes with the post's "LSTM（长短时记忆单元）" and "LSTM文本情感分类实战".
One layer, one time step (x_t: [b, in], h_t, c_t: [b, units]; * is elementwise):

    i   = sigmoid(x_t W_xi + h_{t-1} W_hi + b_i)    input gate: how much of g enters
    f   = sigmoid(x_t W_xf + h_{t-1} W_hf + b_f)    forget gate: how much of c_{t-1} stays
    g   = tanh(x_t W_xg + h_{t-1} W_hg + b_g)       candidate
    o   = sigmoid(x_t W_xo + h_{t-1} W_ho + b_o)    output gate: how much of c_t is shown
    c_t = f * c_{t-1} + i * g                       carry: the added path       c_0 = 0
    h_t = o * tanh(c_t)                             output                      h_0 = 0

The post writes W x for a column vector x; Keras keeps a batch of rows, so it is x W here.
`kernel` is W_xi, W_xf, W_xg, W_xo side by side, `recurrent_kernel` W_hi, W_hf, W_hg, W_ho, and
`bias` b_i, b_f, b_g, b_o, where b_f starts at one so that an untrained network keeps its carry.

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
        self.rnn_1 = layers.LSTM(units, dropout=0.5, return_sequences=True, unroll=unroll)
        self.rnn_2 = layers.LSTM(units, dropout=0.5, unroll=unroll)
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
