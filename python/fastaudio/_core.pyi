# Made by tools/stubs.py; edit the bindings instead.
"""
The C++ core of fastaudio.
"""
from __future__ import annotations
import collections.abc
import numpy
import numpy.typing
import typing

class FastaudioError(Exception):
    """Base of the errors that are fastaudio's own."""

class StateError(FastaudioError, RuntimeError):
    """A call at the wrong time, such as a push after flush."""

class ModelError(FastaudioError, RuntimeError):
    """A model, card or hash that can't be used as asked."""

__version__: str
__all__: list[str] = ['FastaudioError', 'Log', 'Max', 'Mean', 'MelSpectrogram', 'ModelError', 'Mono', 'Node', 'OnnxModel', 'Parallel', 'Patches', 'Resample', 'Sequential', 'StateError', 'Stream', 'StreamSpec', 'Tags', 'isa', 'onnxruntime_info', 'set_onnxruntime_library']
class StreamSpec:
    """
    What flows between two nodes: rows of one shape at one rate.
    """
    def __init__(self, *, rate_hz: float, shape: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex] = [], unit: str = 'samples') -> None:
        ...
    def __repr__(self) -> str:
        ...
    @property
    def labels(self) -> list[str]:
        """
        Names along the last axis, if it has any.
        """
    @property
    def latency_s(self) -> float:
        """
        Seconds from the first sample a row depends on until it comes out.
        """
    @property
    def rate_hz(self) -> float:
        """
        Rows a second; 0 for one row at the end.
        """
    @property
    def shape(self) -> tuple[int, ...]:
        """
        Shape of one row; () is a sample.
        """
    @property
    def span_s(self) -> float:
        """
        Row k covers span_s seconds from k / rate_hz.
        """
    @property
    def unit(self) -> str:
        """
        Such as 'samples', 'power', 'probability'.
        """
class Node:
    """
    Options and tables; immutable, shared freely between threads.
    
    `node(rows)` computes a whole signal, `node.open()` a stream of blocks; both give the same bits.
    `a >> b` composes, `print(node.diagram())` draws.
    """
    def __call__(self, rows: numpy.typing.NDArray[numpy.float32] | numpy.typing.NDArray[numpy.int16]) -> numpy.typing.NDArray[numpy.float32] | dict[str, numpy.typing.NDArray[numpy.float32]]:
        """
        All rows of a whole signal: open, push, flush.
        
        Raises:
            TypeError: a wrong dtype.
            ValueError: a wrong shape, or NaN.
        """
    def __eq__(self, other: typing.Any) -> bool:
        ...
    def __hash__(self) -> int:
        ...
    def __repr__(self) -> str:
        ...
    @typing.overload
    def __rshift__(self, next: Node) -> Sequential:
        ...
    @typing.overload
    def __rshift__(self, branches: dict[str, Node]) -> Sequential:
        ...
    def diagram(self, input: StreamSpec | None = None) -> str:
        """
        The node and its parts as text, with the rows between them.
        """
    def open(self, input: StreamSpec | None = None) -> Stream:
        """
        A new stream. Without `input`, the node's own, or whatever the first block looks like.
        """
    def output_specs(self, input: StreamSpec) -> dict[str, StreamSpec]:
        """
        What comes out for `input`, by the outputs' names ('' for an only one).
        """
    def to_dict(self) -> dict[str, typing.Any]:
        """
        The node as a card holds it: its name, and the options that are not default.
        """
    @property
    def input_spec(self) -> StreamSpec | None:
        """
        The input it is made for, or None if any rows will do.
        """
