"""gru_imdb.py: classify IMDB reviews by sentiment with two stacked GRU layers.

Goes with the post's "GRU" and the end of "LSTM文本情感分类实战".
One layer, one time step (x_t: [b, in], h_t: [b, units]; * is elementwise):

    z   = sigmoid(x_t W_xz + b_xz + h_{t-1} W_hz + b_hz)       update gate: how much of h stays
    r   = sigmoid(x_t W_xr + b_xr + h_{t-1} W_hr + b_hr)       reset gate: how much of h g sees
    g   = tanh(x_t W_xg + b_xg + r * (h_{t-1} W_hg + b_hg))    candidate
    h_t = z * h_{t-1} + (1 - z) * g                            h_0 = 0

This is Keras's `reset_after=True`, cuDNN's form: r multiplies after the product with W_hg (before
it in Cho et al. 2014), hence two biases. Many texts swap the roles of z and 1 - z.

The post writes W x for a column vector x; Keras keeps a batch of rows, so it is x W here.
`kernel` is W_xz, W_xr, W_xg side by side, `recurrent_kernel` W_hz, W_hr, W_hg; of the two rows of
`bias` the first is b_xz, b_xr, b_xg and the second b_hz, b_hr, b_hg.
"""

import common  # first: it sets TensorFlow's environment variables

import keras
from keras import layers


class SentimentClassifier(keras.Model):
    """The probability that each review is positive: [b, 80] int32 -> [b, 1] float32."""

    def __init__(self, units, unroll=False):
        super().__init__()
        self.embedding = layers.Embedding(common.TOTAL_WORDS, common.EMBEDDING_LEN)
        # dropout: in training half of each step's inputs are zero, the same half at every step
        self.rnn_1 = layers.GRU(units, dropout=0.5, return_sequences=True, unroll=unroll)
        self.rnn_2 = layers.GRU(units, dropout=0.5, unroll=unroll)
        self.dense = layers.Dense(1, activation="sigmoid")

    def build(self, shape):
        # Makes the weights, from shapes alone: Keras would make none, or run call() to learn them.
        # self.layers are in the order of __init__, and each must read what the one before it gives.
        for layer in self.layers:  # [b, 80] -> [b, 80, 100] -> [b, 80, 64] -> [b, 64] -> [b, 1]
            layer.build(shape)
            shape = layer.compute_output_shape(shape)

    def call(self, inputs, training=False):
        x = self.embedding(inputs)  # [b, 80] -> [b, 80, 100]
        # layer 2 reads h of every time step (return_sequences), Dense only the last one's
        x = self.rnn_1(x, training=training)  # [b, 80, 100] -> [b, 80, 64]
        x = self.rnn_2(x, training=training)  # [b, 80, 64] -> [b, 64]
        return self.dense(x)  # [b, 64] -> [b, 1]


def main(argv=None):
    args = common.parse_args(__file__, argv)
    model = SentimentClassifier(args.units, unroll=args.unroll)
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
