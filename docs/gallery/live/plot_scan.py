"""
A scan into tables
==================

A folder of files goes into Parquet tables, a row per window; the same call goes on after any interruption.
pandas, DuckDB and Spark read them as they are.
"""

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import soundfile
from fastaudio.scanning.networks import Chosen
from fastaudio.scanning.scan import scan

folder, rate = Path(tempfile.mkdtemp()), 16_000
(folder / "night").mkdir()
t = np.arange(4 * rate) / rate
for i in range(6):
    wave = np.sin(2 * np.pi * 220 * 2 ** (i / 6) * t)
    soundfile.write(folder / "night" / f"{i}.wav", 0.05 * (i + 1) * wave, rate)
done = scan([str(folder / "night")], str(folder / "scanned"), chosen=Chosen("sound-activity"))
print(done.n_done, "files,", done.n_failed, "failed")

table = pd.read_parquet(folder / "scanned")
table["name"] = [Path(path).name for path in table["path"]]
print(table[["name", "duration_s", "top_labels"]])
figure, ax = plt.subplots(layout="constrained")
ax.bar(table["name"], [scores[-1] for scores in table["scores"]])
ax.set(ylabel="mean score of the last label")