class Mono(Node):
    """
    One channel from several: their mean, or one by its index.
    
    Input:  rows [n_samples, channels]  full scale +-1, any rate
    Output: samples [n_samples]         the same rate
    Latency: none
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> fa.Mono(channels=2)(np.array([[0.5, 0.25]], dtype=np.float32)).tolist()
        [0.375]
    
    Options:
        channels: int in [1, 1024], default 2
            Channels of the input.
        channel: int | None in [0, 1023], default None
            Index of the one to keep; None for the mean of all.
    
    Raises:
        TypeError: an option of a wrong type or an unknown name.
        ValueError: an option outside its range.
    """
    def __init__(self, *, channels: int = 2, channel: int | None = None) -> None:
        ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        The node's name and the options that are not default, as a card holds them.
        """
    @property
    def channel(self) -> int | None:
        """
        Index of the one to keep; None for the mean of all.
        """
    @property
    def channels(self) -> int:
        """
        Channels of the input.
        """
class Resample(Node):
    """
    Samples at another rate, low-passed below the lower of both Nyquist frequencies.
    
    Input:  samples [n_samples]   at `input_rate`
    Output: samples [ceil(n_samples * output_rate / input_rate)]  at `output_rate`, aligned with the
            input: output k stands at time k / output_rate
    Latency: the filter's length, see `latency_s`
    Source: Smith & Gossett, "A flexible sampling-rate conversion method", ICASSP 1984; compared with
            soxr 1.0
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> resample = fa.Resample(input_rate=44_100, output_rate=16_000)
        >>> resample(np.zeros(44_100, dtype=np.int16)).shape
        (16000,)
    
    Options:
        input_rate: int in [100, 768000] Hz, default 44100
            Rate of the input.
        output_rate: int in [100, 768000] Hz, default 16000
            Rate of the output.
        quality: str, one of 'fast', 'high', 'best', default 'high'
            Pass band and stop band: fast 80 % and -60 dB, high 90 % and -100 dB, best 95 % and -120 dB.
    
    Raises:
        TypeError: an option of a wrong type or an unknown name.
        ValueError: an option outside its range.
    """
    def __init__(self, *, input_rate: int = 44100, output_rate: int = 16000, quality: str = 'high') -> None:
        ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        The node's name and the options that are not default, as a card holds them.
        """
    @property
    def input_rate(self) -> int:
        """
        Rate of the input.
        """
    @property
    def output_rate(self) -> int:
        """
        Rate of the output.
        """
    @property
    def quality(self) -> str:
        """
        Pass band and stop band: fast 80 % and -60 dB, high 90 % and -100 dB, best 95 % and -120 dB.
        """
