"""Networks that others trained, as pipelines: the right front end before them, their labels behind.

`from_onnx` takes a network, the name of a preset and a file of labels; `from_essentia` takes what Essentia
publishes. Both return a `Pipeline`, which `save` writes as a card, and `listen_to` runs it once, so that a
wrong front end is seen at once.

`plain` and `essentia` make the pipelines, `fronts` the front ends, `inputs` and `outputs` find those of a
network that are meant, `states` which output returns to which input, `labels` reads lists of labels, `tables`
those in columns and on lines, `metadata` Essentia's JSON, `network_file` what an ONNX file says of itself,
`trial` runs over sounds, `text` reads small files, `saving` writes the card.
"""

from fastaudio.importing.essentia import from_essentia
from fastaudio.importing.labels import read_labels
from fastaudio.importing.plain import from_onnx
from fastaudio.importing.saving import save
from fastaudio.importing.trial import Heard, listen_to

__all__ = ["Heard", "from_essentia", "from_onnx", "listen_to", "read_labels", "save"]
