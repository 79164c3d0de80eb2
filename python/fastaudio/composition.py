"""What a pipeline is made of: a network, the sound that it takes, and a card."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, overload

from fastaudio._core import with_silence
from fastaudio._system.keywords import checked_keywords
from fastaudio._system.text import printable
from fastaudio.cards.trained import require_trained
from fastaudio.graph.hop import with_hop
from fastaudio.graph.layers import layer, layers
from fastaudio.running.adapt import SILENCE_DB, Adapter, Quality, checked_silence
from fastaudio.running.times import times_of

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping
    from typing import Self

    import numpy as np
    from numpy.typing import NDArray

    from fastaudio._core import Node, StreamSpec
    from fastaudio.drawing.boxes import Plan
    from fastaudio.running.stream import Samples
    from fastaudio.tags import Tags

_REPR_WIDTH, _REPR_PARTS, _REPR_OUTPUTS = 32, 10, 4
_LARGEST_PICTURE = 60  # inches


class Composition:
    """A network with its input and its card; immutable. `Pipeline` runs it."""

    def __init__(
        self,
        node: Node,
        *,
        channel: int | None = None,
        quality: Quality = "high",
        card: Mapping[str, Any] | None = None,
        untrained: bool = False,
        silence_db: float | None = SILENCE_DB,
    ) -> None:
        """Wrap a node whose first part states its sample rate.

        Args:
            node: the network to run.
            channel: index of the channel to take; None takes the mean of all.
            quality: the resampler's, for sources at another rate.
            card: metadata, which `save` keeps.
            untrained: whether to give tags although the card says that the weights are untrained.
            silence_db: level below which a window is silent, in dB relative to full scale: such windows keep
                their scores, but have no top tags and no events. None or -math.inf marks none. A window's
                level is the RMS of its loudest 100 ms (of all of it, if it is shorter), after channels were
                mixed and the sound was resampled; a full-scale sine has -3 dB.
        """
        self._adapter = Adapter(node, channel=channel, quality=quality)
        self.silence_db = checked_silence(silence_db)
        self._runner, self._live_runner = (
            Adapter(
                with_silence(node, self._adapter.spec, self.silence_db, swappable=live),
                channel=channel,
                quality=quality,
            )
            for live in (False, True)
        )
        self.node = node
        self.channel = channel
        self.quality: Quality = quality
        self.card: dict[str, Any] = dict(card or {})
        self.untrained = untrained
        self.input_spec = self._adapter.spec
        self.output_specs: dict[str, StreamSpec] = node.output_specs(self.input_spec)

    def __rshift__(self, node: Node | dict[str, Node]) -> Self:
        """Return this pipeline followed by `node`, or by named branches."""
        return self._with(self.node >> node)

    def _with(self, node: Node) -> Self:
        of_old_nodes = ("input", "pipeline")
        card = {key: value for key, value in self.card.items() if key not in of_old_nodes}
        other = type(self).__new__(type(self))  # a subclass may have another constructor
        vars(other).update(vars(self))
        Composition.__init__(other, **self.__getstate__() | {"node": node, "card": card})
        return other

    @property
    def layers(self) -> tuple[str, ...]:
        """The network's outputs that `layer` takes; empty without a network, or with several in branches."""
        return layers(self.node)

    def layer(self, name: str | None = None) -> Self:
        """Return a pipeline that ends at its last network and gives the rows of that output.

        What came after the network (Tags, Events, Mean) is left out; the weights are shared.

        Args:
            name: one of `layers`, or any other tensor of the network's graph (`fastaudio models NAME
                --tensors` lists them); None takes the first of `layers` that the card calls an embedding, or
                else the first.

        Raises:
            ValueError: there is no such tensor, no network, or several in branches; or the tensor has no row
                for each of the network's.
        """
        return self._with(layer(self.node, name, self.card))

    @property
    def name(self) -> str | None:
        """The card's name, or None."""
        return name if isinstance(name := self.card.get("name"), str) else None

    @property
    def sample_rate(self) -> int:
        """The rate that sound is resampled to, in Hz."""
        return round(self.input_spec.rate_hz)

    @property
    def latency_s(self) -> float:
        """Seconds from a result's first sample until it comes out; infinite if only at the end.

        Resampling adds some milliseconds.
        """
        return max(spec.latency_s if spec.rate_hz else math.inf for spec in self.output_specs.values())

    @property
    def hop_s(self) -> float:
        """Seconds from one result to the next; infinite if there is only one, at the end.

        With several outputs, the longest step.
        """
        return max(1 / spec.rate_hz if spec.rate_hz else math.inf for spec in self.output_specs.values())

    @property
    def receptive_field_s(self) -> float:
        """Seconds of sound that one result depends on; infinite if all sound before it may matter."""
        return self.node.receptive_field_s(self.input_spec)

    def with_hop(self, hop_s: float) -> Self:
        """Return this pipeline with a window every `hop_s` seconds; the weights are shared.

        Windows keep their length and latency, and overlap if the step is shorter. The last node before each
        result that cuts windows (`Patches` or `Each`) takes it as its hop, rounded to whole input rows, at
        least one: 0.5 s are 31 spectra of 16 ms for `musicnn-mtt`, so its windows step by 0.496 s. The
        property `hop_s` has the step that results then have.

        Raises:
            TypeError, ValueError: `hop_s` isn't a number above 0, no node cuts windows, or a network behind
                the windows is recurrent: what it remembers fits its own step only.
        """
        return self._with(with_hop(self.node, self.input_spec, hop_s))

    def adapted(self, sample_rate: int, channels: int) -> tuple[Node, StreamSpec]:
        """Return the node preceded by mixing and resampling as such input needs it, and the input's spec.

        Raises:
            ModelError: it would give tags from untrained weights.
        """
        self._require_trained()
        return self._adapter.adapt(sample_rate, channels)

    head = adapted  # its name in 0.1.0

    def runnable(self, sample_rate: int, channels: int, *, live: bool = False) -> tuple[Node, StreamSpec]:
        """Return what `adapted` does, with marks: rows of scores say at their end whether they are silent.

        With `live`, all pipelines with the same front end begin with the same parts, as a swap needs them.

        Raises:
            ModelError: it would give tags from untrained weights.
        """
        self._require_trained()
        return (self._live_runner if live else self._runner).adapt(sample_rate, channels)

    @checked_keywords
    def export_onnx(
        self,
        path: str | os.PathLike[str],
        *,
        sample_rate: int | None = None,
        channels: int = 1,
        streaming: bool = False,
        block: int | None = None,
        check: bool = True,
        tolerance: float = 1e-4,
        sounds: Iterable[str | os.PathLike[str] | tuple[Samples, int]] = (),
        force: bool = False,
    ) -> float | None:
        """Write all of it as one ONNX graph, from samples to scores, which other programs and browsers run.

        Mixing, resampling, the front end, the network and the rest are one graph, of opset 17 unless a
        network needs a later one. Its input "samples" is float32 [n], or [n, channels], of any length. It
        gives "scores" [n_windows, n_labels] and their mean "clip" [n_labels]; other rows are called "rows",
        and several outputs have their own names. Labels, rates and the card's licence are in its metadata.
        Windows that are silent aren't marked. Needs the extra [onnx].

        Args:
            path: the file to write. An exported graph that is there is replaced, as `save` replaces a model.
            sample_rate: the rate of the samples that it takes, in Hz; None for the pipeline's own.
            channels: how many channels they have.
            streaming: whether a run takes a block and the state that the run before left, and gives its
                own: inputs "state0", ..., zeros at first, and outputs "next_state0", ...
            block: how many samples a run takes then; None for the fewest of 10 ms or more.
            check: whether to compare it with the pipeline before it is written.
            tolerance: largest difference allowed, times an output's largest magnitude if that is above 1.
            sounds: recordings to compare on, beside made-up sound: paths, or pairs of samples, [n] or
                [n, channels], and sample rate; the first minute of each.
            force: whether to replace a file that is no exported graph.

        Returns:
            The largest difference that was found, of values above 1 by their part of the largest; or None if
            it wasn't checked.

        Raises:
            ExportError: ONNX operators can't compute a node, such as Events, or not on blocks; or the numbers
                differ by more than `tolerance`: it says in which output, on which sound and where.
            MissingExtra: the package onnx isn't installed.
            ModelError: the weights are untrained, or were changed since they were loaded.
            DecodeError: one of `sounds` can't be read.
            OutputError: the file can't be written, is one that the pipeline was read from, or another that
                is no exported graph.
            TypeError, ValueError: an argument of a wrong type, or outside its range.
        """
        from fastaudio.exporting import to_onnx  # noqa: PLC0415  # most programs never export

        rate = self.sample_rate if sample_rate is None else sample_rate
        node, spec = self.adapted(rate, channels)
        how: dict[str, Any] = {"streaming": streaming, "block": block, "check": check, "force": force}
        return to_onnx(node, path, spec=spec, card=self.card, tolerance=tolerance, sounds=sounds, **how)

    @overload
    def times(
        self, rows: dict[str, Any], *, duration_s: float | None = None
    ) -> dict[str, NDArray[np.float64]]: ...
    @overload
    def times(
        self, rows: NDArray[np.float32] | Tags, *, duration_s: float | None = None
    ) -> NDArray[np.float64]: ...
    def times(
        self, rows: dict[str, Any] | NDArray[np.float32] | Tags, *, duration_s: float | None = None
    ) -> dict[str, NDArray[np.float64]] | NDArray[np.float64]:
        """Return when rows happened: the start and end of each in seconds, float64 [n_rows, 2].

        >>> import numpy as np
        >>> import fastaudio as fa
        >>> mel = fa.Pipeline(fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=96))
        >>> rows = mel(np.zeros(16_000, dtype=np.float32), sample_rate=16_000)
        >>> mel.times(rows, duration_s=1.0)[[0, 1, -1]].tolist()
        [[0.0, 0.016], [0.016, 0.032], [0.992, 1.0]]

        Args:
            rows: what the pipeline gave for a whole signal: rows [n_rows, ...], tags, or a dict of these by
                output name, for which a dict comes back. Events have times of their own.
            duration_s: length of the signal in seconds, after which no row ends; None if it isn't known.

        Raises:
            TypeError, ValueError: these are no rows of this pipeline; or there is one for the whole signal,
                and `duration_s` is None.
        """
        if isinstance(rows, dict):
            if unknown := [name for name in rows if name not in self.output_specs]:
                known = ", ".join(map(repr, self.output_specs))
                raise ValueError(f"Pipeline.times: expected outputs among {known}, got {unknown[0]!r:.80}")
            return {name: times_of(rows[name], self.output_specs[name], duration_s) for name in rows}
        if len(self.output_specs) > 1:
            got = f"{type(rows).__name__} of one of {len(self.output_specs)} outputs"
            raise TypeError(f"Pipeline.times: expected a dict by output name, got {got}; pass {{name: rows}}")
        return times_of(rows, next(iter(self.output_specs.values())), duration_s)

    def try_open(self) -> None:
        """Open a stream and let it go: raises what opening one raises."""
        self._runner.try_open()

    def _require_trained(self) -> None:
        require_trained(self.card, self.output_specs.values(), untrained=self.untrained)

    def __repr__(self) -> str:
        name = f"{self.name}: " if self.name else ""
        parts = [f" >> {_short(part)}" for part in self.node.parts()]
        if len(parts) > _REPR_PARTS:
            parts[_REPR_PARTS // 2 : -_REPR_PARTS // 2] = [" >> ..."]
        outputs = [f"{output} {spec!r}".strip() for output, spec in self.output_specs.items()]
        more = [f"{len(outputs) - _REPR_OUTPUTS} more"] if len(outputs) > _REPR_OUTPUTS else []
        quality = "" if self.quality == "high" else f", resampled {self.quality!r}"
        gives = ", ".join([*outputs[:_REPR_OUTPUTS], *more])
        return printable(f"<Pipeline {name}{self._adapter}{quality}{''.join(parts)} -> {gives}>")

    def __str__(self) -> str:
        return printable(f"{self._adapter}\n{self.node.diagram(self.input_spec)}", lines=True)

    def plan(self) -> Plan:
        """Return where the boxes of its diagram stand; `plot.diagram` draws it."""
        from fastaudio.drawing import boxes  # noqa: PLC0415  # most programs never draw

        return boxes.plan_of(str(self._adapter), self.node, self.input_spec)

    def _repr_html_(self) -> str:
        from fastaudio.drawing import notebook  # noqa: PLC0415  # only a notebook asks for it

        title = f"Pipeline {self.name}" if self.name else "Pipeline"
        return notebook.page(title, f"<pre>{notebook.text_lines(str(self))}</pre>")

    def _repr_png_(self) -> bytes | None:
        from fastaudio.drawing import boxes, notebook  # noqa: PLC0415  # only a notebook asks for it

        plan = self.plan()
        if plan.width > _LARGEST_PICTURE or plan.height > _LARGEST_PICTURE:
            return None  # a card from a stranger may be that large: the text says it
        return notebook.picture(lambda ax: boxes.boxes(ax, plan), plan.width + 1, plan.height + 0.6)

    def __getstate__(self) -> dict[str, Any]:
        return {
            key: getattr(self, key)
            for key in ("node", "channel", "quality", "card", "untrained", "silence_db")
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        Composition.__init__(self, **state)


def _short(node: Node) -> str:
    """Return a node as the expression that makes it, or its name alone if that is long."""
    text = repr(node)
    return text if len(text) <= _REPR_WIDTH else f"{type(node).__name__}(...)"