class MelSpectrogram(Node):
    """
    Mel-spectrogram of a mono signal.
    
    Input:  samples [n_samples]         full scale +-1, at `sample_rate`
    Output: frames  [n_frames, n_mels]  power (magnitude ** power), one row every `hop_length`
            samples; n_frames = 1 + n_samples // hop_length if centred (n_samples - 1 for an odd n_fft), else
            1 + (n_samples - n_fft) // hop_length, and at least one for any sound at all
    Latency: n_fft / sample_rate
    Source: Slaney, Auditory Toolbox, Interval TR 1998-010; librosa 0.11 `feature.melspectrogram`,
            whose defaults these are
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=96)
        >>> mel(np.zeros(16_000, dtype=np.float32)).shape
        (63, 96)
    
    Options:
        sample_rate: int in [100, 768000] Hz, default 22050
            Rate of the input.
        n_fft: int in [2, 65536] samples, default 2048
            Length of the transform.
        win_length: int | None in [1, 65536] samples, default None
            Length of the window, centred in n_fft; None for n_fft.
        hop_length: int in [1, 65536] samples, default 512
            Step between frames.
        window: str, one of 'hann', 'hamming', 'blackman', 'rectangular', 'hann_symmetric', 'hamming_symmetric', 'blackman_symmetric', default 'hann'
            Window, periodic unless its name says symmetric.
        n_mels: int in [1, 4096] bands, default 128
            Number of filters.
        f_min: float in [0, 384000] Hz, default 0.0
            Lower edge of the first filter.
        f_max: float | None in [0, 384000] Hz, default None
            Upper edge of the last filter; None for sample_rate / 2.
        power: float in [0.01, 10], default 2.0
            Exponent of the magnitude: 1 for magnitude, 2 for power.
        norm: str, one of 'slaney', 'none', default 'slaney'
            slaney: each filter has unit area in Hz; none: unit height.
        mel_scale: str, one of 'slaney', 'htk', default 'slaney'
            Formula of the mel scale.
        center: bool, default True
            Whether frame t is centred on sample t * hop_length.
        pad_mode: str, one of 'constant', 'reflect', default 'constant'
            What stands before and after the signal if centred: zeros, or its mirror image.
    
    Raises:
        TypeError: an option of a wrong type or an unknown name.
        ValueError: an option outside its range.
    """
    def __init__(self, *, sample_rate: int = 22050, n_fft: int = 2048, win_length: int | None = None, hop_length: int = 512, window: str = 'hann', n_mels: int = 128, f_min: float = 0.0, f_max: float | None = None, power: float = 2.0, norm: str = 'slaney', mel_scale: str = 'slaney', center: bool = True, pad_mode: str = 'constant') -> None:
        ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        The node's name and the options that are not default, as a card holds them.
        """
    @property
    def center(self) -> bool:
        """
        Whether frame t is centred on sample t * hop_length.
        """
    @property
    def f_max(self) -> float | None:
        """
        Upper edge of the last filter; None for sample_rate / 2.
        """
    @property
    def f_min(self) -> float:
        """
        Lower edge of the first filter.
        """
    @property
    def hop_length(self) -> int:
        """
        Step between frames.
        """
    @property
    def mel_scale(self) -> str:
        """
        Formula of the mel scale.
        """
    @property
    def n_fft(self) -> int:
        """
        Length of the transform.
        """
    @property
    def n_mels(self) -> int:
        """
        Number of filters.
        """
    @property
    def norm(self) -> str:
        """
        slaney: each filter has unit area in Hz; none: unit height.
        """
    @property
    def pad_mode(self) -> str:
        """
        What stands before and after the signal if centred: zeros, or its mirror image.
        """
    @property
    def power(self) -> float:
        """
        Exponent of the magnitude: 1 for magnitude, 2 for power.
        """
    @property
    def sample_rate(self) -> int:
        """
        Rate of the input.
        """
    @property
    def win_length(self) -> int | None:
        """
        Length of the window, centred in n_fft; None for n_fft.
        """
    @property
    def window(self) -> str:
        """
        Window, periodic unless its name says symmetric.
        """
class Log(Node):
    """
    Logarithm of each value.
    
    Input:  rows of any shape
    Output: rows of the same shape: ln, log10 or 10 log10 (dB) of max(scale * x + offset, floor), in dB
            relative to `reference`; always finite
    Latency: none
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> fa.Log(kind="dB")(np.array([[1.0, 100.0, 0.0]], dtype=np.float32)).round(3).tolist()
        [[0.0, 20.0, -100.0]]
    
    Options:
        kind: str, one of 'ln', 'log10', 'dB', default 'ln'
            Natural, decimal, or 10 log10.
        scale: float in [1e-30, 1e+30], default 1.0
            Factor before the offset.
        offset: float in [0, 1e+30], default 0.0
            Added before the logarithm.
        floor: float in [1e-37, 1e+30], default 1e-10
            Smallest argument.
        reference: float in [1e-30, 1e+30], default 1.0
            Value at 0 dB; used by dB only.
    
    Raises:
        TypeError: an option of a wrong type or an unknown name.
        ValueError: an option outside its range.
    """
    def __init__(self, *, kind: str = 'ln', scale: float = 1.0, offset: float = 0.0, floor: float = 1e-10, reference: float = 1.0) -> None:
        ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        The node's name and the options that are not default, as a card holds them.
        """
    @property
    def floor(self) -> float:
        """
        Smallest argument.
        """
    @property
    def kind(self) -> str:
        """
        Natural, decimal, or 10 log10.
        """
    @property
    def offset(self) -> float:
        """
        Added before the logarithm.
        """
    @property
    def reference(self) -> float:
        """
        Value at 0 dB; used by dB only.
        """
    @property
    def scale(self) -> float:
        """
        Factor before the offset.
        """
