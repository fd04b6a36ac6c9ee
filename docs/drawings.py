"""Make the drawings: the network unrolled over the words, and the three cells side by side.

    python docs/drawings.py network
    python docs/drawings.py cells

Each writes one SVG file into docs/. Needs matplotlib.
"""

import figures
import matplotlib
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch

matplotlib.rcParams["svg.hashsalt"] = "drawings"  # the same file each time
matplotlib.rcParams["svg.fonttype"] = "none"  # text stays text


def empty(width, height, x, y):
    """A figure without axes, x by y units wide and high."""
    figure = Figure(figsize=(width, height))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, x), ylim=(0, y))
    axes.axis("off")
    return figure, axes


def box(axes, x, y, text, fill="#ffffff", width=1.7, height=0.8, size=10):
    style = "round,pad=0.05,rounding_size=0.12"
    corner = (x - width / 2, y - height / 2)
    axes.add_patch(FancyBboxPatch(corner, width, height, boxstyle=style, fc=fill, ec="black"))
    axes.text(x, y, text, ha="center", va="center", fontsize=size)


def arrow(axes, *points, text="", dx=0.0, dy=0.0, lw=1.0):
    """A line through the points with a head at its end, and a text beside its first part."""
    for start, end in zip(points, points[1:]):
        head = "-|>" if end == points[-1] else "-"
        axes.add_patch(
            FancyArrowPatch(start, end, arrowstyle=head, mutation_scale=11, color="black", lw=lw,
                            shrinkA=0, shrinkB=0)
        )  # fmt: skip
    (a, b), (c, d) = points[:2]
    axes.text((a + c) / 2 + dx, (b + d) / 2 + dy, text, ha="center", va="center", fontsize=9)


def node(axes, x, y, text):
    """An elementwise operation."""
    axes.add_patch(Circle((x, y), 0.27, fc="white", ec="black"))
    axes.text(x, y, text, ha="center", va="center", fontsize=10)


def network(args):
    """The two layers unrolled over the 80 words, the weights of a layer the same at every step."""
    figure, axes = empty(8, 4, 16, 7.7)
    for x, t in ((3.2, "1"), (6.4, "2"), (11.2, "80")):
        axes.text(x, 0.45, f"word {t}", ha="center", va="center", fontsize=10)
        arrow(axes, (x, 0.7), (x, 1.15))
        box(axes, x, 1.6, "Embedding")
        arrow(axes, (x, 2.05), (x, 2.95), text=f"x_{t}  [b, 100]", dx=1.05, dy=-0.2)
        axes.text(x - 0.15, 2.6, "W_xh", ha="right", va="center", fontsize=9)
        box(axes, x, 3.4, "layer 1", "#dcebf5")
        arrow(axes, (x, 3.85), (x, 4.75), text=f"h_{t}  [b, 64]", dx=1.0, dy=-0.2)
        axes.text(x - 0.15, 4.4, "W'_xh", ha="right", va="center", fontsize=9)
        box(axes, x, 5.2, "layer 2", "#f7e3d4")
    for y, prime in ((3.4, ""), (5.2, "'")):
        arrow(axes, (1.5, y), (2.3, y))
        axes.text(0.75, y, f"h{prime}_0 = 0", ha="center", va="center", fontsize=9)
        for start, end, t in (4.1, 5.5, "1"), (7.3, 8.4, "2"), (9.2, 10.3, "79"):
            arrow(axes, (start, y), (end, y), text=f"h{prime}_{t}", dy=0.25)
            axes.text((start + end) / 2, y - 0.35, f"W{prime}_hh", ha="center", fontsize=8)
        axes.text(8.8, y, ". . .", ha="center", va="center", fontsize=13)
    axes.text(8.8, 1.6, ". . .", ha="center", va="center", fontsize=13)
    arrow(axes, (12.1, 5.2), (13.0, 5.2), text="h'_80", dy=0.28)
    box(axes, 13.95, 5.2, "Dense")
    arrow(axes, (13.95, 4.75), (13.95, 3.85), text="sigmoid", dx=0.75)
    axes.text(13.95, 3.4, "P(positive)  [b, 1]", ha="center", va="center", fontsize=10)
    axes.text(
        8,
        6.95,
        "h_t = tanh(x_t W_xh + h_{t-1} W_hh + b), and the same with W'_xh, W'_hh, b' in layer 2:\n"
        "two sets of weights, each the same at all 80 steps.  x_t of layer 2 is h_t of layer 1.",
        ha="center",
        va="center",
        fontsize=10,
    )
    figures.save(figure, "network.svg")


