"""The JSON that Essentia publishes beside each of its models."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastaudio._core import ModelError
from fastaudio.importing.labels import checked
from fastaudio.importing.text import read_json

if TYPE_CHECKING:
    import os

_LONGEST = 4000
_MOST_OUTPUTS = 1000


@dataclass(frozen=True)
class EssentiaOutput:
    """An output: its name, what it is for ("predictions", "embeddings" or nothing), its last operator."""

    name: str
    purpose: str
    op: str


@dataclass(frozen=True)
class EssentiaModel:
    """What the JSON says.

    Attributes:
        path: the file, for errors.
        data: all of it.
        classes: names of the predictions; empty for an embedding.
        outputs: the outputs that it lists.
        algorithm: the algorithm of Essentia that runs it, such as TensorflowPredictMusiCNN.
        embedder: for a head, the algorithm that gives what it takes; else "".
        embedder_name: for a head, the name of the network that gives it, such as msd-musicnn-1; else "".
        sample_rate: in Hz, or None.
    """

    path: str
    data: dict[str, Any]
    classes: tuple[str, ...]
    outputs: tuple[EssentiaOutput, ...]
    algorithm: str
    embedder: str
    embedder_name: str
    sample_rate: float | None

    @property
    def is_head(self) -> bool:
        """Whether it takes an embedding, and not patches."""
        return self.algorithm == "TensorflowPredict2D"

    @property
    def is_regression(self) -> bool:
        """Whether it gives values, which aren't scores."""
        return "regression" in _text(self.data, "type").lower()

    def named(self, purpose: str) -> list[EssentiaOutput]:
        """Return the outputs for a purpose."""
        return [output for output in self.outputs if output.purpose == purpose]


def is_essentia(data: Any) -> bool:
    """Tell whether JSON is Essentia's."""
    return isinstance(data, dict) and isinstance(data.get("schema"), dict)


def read_essentia(path: str | os.PathLike[str]) -> EssentiaModel:
    """Return what a model's JSON says.

    Raises:
        ModelError: it can't be read, isn't Essentia's, or lacks what is needed.
    """
    data, subject = read_json(path), str(path)
    if not is_essentia(data):
        raise ModelError(
            f"{subject}: expected Essentia's description of a model, with 'schema', 'classes' and "
            "'inference', got other JSON; labels alone go with a preset (--labels, --preset)"
        )
    inference = _dict(data, "inference", subject)
    embedder = _dict(inference, "embedding_model", subject)
    algorithm = _text(inference, "algorithm")
    if not algorithm:
        raise ModelError(
            f"{subject}: expected 'inference' with the 'algorithm' that runs the model, got none; name its "
            "front end itself (--preset, from_onnx)"
        )
    classes = data.get("classes")
    if not isinstance(classes, list | None):
        raise ModelError(f"{subject}: expected 'classes' as a list, got {classes!r:.80}")
    names = [each.strip() if isinstance(each, str) else each for each in classes or []]
    if not all(isinstance(name, str) for name in names):
        raise ModelError(f"{subject}: expected 'classes' as a list of texts, got {names!r:.80}")
    rate = inference.get("sample_rate")
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not math.isfinite(rate):
        rate = None
    return EssentiaModel(
        path=subject,
        data=data,
        classes=tuple(checked(names, f"{subject}: classes")) if names else (),
        outputs=_outputs(data, subject),
        algorithm=algorithm,
        embedder=_text(embedder, "algorithm"),
        embedder_name=_text(embedder, "model_name"),
        sample_rate=None if rate is None else float(rate),
    )


def _outputs(data: dict[str, Any], subject: str) -> tuple[EssentiaOutput, ...]:
    listed = _dict(data, "schema", subject).get("outputs", [])
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise ModelError(f"{subject}: expected 'schema' with 'outputs' as a list, got {listed!r:.80}")
    return tuple(
        EssentiaOutput(_text(each, "name"), _text(each, "output_purpose").lower(), _text(each, "op"))
        for each in listed[:_MOST_OUTPUTS]
        if _text(each, "name")
    )


def card_of(model: EssentiaModel) -> dict[str, Any]:
    """Return what a card takes over: whose model it is, and what it was trained on."""
    data = model.data
    found: dict[str, Any] = {
        "task": _text(data, "type"),
        "description": _text(data, "description"),
        "licence": _text(data, "license") or _text(data, "licence"),
        "citation": _text(data, "citation"),
    }
    source = {"name": _text(data, "name"), "version": _text(data, "version"), "link": _text(data, "link")}
    source = {key: value for key, value in source.items() if value}
    dataset = data.get("dataset")
    found |= {
        "authors": [author] if (author := _text(data, "author")) else [],
        "source": source,
        "trained_on": _text(dataset, "name") if isinstance(dataset, dict) else "",
    }
    return {key: value for key, value in found.items() if value}


def _dict(data: dict[str, Any], key: str, subject: str) -> dict[str, Any]:
    value = data.get(key, {})
    if not isinstance(value, dict):
        raise ModelError(f"{subject}: expected {key!r} as a dict, got {value!r:.80}")
    return value


def _text(data: dict[str, Any], key: str) -> str:
    value = data.get(key, "")
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return ""
    return value.strip()[:_LONGEST].encode("utf-8", "replace").decode()  # JSON may spell half a character