class Patches(Node):
    """
    Groups of consecutive rows, as models take them.
    
    Input:  rows [n_frames, ...]
    Output: patches [n_patches, length, ...]; patch k holds rows k * hop to k * hop + length - 1
    Latency: length - 1 rows
    
    A clip with too few rows for one patch always yields one: padded if `last` is "pad", else by
    repeating its rows.
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> rows = np.zeros((500, 96), dtype=np.float32)
        >>> fa.Patches(length=187, hop=93)(rows).shape
        (4, 187, 96)
    
    Options:
        length: int in [1, 1e+06] rows, default 187
            Rows of a patch.
        hop: int | None in [1, 1e+06] rows, default None
            Step between patches; None for length, without overlap.
        last: str, one of 'drop', 'pad', 'repeat', default 'drop'
            Rows left at the end: dropped, padded with pad_value, or repeated to fill a patch.
        pad_value: float in [-1e+30, 1e+30], default 0.0
            Value of padded rows.
    
    Raises:
        TypeError: an option of a wrong type or an unknown name.
        ValueError: an option outside its range.
    """
    def __init__(self, *, length: int = 187, hop: int | None = None, last: str = 'drop', pad_value: float = 0.0) -> None:
        ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        The node's name and the options that are not default, as a card holds them.
        """
    @property
    def hop(self) -> int | None:
        """
        Step between patches; None for length, without overlap.
        """
    @property
    def last(self) -> str:
        """
        Rows left at the end: dropped, padded with pad_value, or repeated to fill a patch.
        """
    @property
    def length(self) -> int:
        """
        Rows of a patch.
        """
    @property
    def pad_value(self) -> float:
        """
        Value of padded rows.
        """
class Mean(Node):
    """
    Mean of all rows of a clip.
    
    Input:  rows of any shape
    Output: one row of the same shape at the end; none for an empty clip
    Latency: the clip, it waits for the end
    """
    def __init__(self) -> None:
        ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        The node's name and the options that are not default, as a card holds them.
        """
class Max(Node):
    """
    Largest value of each element over all rows of a clip.
    
    Input:  rows of any shape
    Output: one row of the same shape at the end; none for an empty clip
    Latency: the clip, it waits for the end
    """
    def __init__(self) -> None:
        ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        The node's name and the options that are not default, as a card holds them.
        """
class Tags(Node):
    """
    Scores with names: a pipeline that ends here returns `fastaudio.tags.Tags`.
    
    Input:  scores [n_windows, n_labels]
    Output: the same rows, their last axis named
    Latency: none
    
    Options:
        labels: list[str]
            Name of each score, in order.
    
    Raises:
        TypeError: an option of a wrong type or an unknown name.
        ValueError: an option outside its range.
    """
    def __init__(self, labels: list[str]) -> None:
        ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        The node's name and the options that are not default, as a card holds them.
        """
    @property
    def labels(self) -> list[str]:
        """
        Name of each score, in order.
        """
class Sequential(Node):
    """
    Nodes in a row, each one's output the next one's input; `a >> b` makes one.
    
    Raises:
        ValueError: where two neighbours' rates, shapes or units don't fit.
    """
    def __getitem__(self, index: typing.SupportsInt | typing.SupportsIndex) -> Node:
        ...
    def __init__(self, nodes: list[Node] | tuple[Node, ...]) -> None:
        ...
    def __len__(self) -> int:
        ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        The parts as a card holds them.
        """
class Parallel(Node):
    """
    Named branches over one input, which is computed once; `a >> {"name": b}` makes one.
    
    Raises:
        ValueError: where a branch doesn't fit the input.
    """
    def __init__(self, branches: dict[str, Node]) -> None:
        ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        The branches as a card holds them.
        """
    @property
    def branches(self) -> dict[str, Node]:
        """
        The branches by name.
        """
