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

class Overrun(FastaudioError, RuntimeError):
    """Sound came faster than it could be run."""

__version__: str
__all__: list[str] = ['Chroma', 'Concat', 'Delta', 'Each', 'EnergyPatch', 'Events', 'FastaudioError', 'Film', 'HarmonicSpectrogram', 'L2Normalize', 'LinearSoftmaxPooling', 'LiveStream', 'Log', 'MFCC', 'Max', 'Mean', 'MelSpectrogram', 'MinMaxScale', 'ModelError', 'Mono', 'Node', 'Normalize', 'OnnxModel', 'Overrun', 'PCAWhiten', 'PCEN', 'Parallel', 'Patches', 'Pool', 'Quantize', 'RMS', 'Resample', 'Sequential', 'Similarity', 'SpectralBandwidth', 'SpectralCentroid', 'SpectralContrast', 'SpectralFlatness', 'SpectralRolloff', 'Spectrogram', 'StackChannels', 'Standardize', 'StateError', 'Statistics', 'Stream', 'StreamSpec', 'Tags', 'TopDb', 'ZeroCrossingRate', 'isa', 'onnxruntime_info', 'set_model_reader', 'set_onnxruntime_library']
class StreamSpec:
    """
    What flows between two nodes: rows of one shape at one rate.
    """
    def __init__(self, *, rate_hz: float, shape: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex] = [], unit: str = 'samples', bin_hz: float = 0.0) -> None:
        ...
    def __repr__(self) -> str:
        ...
    @property
    def bin_hz(self) -> float:
        """
        Distance between the values of a spectrum; 0 for other kinds.
        """
    @property
    def kind(self) -> str:
        """
        What a row is: 'samples', 'spectrum' (value k belongs to k * bin_hz), 'scores' (value k belongs to
        labels[k]), 'events', or 'rows' for any other numbers.
        """
    @property
    def labels(self) -> list[str]:
        """
        Names of scores along the last axis; none for other kinds.
        """
    @property
    def latency_s(self) -> float:
        """
        Row k comes out at the latest once k / rate_hz + latency_s seconds of input are there; infinite for rows that come at the end.
        """
    @property
    def once(self) -> bool:
        """
        Whether one row comes at the end.
        """
    @property
    def rate_hz(self) -> float:
        """
        Rows per second; 0 for one row at the end.
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
    One step of a pipeline. It never changes, so threads may share it.
    
    `node(rows)` computes a whole signal and `node.open()` a stream of blocks; both give the same bits.
    `a >> b` composes, `print(node.diagram())` draws.
    """
    def __call__(self, rows: numpy.typing.NDArray[numpy.float32] | numpy.typing.NDArray[numpy.int16], *, threads: typing.SupportsInt | typing.SupportsIndex = 1) -> numpy.typing.NDArray[numpy.float32] | dict[str, numpy.typing.NDArray[numpy.float32]]:
        """
        All rows of a whole signal: open, push, flush.
        
        A long signal is shared among `threads` where each row depends only on what is near it; the rows
        are the same bit for bit. Other nodes take one.
        
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
        Draws the node and its parts as text, with the rows between them.
        """
    def open(self, input: StreamSpec | None = None) -> Stream:
        """
        A new stream. Without `input`, the node's own, or whatever the first block looks like.
        """
    def output_specs(self, input: StreamSpec) -> dict[str, StreamSpec]:
        """
        Specs of what comes out for `input`, by the outputs' names ('' if there is one).
        """
    def receptive_field_s(self, input: StreamSpec) -> float:
        """
        Seconds of `input` that one row depends on, for the output where that is most; infinite if a row may depend on all before it.
        """
    def to_dict(self) -> dict[str, typing.Any]:
        """
        The node as a card holds it: its name and the options that are not default.
        """
    @property
    def input_spec(self) -> StreamSpec | None:
        """
        The input that its options ask for, or None if it takes any rows.
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
    def to_dict(self: Node) -> dict[str, typing.Any]:
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
    Latency: half the filter's length, see `latency_s`
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
    def to_dict(self: Node) -> dict[str, typing.Any]:
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
class Spectrogram(Node):
    """
    Short-time spectrum of a mono signal.
    
    Input:  samples [n_samples]         full scale +-1, at `sample_rate`
    Output: frames  [n_frames, n_bins]  magnitude ** power of n_bins = n_fft // 2 + 1 bins, or
            [n_frames, n_bins, 2], real and imaginary parts, if power is None; one row every
            `hop_length` samples
    Latency: half a frame if centred, else a frame
    Source: librosa 0.11 `stft`, whose defaults these are; torchaudio 2.8 `Spectrogram`
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> spectrum = fa.Spectrogram(sample_rate=16_000, n_fft=512, hop_length=256)
        >>> spectrum(np.zeros(16_000, dtype=np.float32)).shape
        (63, 257)
    
    Options:
        sample_rate: int in [100, 768000] Hz, default 22050
            Rate of the input.
        n_fft: int in [2, 65536] samples, default 2048
            Length of the transform.
        win_length: int | None in [1, 65536] samples, default None
            Length of the window; None for n_fft.
        hop_length: int in [1, 65536] samples, default 512
            Step between frames.
        window: str, one of 'hann', 'hamming', 'blackman', 'povey', 'kaiser', 'rectangular', 'hann_symmetric', 'hamming_symmetric', 'blackman_symmetric', 'povey_symmetric', 'kaiser_symmetric', default 'hann'
            Window, periodic unless its name says symmetric.
        window_beta: float in [0, 100], default 12.0
            Shape of a kaiser window; used by no other.
        window_at: str, one of 'middle', 'start', default 'middle'
            Where a window shorter than n_fft lies: in its middle, samples of no weight around it; or at its start, frames being win_length long and zeros after.
        center: bool, default True
            Whether frame t is centred on sample t * hop_length, else begins there.
        pad_mode: str, one of 'constant', 'reflect', 'kaldi', default 'constant'
            What stands before and after the signal if centred: zeros, or its mirror image; kaldi: its mirror image with the edges repeated, frame t centred on (t + 1/2) * hop_length, as Kaldi does without snip_edges.
        remove_dc: bool, default False
            Whether to subtract each frame's mean.
        preemphasis: float in [0, 1], default 0.0
            Then x[i] -= preemphasis * x[i - 1] within the frame, before the window.
        sample_scale: float in [1e-06, 1e+06], default 1.0
            Factor on samples: 32768 for front ends that read 16-bit integers.
        power: float | None in [0.01, 10], default 2.0
            Exponent of the magnitude: 1 for magnitude, 2 for power; None for complex.
    
    Raises:
        TypeError: an option of a wrong type or an unknown name.
        ValueError: an option outside its range.
    """
    def __init__(self, *, sample_rate: int = 22050, n_fft: int = 2048, win_length: int | None = None, hop_length: int = 512, window: str = 'hann', window_beta: float = 12.0, window_at: str = 'middle', center: bool = True, pad_mode: str = 'constant', remove_dc: bool = False, preemphasis: float = 0.0, sample_scale: float = 1.0, power: float | None = 2.0) -> None:
        ...
    def to_dict(self: Node) -> dict[str, typing.Any]:
        """
        The node's name and the options that are not default, as a card holds them.
        """
    @property
    def center(self) -> bool:
        """
        Whether frame t is centred on sample t * hop_length, else begins there.
        """
    @property
    def hop_length(self) -> int:
        """
        Step between frames.
        """
    @property
    def n_fft(self) -> int:
        """
        Length of the transform.
        """
    @property
    def pad_mode(self) -> str:
        """
        What stands before and after the signal if centred: zeros, or its mirror image; kaldi: its mirror image with the edges repeated, frame t centred on (t + 1/2) * hop_length, as Kaldi does without snip_edges.
        """
    @property
    def power(self) -> float | None:
        """
        Exponent of the magnitude: 1 for magnitude, 2 for power; None for complex.
        """
    @property
    def preemphasis(self) -> float:
        """
        Then x[i] -= preemphasis * x[i - 1] within the frame, before the window.
        """
    @property
    def remove_dc(self) -> bool:
        """
        Whether to subtract each frame's mean.
        """
    @property
    def sample_rate(self) -> int:
        """
        Rate of the input.
        """
    @property
    def sample_scale(self) -> float:
        """
        Factor on samples: 32768 for front ends that read 16-bit integers.
        """
    @property
    def win_length(self) -> int | None:
        """
        Length of the window; None for n_fft.
        """
    @property
    def window(self) -> str:
        """
        Window, periodic unless its name says symmetric.
        """
    @property
    def window_at(self) -> str:
        """
        Where a window shorter than n_fft lies: in its middle, samples of no weight around it; or at its start, frames being win_length long and zeros after.
        """
    @property
    def window_beta(self) -> float:
        """
        Shape of a kaiser window; used by no other.
        """
class MelSpectrogram(Node):
    """
    Mel-spectrogram of a mono signal.
    
    Input:  samples [n_samples]         full scale +-1, at `sample_rate`
    Output: frames  [n_frames, n_mels]  power (magnitude ** power), one row every `hop_length`
            samples; n_frames = 1 + n_samples // hop_length if centred (n_samples - 1 for an odd n_fft), else
            1 + (n_samples - n_fft) // hop_length, and at least one for any sound at all
    Latency: half a frame if centred, else a frame
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
            Length of the window; None for n_fft.
        hop_length: int in [1, 65536] samples, default 512
            Step between frames.
        window: str, one of 'hann', 'hamming', 'blackman', 'povey', 'kaiser', 'rectangular', 'hann_symmetric', 'hamming_symmetric', 'blackman_symmetric', 'povey_symmetric', 'kaiser_symmetric', default 'hann'
            Window, periodic unless its name says symmetric.
        window_beta: float in [0, 100], default 12.0
            Shape of a kaiser window; used by no other.
        window_at: str, one of 'middle', 'start', default 'middle'
            Where a window shorter than n_fft lies: in its middle, samples of no weight around it; or at its start, frames being win_length long and zeros after.
        center: bool, default True
            Whether frame t is centred on sample t * hop_length, else begins there.
        pad_mode: str, one of 'constant', 'reflect', 'kaldi', default 'constant'
            What stands before and after the signal if centred: zeros, or its mirror image; kaldi: its mirror image with the edges repeated, frame t centred on (t + 1/2) * hop_length, as Kaldi does without snip_edges.
        remove_dc: bool, default False
            Whether to subtract each frame's mean.
        preemphasis: float in [0, 1], default 0.0
            Then x[i] -= preemphasis * x[i - 1] within the frame, before the window.
        sample_scale: float in [1e-06, 1e+06], default 1.0
            Factor on samples: 32768 for front ends that read 16-bit integers.
        n_mels: int in [1, 4096] bands, default 128
            Number of filters.
        f_min: float in [0, 384000] Hz, default 0.0
            Lower edge of the first filter.
        f_max: float | None in [0, 384000] Hz, default None
            Upper edge of the last filter; None for sample_rate / 2.
        power: float in [0.01, 10], default 2.0
            Exponent of the magnitude: 1 for magnitude, 2 for power.
        norm: str, one of 'slaney', 'unit_sum', 'none', default 'slaney'
            slaney: each filter has unit area in Hz; unit_sum: its weights sum to 1; none: unit height.
        mel_scale: str, one of 'slaney', 'htk', default 'slaney'
            Formula of the mel scale.
        triangles: str, one of 'hz', 'mel', default 'hz'
            Whether the filters' sides are straight lines over Hz (librosa) or over mel (HTK, Kaldi, TensorFlow).
    
    Raises:
        TypeError: an option of a wrong type or an unknown name.
        ValueError: an option outside its range.
    """
    def __init__(self, *, sample_rate: int = 22050, n_fft: int = 2048, win_length: int | None = None, hop_length: int = 512, window: str = 'hann', window_beta: float = 12.0, window_at: str = 'middle', center: bool = True, pad_mode: str = 'constant', remove_dc: bool = False, preemphasis: float = 0.0, sample_scale: float = 1.0, n_mels: int = 128, f_min: float = 0.0, f_max: float | None = None, power: float = 2.0, norm: str = 'slaney', mel_scale: str = 'slaney', triangles: str = 'hz') -> None:
        ...
    def to_dict(self: Node) -> dict[str, typing.Any]:
        """
        The node's name and the options that are not default, as a card holds them.
        """
    @property
    def center(self) -> bool:
        """
        Whether frame t is centred on sample t * hop_length, else begins there.
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
        slaney: each filter has unit area in Hz; unit_sum: its weights sum to 1; none: unit height.
        """
    @property
    def pad_mode(self) -> str:
        """
        What stands before and after the signal if centred: zeros, or its mirror image; kaldi: its mirror image with the edges repeated, frame t centred on (t + 1/2) * hop_length, as Kaldi does without snip_edges.
        """
    @property
    def power(self) -> float:
        """
        Exponent of the magnitude: 1 for magnitude, 2 for power.
        """
    @property
    def preemphasis(self) -> float:
        """
        Then x[i] -= preemphasis * x[i - 1] within the frame, before the window.
        """
    @property
    def remove_dc(self) -> bool:
        """
        Whether to subtract each frame's mean.
        """
    @property
    def sample_rate(self) -> int:
        """
        Rate of the input.
        """
    @property
    def sample_scale(self) -> float:
        """
        Factor on samples: 32768 for front ends that read 16-bit integers.
        """
    @property
    def triangles(self) -> str:
        """
        Whether the filters' sides are straight lines over Hz (librosa) or over mel (HTK, Kaldi, TensorFlow).
        """
    @property
    def win_length(self) -> int | None:
        """
        Length of the window; None for n_fft.
        """
    @property
    def window(self) -> str:
        """
        Window, periodic unless its name says symmetric.
        """
    @property
    def window_at(self) -> str:
        """
        Where a window shorter than n_fft lies: in its middle, samples of no weight around it; or at its start, frames being win_length long and zeros after.
        """
    @property
    def window_beta(self) -> float:
        """
        Shape of a kaiser window; used by no other.
        """
class HarmonicSpectrogram(Node):
    """
    Spectrum on the harmonics of a scale of notes, by data-driven harmonic filters.
    
    Channel h holds, for every note from C1 up in steps of 1 / semitone_scale semitones, what a
    triangular filter finds around harmonic h + 1 of that note. A filter around f Hz is
    (0.1079 f + 24.7) / q wide; bins lie at linspace(0, sample_rate / 2, n_fft // 2 + 1), also for an odd n_fft.
    
    Input:  samples [n_samples]                      full scale +-1, at `sample_rate`
    Output: frames  [n_frames, n_harmonic, n_levels] power, one row every `hop_length` samples; n_levels
            = semitone_scale * (round(note of sample_rate / (2 n_harmonic)) - 24), 128 with the defaults.
            A filter narrower than a bin stays zero.
    Latency: half a frame if centred, else a frame
    Source: Won, Chun, Nieto, Serra, Data-driven harmonic filters for audio representation learning,
            ICASSP 2020, whose numbers are the defaults; the authors' code of 2020 has n_fft 513 first and
            512 later. In decibels with Log(kind="dB")
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> harmonic = fa.HarmonicSpectrogram()
        >>> harmonic(np.zeros(16_000, dtype=np.float32)).shape
        (63, 6, 128)
    
    Options:
        sample_rate: int in [100, 768000] Hz, default 16000
            Rate of the input.
        n_fft: int in [2, 65536] samples, default 512
            Length of the transform.
        win_length: int | None in [1, 65536] samples, default None
            Length of the window; None for n_fft.
        hop_length: int in [1, 65536] samples, default 256
            Step between frames.
        window: str, one of 'hann', 'hamming', 'blackman', 'povey', 'kaiser', 'rectangular', 'hann_symmetric', 'hamming_symmetric', 'blackman_symmetric', 'povey_symmetric', 'kaiser_symmetric', default 'hann'
            Window, periodic unless its name says symmetric.
        window_beta: float in [0, 100], default 12.0
            Shape of a kaiser window; used by no other.
        window_at: str, one of 'middle', 'start', default 'middle'
            Where a window shorter than n_fft lies: in its middle, samples of no weight around it; or at its start, frames being win_length long and zeros after.
        center: bool, default True
            Whether frame t is centred on sample t * hop_length, else begins there.
        pad_mode: str, one of 'constant', 'reflect', 'kaldi', default 'reflect'
            What stands before and after the signal if centred: zeros, or its mirror image; kaldi: its mirror image with the edges repeated, frame t centred on (t + 1/2) * hop_length, as Kaldi does without snip_edges.
        remove_dc: bool, default False
            Whether to subtract each frame's mean.
        preemphasis: float in [0, 1], default 0.0
            Then x[i] -= preemphasis * x[i - 1] within the frame, before the window.
        sample_scale: float in [1e-06, 1e+06], default 1.0
            Factor on samples: 32768 for front ends that read 16-bit integers.
        n_harmonic: int in [1, 64] channels, default 6
            Harmonics, the note itself included.
        semitone_scale: int in [1, 64] bands, default 2
            Bands a semitone.
        q: list[float] in [0.001, 1000], default [1.0]
            Divides the filters' width: one number, one a harmonic, or one a filter, harmonic by harmonic.
        power: float in [0.01, 10], default 2.0
            Exponent of the magnitude: 1 for magnitude, 2 for power.
    
    Raises:
        TypeError: an option of a wrong type or an unknown name.
        ValueError: an option outside its range.
    """
    def __init__(self, *, sample_rate: int = 16000, n_fft: int = 512, win_length: int | None = None, hop_length: int = 256, window: str = 'hann', window_beta: float = 12.0, window_at: str = 'middle', center: bool = True, pad_mode: str = 'reflect', remove_dc: bool = False, preemphasis: float = 0.0, sample_scale: float = 1.0, n_harmonic: int = 6, semitone_scale: int = 2, q: list[float] = [1.0], power: float = 2.0) -> None:
        ...
    def to_dict(self: Node) -> dict[str, typing.Any]:
        """
        The node's name and the options that are not default, as a card holds them.
        """
    @property
    def center(self) -> bool:
        """
        Whether frame t is centred on sample t * hop_length, else begins there.
        """
    @property
    def hop_length(self) -> int:
        """
        Step between frames.
        """
    @property
    def n_fft(self) -> int:
        """
        Length of the transform.
        """
    @property
    def n_harmonic(self) -> int:
        """
        Harmonics, the note itself included.
        """
    @property
    def pad_mode(self) -> str:
        """
        What stands before and after the signal if centred: zeros, or its mirror image; kaldi: its mirror image with the edges repeated, frame t centred on (t + 1/2) * hop_length, as Kaldi does without snip_edges.
        """
    @property
    def power(self) -> float:
        """
        Exponent of the magnitude: 1 for magnitude, 2 for power.
        """
    @property
    def preemphasis(self) -> float:
        """
        Then x[i] -= preemphasis * x[i - 1] within the frame, before the window.
        """
    @property
    def q(self) -> list[float]:
        """
        Divides the filters' width: one number, one a harmonic, or one a filter, harmonic by harmonic.
        """
    @property
    def remove_dc(self) -> bool:
        """
        Whether to subtract each frame's mean.
        """
    @property
    def sample_rate(self) -> int:
        """
        Rate of the input.
        """
    @property
    def sample_scale(self) -> float:
        """
        Factor on samples: 32768 for front ends that read 16-bit integers.
        """
    @property
    def semitone_scale(self) -> int:
        """
        Bands a semitone.
        """
    @property
    def win_length(self) -> int | None:
        """
        Length of the window; None for n_fft.
        """
    @property
    def window(self) -> str:
        """
        Window, periodic unless its name says symmetric.
        """
    @property
    def window_at(self) -> str:
        """
        Where a window shorter than n_fft lies: in its middle, samples of no weight around it; or at its start, frames being win_length long and zeros after.
        """
    @property
    def window_beta(self) -> float:
        """
        Shape of a kaiser window; used by no other.
        """
class Chroma(Node):
    """
    Power of each pitch class, all octaves together.
    
    Input:  rows [n_bins]    power, of Spectrogram(power=2)
    Output: rows [n_chroma]  power, each row divided by its `norm`; silence stays 0
    Latency: none
    Source: Ellis, Chroma Analysis and Synthesis, 2007; librosa 0.11 `feature.chroma_stft`, which estimates
            the tuning of the clip where none is given: here it is an option
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> a4 = np.sin(2 * np.pi * 440 * np.arange(22_050) / 22_050).astype(np.float32)
        >>> chroma = fa.Spectrogram() >> fa.Chroma()
        >>> "C C# D D# E F F# G G# A A# B".split()[chroma(a4)[20].argmax()]
        'A'
    
    Options:
        n_chroma: int in [1, 1200] classes, default 12
            Number of pitch classes.
        tuning: float in [-100, 100] classes, default 0.0
            Where A lies above 440 Hz.
        ctroct: float in [-20, 20] octaves, default 5.0
            Centre of the octaves that count most, above 27.5 Hz.
        octwidth: float | None in [0.01, 100] octaves, default 2.0
            Width of the Gaussian around it; None for all octaves alike.
        norm: str, one of 'inf', 'l1', 'l2', 'none', default 'inf'
            What becomes 1 in each row: its largest value, its sum, or the root of its sum of squares.
        base_c: bool, default True
            Whether the first class is C, else A.
    
    Raises:
        TypeError: an option of a wrong type or an unknown name.
        ValueError: an option outside its range.
    """
    def __init__(self, *, n_chroma: int = 12, tuning: float = 0.0, ctroct: float = 5.0, octwidth: float | None = 2.0, norm: str = 'inf', base_c: bool = True) -> None:
        ...
    def to_dict(self: Node) -> dict[str, typing.Any]:
        """
        The node's name and the options that are not default, as a card holds them.
        """
    @property
    def base_c(self) -> bool:
        """
        Whether the first class is C, else A.
        """
    @property
    def ctroct(self) -> float:
        """
        Centre of the octaves that count most, above 27.5 Hz.
        """
    @property
    def n_chroma(self) -> int:
        """
        Number of pitch classes.
        """
    @property
    def norm(self) -> str:
        """
        What becomes 1 in each row: its largest value, its sum, or the root of its sum of squares.
        """
    @property
    def octwidth(self) -> float | None:
        """
        Width of the Gaussian around it; None for all octaves alike.
        """
    @property
    def tuning(self) -> float:
        """
        Where A lies above 440 Hz.
        """
class Delta(Node):
    """
    Slope of each value over time, from a polynomial fitted to neighbouring rows.
    
    Input:  rows of any shape
    Output: as many rows of the same shape: derivatives of order `order`, per row
    Latency: width // 2 rows, `order` times that for "htk"; width - 1 if `mode` is "interp", whose row 0 needs
            all of the first `width`
    
    A clip with fewer than `width` rows is treated as by "nearest" if `mode` is "interp", where librosa
    refuses it.
    
    Source: Savitzky and Golay, Analytical Chemistry 36(8), 1964; librosa 0.11 `feature.delta`, whose
            defaults these are; HTK Book 3.5, section 5.9, as in Kaldi `add-deltas`
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> fa.Delta(width=3)(np.array([0, 1, 2, 4, 6], dtype=np.float32)).tolist()
        [1.0, 1.0, 1.5, 2.0, 2.0]
    
    Options:
        width: int in [3, 4095] rows, default 9
            Rows of a fit; odd.
        order: int in [1, 8], default 1
            1 for the slope, 2 for its slope; also the polynomial's order, below width.
        mode: str, one of 'interp', 'nearest', 'htk', default 'interp'
            Rows near the ends: interp: from the polynomial of the first or last `width` rows; nearest: the end rows repeated; htk: as nearest, with the slope taken `order` times over.
    
    Raises:
        TypeError: an option of a wrong type or an unknown name.
        ValueError: an option outside its range.
    """
    def __init__(self, *, width: int = 9, order: int = 1, mode: str = 'interp') -> None:
        ...
    def to_dict(self: Node) -> dict[str, typing.Any]:
        """
        The node's name and the options that are not default, as a card holds them.
        """
    @property
    def mode(self) -> str:
        """
        Rows near the ends: interp: from the polynomial of the first or last `width` rows; nearest: the end rows repeated; htk: as nearest, with the slope taken `order` times over.
        """
    @property
    def order(self) -> int:
        """
        1 for the slope, 2 for its slope; also the polynomial's order, below width.
        """
    @property
    def width(self) -> int:
        """
        Rows of a fit; odd.
        """
class EnergyPatch(Node):
    """
    The patch of consecutive rows in which a clip is loudest.
    
    Input:  rows [n_frames, ...] of power or magnitude, or their logarithm
    Output: patch [1, length, ...] at the end, its values unchanged; none for an empty clip
    Latency: the clip, it waits for the end; memory doesn't grow with it
    
    Energy is the sum of all values of a patch: the energy itself where they are power, and of logarithms
    what the code of the paper below takes. Patches begin every `hop` rows; of equal ones the first is taken.
    
    Source: Favory, Drossos, Virtanen & Serra, Learning contextual tag embeddings for cross-modal alignment of
            audio and tags, ICASSP 2021; xavierfav/ae-w2v-attention, with hop=12
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> rows = np.array([[1], [3], [2], [0]], dtype=np.float32)
        >>> fa.EnergyPatch(length=2)(rows).tolist()
        [[[3.0], [2.0]]]
    
    Options:
        length: int in [1, 1e+06] rows, default 96
            Rows of the patch.
        hop: int in [1, 1e+06] rows, default 1
            Step between the patches compared.
        last: str, one of 'pad', 'repeat', default 'repeat'
            A clip shorter than the patch: padded with pad_value, or its rows repeated.
        pad_value: float in [-1e+30, 1e+30], default 0.0
            Value of padded rows.
    
    Raises:
        TypeError: an option of a wrong type or an unknown name.
        ValueError: an option outside its range.
    """
    def __init__(self, *, length: int = 96, hop: int = 1, last: str = 'repeat', pad_value: float = 0.0) -> None:
        ...
    def to_dict(self: Node) -> dict[str, typing.Any]:
        """
        The node's name and the options that are not default, as a card holds them.
        """
    @property
    def hop(self) -> int:
        """
        Step between the patches compared.
        """
    @property
    def last(self) -> str:
        """
        A clip shorter than the patch: padded with pad_value, or its rows repeated.
        """
    @property
    def length(self) -> int:
        """
        Rows of the patch.
        """
    @property
    def pad_value(self) -> float:
        """
        Value of padded rows.
        """
class L2Normalize(Node):
    """
    Rows of unit length, as embeddings are compared.
    
    Input:  rows of any shape
    Output: rows of the same shape, divided by max(norm, eps), the norm being that of all values of a row
    Latency: none
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> fa.L2Normalize()(np.array([[1.0, -1, 1, 1], [0, 0, 0, 0]], dtype=np.float32)).tolist()
        [[0.5, -0.5, 0.5, 0.5], [0.0, 0.0, 0.0, 0.0]]
    
    Options:
        eps: float in [1e-30, 1e+12], default 1e-12
            Smallest divisor.
    
    Raises:
        TypeError: an option of a wrong type or an unknown name.
        ValueError: an option outside its range.
    """
    def __init__(self, *, eps: float = 1e-12) -> None:
        ...
    def to_dict(self: Node) -> dict[str, typing.Any]:
        """
        The node's name and the options that are not default, as a card holds them.
        """
    @property
    def eps(self) -> float:
        """
        Smallest divisor.
        """
class LinearSoftmaxPooling(Node):
    """
    Probabilities of a clip or of a window from those of its frames, the larger ones weighing more.
    
    Input:  probabilities [n_rows, ...]
    Output: row [1, ...] at the end of the clip, none for an empty one; or one row a window,
            [n_windows, ...]: sum of p^2 / sum of p, 0 where all are 0; values below 0 count as 0
    Latency: the clip, it waits for the end; or window - 1 rows
    
    Windows begin at row 0 and every `hop` rows; rows left at the end are dropped, but a clip shorter than
    a window yields one, of the rows that there are.
    
    Source: Wang, Li & Metze, A comparison of five multiple instance learning pooling functions for sound
            event detection with weak labeling, ICASSP 2019
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> fa.LinearSoftmaxPooling()(np.array([[0.25, 0], [0.75, 0]], dtype=np.float32)).tolist()
        [[0.625, 0.0]]
    
    Options:
        window: int | None in [1, 1e+06] rows, default None
            Rows of a window; None for the whole clip.
        hop: int | None in [1, 1e+06] rows, default None
            Step between windows; None for window, without overlap.
    
    Raises:
        TypeError: an option of a wrong type or an unknown name.
        ValueError: an option outside its range.
    """
    def __init__(self, *, window: int | None = None, hop: int | None = None) -> None:
        ...
    def to_dict(self: Node) -> dict[str, typing.Any]:
        """
        The node's name and the options that are not default, as a card holds them.
        """
    @property
    def hop(self) -> int | None:
        """
        Step between windows; None for window, without overlap.
        """
    @property
    def window(self) -> int | None:
        """
        Rows of a window; None for the whole clip.
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
    def to_dict(self: Node) -> dict[str, typing.Any]:
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
class MFCC(Node):
    """
    Cepstral coefficients: the discrete cosine transform of log-mel rows.
    
    Input:  rows [n_rows, n_mels] of logarithms
    Output: rows [n_rows, n_mfcc], coefficient 0 first
    Latency: none
    
    The logarithm is the input's: librosa takes it in dB with `top_db` 80 over the clip, Kaldi and HTK
    take ln. Coefficients come after the type II transform; Kaldi's is the "ortho" one.
    
    Source: Davis and Mermelstein, IEEE Trans. ASSP 28(4), 1980; librosa 0.11 `feature.mfcc`, whose
            defaults these are; Kaldi `compute-mfcc-feats`; HTK Book 3.5, section 5.6
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=40)
        >>> (mel >> fa.Log(kind="dB") >> fa.MFCC(n_mfcc=13))(np.zeros(16_000, dtype=np.float32)).shape
        (63, 13)
    
    Options:
        n_mfcc: int in [1, 4096], default 20
            Coefficients, at most as many as bands.
        norm: str, one of 'ortho', 'none', default 'ortho'
            ortho: rows of the transform have unit length; none: 2 cos(pi k (2 n + 1) / (2 n_mels)).
        lifter: float in [0, 10000], default 0.0
            L of the lifter, which raises the higher coefficients; 0 for none.
        lifter_kind: str, one of 'librosa', 'htk', default 'librosa'
            librosa: coefficient k times 1 + L/2 sin(pi (k + 1) / L); htk, as in Kaldi: times 1 + L/2 sin(pi k / L).
    
    Raises:
        TypeError: an option of a wrong type or an unknown name.
        ValueError: an option outside its range.
    """
    def __init__(self, *, n_mfcc: int = 20, norm: str = 'ortho', lifter: float = 0.0, lifter_kind: str = 'librosa') -> None:
        ...
    def to_dict(self: Node) -> dict[str, typing.Any]:
        """
        The node's name and the options that are not default, as a card holds them.
        """
    @property
    def lifter(self) -> float:
        """
        L of the lifter, which raises the higher coefficients; 0 for none.
        """
    @property
    def lifter_kind(self) -> str:
        """
        librosa: coefficient k times 1 + L/2 sin(pi (k + 1) / L); htk, as in Kaldi: times 1 + L/2 sin(pi k / L).
        """
    @property
    def n_mfcc(self) -> int:
        """
        Coefficients, at most as many as bands.
        """
    @property
    def norm(self) -> str:
        """
        ortho: rows of the transform have unit length; none: 2 cos(pi k (2 n + 1) / (2 n_mels)).
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
    def to_dict(self: Node) -> dict[str, typing.Any]:
        """
        The node's name and the options that are not default, as a card holds them.
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
    def to_dict(self: Node) -> dict[str, typing.Any]:
        """
        The node's name and the options that are not default, as a card holds them.
        """
class MinMaxScale(Node):
    """
    Values scaled so that a known range becomes [0, 1].
    
    Input:  rows of any shape
    Output: rows of the same shape: (x - min) / (max - min)
    Latency: none
    
    `min` and `max` are those of a model's training data: one number, or one for each place along the
    last axis. For the data's own see Normalize.
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> fa.MinMaxScale(min=[-80.0], max=[0.0])(np.array([[-80.0, -20.0]], dtype=np.float32)).tolist()
        [[0.0, 0.75]]
    
    Options:
        min: list[float] in [-1e+12, 1e+12]
            Becomes 0.
        max: list[float] in [-1e+12, 1e+12]
            Becomes 1.
        clip: bool, default False
            Whether values beyond the range become 0 or 1.
    
    Raises:
        TypeError: an option of a wrong type or an unknown name.
        ValueError: an option outside its range.
    """
    def __init__(self, min: list[float], max: list[float], *, clip: bool = False) -> None:
        ...
    def to_dict(self: Node) -> dict[str, typing.Any]:
        """
        The node's name and the options that are not default, as a card holds them.
        """
    @property
    def clip(self) -> bool:
        """
        Whether values beyond the range become 0 or 1.
        """
    @property
    def max(self) -> list[float]:
        """
        Becomes 1.
        """
    @property
    def min(self) -> list[float]:
        """
        Becomes 0.
        """
class Normalize(Node):
    """
    Values brought to a common level by the largest, mean or deviation of their own row or clip.
    
    Input:  rows of any shape
    Output: rows of the same shape: x / max(|x|), x - mean, (x - mean) / std, or (x - min) / (max - min), taken
            over all values of a row or of the clip; no divisor is below eps
    Latency: none, or the clip, whose rows all come at the end: its memory grows with the clip
    
    A frame cut by Patches is one row, so is a patch of frames. For known means see Standardize.
    
    Source: CREPE 0.0.16 and TempoCNN standardise each frame or patch so; librosa 0.11 `util.normalize`
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> rows = np.array([[1.0, -4.0], [0.0, 0.5]], dtype=np.float32)
        >>> fa.Normalize(kind="max")(rows).tolist()
        [[0.25, -1.0], [0.0, 1.0]]
        >>> fa.Normalize(kind="max", over="clip")(rows).tolist()
        [[0.25, -1.0], [0.0, 0.125]]
    
    Options:
        kind: str, one of 'max', 'mean', 'standard', 'min_max', default 'standard'
            max: largest magnitude becomes 1; mean: mean becomes 0; standard: mean 0 and standard deviation 1; min_max: from 0 to 1.
        over: str, one of 'row', 'clip', default 'row'
            Values that share one level.
        eps: float in [1e-30, 1e+12], default 1e-08
            Smallest divisor.
    
    Raises:
        TypeError: an option of a wrong type or an unknown name.
        ValueError: an option outside its range.
    """
    def __init__(self, *, kind: str = 'standard', over: str = 'row', eps: float = 1e-08) -> None:
        ...
    def to_dict(self: Node) -> dict[str, typing.Any]:
        """
        The node's name and the options that are not default, as a card holds them.
        """
    @property
    def eps(self) -> float:
        """
        Smallest divisor.
        """
    @property
    def kind(self) -> str:
        """
        max: largest magnitude becomes 1; mean: mean becomes 0; standard: mean 0 and standard deviation 1; min_max: from 0 to 1.
        """
    @property
    def over(self) -> str:
        """
        Values that share one level.
        """
class PCAWhiten(Node):
    """
    Rows on known principal axes: a matrix times the row less known means.
    
    Input:  rows [n_rows, n_means]
    Output: rows [n_rows, n_components]: matrix (x - means)
    Latency: none
    
    `matrix` holds one component after another, each as long as `means`: a NumPy array's .ravel().tolist().
    What scales each component to unit variance is in it. At most 2**17 numbers, so that they fit into a
    card; a larger matrix belongs in an OnnxModel.
    
    Source: VGGish's postprocessor (tensorflow/models, research/audioset/vggish)
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> fa.PCAWhiten(matrix=[0, 2, 1, 1], means=[1, 0])(np.array([[3, 5]], dtype=np.float32)).tolist()
        [[10.0, 7.0]]
    
    Options:
        matrix: list[float] in [-1e+12, 1e+12]
            Components, one after another.
        means: list[float] in [-1e+12, 1e+12]
            Subtracted first.
    
    Raises:
        TypeError: an option of a wrong type or an unknown name.
        ValueError: an option outside its range.
    """
    def __init__(self, matrix: list[float], means: list[float]) -> None:
        ...
    def to_dict(self: Node) -> dict[str, typing.Any]:
        """
        The node's name and the options that are not default, as a card holds them.
        """
    @property
    def matrix(self) -> list[float]:
        """
        Components, one after another.
        """
    @property
    def means(self) -> list[float]:
        """
        Subtracted first.
        """
class PCEN(Node):
    """
    Per-channel energy normalisation: each band divided by its own recent level, then compressed.
    
    Input:  rows [n_rows, ...] of power or magnitude; values below 0 count as 0
    Output: rows [n_rows, ...], or [n_rows, n_rates, ...] for several time constants:
            (E / (eps + M) ** gain + bias) ** power - bias ** power, where M follows the band E:
            M(t) = M(t - 1) + b (E(t) - M(t - 1)), b = (sqrt(1 + 4 T^2) - 1) / (2 T^2), T the time constant in
            rows. With power 0: ln(1 + E / (eps + M) ** gain)
    Latency: none
    
    librosa's examples scale samples that are within +-1 by 2 ** 31 first: `eps` and `bias` are meant for
    that level.
    
    Source: Wang, Getreuer, Hughes, Lyon and Saurous, ICASSP 2017; Lostanlen et al., IEEE Signal Processing
            Letters 26(1), 2019; librosa 0.11 `pcen`, whose defaults these are; several rates: Ick and McFee,
            ICASSP 2021
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=40)
        >>> (mel >> fa.PCEN(time_constants_s=[0.06, 0.4]))(np.zeros(16_000, dtype=np.float32)).shape
        (63, 2, 40)
    
    Options:
        gain: float in [0, 2], default 0.98
            How much of the level is divided out; 1 for all.
        bias: float in [0, 1e+06], default 2.0
            Added before compression.
        power: float in [0, 1], default 0.5
            Exponent of the compression; 0 for a logarithm.
        eps: float in [1e-12, 1e+06], default 1e-06
            Added to the level: keeps silence silent.
        time_constants_s: list[float] in [1e-04, 10000] s, default [0.4]
            How slowly the level follows, one or several.
        initial: str, one of 'one', 'first', default 'one'
            M before the first row: one: 1, as in librosa; first: the first row.
    
    Raises:
        TypeError: an option of a wrong type or an unknown name.
        ValueError: an option outside its range.
    """
    def __init__(self, *, gain: float = 0.98, bias: float = 2.0, power: float = 0.5, eps: float = 1e-06, time_constants_s: list[float] = [0.4], initial: str = 'one') -> None:
        ...
    def to_dict(self: Node) -> dict[str, typing.Any]:
        """
        The node's name and the options that are not default, as a card holds them.
        """
    @property
    def bias(self) -> float:
        """
        Added before compression.
        """
    @property
    def eps(self) -> float:
        """
        Added to the level: keeps silence silent.
        """
    @property
    def gain(self) -> float:
        """
        How much of the level is divided out; 1 for all.
        """
    @property
    def initial(self) -> str:
        """
        M before the first row: one: 1, as in librosa; first: the first row.
        """
    @property
    def power(self) -> float:
        """
        Exponent of the compression; 0 for a logarithm.
        """
    @property
    def time_constants_s(self) -> list[float]:
        """
        How slowly the level follows, one or several.
        """
class Patches(Node):
    """
    Groups of consecutive rows, as models take them.
    
    Input:  rows [n_frames, ...], or samples
    Output: patches [n_patches, context + length, ...]; patch k holds rows k * hop - context to
            k * hop + length - 1
    Latency: length - 1 rows
    
    A clip with too few rows for one patch always yields one: padded if `last` is "pad", else by
    repeating its rows. Time stamps are those of the `length` rows.
    
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
        context: int in [0, 1e+06] rows, default 0
            Earlier rows that come along at the front of a patch; pad_value before the first.
    
    Raises:
        TypeError: an option of a wrong type or an unknown name.
        ValueError: an option outside its range.
    """
    def __init__(self, *, length: int = 187, hop: int | None = None, last: str = 'drop', pad_value: float = 0.0, context: int = 0) -> None:
        ...
    def to_dict(self: Node) -> dict[str, typing.Any]:
        """
        The node's name and the options that are not default, as a card holds them.
        """
    @property
    def context(self) -> int:
        """
        Earlier rows that come along at the front of a patch; pad_value before the first.
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
class Quantize(Node):
    """
    Values limited to a range and counted in its 2^bits - 1 equal steps.
    
    Input:  rows of any shape
    Output: rows of the same shape: whole numbers from 0, at `min` and below, to 2^bits - 1, at `max` and
            above
    Latency: none
    
    Source: VGGish's postprocessor (tensorflow/models, research/audioset/vggish), whose cast to uint8 rounds
            down; ports of it to PyTorch round to the nearest
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> fa.Quantize(min=-2, max=2, bits=8)(np.array([[-3, 0, 1, 2]], dtype=np.float32)).tolist()
        [[0.0, 127.0, 191.0, 255.0]]
    
    Options:
        min: float in [-1e+12, 1e+12], default -2.0
            Becomes 0.
        max: float in [-1e+12, 1e+12], default 2.0
            Becomes 2^bits - 1.
        bits: int in [1, 16] bits, default 8
            Size of a number.
        rounding: str, one of 'down', 'nearest', default 'down'
            Which whole number; of two as near the even one.
    
    Raises:
        TypeError: an option of a wrong type or an unknown name.
        ValueError: an option outside its range.
    """
    def __init__(self, *, min: float = -2.0, max: float = 2.0, bits: int = 8, rounding: str = 'down') -> None:
        ...
    def to_dict(self: Node) -> dict[str, typing.Any]:
        """
        The node's name and the options that are not default, as a card holds them.
        """
    @property
    def bits(self) -> int:
        """
        Size of a number.
        """
    @property
    def max(self) -> float:
        """
        Becomes 2^bits - 1.
        """
    @property
    def min(self) -> float:
        """
        Becomes 0.
        """
    @property
    def rounding(self) -> str:
        """
        Which whole number; of two as near the even one.
        """
class RMS(Node):
    """
    Root mean square of frames of samples: their level.
    
    Input:  samples [n_samples]   full scale +-1, at `sample_rate`
    Output: rows    [n_frames, 1] one every `hop_length` samples; frames as in MelSpectrogram
    Latency: half a frame if centred, else a frame
    
    Source: librosa 0.11 `feature.rms`, whose defaults these are
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> fa.RMS(frame_length=4, hop_length=4, center=False)(np.float32([1, -1, 1, -1, 2, 2, 2, 2])).tolist()
        [[1.0], [2.0]]
    
    Options:
        sample_rate: int in [100, 768000] Hz, default 22050
            Rate of the input.
        frame_length: int in [1, 1048576] samples, default 2048
            Length of a frame.
        hop_length: int in [1, 1048576] samples, default 512
            Step between frames.
        center: bool, default True
            Whether frame t is centred on sample t * hop_length.
        pad_mode: str, one of 'constant', 'reflect', default 'constant'
            What stands before and after the signal if centred: zeros, or its mirror image.
    
    Raises:
        TypeError: an option of a wrong type or an unknown name.
        ValueError: an option outside its range.
    """
    def __init__(self, *, sample_rate: int = 22050, frame_length: int = 2048, hop_length: int = 512, center: bool = True, pad_mode: str = 'constant') -> None:
        ...
    def to_dict(self: Node) -> dict[str, typing.Any]:
        """
        The node's name and the options that are not default, as a card holds them.
        """
    @property
    def center(self) -> bool:
        """
        Whether frame t is centred on sample t * hop_length.
        """
    @property
    def frame_length(self) -> int:
        """
        Length of a frame.
        """
    @property
    def hop_length(self) -> int:
        """
        Step between frames.
        """
    @property
    def pad_mode(self) -> str:
        """
        What stands before and after the signal if centred: zeros, or its mirror image.
        """
    @property
    def sample_rate(self) -> int:
        """
        Rate of the input.
        """
class SpectralBandwidth(Node):
    """
    Spread of a spectrum around its centroid.
    
    Input:  rows [n_bins]   magnitude, of Spectrogram(power=1); values below 0 count as 0
    Output: rows [1]        Hz if `norm`: (sum of magnitude * |frequency - centroid| ** p) ** (1 / p);
            0 for silence
    Latency: none
    Source: librosa 0.11 `feature.spectral_bandwidth`
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> noise = np.random.default_rng(0).uniform(-1, 1, 16_000).astype(np.float32)
        >>> spectrum = fa.Spectrogram(sample_rate=16_000, n_fft=512, hop_length=256, power=1)
        >>> (spectrum >> fa.SpectralBandwidth())(noise).shape
        (63, 1)
    
    Options:
        p: float in [1, 10], default 2.0
            Exponent of the deviation: 2 for a standard deviation.
        norm: bool, default True
            Whether magnitudes are divided by their sum first.
    
    Raises:
        TypeError: an option of a wrong type or an unknown name.
        ValueError: an option outside its range.
    """
    def __init__(self, *, p: float = 2.0, norm: bool = True) -> None:
        ...
    def to_dict(self: Node) -> dict[str, typing.Any]:
        """
        The node's name and the options that are not default, as a card holds them.
        """
    @property
    def norm(self) -> bool:
        """
        Whether magnitudes are divided by their sum first.
        """
    @property
    def p(self) -> float:
        """
        Exponent of the deviation: 2 for a standard deviation.
        """
class SpectralCentroid(Node):
    """
    Mean frequency of a spectrum, weighted by magnitude.
    
    Input:  rows [n_bins]   magnitude, of Spectrogram(power=1); values below 0 count as 0
    Output: rows [1]        Hz; 0 for silence
    Latency: none
    Source: librosa 0.11 `feature.spectral_centroid`
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> tone = np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000).astype(np.float32)
        >>> spectrum = fa.Spectrogram(sample_rate=16_000, n_fft=512, hop_length=256, power=1)
        >>> (spectrum >> fa.SpectralCentroid())(tone)[30].round().tolist()
        [1000.0]
    """
    def __init__(self) -> None:
        ...
    def to_dict(self: Node) -> dict[str, typing.Any]:
        """
        The node's name and the options that are not default, as a card holds them.
        """
class SpectralContrast(Node):
    """
    Peaks over valleys of a spectrum, in octave bands.
    
    Input:  rows [n_bins]       magnitude, of Spectrogram(power=1)
    Output: rows [n_bands + 1]  dB, or magnitude if `linear`: the mean of the largest `quantile` of each
            band's bins, less that of the smallest; below `f_min`, then an octave each from there, the
            last band up to the end
    Latency: none
    Source: Jiang et al., Music type classification by spectral contrast feature, ICME 2002; librosa 0.11
            `feature.spectral_contrast`. In dB, librosa lifts peaks and valleys to at most 80 dB below the
            clip's largest peak, or valley. No stream knows these, so nothing is lifted here: numbers
            differ where a clip has all but silent bands. For librosa's, take rows of part="peak" and
            part="valley" over the clip, lift each, and subtract.
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> noise = np.random.default_rng(0).uniform(-1, 1, 22_050).astype(np.float32)
        >>> (fa.Spectrogram(power=1) >> fa.SpectralContrast())(noise).shape
        (44, 7)
    
    Options:
        f_min: float in [0.001, 384000] Hz, default 200.0
            Upper edge of the first band.
        n_bands: int in [1, 32] bands, default 6
            Number of octaves above it.
        quantile: float in [1e-04, 0.9999], default 0.02
            Part of a band's bins that make its peak, and its valley; one bin at least.
        linear: bool, default False
            Whether magnitudes are subtracted, else 10 log10 of them, of 1e-10 at least.
        part: str, one of 'contrast', 'peak', 'valley', default 'contrast'
            What comes out: the difference, or one of its parts.
    
    Raises:
        TypeError: an option of a wrong type or an unknown name.
        ValueError: an option outside its range.
    """
    def __init__(self, *, f_min: float = 200.0, n_bands: int = 6, quantile: float = 0.02, linear: bool = False, part: str = 'contrast') -> None:
        ...
    def to_dict(self: Node) -> dict[str, typing.Any]:
        """
        The node's name and the options that are not default, as a card holds them.
        """
    @property
    def f_min(self) -> float:
        """
        Upper edge of the first band.
        """
    @property
    def linear(self) -> bool:
        """
        Whether magnitudes are subtracted, else 10 log10 of them, of 1e-10 at least.
        """
    @property
    def n_bands(self) -> int:
        """
        Number of octaves above it.
        """
    @property
    def part(self) -> str:
        """
        What comes out: the difference, or one of its parts.
        """
    @property
    def quantile(self) -> float:
        """
        Part of a band's bins that make its peak, and its valley; one bin at least.
        """
class SpectralFlatness(Node):
    """
    Geometric over arithmetic mean of a spectrum: 1 for white noise, near 0 for a tone.
    
    Input:  rows [n_bins]   magnitude, of Spectrogram(power=1); it takes the power itself
    Output: rows [1]        ratio of the means of max(magnitude ** power, amin), in [0, 1]; 1 for silence
    Latency: none
    Source: librosa 0.11 `feature.spectral_flatness`
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> spectrum = fa.Spectrogram(sample_rate=16_000, n_fft=512, hop_length=256, power=1)
        >>> (spectrum >> fa.SpectralFlatness())(np.zeros(16_000, dtype=np.float32))[0].round(3).tolist()
        [1.0]
    
    Options:
        amin: float in [1e-30, 1], default 1e-10
            Smallest magnitude ** power.
        power: float in [1, 10], default 2.0
            Exponent of the magnitude: 1 for magnitude, 2 for power.
    
    Raises:
        TypeError: an option of a wrong type or an unknown name.
        ValueError: an option outside its range.
    """
    def __init__(self, *, amin: float = 1e-10, power: float = 2.0) -> None:
        ...
    def to_dict(self: Node) -> dict[str, typing.Any]:
        """
        The node's name and the options that are not default, as a card holds them.
        """
    @property
    def amin(self) -> float:
        """
        Smallest magnitude ** power.
        """
    @property
    def power(self) -> float:
        """
        Exponent of the magnitude: 1 for magnitude, 2 for power.
        """
class SpectralRolloff(Node):
    """
    Frequency below which a given part of a spectrum's magnitude lies.
    
    Input:  rows [n_bins]   magnitude, of Spectrogram(power=1); values below 0 count as 0
    Output: rows [1]        Hz, of the first bin at which the running sum reaches `roll_percent` of the
            whole; 0 for silence
    Latency: none
    Source: librosa 0.11 `feature.spectral_rolloff`, which sums in float32 where its input is, and may
            choose a neighbouring bin for that; these sums are float64
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> tone = np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000).astype(np.float32)
        >>> spectrum = fa.Spectrogram(sample_rate=16_000, n_fft=512, hop_length=256, power=1)
        >>> (spectrum >> fa.SpectralRolloff())(tone)[30].tolist()
        [1031.25]
    
    Options:
        roll_percent: float in [1e-04, 0.9999], default 0.85
            Part of the whole, as a fraction of 1.
    
    Raises:
        TypeError: an option of a wrong type or an unknown name.
        ValueError: an option outside its range.
    """
    def __init__(self, *, roll_percent: float = 0.85) -> None:
        ...
    def to_dict(self: Node) -> dict[str, typing.Any]:
        """
        The node's name and the options that are not default, as a card holds them.
        """
    @property
    def roll_percent(self) -> float:
        """
        Part of the whole, as a fraction of 1.
        """
class StackChannels(Node):
    """
    Rows repeated along a channel axis, as networks trained on colour images take a spectrogram.
    
    Input:  rows of any shape
    Output: rows with one axis more, the last or the first, along which all values are the same
    Latency: none
    
    OnnxModel brings axes into the model's order: with channels last, layout="nctf" is a model's that takes
    them first.
    
    Source: Lee & Lee, Cross-domain semi-supervised audio event classification using contrastive
            regularization
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> fa.StackChannels(channels=3)(np.array([[1, 2]], dtype=np.float32)).tolist()
        [[[1.0, 1.0, 1.0], [2.0, 2.0, 2.0]]]
    
    Options:
        channels: int in [1, 1024], default 3
            Length of the new axis.
        axis: str, one of 'last', 'first', default 'last'
            Where the new axis stands in a row.
    
    Raises:
        TypeError: an option of a wrong type or an unknown name.
        ValueError: an option outside its range.
    """
    def __init__(self, *, channels: int = 3, axis: str = 'last') -> None:
        ...
    def to_dict(self: Node) -> dict[str, typing.Any]:
        """
        The node's name and the options that are not default, as a card holds them.
        """
    @property
    def axis(self) -> str:
        """
        Where the new axis stands in a row.
        """
    @property
    def channels(self) -> int:
        """
        Length of the new axis.
        """
class Standardize(Node):
    """
    Values less a known mean, divided by a known standard deviation.
    
    Input:  rows of any shape
    Output: rows of the same shape: (x - mean) / std
    Latency: none
    
    `mean` and `std` are those of a model's training data: one number, or one for each place along the
    last axis. For the data's own see Normalize.
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> fa.Standardize(mean=[1.0], std=[2.0])(np.array([[1.0, 5.0]], dtype=np.float32)).tolist()
        [[0.0, 2.0]]
    
    Options:
        mean: list[float] in [-1e+12, 1e+12]
            Subtracted first.
        std: list[float] in [1e-12, 1e+12]
            Divided by.
    
    Raises:
        TypeError: an option of a wrong type or an unknown name.
        ValueError: an option outside its range.
    """
    def __init__(self, mean: list[float], std: list[float]) -> None:
        ...
    def to_dict(self: Node) -> dict[str, typing.Any]:
        """
        The node's name and the options that are not default, as a card holds them.
        """
    @property
    def mean(self) -> list[float]:
        """
        Subtracted first.
        """
    @property
    def std(self) -> list[float]:
        """
        Divided by.
        """
class Statistics(Node):
    """
    Mean, deviation, extremes and percentiles of each element over the rows of a clip or of a window.
    
    Input:  rows [n_rows, ...]
    Output: rows [1, n_kinds, ...] at the end of the clip, none for an empty one; or one row a window,
            [n_windows, n_kinds, ...]
    Latency: the clip, it waits for the end; or window - 1 rows
    
    Over the clip, percentiles keep all rows until the end: memory grows with the clip. The other kinds
    need none. Windows begin at row 0 and every `hop` rows; rows left at the end are dropped, but a clip
    shorter than a window yields one, of the rows that there are.
    
    Source: standard deviation of the whole population; percentiles between two values are linear, as in
            NumPy's `percentile`
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> rows = np.array([[1, 10], [2, 20], [3, 60]], dtype=np.float32)
        >>> fa.Statistics(kinds=["mean", "max", "p50"])(rows).tolist()
        [[[2.0, 30.0], [3.0, 60.0], [2.0, 20.0]]]
    
    Options:
        kinds: list[str], default ['mean', 'std']
            Among mean, std, min, max, and percentiles such as p25 or p97.5; they come in this order.
        window: int | None in [1, 1e+06] rows, default None
            Rows of a window; None for the whole clip.
        hop: int | None in [1, 1e+06] rows, default None
            Step between windows; None for window, without overlap.
    
    Raises:
        TypeError: an option of a wrong type or an unknown name.
        ValueError: an option outside its range.
    """
    def __init__(self, *, kinds: list[str] = ['mean', 'std'], window: int | None = None, hop: int | None = None) -> None:
        ...
    def to_dict(self: Node) -> dict[str, typing.Any]:
        """
        The node's name and the options that are not default, as a card holds them.
        """
    @property
    def hop(self) -> int | None:
        """
        Step between windows; None for window, without overlap.
        """
    @property
    def kinds(self) -> list[str]:
        """
        Among mean, std, min, max, and percentiles such as p25 or p97.5; they come in this order.
        """
    @property
    def window(self) -> int | None:
        """
        Rows of a window; None for the whole clip.
        """
class TopDb(Node):
    """
    Decibels limited to a range below the largest of their row or clip.
    
    Input:  rows of any shape, in dB
    Output: rows of the same shape: max(x, largest - top_db), less `largest` if relative
    Latency: none, or the clip, whose rows all come at the end: its memory grows with the clip
    
    Source: librosa 0.11 `power_to_db`, by the clip; OpenL3 0.4 by the patch and relative
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> fa.TopDb(top_db=80)(np.array([[-10.0, -60.0, -95.0]], dtype=np.float32)).tolist()
        [[-10.0, -60.0, -90.0]]
    
    Options:
        top_db: float in [0, 1e+06] dB, default 80.0
            Range that is kept.
        over: str, one of 'row', 'clip', default 'row'
            Values that share one largest.
        relative: bool, default False
            Whether the largest becomes 0 dB.
    
    Raises:
        TypeError: an option of a wrong type or an unknown name.
        ValueError: an option outside its range.
    """
    def __init__(self, *, top_db: float = 80.0, over: str = 'row', relative: bool = False) -> None:
        ...
    def to_dict(self: Node) -> dict[str, typing.Any]:
        """
        The node's name and the options that are not default, as a card holds them.
        """
    @property
    def over(self) -> str:
        """
        Values that share one largest.
        """
    @property
    def relative(self) -> bool:
        """
        Whether the largest becomes 0 dB.
        """
    @property
    def top_db(self) -> float:
        """
        Range that is kept.
        """
class ZeroCrossingRate(Node):
    """
    Share of a frame's samples that have another sign than the one before.
    
    Input:  samples [n_samples]   full scale +-1, at `sample_rate`
    Output: rows    [n_frames, 1] from 0 to 1, one every `hop_length` samples; frames as in MelSpectrogram
    Latency: half a frame if centred, else a frame
    
    Before and after a centred signal stand its first and its last sample. The first sample of a frame
    has none before it.
    
    Source: librosa 0.11 `feature.zero_crossing_rate`, whose defaults these are
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> node = fa.ZeroCrossingRate(frame_length=4, hop_length=4, center=False)
        >>> node(np.float32([1, -1, 1, -1, 1, 1, -1, -1])).tolist()
        [[0.75], [0.25]]
    
    Options:
        sample_rate: int in [100, 768000] Hz, default 22050
            Rate of the input.
        frame_length: int in [1, 1048576] samples, default 2048
            Length of a frame.
        hop_length: int in [1, 1048576] samples, default 512
            Step between frames.
        center: bool, default True
            Whether frame t is centred on sample t * hop_length.
        threshold: float in [0, 1e+12], default 1e-10
            Samples of no larger magnitude count as 0, which is positive.
    
    Raises:
        TypeError: an option of a wrong type or an unknown name.
        ValueError: an option outside its range.
    """
    def __init__(self, *, sample_rate: int = 22050, frame_length: int = 2048, hop_length: int = 512, center: bool = True, threshold: float = 1e-10) -> None:
        ...
    def to_dict(self: Node) -> dict[str, typing.Any]:
        """
        The node's name and the options that are not default, as a card holds them.
        """
    @property
    def center(self) -> bool:
        """
        Whether frame t is centred on sample t * hop_length.
        """
    @property
    def frame_length(self) -> int:
        """
        Length of a frame.
        """
    @property
    def hop_length(self) -> int:
        """
        Step between frames.
        """
    @property
    def sample_rate(self) -> int:
        """
        Rate of the input.
        """
    @property
    def threshold(self) -> float:
        """
        Samples of no larger magnitude count as 0, which is positive.
        """
class Similarity(Node):
    """
    Cosine of each row to each vector of a bank: scores for labels that no network was trained on.
    
    Input:  embeddings [n_rows, d]
    Output: cosines [n_rows, n_labels], from -1 to 1; 0 where the row or the vector is all zeros
    Latency: none
    
    `bank` holds one vector of d numbers after another, in the order of `labels`: a NumPy array's
    .ravel().tolist(). Vectors needn't be of unit length. At most 2**17 numbers, so that they fit into a
    card; a larger bank belongs in an OnnxModel.
    
    Source: Favory, Drossos, Virtanen & Serra, Learning contextual tag embeddings for cross-modal alignment of
            audio and tags, ICASSP 2021
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> node = fa.Similarity(bank=[2, 0, 0, -3], labels=["rain", "wind"])
        >>> print(node(np.array([[3, 4]], dtype=np.float32)))
        [[ 0.6 -0.8]]
    
    Options:
        bank: list[float] in [-1e+12, 1e+12]
            Vectors, one after another.
        labels: list[str]
            Name of each vector, in order.
    
    Raises:
        TypeError: an option of a wrong type or an unknown name.
        ValueError: an option outside its range.
    """
    def __init__(self, bank: list[float], labels: list[str]) -> None:
        ...
    def to_dict(self: Node) -> dict[str, typing.Any]:
        """
        The node's name and the options that are not default, as a card holds them.
        """
    @property
    def bank(self) -> list[float]:
        """
        Vectors, one after another.
        """
    @property
    def labels(self) -> list[str]:
        """
        Name of each vector, in order.
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
    def to_dict(self: Node) -> dict[str, typing.Any]:
        """
        The node's name and the options that are not default, as a card holds them.
        """
    @property
    def labels(self) -> list[str]:
        """
        Name of each score, in order.
        """
