"""
A network that others trained
=============================

An ONNX file comes without its front end and its labels. ``from_onnx`` puts them around it; here the network
is a stranger's copy of MusiCNN, and the labels lie in a text file. The scores are those of the shipped model.
"""

import tempfile
from pathlib import Path

import fastaudio as fa
import matplotlib.pyplot as plt
from fastaudio import importing

shipped = fa.Pipeline.load("musicnn-mtt")
labels = Path(tempfile.mkdtemp()) / "labels.txt"
labels.write_text("\n".join(shipped.output_specs[""].labels), encoding="utf-8")

mine = importing.from_onnx("../../../models/musicnn-mtt/model.onnx", "musicnn", labels=labels)
print(mine)
one, other = (model("../../../examples/guitar.flac") for model in (shipped, mine))

figure, ax = plt.subplots(layout="constrained")
ax.plot(one.scores.ravel(), other.scores.ravel(), ".")
ax.set(xlabel="scores of the shipped model", ylabel="scores of the imported network")
