"""Your own labels: a head is trained on a model's embedding, in minutes, and runs like any model.

>>> from fastaudio import heads
>>> heads.Head.save.__name__
'save'

Training needs the extra [train] (scikit-learn and onnx), drawing needs [plot]; a saved head needs neither.

`data` finds labelled files, `rows` holds their embeddings, `results` says which files gave none, `cache`
keeps embeddings for the next run, `identity` says what they depend on, `augmenting` alters copies; `folds`
deals files out, `classifier` and `adam` learn from them, `judging` cross-validates, `calibration` makes
scores probabilities, `fitting` does all of it, `comparing` for several models. `head` is the result,
`head_card` its card, `embedders` its pipeline, `export` its ONNX, which `alone` takes apart again.
`evaluation` measures models by `metrics` and `over_files`; `report`, `plots`, `similarity` and `source` show
what was found. `extras` imports optional packages.
"""

from fastaudio.heads.augmenting import Augment
from fastaudio.heads.comparing import Comparison, compare, shipped_embedders
from fastaudio.heads.data import labelled_files
from fastaudio.heads.evaluation import Evaluation, evaluate
from fastaudio.heads.extras import MissingExtra
from fastaudio.heads.fitting import fit
from fastaudio.heads.head import Head

__all__ = [
    "Augment",
    "Comparison",
    "Evaluation",
    "Head",
    "MissingExtra",
    "compare",
    "evaluate",
    "fit",
    "labelled_files",
    "shipped_embedders",
]
