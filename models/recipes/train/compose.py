"""Composes a trained method as a fastaudio pipeline from samples to scores, of nodes and ONNX files alone."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import fastaudio as fa
import onnx
import torch
from harmonic_network import FRAMES, N_HARMONIC, N_LEVELS
from instruments import SPECTROGRAM, each_window, feature_branch
from methods import Concat, FeatureOnly, Film, Method
from torch import Tensor, nn

OPSET = 17
DECIBELS = (FRAMES, N_HARMONIC, N_LEVELS)


class Head(nn.Module):
    """A decoder with what comes before it: rows -> scores, logits."""

    def __init__(self, decoder: nn.Module, before: nn.Module | None = None) -> None:
        super().__init__()
        self.before = before or nn.Identity()
        self.decoder = decoder

    def forward(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return scores, logits."""
        logits = self.decoder(self.before(rows))
        return logits.softmax(1), logits


class Tagger(nn.Module):
    """An encoder and its decoder: decibels -> scores, embedding, logits."""

    OUTPUTS = ("scores", "embedding", "logits")

    def __init__(self, method: Method) -> None:
        super().__init__()
        self.encoder, self.decoder = method.encoder, method.decoder

    def forward(self, decibels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return scores, embedding, logits."""
        embedding = self.encoder(decibels)
        logits = self.decoder(embedding)
        return logits.softmax(1), embedding, logits


class StandardiseLast(nn.Module):
    """Standardises the last values of a row, the feature's, and leaves the embedding before them."""

    def __init__(self, standardise: nn.BatchNorm1d) -> None:
        super().__init__()
        self.standardise = standardise

    def forward(self, rows: Tensor) -> Tensor:
        """Return rows of the same size."""
        n = self.standardise.num_features
        return torch.cat([rows[:, :-n], self.standardise(rows[:, -n:])], dim=1)


class Modulation(nn.Module):
    """The two linear layers of FiLM: feature -> gamma, beta."""

    def __init__(self, method: Film) -> None:
        super().__init__()
        self.standardise, self.gamma, self.beta = method.standardise, method.gamma, method.beta

    def forward(self, feature: Tensor) -> tuple[Tensor, Tensor]:
        """Return gamma, beta."""
        feature = self.standardise(feature)
        return self.gamma(feature), self.beta(feature)


def compose(method: Method, families: Sequence[str], folder: Path, feature: fa.Node | None = None) -> fa.Node:
    """Write a trained method's parts into a folder as ONNX, and return the node from samples to tags.

    Concat, Film and feature-only have the pre-trained network as a branch, which is `feature`.
    """
    method.eval()
    tags = fa.Tags(list(families))
    if isinstance(method, FeatureOnly | Concat | Film):
        feature = feature or feature_branch()
        heads = {
            FeatureOnly: lambda m: Head(m.decoder, m.standardise),
            Concat: lambda m: Head(m.decoder, StandardiseLast(m.standardise)),
            Film: lambda m: Head(m.decoder),
        }
        head = export(heads[type(method)](method), folder / "head.onnx", rows_of(method), HEAD_OUTPUTS)
        scores = fa.OnnxModel(str(head), outputs=["scores"], units=["probability"]) >> tags
        if isinstance(method, FeatureOnly):
            return feature >> scores
        encoder = export(method.encoder, folder / "encoder.onnx", DECIBELS, ("embedding",))
        branch = harmonic_front(float(method.filterbank.q.detach())) >> fa.OnnxModel(str(encoder))
        if isinstance(method, Concat):
            return fa.Concat(branch, feature) >> scores
        modulation = export(Modulation(method), folder / "film.onnx", (200,), ("gamma", "beta"))
        condition = feature >> fa.OnnxModel(str(modulation), outputs=["gamma", "beta"])
        return fa.Film(branch, condition) >> scores
    model = export(Tagger(method), folder / "model.onnx", DECIBELS, Tagger.OUTPUTS)
    net = fa.OnnxModel(str(model), outputs=["scores"], units=["probability"])
    return harmonic_front(float(method.filterbank.q.detach())) >> net >> tags


HEAD_OUTPUTS = ("scores", "logits")


def rows_of(method: Method) -> tuple[int, ...]:
    """Return the shape of what a method's decoder takes, before any standardising."""
    return (method.decoder.layers[0].in_features,)


def harmonic_front(q: float) -> fa.Node:
    """Return windows of 2 s in decibels on harmonics, each window padded by itself as in training."""
    harmonic = fa.HarmonicSpectrogram(**SPECTROGRAM, q=[q]) >> fa.Log(kind="dB")
    return each_window(harmonic)


def export(module: nn.Module, path: Path, shape: Sequence[int], outputs: Sequence[str]) -> Path:
    """Write a module as ONNX with an open batch axis, and return the path."""
    with warnings.catch_warnings():
        # The older exporter is deprecated, but its graph is the plainer one.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module.eval(),
            (torch.zeros(1, *shape),),
            path,
            dynamo=False,
            opset_version=OPSET,
            input_names=["input"],
            output_names=list(outputs),
            dynamic_axes={name: {0: "n"} for name in ("input", *outputs)},
        )
    onnx.checker.check_model(onnx.load(path), full_check=True)
    return path