class OnnxModel(Node):
    """
    A network, run by ONNX Runtime.
    
    Input:  rows of the shape that the model takes, without its batch axis (patches, say)
    Output: for each name in `outputs` a row for each input row, the model's output without its batch
            axis
    Latency: that of its input; its computing time is not counted
    Source: ONNX Runtime 1.19 or later, C interface
    
    Options:
        path: str
            The .onnx file.
        outputs: list[str], default []
            Names of the outputs to compute; empty for the first.
        units: list[str], default []
            Unit of each output, such as 'probability'.
        layout: str, default ''
            Axes of the model's input: n batch, t first axis of a row (time), f its second (bands), c its third, 1 an axis of one; '' for n and a row's own axes. 'n1tf', 'nft'.
        batch: int in [1, 4096] rows, default 1
            Rows of a run, if the model leaves it open; never waits to fill one.
        threads: int in [1, 1024], default 1
            Runs side by side, each on one thread: a whole file takes less time, one row doesn't. The numbers are the same with any.
        providers: list[str], default []
            Execution providers in order, such as 'CPUExecutionProvider'; refused if not active.
        sha256: str, default ''
            Expected hash of the file, in hex; '' to accept any.
    
    Raises:
        TypeError: an option of a wrong type or an unknown name.
        ValueError: an option outside its range.
    """
    def __getitem__(self, output: str) -> OnnxModel:
        """
        The same network with one output, sharing its session.
        
        Raises:
            ModelError: the network has no such output.
        """
    def __init__(self, path: str, *, outputs: list[str] = [], units: list[str] = [], layout: str = '', batch: int = 1, threads: int = 1, providers: list[str] = [], sha256: str = '') -> None:
        ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        The node's name and the options that are not default, as a card holds them.
        """
    @property
    def available_outputs(self) -> list[str]:
        """
        Names of all the outputs that the network has.
        """
    @property
    def batch(self) -> int:
        """
        Rows of a run, if the model leaves it open; never waits to fill one.
        """
    @property
    def layout(self) -> str:
        """
        Axes of the model's input: n batch, t first axis of a row (time), f its second (bands), c its third, 1 an axis of one; '' for n and a row's own axes. 'n1tf', 'nft'.
        """
    @property
    def outputs(self) -> list[str]:
        """
        Names of the outputs to compute; empty for the first.
        """
    @property
    def path(self) -> str:
        """
        The .onnx file.
        """
    @property
    def providers(self) -> list[str]:
        """
        Execution providers in order, such as 'CPUExecutionProvider'; refused if not active.
        """
    @property
    def sha256(self) -> str:
        """
        Expected hash of the file, in hex; '' to accept any.
        """
    @property
    def threads(self) -> int:
        """
        Runs side by side, each on one thread: a whole file takes less time, one row doesn't. The numbers are the same with any.
        """
    @property
    def units(self) -> list[str]:
        """
        Unit of each output, such as 'probability'.
        """
class Stream:
    """
    One run of a node over one signal; one thread at a time.
    
    Rows are float32 arrays [n_rows, ...], or a dict of them by output name where the node has several outputs.
    """
    def flush(self) -> numpy.typing.NDArray[numpy.float32] | dict[str, numpy.typing.NDArray[numpy.float32]]:
        """
        Ends the signal and returns the last rows.
        
        Raises:
            StateError: called twice.
        """
    def push(self, rows: numpy.typing.NDArray[numpy.float32] | numpy.typing.NDArray[numpy.int16], *, wait: bool = True) -> numpy.typing.NDArray[numpy.float32] | dict[str, numpy.typing.NDArray[numpy.float32]]:
        """
        Takes a block of any length and returns the rows that it completes. Without `wait`, rows that
        other threads still compute come with a later push, or flush.
        
        Raises:
            TypeError: a wrong dtype.
            ValueError: a wrong shape, or NaN.
            StateError: after flush, or from two threads at once.
        """
def isa() -> str:
    """
    Instruction set of the kernels in use: baseline, avx2 or avx512.
    
    Raises:
        ValueError: FASTAUDIO_ISA names one that this processor can't run.
    """
def onnxruntime_info() -> dict[str, typing.Any]:
    """
    Version, path and active providers of ONNX Runtime; opens it.
    
    Raises:
        ModelError: it isn't installed or doesn't fit.
    """
def set_onnxruntime_library(path: str) -> None:
    """
    Where ONNX Runtime's library lies; has no effect once it is open.
    """