def cells(args):
    """SimpleRNN, LSTM and GRU, one time step: where the added path runs, where W multiplies."""
    figure, axes = empty(10, 4.4, 30, 13.2)
    for x, title in ((4, "SimpleRNN"), (14.2, "LSTM"), (25, "GRU")):
        axes.text(x, 12.6, title, ha="center", fontsize=12)
    # SimpleRNN
    arrow(axes, (0.4, 6), (2.6, 6), text="h_{t-1}", dy=0.45)
    arrow(axes, (4, 1.2), (4, 5.2))
    axes.text(4, 0.7, "x_t", ha="center", va="center", fontsize=9)
    axes.text(4.25, 3.3, "W_xh", va="center", fontsize=9)
    axes.text(1.7, 5.4, "W_hh", ha="center", va="center", fontsize=9)
    box(axes, 4, 6, "tanh( + )", "#dcebf5", 2.5, 1.4)
    arrow(axes, (5.4, 6), (7.6, 6), text="h_t", dy=0.45)
    axes.text(4, 8.3, "all of the state is\nmultiplied by W_hh", ha="center", fontsize=8)
    axes.text(4, 10.3, "h_t = tanh(x_t W_xh\n+ h_{t-1} W_hh + b)", ha="center", fontsize=9)
    # LSTM
    arrow(axes, (9, 10), (11.33, 10), text="c_{t-1}", dx=-0.5, dy=0.45, lw=2.5)
    node(axes, 11.6, 10, "*")
    arrow(axes, (11.87, 10), (14.13, 10), lw=2.5)
    node(axes, 14.4, 10, "+")
    arrow(axes, (14.67, 10), (19.6, 10), text="c_t", dx=2, dy=0.45, lw=2.5)
    arrow(axes, (17.2, 10), (17.2, 8.2))
    axes.text(17.4, 9.1, "tanh", va="center", fontsize=9)
    node(axes, 17.2, 7.9, "*")
    arrow(axes, (17.47, 7.9), (19.6, 7.9), text="h_t", dx=0.4, dy=0.45)
    for x, letter, form in (
        (11.6, "f", "sigmoid"), (13.4, "i", "sigmoid"), (15.2, "g", "tanh"), (17.2, "o", "sigmoid"),
    ):  # fmt: skip
        box(axes, x, 5, f"{letter}\n{form}", "#f7e3d4" if letter != "g" else "#dcebf5", 1.3, 1.5, 8)
        arrow(axes, (x, 2.4), (x, 4.15))
    arrow(axes, (11.6, 5.85), (11.6, 9.7))
    node(axes, 14.4, 8, "*")
    arrow(axes, (13.4, 5.85), (14.2, 7.75))
    arrow(axes, (15.2, 5.85), (14.6, 7.75))
    arrow(axes, (14.4, 8.27), (14.4, 9.7))
    arrow(axes, (17.2, 5.85), (17.2, 7.6))
    axes.plot((9.6, 17.2), (2.4, 2.4), "k-", lw=1)
    arrow(axes, (9, 2.4), (9.7, 2.4))
    axes.text(9, 2.9, "h_{t-1}, x_t", ha="left", va="center", fontsize=9)
    axes.text(14.4, 1.5, "W_hf W_xf   W_hi W_xi   W_hg W_xg   W_ho W_xo", ha="center", fontsize=8)
    axes.text(14.2, 11.2, "the added path: c is multiplied by f, not by a matrix", ha="center",
              fontsize=8)  # fmt: skip
    # GRU
    arrow(axes, (20.8, 10), (23.33, 10), text="h_{t-1}", dx=-0.6, dy=0.45, lw=2.5)
    node(axes, 23.6, 10, "*")
    arrow(axes, (23.87, 10), (26.73, 10), lw=2.5)
    node(axes, 27, 10, "+")
    arrow(axes, (27.27, 10), (29.6, 10), text="h_t", dx=0.3, dy=0.45, lw=2.5)
    for x, letter, form in ((23.6, "z", "sigmoid"), (25.4, "r", "sigmoid"), (28, "g", "tanh")):
        box(axes, x, 5, f"{letter}\n{form}", "#f7e3d4" if letter != "g" else "#dcebf5", 1.3, 1.5, 8)
        arrow(axes, (x, 2.4), (x, 4.15))
    arrow(axes, (23.6, 5.85), (23.6, 9.7))
    node(axes, 27, 8, "*")
    arrow(axes, (23.6, 8), (26.73, 8), text="1 - z", dx=0.2, dy=0.35)
    arrow(axes, (28, 5.85), (27.2, 7.75))
    arrow(axes, (27, 8.27), (27, 9.7))
    arrow(axes, (26.1, 5), (27.25, 5), text="r *", dy=0.4)
    axes.plot((21.2, 28), (2.4, 2.4), "k-", lw=1)
    arrow(axes, (20.8, 2.4), (21.3, 2.4))
    axes.text(20.8, 2.9, "h_{t-1}, x_t", ha="left", va="center", fontsize=9)
    axes.text(25.6, 1.5, "W_hz W_xz   W_hr W_xr   W_hg W_xg", ha="center", fontsize=8)
    axes.text(25, 11.2, "the added path: h is multiplied by z", ha="center", fontsize=8)
    figures.save(figure, "cells.svg")


if __name__ == "__main__":
    figures.choose(__doc__, network, cells)