class Events(Node):
    """
    Scores as events, each label by itself: a pipeline that ends here returns `fastaudio.events.Events`.
    
    Input:  scores [n_windows, n_labels] with names, as Tags gives
    Output: a row for each event, [n_events, 6]: index of its label; its first window, as high * 65536 + low in
            two values, so that float32 holds it; how many windows it has, exact to 2**24, 0 in a row that
            `onsets` adds; highest and mean score over these. `fastaudio.events.decode` reads them.
            `rate_hz` and `span_s` stay those of the windows
    Latency: a row comes out once scores have stayed below `offset` for `min_off_s` after the event's last
            window, or at the end of the signal. A row of `onsets` comes out with the window that completes
            `min_on_s`; a dip bridged before that delays it by up to `min_off_s`
    
    An event begins with a window at or above `onset` and goes on until its label's scores have stayed below
    `offset` for `min_off_s`; shorter dips are bridged. It covers its windows from the first, at or above
    `onset`, to the last at or above `offset`: from the start of the one to the end of the other. Events
    shorter than `min_on_s` are dropped then. Where windows overlap, two events may too, by less than a span.
    
    Seconds become whole windows once, by `rate_hz`, to the nearest number: a window counts for 1 / rate_hz,
    whatever its span. Thresholds apply to smoothed scores and are compared in float32, as NumPy does;
    highest and mean are of the scores as they came, those within bridged dips included. Smoothing is the mean
    of the last windows, of as many as there are near the start: an event begins and ends later by it. Rows
    that come out with the same window are in order of first window, then label.
    
    Source: Canny, IEEE PAMI 8(6), 1986, for two thresholds; on sound events, Dinkel and Yu, ICASSP 2020, and
            Cances, Guyot and Pellegrini, WASPAA 2019. The rules above are this node's own
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> scores = fa.StreamSpec(rate_hz=1, shape=[2])
        >>> stream = (fa.Tags(["dog", "cat"]) >> fa.Events(onset=[0.5], offset=[0.25])).open(scores)
        >>> stream.push(np.array([[0, 0.5], [1, 0.25], [0, 0]], dtype=np.float32)).tolist()
        [[1.0, 0.0, 0.0, 2.0, 0.5, 0.375], [0.0, 0.0, 1.0, 1.0, 1.0, 1.0]]
    
    Options:
        onset: list[float] in [-1e+12, 1e+12], default [0.5]
            An event begins at or above this; one for all labels, or one for each.
        offset: list[float] in [-1e+12, 1e+12], default []
            It ends below this, onset or less; the same as onset if empty.
        min_on_s: list[float] in [0, 86400] s, default [0.0]
            Shorter events are dropped.
        min_off_s: list[float] in [0, 86400] s, default [0.0]
            Shorter dips are bridged.
        smoothing_s: float in [0, 86400] s, default 0.0
            Thresholds see the mean of the scores over this long; 0 for none. Each window costs as many additions as it has windows.
        cool_down_s: list[float] in [0, 86400] s, default [0.0]
            No event of a label begins for this long after the end of one that came out.
        onsets: bool, default False
            Whether a row says at once that an event has begun.
    
    Raises:
        TypeError: an option of a wrong type or an unknown name.
        ValueError: an option outside its range.
    """
    def __init__(self, *, onset: list[float] = [0.5], offset: list[float] = [], min_on_s: list[float] = [0.0], min_off_s: list[float] = [0.0], smoothing_s: float = 0.0, cool_down_s: list[float] = [0.0], onsets: bool = False) -> None:
        ...
    def to_dict(self: Node) -> dict[str, typing.Any]:
        """
        The node's name and the options that are not default, as a card holds them.
        """
    @property
    def cool_down_s(self) -> list[float]:
        """
        No event of a label begins for this long after the end of one that came out.
        """
    @property
    def min_off_s(self) -> list[float]:
        """
        Shorter dips are bridged.
        """
    @property
    def min_on_s(self) -> list[float]:
        """
        Shorter events are dropped.
        """
    @property
    def offset(self) -> list[float]:
        """
        It ends below this, onset or less; the same as onset if empty.
        """
    @property
    def onset(self) -> list[float]:
        """
        An event begins at or above this; one for all labels, or one for each.
        """
    @property
    def onsets(self) -> bool:
        """
        Whether a row says at once that an event has begun.
        """
    @property
    def smoothing_s(self) -> float:
        """
        Thresholds see the mean of the scores over this long; 0 for none. Each window costs as many additions as it has windows.
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
class Each(Node):
    """
    A node run over each row as a clip of its own, from its first sample to its padded end.
    
    Input:  clips [n_clips, n, ...], as Patches cuts them out of a node's own input: [n_clips, n] of samples
    Output: rows [n_clips, length, ...]: all rows the node gives for a clip, or the first `length` of them
    Latency: none; clips come out as they go in
    
    Models that cut the signal first and pad each window by itself see other values in a window's outermost
    frames than one run of frames has; this gives theirs. `inner` is one node, or some in a row, that begins
    with one made for an input of its own, and has one output. A stream is opened for each clip, so push takes
    memory, and frames in which clips overlap are computed for each.
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=96)
        >>> front = fa.Patches(length=16_000, hop=8_000) >> fa.Each(mel >> fa.Log())
        >>> front(np.zeros(32_000, dtype=np.float32)).shape
        (3, 63, 96)
    
    Options:
        length: int | None in [1, 1e+06] rows, default None
            Rows kept of each clip, the first ones; None for all.
    
    Raises:
        TypeError: an option of a wrong type or an unknown name.
        ValueError: an option outside its range.
    """
    def __init__(self, inner: Node, *, length: int | None = None) -> None:
        ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        The node within and the options that are not default, as a card holds them.
        """
    @property
    def inner(self) -> Node:
        """
        The node run over each clip.
        """
    @property
    def length(self) -> int | None:
        """
        Rows kept of each clip, the first ones; None for all.
        """
