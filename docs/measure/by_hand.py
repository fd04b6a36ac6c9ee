"""One unit of the README's LSTM at "good", with a "not" and without: by_hand.csv.

    python lstm_imdb.py --data toy --save toy.weights.h5
    python -m docs.measure.by_hand --weights toy.weights.h5

A row is one number of the unit's equations (see lstm_imdb.py) at the last word of a sentence. What
enters a gate stands there in three parts: from the word, from the state before it, and the bias.
"""

import common  # first: it sets TensorFlow's environment variables
import numpy as np
from docs.measure import flags, networks, records
from docs.measure.names import ROOT

CSV = ROOT / "docs/measure/by_hand.csv"
HEAD = ("text", "quantity", "value")
TEXTS = "the plot was good", "the plot was not good"
LAYER, UNIT = 1, 37  # the unit counted from 0


def numbers(model, text):
    """The numbers of the unit at the last word of a text -> {quantity: value}."""
    index = common.load_word_index("toy")
    ids = common.encode([[index[word] for word in common.tokenize(text)]])
    p, states, inputs = networks.read(model, ids)
    cell, x, state = networks.cells(model)[LAYER - 1], inputs[LAYER - 1], states[LAYER - 1]
    word, before, after = (np.array(a) for a in (x[0, -1], state[0, -2], state[0, -1]))
    columns = [UNIT + k * cell.units for k in range(4)]
    from_word = (word @ cell.kernel.numpy())[columns]
    from_state = (before[: cell.units] @ cell.recurrent_kernel.numpy())[columns]
    values = {}
    for n, letter in enumerate("ifgo"):
        values[f"x W_{letter}"] = from_word[n]
        values[f"h W_{letter}"] = from_state[n]
        values[f"b_{letter}"] = cell.bias.numpy()[columns[n]]
    gates = networks.gates(cell, word[None], before[None])
    values |= {letter: np.array(gates[letter])[0, UNIT] for letter in "ifgo"}
    values |= {"c before": before[cell.units + UNIT], "c": after[cell.units + UNIT]}
    return values | {"h": after[UNIT], "P(positive)": p[0]}


def main(argv=None):
    parser = flags.parser(__doc__)
    parser.add_argument("--weights", required=True, help="of lstm_imdb.py, trained on the toy")
    model = networks.load("lstm_imdb", 0, parser.parse_args(argv).weights)
    CSV.unlink(missing_ok=True)
    rows = [(t, name, f"{v:.5f}") for t in TEXTS for name, v in numbers(model, t).items()]
    records.append(CSV, [HEAD, *rows])


if __name__ == "__main__":
    main()
