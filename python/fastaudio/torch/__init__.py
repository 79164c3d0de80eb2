"""To and from PyTorch: a module becomes a model, front ends run in a Dataset, and others' weights are loaded.

    fastaudio.torch.export(module, front, labels=labels, path="my-model")   # a card and its ONNX, checked
    fastaudio.torch.Front(front)                                            # the very rows of inference
    fastaudio.torch.load_in_order(module, state_dict)                       # by order, whatever the names are

It needs the extra [torch]; what was exported doesn't. `import fastaudio` never imports PyTorch.

`needed` says what to install; `front` is the module of a front end, `in_order` loads weights. `exporting`
makes a model in these steps: `module` runs the module as it will be run, `outputs` names what it returns,
`plan` finds what a model of it needs, `graph` writes ONNX, `checking` compares the two.
"""

from fastaudio.torch import needed  # noqa: F401  # first: it says what to install
from fastaudio.torch.exporting import Exported, export
from fastaudio.torch.front import Front
from fastaudio.torch.in_order import load_in_order

__all__ = ["Exported", "Front", "export", "load_in_order"]
