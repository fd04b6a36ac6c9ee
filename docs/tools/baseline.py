"""baseline.py: classify IMDB reviews by the mean of their word vectors, in any order.

    python docs/tools/baseline.py --data imdb.npz
    python docs/tools/baseline.py --data imdb.npz --bigrams

No recurrence: what the four scripts have to be compared with. --bigrams adds a vector for every
pair of neighbouring words, as one of 100,000 hashed ids. Other flags as the scripts', but the rate
begins at 0.003.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import common  # first: it sets TensorFlow's environment variables

import keras
from keras import layers

PAIRS = 100_000  # ids for bigrams; different pairs may share one


def average(bigrams=False):
    """P(positive) from the mean of the word vectors: [b, 80] int32 -> [b, 1] float32."""
    words = keras.Input((common.MAX_REVIEW_LEN,), dtype="int32")
    x = layers.Embedding(common.TOTAL_WORDS, common.EMBEDDING_LEN)(words)  # [b, 80, 100]
    x = layers.GlobalAveragePooling1D()(x)  # [b, 100]
    if bigrams:
        pairs = (words[:, :-1] * 7_919 + words[:, 1:]) % PAIRS  # [b, 79]
        y = layers.Embedding(PAIRS, common.EMBEDDING_LEN)(pairs)  # [b, 79, 100]
        x = layers.Add()([x, layers.GlobalAveragePooling1D()(y)])  # [b, 100]
    return keras.Model(words, layers.Dense(1, activation="sigmoid")(x))


def main(argv=None):
    argv = sys.argv[1:] if argv is None else argv
    bigrams = "--bigrams" in argv
    flags = [flag for flag in argv if flag != "--bigrams"]
    # The rate is chosen on held-out training reviews: with the scripts' 0.001 it learns too little.
    args = common.parse_args(__file__, flags, learning_rate=0.003)
    model = average(bigrams)
    if args.load:
        return common.evaluate_saved(args, model)
    train, test, data = common.load_datasets(args)
    adam = keras.optimizers.Adam(common.linear_decay(args, train), clipnorm=args.clipnorm)
    # an object, because Keras builds the metric of a string inside fit(), and then traces twice
    accuracy = keras.metrics.BinaryAccuracy("accuracy")
    model.compile(adam, loss="binary_crossentropy", metrics=[accuracy], jit_compile=False)
    with common.Record(args, test, data) as record:
        model.fit(
            train, validation_data=test, epochs=args.epochs, callbacks=[record], verbose=common.BAR
        )
    return model


if __name__ == "__main__":
    common.run(main)
