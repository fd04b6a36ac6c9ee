"""A callback that notes when things happen in a run: benchmark.py puts it into a script's fit()."""

import json
import os
import time

import keras


class Clock(keras.callbacks.Callback):
    """Notes how many seconds steps and scorings take, and writes them to the file $CLOCK."""

    def __init__(self):
        super().__init__()
        self.times = {"steps": [], "scorings": []}

    def on_train_batch_begin(self, batch, logs=None):
        self.started = time.time()

    def on_train_batch_end(self, batch, logs=None):
        now = time.time()
        self.times["steps"].append(now - self.started)
        self.times.setdefault("first_step", now)  # since 1970

    def on_test_begin(self, logs=None):
        self.started = time.time()

    def on_test_end(self, logs=None):
        self.times["scorings"].append(time.time() - self.started)

    def on_train_end(self, logs=None):
        with open(os.environ["CLOCK"], "w", encoding="utf-8") as file:
            json.dump(self.times, file)
