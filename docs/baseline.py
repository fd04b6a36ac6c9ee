"""baseline.py: what averaging the word vectors gets, with no recurrence at all, for comparison.

Same data, same command line as the scripts: python docs/baseline.py --data imdb.npz
The order of the words makes no difference to it: h = mean of x_1 .. x_80, then Dense and sigmoid.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import common
import keras
from keras import layers


def main(argv=None):
    args = common.parse_args(__doc__, argv)
    train, test = common.load_datasets(args)
    model = keras.Sequential(
        [
            keras.Input((common.WORDS,), dtype="int32"),
            layers.Embedding(common.VOCABULARY, common.EMBEDDING),
            layers.GlobalAveragePooling1D(),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(
        # Held, unlike in the scripts: with a falling rate it has not learned enough by the end.
        optimizer=keras.optimizers.Adam(args.learning_rate),
        loss="binary_crossentropy",
        metrics=[keras.metrics.BinaryAccuracy(name="accuracy")],
    )
    with common.training(args, model) as callbacks:
        history = model.fit(
            train, validation_data=test, epochs=args.epochs, callbacks=callbacks, shuffle=False
        ).history
    common.report(args, model, history["val_loss"][-1], history["val_accuracy"][-1])


if __name__ == "__main__":
    common.run(main)
