"""
What a score means
==================

Of windows with a score of 0.8, eight in ten should have the label: then the points lie on the diagonal. A
model that is too sure lies below it. Both are made up here, from the same truth.
"""

import matplotlib.pyplot as plt
import numpy as np
from fastaudio import plot

rng = np.random.default_rng(0)
honest = rng.uniform(0, 1, (4_000, 1))
truth = (rng.uniform(0, 1, honest.shape) < honest).astype(int)
logits = np.log(honest / (1 - honest))
too_sure = 1 / (1 + np.exp(-3 * logits))

figure, axes = plt.subplots(1, 2, figsize=(9, 4.5), layout="constrained")
plot.reliability(truth, honest, axes[0])
plot.reliability(truth, too_sure, axes[1])
