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
`bias` b_i, b_f, b_g, b_o. b_f starts at one, so f near sigmoid(1) = 0.73: at the start more of the
carry stays than goes, but over 80 steps even that is forgotten (0.73 to the 80th is 1e-11).
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
        self.rnn_1 = layers.LSTM(units, dropout=0.5, return_sequences=True, unroll=unroll)
        self.rnn_2 = layers.LSTM(units, dropout=0.5, unroll=unroll)
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
