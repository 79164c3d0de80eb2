"""Labels of one's own: a head trained on a model's embedding, in minutes, and run as any model.

>>> from fastaudio import heads
>>> heads.Head.save.__name__
'save'

Needs the extra [train]: scikit-learn and onnx; drawings need [plot]. What is saved needs neither.
"""

from fastaudio.heads.data import labelled_files
from fastaudio.heads.evaluation import Evaluation, evaluate
from fastaudio.heads.extras import MissingExtra
from fastaudio.heads.fitting import fit
from fastaudio.heads.head import Head

__all__ = ["Evaluation", "Head", "MissingExtra", "evaluate", "fit", "labelled_files"]
