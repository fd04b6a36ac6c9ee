"""A callback that notes when things happen in a run: benchmark.py puts it into a script's fit()."""

import json
import os
import time

import keras

imported = time.time()  # in the scripts' copy it is imported after TensorFlow


class Clock(keras.callbacks.Callback):
    """Notes times in seconds since 1970 and durations, and writes them to the file $CLOCK."""

    def __init__(self):
        super().__init__()
        self.times = {"imported": imported, "steps": [], "scorings": []}

    def on_train_begin(self, logs=None):
        self.times["training"] = time.time()

    def on_train_batch_begin(self, batch, logs=None):
        self.started = time.time()

    def on_train_batch_end(self, batch, logs=None):
        now = time.time()
        self.times["steps"].append(now - self.started)
        self.times.setdefault("first_step", now)

    def on_test_begin(self, logs=None):
        self.started = time.time()

    def on_test_end(self, logs=None):
        self.times["scorings"].append(time.time() - self.started)

    def on_train_end(self, logs=None):
        self.times["peak_mib"] = peak_mib()
        with open(os.environ["CLOCK"], "w", encoding="utf-8") as file:
            json.dump(self.times, file)


def peak_mib():
    """The most memory that this process has had."""
    try:
        import resource  # not on Windows
    except ImportError:
        return float("nan")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10  # KiB on Linux