class Concat(Node):
    """
    Rows of several branches over one input joined into one vector, aligned in time.
    
    Input:  what every branch takes
    Output: rows [n_rows, d_1 + d_2 + ...] at the rate of one branch: each branch's row in turn, one of several
            axes as a vector
    Latency: that of the slowest to answer; with "average", up to one row's step more
    
    Row k of a branch at r Hz begins at k / r seconds. Beside a row that begins at t comes each branch's last row
    that began at t or before: exactly, in whole numbers, over a stream of any length. At the end rows that lack
    any branch's are dropped: let a branch pad its last patch to keep them. Rows keep the time stamps of the
    branch whose rate they have; labels are dropped, the unit stays where all have the same. Rates have to meet
    again within 65536 rows, and branches that give one row a clip join only their like.
    
    Source: Hung and Lerch, "Feature-informed embedding space regularization for audio classification", 2022,
            arXiv:2206.04850, who repeat VGGish's rows (1 s) ten times beside OpenL3's (0.1 s), and repeat or
            average both to a network's own rate
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=160, n_mels=64)
        >>> slow = mel >> fa.Log() >> fa.Statistics(window=96)
        >>> fast = mel >> fa.Log() >> fa.Statistics(kinds=["max"], window=10)
        >>> fa.Concat(slow, fast)(np.zeros(48_000, dtype=np.float32)).shape
        (29, 192)
    
    Options:
        rate_of: int | None in [0, 255], default None
            Index of the branch whose rate comes out; None for the fastest.
        align: str, one of 'repeat', 'average', default 'repeat'
            repeat: a branch's last row that began by then, so that a slower one's are repeated; average: a faster one's rows that begin within the row's step, averaged.
    
    Raises:
        TypeError: an option of a wrong type or an unknown name.
        ValueError: an option outside its range.
    """
    def __init__(self, *branches: Node, rate_of: int | None = None, align: str = 'repeat') -> None:
        ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        The branches and the options that are not default, as a card holds them.
        """
    @property
    def align(self) -> str:
        """
        What a branch of another rate gives: 'repeat' or 'average'.
        """
    @property
    def branches(self) -> list[Node]:
        """
        The branches in order.
        """
    @property
    def rate_of(self) -> int | None:
        """
        Index of the branch whose rate comes out; None for the fastest.
        """
class Film(Node):
    """
    Rows of one branch scaled and shifted by another's: gamma * content + beta.
    
    Input:  what both branches take
    Output: rows [n_rows, ...] of the content's shape and rate
    Latency: that of the branch slower to answer; with "average", up to one row's step more
    
    `condition` has two outputs, named "gamma" and "beta", each with the content's shape. In the paper both are
    linear layers of the condition: `v >> {"gamma": f, "beta": h}` for any two nodes, or one OnnxModel with
    outputs so named. Weights stay in their ONNX files, and v is computed once.
    
    Beside a content row that begins at t comes the condition's last row that began at t or before; at the end
    rows that lack one are dropped. Rates have to meet again within 65536 rows.
    
    Source: Perez et al., "FiLM: visual reasoning with a general conditioning layer", AAAI 2018; on pre-trained
            audio features: Hung and Lerch, "Feature-informed embedding space regularization for audio
            classification", 2022, arXiv:2206.04850: l_new = f(v) * l + h(v)
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=160, n_mels=64)
        >>> second = mel >> fa.Log() >> fa.Statistics(kinds=["mean"], window=100)
        >>> frames = mel >> fa.Log() >> fa.Statistics(kinds=["mean"], window=10)
        >>> film = fa.Film(frames, second >> {"gamma": fa.L2Normalize(), "beta": fa.Normalize()})
        >>> film(np.zeros(32_000, dtype=np.float32)).shape
        (20, 1, 64)
    
    Options:
        align: str, one of 'repeat', 'average', default 'repeat'
            repeat: the condition's last row that began by then; average: where it is the faster one, its rows that begin within the content row's step, averaged.
    
    Raises:
        TypeError: an option of a wrong type or an unknown name.
        ValueError: an option outside its range.
    """
    def __init__(self, content: Node, condition: Node, *, align: str = 'repeat') -> None:
        ...
    def to_dict(self) -> dict[str, typing.Any]:
        """
        Both branches and the options that are not default, as a card holds them.
        """
    @property
    def align(self) -> str:
        """
        What a condition of another rate gives: 'repeat' or 'average'.
        """
    @property
    def condition(self) -> Node:
        """
        The branch that gives 'gamma' and 'beta'.
        """
    @property
    def content(self) -> Node:
        """
        The branch that is scaled and shifted.
        """
class OnnxModel(Node):
    """
    A network, run by ONNX Runtime.
    
    Input:  rows of the shape that the model takes, without its batch axis (patches, say)
    Output: for each name in `outputs` a row for each input row, the model's output without its batch
            axis
    Latency: that of its input; its computing time is not counted
    
    With `state` the network is recurrent: what a run leaves in those outputs is the next run's input, from zeros
    at the start of each stream. Rows then go one by one, in order, whatever `batch` and `threads` say.
    
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
        state: dict[str, str], default {}
            Recurrent inputs, each with the output that it takes on after a run: float32 of one shape.
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
    def __init__(self, path: str, *, outputs: list[str] = [], units: list[str] = [], layout: str = '', state: dict[str, str] = {}, batch: int = 1, threads: int = 1, providers: list[str] = [], sha256: str = '') -> None:
        ...
    def to_dict(self: Node) -> dict[str, typing.Any]:
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
    def state(self) -> dict[str, str]:
        """
        Recurrent inputs, each with the output that it takes on after a run: float32 of one shape.
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
    def reset(self) -> None:
        """
        Goes back to the beginning, as a stream newly opened for the same input; also after flush, or an
        error.
        
        Raises:
            StateError: from two threads at once.
        """
class Pool:
    """
    Threads that run live streams, each stream in its turn.
    
    With `batch` above 1, rows of several streams that the same network takes are run together: no row
    waits longer than `batch_wait_s` for others. Thread-safe.
    
    Raises:
        TypeError, ValueError: an option of a wrong type, or outside its range.
    """
    def __init__(self, workers: int = 1, *, batch: int = 1, batch_wait_s: float = 0.0) -> None:
        ...
    def __len__(self) -> int:
        ...
    def close(self) -> None:
        """
        Closes all streams and ends the threads, each after the part that it runs.
        """
    def pause(self) -> None:
        """
        No stream gets a turn until `resume`.
        """
    def resume(self) -> None:
        """
        Goes on after `pause`.
        """
    @property
    def batch(self) -> int:
        """
        Rows of a run at most.
        """
    @property
    def workers(self) -> int:
        """
        Threads at most.
        """
class LiveStream:
    """
    One run of a node over sound as it comes; see `fastaudio.live.LiveStream`, which holds it.
    """
    def __init__(self, pool: Pool, node: Node, input: StreamSpec, *, overflow: str, buffer_s: float, provisional_s: float, start_sample: int, max_results: int) -> None:
        ...
    def close(self, timeout_s: typing.SupportsFloat | typing.SupportsIndex) -> None:
        """
        Ends at once; waits `timeout_s` at most for the part that runs now.
        """
    def exchange(self, node: Node) -> None:
        """
        From the next patch on, `node` gives the results.
        
        Raises:
            ValueError: it doesn't begin with the same parts.
        """
    def finish(self) -> None:
        """
        The sound ends: what was taken is run, then the results end.
        """
    def push(self, samples: numpy.typing.NDArray[numpy.float32] | numpy.typing.NDArray[numpy.int16]) -> None:
        """
        Takes samples from any thread.
        
        Raises:
            TypeError, ValueError: a wrong dtype, shape or value; nothing is taken then.
            Overrun: no room, where that is the policy.
            StateError: after finish, close or an error.
        """
    def read(self, position: typing.SupportsInt | typing.SupportsIndex) -> tuple[numpy.typing.NDArray[numpy.float32], int, int]:
        """
        What was captured from `position` on: samples [n, channels], how many before them are lost, and
        the position that they end at.
        """
    def stats(self) -> dict[str, typing.Any]:
        """
        Counts and times so far.
        """
    def take(self, timeout_s: typing.SupportsFloat | typing.SupportsIndex) -> tuple[int, str, int, numpy.typing.NDArray[numpy.float32], float, float, int, bool] | None:
        """
        The next result as (network, output, first_row, rows, base_s, until_s, n_lost, provisional);
        None after `timeout_s`, or if there will be no more.
        
        Raises:
            FastaudioError: what ended the stream, once all before it is taken.
        """
    def take_peak(self) -> float:
        """
        Largest magnitude captured since the last call.
        """
    @property
    def capture_callback(self) -> int:
        """
        Address of a callback for PortAudio, which takes float32; it never takes the GIL.
        """
    @property
    def capture_data(self) -> int:
        """
        Address of the callback's data; valid as long as this object.
        """
    @property
    def ended(self) -> bool:
        """
        No result will come any more.
        """
    @property
    def position(self) -> int:
        """
        Samples captured, with `start_sample`.
        """
def isa() -> str:
    """
    Instruction set of the kernels in use: baseline, avx2, avx512, or neon.
    
    Raises:
        ValueError: FASTAUDIO_ISA names one that this processor can't run.
    """
def onnxruntime_info() -> dict[str, typing.Any]:
    """
    Version, path and active providers of ONNX Runtime; opens it.
    
    Raises:
        ModelError: it isn't installed or doesn't fit.
    """
def set_model_reader(read: collections.abc.Callable[[str, str], bytes]) -> None:
    """
    What returns the bytes of a model's file, given its path and its sha256 or ''.
    """
def set_onnxruntime_library(path: str) -> None:
    """
    Where ONNX Runtime's library lies; has no effect once it is open.
    """
