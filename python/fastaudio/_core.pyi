# Made by tools/stubs.py; edit the bindings instead.
"""
The C++ core of fastaudio.
"""
from __future__ import annotations
import collections.abc
import numpy
import numpy.typing
import os
import typing

class FastaudioError(Exception):
    """Base of the errors that are fastaudio's own."""

class StateError(FastaudioError, RuntimeError):
    """A call at the wrong time, such as a push after flush."""

class ModelError(FastaudioError, RuntimeError):
    """A model, card or hash that can't be used as asked."""

class BudgetError(ModelError):
    """A card asks for more than its reader allows."""

class Overrun(FastaudioError, RuntimeError):
    """Sound came faster than it could be run."""

class Cancelled(FastaudioError, RuntimeError):
    """A call was ended because somebody asked for it."""

class TimedOut(FastaudioError, TimeoutError):
    """A call took longer than the time that it was allowed."""

__version__: str
__all__: list[str] = ['FastaudioError', 'StateError', 'ModelError', 'BudgetError', 'Overrun', 'Cancelled', 'TimedOut', 'Cancel', 'StreamSpec', 'Node', 'Chroma', 'Delta', 'EnergyPatch', 'Events', 'Gate', 'HarmonicSpectrogram', 'LinearSoftmaxPooling', 'Log', 'Loudness', 'Mean', 'Max', 'MelSpectrogram', 'MFCC', 'Mono', 'Normalize', 'TopDb', 'Patches', 'PCAWhiten', 'PCEN', 'Preemphasis', 'Quantize', 'Resample', 'RMS', 'Standardize', 'MinMaxScale', 'L2Normalize', 'Sigmoid', 'Similarity', 'Softmax', 'SpectralCentroid', 'SpectralBandwidth', 'SpectralContrast', 'SpectralFlatness', 'SpectralFlux', 'SpectralRolloff', 'Spectrogram', 'StackChannels', 'Statistics', 'Tags', 'Unroll', 'ZeroCrossingRate', 'Sequential', 'Parallel', 'Each', 'Concat', 'Film', 'OnnxModel', 'Stream']
class Cancel:
    """
    Ends calls that were given it as `cancel=`, from any thread, once and for all.
    
        cancel = fastaudio.Cancel()
        threading.Timer(2, cancel.cancel).start()
        pipeline("song.mp3", cancel=cancel)  # raises Cancelled after 2 s, if it isn't done by then
    """
    def __init__(self) -> None: ...
    def cancel(self) -> None:
        """Asks all calls that were given it to end; they raise Cancelled."""
    @property
    def cancelled(self) -> bool:
        """Whether `cancel` was called."""
class StreamSpec:
    """What flows between two nodes: rows of one shape at one rate."""
    def __init__(self, *, rate_hz: float, shape: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex] = [], unit: str = 'samples', bin_hz: float = 0.0) -> None: ...
    def __repr__(self) -> str: ...
    @property
    def bin_hz(self) -> float:
        """Distance between the values of a spectrum; 0 for other kinds."""
    @property
    def kind(self) -> str:
        """
        What a row is: 'samples', 'spectrum' (value k belongs to k * bin_hz), 'scores' (value k belongs to
        labels[k]), 'events', or 'rows' for any other numbers.
        """
    @property
    def labels(self) -> list[str]:
        """Names of scores along the last axis; none for other kinds."""
    @property
    def latency_s(self) -> float:
        """Row k comes out at the latest once k / rate_hz + latency_s seconds of input are there; a clip-level row comes at the end whatever this says."""
    @property
    def once(self) -> bool:
        """Whether one row comes at the end."""
    @property
    def rate_hz(self) -> float:
        """Rows per second; 0 for one row at the end."""
    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one row; () is a sample."""
    @property
    def span_s(self) -> float:
        """Row k covers span_s seconds from k / rate_hz."""
    @property
    def unit(self) -> str:
        """Such as 'samples', 'power', 'probability'."""
class Node:
    """
    One step of a pipeline. It never changes, so threads may share it.
    
    `node(rows)` computes a whole signal and `node.open()` a stream of blocks; both give the same bits.
    `a >> b` composes, `print(node.diagram())` draws. Constructors raise TypeError for an option of a wrong
    type or an unknown name, and ValueError for one outside its range.
    """
    @staticmethod
    def child_arguments() -> dict[str, str]:
        """The constructor's arguments that hold children, each with its form: 'node', 'list' or 'dict'."""
    def __call__(self, rows: numpy.typing.NDArray[numpy.float32] | numpy.typing.NDArray[numpy.int16], *, threads: typing.SupportsInt | typing.SupportsIndex = 1) -> numpy.typing.NDArray[numpy.float32] | dict[str, numpy.typing.NDArray[numpy.float32]]:
        """
        Returns all rows of a whole signal: open, push, flush.
        
        A long signal is divided among `threads` if each row depends only on inputs near it; the rows are
        the same bit for bit. Other nodes use one thread.
        
        Raises:
            TypeError: a wrong dtype.
            ValueError: a wrong shape, or NaN.
        """
    def __eq__(self, other: typing.Any) -> bool: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    @typing.overload
    def __rshift__(self, next: Node) -> Sequential: ...
    @typing.overload
    def __rshift__(self, branches: dict[str, Node]) -> Sequential: ...
    def child_roles(self) -> list[str]:
        """
        What each child takes, and what becomes of its rows:
        
        'step' takes the rows of the child before it; the last child's rows come out.
        'output' takes the composite's input; its rows come out unchanged.
        'joined' takes the composite's input; rows made from its rows come out.
        'condition' takes the composite's input; its rows only change those of the other children.
        'clip' takes each clip that the composite cuts out of its input as a whole signal.
        """
    def children(self) -> list[Node]:
        """The nodes within a composite, in order; none in other nodes."""
    def cuts_windows(self) -> bool:
        """Whether it cuts its input into windows."""
    def diagram(self, input: StreamSpec | None = None) -> str:
        """Draws the node and its parts as text, with the rows between them."""
    def open(self, input: StreamSpec | None = None) -> Stream:
        """Returns a new stream. Without `input`, it takes what the node states, or else what the first block looks like."""
    def output_specs(self, input: StreamSpec) -> dict[str, StreamSpec]:
        """Specs of what comes out for `input`, by the outputs' names ('' if there is one)."""
    def parts(self) -> list[Node]:
        """The nodes that run one after another: those of a Sequential, else the node itself."""
    def receptive_field_s(self, input: StreamSpec) -> float:
        """Seconds of `input` that one row depends on, for the output where that is most; infinite if a row may depend on all before it."""
    def to_dict(self) -> dict[str, typing.Any]:
        """The node as a card holds it: its name and the options that are not default."""
    def with_children(self, nodes: list[Node]) -> Node:
        """
        A node of the same type and options with other children; a node without any returns itself.
        
        Raises:
            ValueError: their number doesn't fit, or they don't fit each other.
        """
    def with_hop(self, n_rows: int) -> Node:
        """
        The same node with a window every `n_rows` input rows.
        
        Raises:
            ValueError: it doesn't cut windows, or the hop is outside its range.
        """
    @property
    def input_spec(self) -> StreamSpec | None:
        """The input that its options ask for, or None if it takes any rows."""
class Chroma(Node):
    """
    Sums the power of each pitch class over all octaves.
    
    Input:  rows [n_bins]    power, as Spectrogram(power=2) gives it
    Output: rows [n_chroma]  power, each row divided by its `norm`; silence stays 0
    Latency: none
    Source: Ellis, Chroma Analysis and Synthesis, 2007; librosa 0.11 `feature.chroma_stft`, which estimates
            the clip's tuning unless one is given; this node takes it as an option
    
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
            How far A lies above 440 Hz.
        ctroct: float in [-20, 20] octaves, default 5.0
            Octave that weighs most, counted from 27.5 Hz.
        octwidth: float | None in [0.01, 100] octaves, default 2.0
            Width of the Gaussian weights around ctroct; None weighs all octaves alike.
        norm: str | None, one of 'inf', 'l1', 'l2', 'none', default 'inf'
            What becomes 1 in each row: its largest value, its sum, or the root of its sum of squares.
        base_c: bool, default True
            Whether the first class is C; otherwise it is A.
    """
    def __init__(self, *, n_chroma: int = 12, tuning: float = 0.0, ctroct: float = 5.0, octwidth: float | None = 2.0, norm: str | None = 'inf', base_c: bool = True) -> None: ...
    @property
    def base_c(self) -> bool: ...
    @property
    def ctroct(self) -> float: ...
    @property
    def n_chroma(self) -> int: ...
    @property
    def norm(self) -> str: ...
    @property
    def octwidth(self) -> float | None: ...
    @property
    def tuning(self) -> float: ...
class Delta(Node):
    """
    Estimates the slope of each value over time by fitting a polynomial to neighbouring rows.
    
    Input:  rows of any shape
    Output: as many rows of the same shape: derivatives of order `order`, per row
    Latency: width // 2 rows, or `order` times that if `mode` is "htk"; width - 1 rows if it is "interp",
            because row 0 then needs all of the first `width` rows
    
    If `mode` is "interp" and a clip has fewer than `width` rows, it is treated as with "nearest"; librosa
    refuses such a clip.
    
    Source: Savitzky and Golay, Analytical Chemistry 36(8), 1964; librosa 0.11 `feature.delta` (same
            defaults); HTK Book 3.5, section 5.9, as Kaldi's `add-deltas` computes it
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> fa.Delta(width=3)(np.array([0, 1, 2, 4, 6], dtype=np.float32)).tolist()
        [1.0, 1.0, 1.5, 2.0, 2.0]
    
    Options:
        width: int in [3, 4095] rows, default 9
            Number of rows in each fit; it must be odd.
        order: int in [1, 8], default 1
            Order of the derivative and of the polynomial, below width: 1 for the slope, 2 for its slope.
        mode: str, one of 'interp', 'nearest', 'htk', default 'interp'
            How rows near the ends are computed. interp: from the polynomial of the first or last `width` rows; nearest: as if the end rows were repeated; htk: as nearest, with the slope taken `order` times over.
    """
    def __init__(self, *, width: int = 9, order: int = 1, mode: str = 'interp') -> None: ...
    @property
    def mode(self) -> str: ...
    @property
    def order(self) -> int: ...
    @property
    def width(self) -> int: ...
class EnergyPatch(Node):
    """
    Finds the patch of consecutive rows in which a clip is loudest.
    
    Input:  rows [n_frames, ...] of power or magnitude, or their logarithm
    Output: patch [1, length, ...] at the end, its values unchanged; none for an empty clip
    Latency: the whole clip, since the patch comes out at its end; memory doesn't grow with the clip
    
    The energy of a patch is the sum of all its values. If the values are power, that is the energy itself; if
    they are logarithms, it is what the code of the paper below computes. Patches begin every `hop` rows; if
    several are equally loud, the first is taken.
    
    Source: Favory, Drossos, Virtanen & Serra, Learning contextual tag embeddings for cross-modal alignment of
            audio and tags, ICASSP 2021; its code, xavierfav/ae-w2v-attention, uses hop=12
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> rows = np.array([[1], [3], [2], [0]], dtype=np.float32)
        >>> fa.EnergyPatch(length=2)(rows).tolist()
        [[[3.0], [2.0]]]
    
    Options:
        length: int in [1, 1e+06] rows, default 96
            Number of rows.
        hop: int in [1, 1e+06] rows, default 1
            Step between the compared patches.
        last: str, one of 'pad', 'repeat', default 'repeat'
            How a clip shorter than the patch is filled up: with pad_value, or by repeating its rows.
        pad_value: float in [-1e+30, 1e+30], default 0.0
            Value of padded rows.
    """
    def __init__(self, *, length: int = 96, hop: int = 1, last: str = 'repeat', pad_value: float = 0.0) -> None: ...
    @property
    def hop(self) -> int: ...
    @property
    def last(self) -> str: ...
    @property
    def length(self) -> int: ...
    @property
    def pad_value(self) -> float: ...
class Events(Node):
    """
    Turns scores into events per label: a pipeline that ends here returns `fastaudio.events.Events`.
    
    Input:  scores [n_windows, n_labels] with names, as Tags gives
    Output: one row for each event, [n_events, 6]: the index of its label; its first window, split into two
            values as high * 65536 + low, so that float32 holds it; how many windows it has, exact to 2**24,
            or 0 in a row that `onsets` adds; the highest and the mean score over these windows. The row that
            `summary` adds at the end has the label of the highest score of all as thresholds see it, this
            label's onset, how many windows had NaN or infinity, -1, the score (-inf without windows that are
            heard), and how many windows were heard, or -1 if there was none at all. `fastaudio.events.decode`
            reads these rows. `rate_hz` and `span_s` stay those of the windows
    Latency: a row comes out once scores have stayed below `offset` for `min_off_s` after the event's last
            window, or at the end of the signal. A row that `onsets` adds comes out with the window that
            completes `min_on_s`; a dip bridged before that delays it by up to `min_off_s`. A median adds half
            of `smoothing_s`
    
    An event begins with a window at or above `onset` and goes on until its label's scores have stayed below
    `offset` for `min_off_s`; shorter dips are bridged: with `bridge` "offset" by a score at or above `offset`,
    with "onset" only by one at or above `onset`. It lasts from the start of its first window, which is
    at or above `onset`, to the end of its last window at or above `offset`. Events shorter than `min_on_s` are
    dropped after that. If windows overlap, two events may overlap too, by less than a span.
    
    Options in seconds are rounded once to a whole number of windows, by `rate_hz`: a window counts for
    1 / rate_hz, whatever its span. Thresholds apply to smoothed scores and are compared in float32, as NumPy
    does. The highest and the mean score are taken before smoothing and include bridged dips. Smoothing by "mean"
    takes the mean of the last windows, or of as many as there are near the start; events begin and end later by
    it. "median" takes the median of an odd number of windows, as many before as after, or of as many as there
    are near the ends (of two in the middle, the lower): events begin and end on time, and those shorter than half
    of `smoothing_s` disappear.
    Rows that come out with the same window are ordered by first window, then by label.
    
    Scores are from 0 to 1. A window whose score is NaN or infinite is below every threshold and counts as 0; a
    pipeline gives silent windows the score -inf.
    
    Other programs' rules: pyannote.audio's are `bridge="onset"`, with > where this node has >=; silero-vad's
    segments are onset=0.5, offset=0.35, min_on_s=0.25, min_off_s=0.16 with 32 ms windows, before the 30 ms that
    it adds at both ends.
    
    Source: Canny, IEEE PAMI 8(6), 1986, introduced two thresholds; Dinkel and Yu, ICASSP 2020, and Cances,
            Guyot and Pellegrini, WASPAA 2019, apply them to sound events. The rules above are specific to
            this node
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> scores = fa.StreamSpec(rate_hz=1, shape=[2])
        >>> stream = (fa.Tags(["dog", "cat"]) >> fa.Events(onset=[0.5], offset=[0.25])).open(scores)
        >>> stream.push(np.array([[0, 0.5], [1, 0.25], [0, 0]], dtype=np.float32)).tolist()
        [[1.0, 0.0, 0.0, 2.0, 0.5, 0.375], [0.0, 0.0, 1.0, 1.0, 1.0, 1.0]]
    
    Options:
        onset: float | list[float] in [0, 1], default [0.5]
            An event begins at or above this score; give one for all labels, or one for each.
        offset: float | list[float] in [-1, 1], default []
            An event ends below this score, which is at most onset; if empty, it equals onset.
        min_on_s: float | list[float] in [0, 86400] s, default [0.0]
            Shorter events are dropped.
        min_off_s: float | list[float] in [0, 86400] s, default [0.0]
            Shorter dips are bridged.
        smoothing_s: float in [0, 86400] s, default 0.0
            Thresholds see the mean or median of the scores over this time; 0 turns smoothing off. Each window costs one addition for every window in that time.
        cool_down_s: float | list[float] in [0, 86400] s, default [0.0]
            For this time after the end of an event that came out, no other of its label begins.
        onsets: bool, default False
            Whether an extra row says at once that an event has begun.
        smoothing: str, one of 'mean', 'median', default 'mean'
            What is taken over smoothing_s: the mean of the last scores, or the median of those around.
        bridge: str, one of 'offset', 'onset', default 'offset'
            The threshold that a score has to reach again to bridge a dip.
        summary: bool, default False
            Whether a last row tells the highest score of all.
    """
    def __init__(self, *, onset: float | list[float] = [0.5], offset: float | list[float] = [], min_on_s: float | list[float] = [0.0], min_off_s: float | list[float] = [0.0], smoothing_s: float = 0.0, cool_down_s: float | list[float] = [0.0], onsets: bool = False, smoothing: str = 'mean', bridge: str = 'offset', summary: bool = False) -> None: ...
    @property
    def bridge(self) -> str: ...
    @property
    def cool_down_s(self) -> list[float]: ...
    @property
    def min_off_s(self) -> list[float]: ...
    @property
    def min_on_s(self) -> list[float]: ...
    @property
    def offset(self) -> list[float]: ...
    @property
    def onset(self) -> list[float]: ...
    @property
    def onsets(self) -> bool: ...
    @property
    def smoothing(self) -> str: ...
    @property
    def smoothing_s(self) -> float: ...
    @property
    def summary(self) -> bool: ...
class Gate(Node):
    """
    Sets what is quieter than a level to a value, as a noise gate does. Times stay.
    
    Input:  rows of any shape, or samples
    Output: rows of the same shape: those of quiet windows are `value`, all others unchanged; if `mark`, rows [1]
            instead: 1 where the gate is open, 0 where it is closed
    Latency: `window_s`, less one row
    
    The gate opens with a window whose level is at or above `threshold_db`, and stays open until levels
    have been below threshold_db - hysteresis_db for longer than `hold_s`. A window is as many rows as fit into
    `window_s`, at least one: the gate opens and closes for all of them. The level is the mean square of all values
    in dB relative to 1, which is dBFS for samples; for rows of power or in dB it is their mean power.
    
    A clip's last window may be shorter. No row is dropped, since then times would be lost. To leave the scores
    of a network alone but know which of its windows were silent, see `silence_db` of `Pipeline`.
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> rows = np.array([[0.5, 0.5], [0.01, 0.0], [0.1, 0.1]], dtype=np.float32)
        >>> fa.Gate(threshold_db=-30)(rows).tolist()
        [[0.5, 0.5], [0.0, 0.0], [0.10000000149011612, 0.10000000149011612]]
    
    Options:
        threshold_db: float in [-300, 300] dB, default -60.0
            The gate opens at this level.
        hysteresis_db: float in [0, 300] dB, default 0.0
            An open gate closes this much below threshold_db.
        hold_s: float in [0, 86400] s, default 0.0
            An open gate stays open for this time after the last window that is loud enough.
        window_s: float in [0, 60] s, default 0.01
            Time over which a level is taken.
        value: float in [-1e+30, 1e+30], default 0.0
            What values of quiet rows become.
        mark: bool, default False
            Whether 1 and 0 come out, for open and closed, instead of the rows.
    """
    def __init__(self, *, threshold_db: float = -60.0, hysteresis_db: float = 0.0, hold_s: float = 0.0, window_s: float = 0.01, value: float = 0.0, mark: bool = False) -> None: ...
    @property
    def hold_s(self) -> float: ...
    @property
    def hysteresis_db(self) -> float: ...
    @property
    def mark(self) -> bool: ...
    @property
    def threshold_db(self) -> float: ...
    @property
    def value(self) -> float: ...
    @property
    def window_s(self) -> float: ...
class HarmonicSpectrogram(Node):
    """
    Measures the spectrum at the harmonics of a scale of notes, with data-driven harmonic filters.
    
    Channel h has one triangular filter for every note from C1 up in steps of 1 / semitone_scale semitones,
    centred on harmonic h + 1 of that note. A filter centred on f Hz is (0.1079 f + 24.7) / q Hz wide; bins lie
    at linspace(0, sample_rate / 2, n_fft // 2 + 1), even if n_fft is odd.
    
    Input:  samples [n_samples]                      full scale +-1, at `sample_rate`
    Output: frames  [n_frames, n_harmonic, n_levels] power, one row every `hop_length` samples; n_levels
            = semitone_scale * (round(note of sample_rate / (2 n_harmonic)) - 24), which is 128 with the
            defaults. A filter narrower than a bin stays zero.
    Latency: half a frame if centred, otherwise one frame
    Source: Won, Chun, Nieto, Serra, Data-driven harmonic filters for audio representation learning,
            ICASSP 2020, which gives the defaults; the authors' code of 2020 first has n_fft 513, later 512.
            Add Log(kind="dB") to get decibels
    
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
            Shape of the window, periodic unless its name says symmetric.
        window_beta: float in [0, 100], default 12.0
            Shape of a kaiser window; no other window uses it.
        window_at: str, one of 'middle', 'start', default 'middle'
            Where a window shorter than n_fft lies. middle: in the frame's middle, and samples around it have no weight; start: at the frame's start, and frames are win_length long with zeros after.
        center: bool, default True
            Whether frame t is centred on sample t * hop_length; otherwise it begins there.
        pad_mode: str, one of 'constant', 'reflect', 'kaldi', default 'reflect'
            What is taken before and after the signal if centred. constant: zeros; reflect: its mirror image; kaldi: its mirror image with the edges repeated, where frame t is centred on (t + 1/2) * hop_length, as Kaldi does without snip_edges.
        remove_dc: bool, default False
            Whether to subtract each frame's mean.
        preemphasis: float in [0, 1], default 0.0
            Then subtracts preemphasis * x[i - 1] from each x[i] of the frame, before the window.
        sample_scale: float in [1e-06, 1e+06], default 1.0
            Factor that samples are multiplied by; 32768 suits front ends that read 16-bit integers.
        n_harmonic: int in [1, 64] channels, default 6
            Number of harmonics, including the note itself.
        semitone_scale: int in [1, 64] bands, default 2
            Bands per semitone.
        q: float | list[float] in [0.001, 1000], default [1.0]
            Divides the filters' width; give one number, one per harmonic, or one per filter, harmonic by harmonic.
        power: float in [0.01, 10], default 2.0
            Exponent of the magnitude: 1 for magnitude, 2 for power.
    """
    def __init__(self, *, sample_rate: int = 16000, n_fft: int = 512, win_length: int | None = None, hop_length: int = 256, window: str = 'hann', window_beta: float = 12.0, window_at: str = 'middle', center: bool = True, pad_mode: str = 'reflect', remove_dc: bool = False, preemphasis: float = 0.0, sample_scale: float = 1.0, n_harmonic: int = 6, semitone_scale: int = 2, q: float | list[float] = [1.0], power: float = 2.0) -> None: ...
    @property
    def center(self) -> bool: ...
    @property
    def hop_length(self) -> int: ...
    @property
    def n_fft(self) -> int: ...
    @property
    def n_harmonic(self) -> int: ...
    @property
    def pad_mode(self) -> str: ...
    @property
    def power(self) -> float: ...
    @property
    def preemphasis(self) -> float: ...
    @property
    def q(self) -> list[float]: ...
    @property
    def remove_dc(self) -> bool: ...
    @property
    def sample_rate(self) -> int: ...
    @property
    def sample_scale(self) -> float: ...
    @property
    def semitone_scale(self) -> int: ...
    @property
    def win_length(self) -> int | None: ...
    @property
    def window(self) -> str: ...
    @property
    def window_at(self) -> str: ...
    @property
    def window_beta(self) -> float: ...
class LinearSoftmaxPooling(Node):
    """
    Pools the probabilities of frames over a clip or a window, so that larger ones weigh more.
    
    Input:  probabilities [n_rows, ...]
    Output: one row [1, ...] at the end of the clip, none for an empty clip; or one row per window,
            [n_windows, ...]. Values are (sum of p^2) / (sum of p), or 0 if all are 0; values below 0 count as 0
    Latency: the whole clip, or window - 1 rows
    
    Windows begin at row 0 and every `hop` rows. Rows left over at the end are dropped, but a clip shorter
    than a window yields one row, pooled from the rows that there are.
    
    Source: Wang, Li & Metze, A comparison of five multiple instance learning pooling functions for sound
            event detection with weak labeling, ICASSP 2019
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> fa.LinearSoftmaxPooling()(np.array([[0.25, 0], [0.75, 0]], dtype=np.float32)).tolist()
        [[0.625, 0.0]]
    
    Options:
        window: int | None in [1, 1e+06] rows, default None
            Number of rows in a window; None for the whole clip.
        hop: int | None in [1, 1e+06] rows, default None
            Step between windows; None means the same as window, so that windows don't overlap.
    """
    def __init__(self, *, window: int | None = None, hop: int | None = None) -> None: ...
    @property
    def hop(self) -> int | None: ...
    @property
    def window(self) -> int | None: ...
class Log(Node):
    """
    Takes the logarithm of each value.
    
    Input:  rows of any shape
    Output: rows of the same shape: ln, log10 or 10 log10 (dB) of max(scale * x + offset, floor); dB are
            relative to `reference`; the result is always finite
    Latency: none
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> fa.Log(kind="dB")(np.array([[1.0, 100.0, 0.0]], dtype=np.float32)).round(3).tolist()
        [[0.0, 20.0, -100.0]]
    
    Options:
        kind: str, one of 'ln', 'log10', 'dB', default 'ln'
            ln is the natural logarithm, log10 the decimal one, and dB is 10 log10.
        scale: float in [1e-30, 1e+30], default 1.0
            Factor that comes before the offset.
        offset: float in [0, 1e+30], default 0.0
            This is added before the logarithm.
        floor: float in [1e-37, 1e+30], default 1e-10
            Smallest argument that is used.
        reference: float in [1e-30, 1e+30], default 1.0
            Value at 0 dB; only dB uses it.
    """
    def __init__(self, *, kind: str = 'ln', scale: float = 1.0, offset: float = 0.0, floor: float = 1e-10, reference: float = 1.0) -> None: ...
    @property
    def floor(self) -> float: ...
    @property
    def kind(self) -> str: ...
    @property
    def offset(self) -> float: ...
    @property
    def reference(self) -> float: ...
    @property
    def scale(self) -> float: ...
class Loudness(Node):
    """
    Measures how loud sound is to listeners, in LUFS: momentary, short-term, or of the whole programme.
    
    Input:  samples [n_samples], or [n_samples, channels]; full scale +-1, at `sample_rate`
    Output: rows [n, 1] in LUFS, ten per second, each of the 400 ms (momentary) or 3 s (short_term) from its start
            on; [1, 1] at the end (integrated). No value is below `floor_lufs`, which stands for silence
    Latency: 0.4 s, 3 s, or the whole clip; memory doesn't grow with it
    
    Channels are filtered by K-weighting, and their mean squares are added up, each times its weight. Mixing them
    to mono before that gives another loudness, lower by up to 3 LU for sound that differs between them: a
    `Pipeline` mixes, unless its first node asks for as many channels as there are. One channel counts
    once; weights=[2] takes it as played by two loudspeakers.
    
    The integrated loudness is that of blocks of 400 ms, one every 100 ms, without those below -70 LUFS and then
    without those 10 LU below the mean of the rest. Blocks are counted in 10,000 classes of 0.01 LU, whose energies
    are added up exactly: only blocks within 0.01 LU of the relative threshold may fall on its wrong side. A clip
    shorter than one window gives the loudness of what there is; by the standard it has none.
    
    If 100 ms aren't a whole number of samples, they are rounded to one, as libebur128 does.
    
    Source: ITU-R BS.1770-5; EBU R 128 and Tech 3341; libebur128 1.2.6, whose values these are to within 0.001 LU
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> t = np.arange(48_000) / 48_000
        >>> sine = np.sin(2 * np.pi * 997 * t).astype(np.float32)  # of full scale: -3.01 LUFS
        >>> print(fa.Loudness(kind="integrated")(sine).round(2))
        [[-3.01]]
        >>> fa.Loudness()(sine).shape
        (7, 1)
    
    Options:
        sample_rate: int in [8000, 768000] Hz, default 48000
            Rate of the input.
        channels: int in [1, 64], default 1
            Number of channels.
        kind: str, one of 'momentary', 'short_term', 'integrated', default 'momentary'
            The time that is measured: 400 ms, 3 s, or the whole clip with gating.
        weights: float | list[float] in [0, 10], default []
            Weight of each channel's mean square; if empty, 1 for left, right and centre, 0 for the bass channel (the fourth of six) and 1.41 for the channels at the sides or behind.
        floor_lufs: float in [-200, -70] LUFS, default -120.0
            Smallest value given.
    """
    def __init__(self, *, sample_rate: int = 48000, channels: int = 1, kind: str = 'momentary', weights: float | list[float] = [], floor_lufs: float = -120.0) -> None: ...
    @property
    def channels(self) -> int: ...
    @property
    def floor_lufs(self) -> float: ...
    @property
    def kind(self) -> str: ...
    @property
    def sample_rate(self) -> int: ...
    @property
    def weights(self) -> list[float]: ...
class Mean(Node):
    """
    Takes the mean of all rows of a clip.
    
    Input:  rows of any shape
    Output: one row of the same shape at the end; none for an empty clip
    Latency: the whole clip, since the row comes out at its end
    """
    def __init__(self) -> None: ...
class Max(Node):
    """
    Takes the largest value of each element over all rows of a clip.
    
    Input:  rows of any shape
    Output: one row of the same shape at the end; none for an empty clip
    Latency: the whole clip, since the row comes out at its end
    """
    def __init__(self) -> None: ...
class MelSpectrogram(Node):
    """
    Computes the mel-spectrogram of a mono signal.
    
    Input:  samples [n_samples]         full scale +-1, at `sample_rate`
    Output: frames  [n_frames, n_mels]  power (magnitude ** power), one row every `hop_length` samples;
            n_frames = 1 + n_samples // hop_length if centred (with n_samples - 1 if n_fft is odd), otherwise
            1 + (n_samples - n_fft) // hop_length, and at least one unless the sound is empty
    Latency: half a frame if centred, otherwise one frame
    Source: Slaney, Auditory Toolbox, Interval TR 1998-010; librosa 0.11 `feature.melspectrogram` (same
            defaults)
    
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
            Shape of the window, periodic unless its name says symmetric.
        window_beta: float in [0, 100], default 12.0
            Shape of a kaiser window; no other window uses it.
        window_at: str, one of 'middle', 'start', default 'middle'
            Where a window shorter than n_fft lies. middle: in the frame's middle, and samples around it have no weight; start: at the frame's start, and frames are win_length long with zeros after.
        center: bool, default True
            Whether frame t is centred on sample t * hop_length; otherwise it begins there.
        pad_mode: str, one of 'constant', 'reflect', 'kaldi', default 'constant'
            What is taken before and after the signal if centred. constant: zeros; reflect: its mirror image; kaldi: its mirror image with the edges repeated, where frame t is centred on (t + 1/2) * hop_length, as Kaldi does without snip_edges.
        remove_dc: bool, default False
            Whether to subtract each frame's mean.
        preemphasis: float in [0, 1], default 0.0
            Then subtracts preemphasis * x[i - 1] from each x[i] of the frame, before the window.
        sample_scale: float in [1e-06, 1e+06], default 1.0
            Factor that samples are multiplied by; 32768 suits front ends that read 16-bit integers.
        n_mels: int in [1, 4096] bands, default 128
            Number of filters.
        f_min: float in [0, 384000] Hz, default 0.0
            Lower edge of the first filter.
        f_max: float | None in [0, 384000] Hz, default None
            Upper edge of the last filter; None for sample_rate / 2.
        power: float in [0.01, 10], default 2.0
            Exponent of the magnitude: 1 for magnitude, 2 for power.
        norm: str | None, one of 'slaney', 'unit_sum', 'none', default 'slaney'
            slaney: each filter has unit area in Hz; unit_sum: its weights sum to 1; none: unit height.
        mel_scale: str, one of 'slaney', 'htk', default 'slaney'
            Formula of the mel scale.
        triangles: str, one of 'hz', 'mel', default 'hz'
            Whether the filters' sides are straight lines over Hz (librosa) or over mel (HTK, Kaldi, TensorFlow).
    """
    def __init__(self, *, sample_rate: int = 22050, n_fft: int = 2048, win_length: int | None = None, hop_length: int = 512, window: str = 'hann', window_beta: float = 12.0, window_at: str = 'middle', center: bool = True, pad_mode: str = 'constant', remove_dc: bool = False, preemphasis: float = 0.0, sample_scale: float = 1.0, n_mels: int = 128, f_min: float = 0.0, f_max: float | None = None, power: float = 2.0, norm: str | None = 'slaney', mel_scale: str = 'slaney', triangles: str = 'hz') -> None: ...
    @property
    def center(self) -> bool: ...
    @property
    def f_max(self) -> float | None: ...
    @property
    def f_min(self) -> float: ...
    @property
    def hop_length(self) -> int: ...
    @property
    def mel_scale(self) -> str: ...
    @property
    def n_fft(self) -> int: ...
    @property
    def n_mels(self) -> int: ...
    @property
    def norm(self) -> str: ...
    @property
    def pad_mode(self) -> str: ...
    @property
    def power(self) -> float: ...
    @property
    def preemphasis(self) -> float: ...
    @property
    def remove_dc(self) -> bool: ...
    @property
    def sample_rate(self) -> int: ...
    @property
    def sample_scale(self) -> float: ...
    @property
    def triangles(self) -> str: ...
    @property
    def win_length(self) -> int | None: ...
    @property
    def window(self) -> str: ...
    @property
    def window_at(self) -> str: ...
    @property
    def window_beta(self) -> float: ...
class MFCC(Node):
    """
    Computes cepstral coefficients: the discrete cosine transform of log-mel rows.
    
    Input:  rows [n_rows, n_mels] of logarithms
    Output: rows [n_rows, n_mfcc], coefficient 0 first
    Latency: none
    
    The logarithm has to come before this node: librosa takes it in dB with `top_db` 80 over the clip, Kaldi
    and HTK take ln. The transform is of type II; Kaldi's is the "ortho" one.
    
    Source: Davis and Mermelstein, IEEE Trans. ASSP 28(4), 1980; librosa 0.11 `feature.mfcc` (same defaults);
            Kaldi `compute-mfcc-feats`; HTK Book 3.5, section 5.6
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=40)
        >>> (mel >> fa.Log(kind="dB") >> fa.MFCC(n_mfcc=13))(np.zeros(16_000, dtype=np.float32)).shape
        (63, 13)
    
    Options:
        n_mfcc: int in [1, 4096], default 20
            Number of coefficients, at most n_mels.
        norm: str | None, one of 'ortho', 'none', default 'ortho'
            ortho: the transform's rows have unit length; none: 2 cos(pi k (2 n + 1) / (2 n_mels)).
        lifter: float in [0, 10000], default 0.0
            L of the lifter, which raises the higher coefficients; 0 turns it off.
        lifter_kind: str, one of 'librosa', 'htk', default 'librosa'
            librosa: coefficient k is multiplied by 1 + L/2 sin(pi (k + 1) / L); htk, as in Kaldi: it is multiplied by 1 + L/2 sin(pi k / L).
    """
    def __init__(self, *, n_mfcc: int = 20, norm: str | None = 'ortho', lifter: float = 0.0, lifter_kind: str = 'librosa') -> None: ...
    @property
    def lifter(self) -> float: ...
    @property
    def lifter_kind(self) -> str: ...
    @property
    def n_mfcc(self) -> int: ...
    @property
    def norm(self) -> str: ...
class Mono(Node):
    """
    Makes one channel from several: their mean, or the one that has a given index.
    
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
            Number of channels.
        channel: int | None in [0, 1023], default None
            Index of the channel to keep; None takes the mean of all.
    """
    def __init__(self, *, channels: int = 2, channel: int | None = None) -> None: ...
    @property
    def channel(self) -> int | None: ...
    @property
    def channels(self) -> int: ...
class Normalize(Node):
    """
    Brings values to a common level by the largest, mean, deviation or energy of their row or clip.
    
    Input:  rows of any shape
    Output: rows of the same shape: x / max(|x|), x - mean, (x - mean) / std, (x - min) / (max - min), x / rms or
            x / norm, where these are taken over all values of a row or of the clip; no divisor is below eps
    Latency: none over a row; the whole clip over a clip: all rows come at its end, and memory grows with it
    
    A frame cut by Patches is one row, and so is a patch of frames. For known means, use Standardize.
    
    Source: CREPE 0.0.16 and TempoCNN standardise each frame or patch this way; librosa 0.11 `util.normalize`;
            Lee & Lee, Cross-domain semi-supervised audio event classification using contrastive regularization,
            scale each clip by its energy and don't say to which: kind="rms", over="clip" makes it the same at any
            length
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> rows = np.array([[1.0, -4.0], [0.0, 0.5]], dtype=np.float32)
        >>> fa.Normalize(kind="max")(rows).tolist()
        [[0.25, -1.0], [0.0, 1.0]]
        >>> fa.Normalize(kind="max", over="clip")(rows).tolist()
        [[0.25, -1.0], [0.0, 0.125]]
    
    Options:
        kind: str, one of 'max', 'mean', 'standard', 'min_max', 'rms', 'energy', default 'standard'
            max: the largest magnitude becomes 1; mean: the mean becomes 0; standard: the mean becomes 0 and the standard deviation 1; min_max: values go from 0 to 1; rms: the root of the mean square becomes 1; energy: the sum of the squares becomes 1.
        over: str, one of 'row', 'clip', default 'row'
            Whether each row is brought to the level by itself, or the whole clip together.
        eps: float in [1e-30, 1e+12], default 1e-08
            Smallest divisor that is used.
    """
    def __init__(self, *, kind: str = 'standard', over: str = 'row', eps: float = 1e-08) -> None: ...
    @property
    def eps(self) -> float: ...
    @property
    def kind(self) -> str: ...
    @property
    def over(self) -> str: ...
class TopDb(Node):
    """
    Limits decibels to a range below the largest value of their row or clip.
    
    Input:  rows of any shape, in dB
    Output: rows of the same shape: max(x, largest - top_db), minus `largest` if relative
    Latency: none over a row; the whole clip over a clip: all rows come at its end, and memory grows with it
    
    Source: librosa 0.11 `power_to_db` does this by the clip; OpenL3 0.4 does it by the patch, with relative
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> fa.TopDb(top_db=80)(np.array([[-10.0, -60.0, -95.0]], dtype=np.float32)).tolist()
        [[-10.0, -60.0, -90.0]]
    
    Options:
        top_db: float in [0, 1e+06] dB, default 80.0
            Range that is kept.
        over: str, one of 'row', 'clip', default 'row'
            Whether each row has a largest value, or the whole clip shares one.
        relative: bool, default False
            Whether the largest becomes 0 dB.
    """
    def __init__(self, *, top_db: float = 80.0, over: str = 'row', relative: bool = False) -> None: ...
    @property
    def over(self) -> str: ...
    @property
    def relative(self) -> bool: ...
    @property
    def top_db(self) -> float: ...
class Patches(Node):
    """
    Groups consecutive rows into patches, as models take them.
    
    Input:  rows [n_frames, ...], or samples
    Output: patches [n_patches, context + length, ...]; patch k holds rows k * hop - context to
            k * hop + length - 1
    Latency: length - 1 rows
    
    A clip with too few rows for one patch still yields one: it is padded if `last` is "pad", otherwise its
    rows are repeated. Time stamps are those of the `length` rows, without their context.
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> rows = np.zeros((500, 96), dtype=np.float32)
        >>> fa.Patches(length=187, hop=93)(rows).shape
        (4, 187, 96)
    
    Options:
        length: int in [1, 1e+06] rows, default 187
            Number of rows.
        hop: int | None in [1, 1e+06] rows, default None
            Step between patches; None means the same as length, so that patches don't overlap.
        last: str, one of 'drop', 'pad', 'repeat', default 'drop'
            What happens to rows left over at the end: they are dropped, padded with pad_value, or repeated to fill a patch.
        pad_value: float in [-1e+30, 1e+30], default 0.0
            Value of padded rows.
        context: int in [0, 1e+06] rows, default 0
            Earlier rows at the front of each patch; before the first row they are pad_value.
    """
    def __init__(self, *, length: int = 187, hop: int | None = None, last: str = 'drop', pad_value: float = 0.0, context: int = 0) -> None: ...
    @property
    def context(self) -> int: ...
    @property
    def hop(self) -> int | None: ...
    @property
    def last(self) -> str: ...
    @property
    def length(self) -> int: ...
    @property
    def pad_value(self) -> float: ...
class PCAWhiten(Node):
    """
    Projects rows onto known principal axes: subtracts known means, then multiplies by a matrix.
    
    Input:  rows [n_rows, n_means]
    Output: rows [n_rows, n_components]: matrix (x - means)
    Latency: none
    
    `matrix` holds one component after another, each as long as `means`, as a NumPy array's .ravel().tolist()
    gives them. The factors that scale each component to unit variance are part of it. It holds at most 2**17
    numbers, so that they fit into a card; a larger matrix belongs in an OnnxModel.
    
    Source: VGGish's postprocessor (tensorflow/models, research/audioset/vggish)
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> fa.PCAWhiten(matrix=[0, 2, 1, 1], means=[1, 0])(np.array([[3, 5]], dtype=np.float32)).tolist()
        [[10.0, 7.0]]
    
    Options:
        matrix: float | list[float] in [-1e+12, 1e+12]
            Components, one after another.
        means: float | list[float] in [-1e+12, 1e+12]
            These are subtracted from each row first.
    """
    def __init__(self, matrix: float | list[float], means: float | list[float]) -> None: ...
    @property
    def matrix(self) -> list[float]: ...
    @property
    def means(self) -> list[float]: ...
class PCEN(Node):
    """
    Divides each band by its own recent level, then compresses it (per-channel energy normalisation).
    
    Input:  rows [n_rows, ...] of power or magnitude; values below 0 count as 0
    Output: rows [n_rows, ...], or [n_rows, n_rates, ...] for several time constants:
            (E / (eps + M) ** gain + bias) ** power - bias ** power, where M follows the band E:
            M(t) = M(t - 1) + b (E(t) - M(t - 1)), b = (sqrt(1 + 4 T^2) - 1) / (2 T^2), and T is the time
            constant in rows. If power is 0, it is ln(1 + E / (eps + M) ** gain)
    Latency: none
    
    librosa's examples first multiply samples within +-1 by 2 ** 31: `eps` and `bias` are meant for that level.
    
    Source: Wang, Getreuer, Hughes, Lyon and Saurous, ICASSP 2017; Lostanlen et al., IEEE Signal Processing
            Letters 26(1), 2019; librosa 0.11 `pcen` (same defaults); Ick and McFee, ICASSP 2021, for several
            rates
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=40)
        >>> (mel >> fa.PCEN(time_constants_s=[0.06, 0.4]))(np.zeros(16_000, dtype=np.float32)).shape
        (63, 2, 40)
    
    Options:
        gain: float in [0, 2], default 0.98
            How much of the level is divided out; 1 divides out all of it.
        bias: float in [0, 1e+06], default 2.0
            This is added before the compression.
        power: float in [0, 1], default 0.5
            Exponent of the compression; 0 takes a logarithm instead.
        eps: float in [1e-12, 1e+06], default 1e-06
            This is added to the level, so that silence stays silent.
        time_constants_s: float | list[float] in [1e-04, 10000] s, default [0.4]
            How slowly the level follows the energy; give one number or several.
        initial: str, one of 'one', 'first', default 'one'
            Value of M before the first row. one: 1, as in librosa; first: the first row.
    """
    def __init__(self, *, gain: float = 0.98, bias: float = 2.0, power: float = 0.5, eps: float = 1e-06, time_constants_s: float | list[float] = [0.4], initial: str = 'one') -> None: ...
    @property
    def bias(self) -> float: ...
    @property
    def eps(self) -> float: ...
    @property
    def gain(self) -> float: ...
    @property
    def initial(self) -> str: ...
    @property
    def power(self) -> float: ...
    @property
    def time_constants_s(self) -> list[float]: ...
class Preemphasis(Node):
    """
    Weakens low frequencies of a signal: each sample minus a part of the one before it.
    
    Input:  samples [n_samples] at `sample_rate`
    Output: samples [n_samples]: y[n] = x[n] - coeff * x[n - 1], with 0 before the first; if advanced,
            y[n] = x[n + 1] - coeff * x[n], which is one sample shorter
    Latency: none; one sample if advanced
    
    `MelSpectrogram(preemphasis=...)` does this within each frame instead, as Kaldi does.
    
    Source: torchaudio 2.8 `functional.preemphasis`, for coeff below 1; advanced: EfficientAT and PaSST, whose
            convolution with [-0.97, 1] has no padding
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> x = np.array([1, 2, 4], dtype=np.float32)
        >>> fa.Preemphasis(coeff=0.5)(x).tolist()
        [1.0, 1.5, 3.0]
        >>> fa.Preemphasis(coeff=0.5, advanced=True)(x).tolist()
        [1.5, 3.0]
    
    Options:
        sample_rate: int in [100, 768000] Hz, default 22050
            Rate of the input.
        coeff: float in [-1, 1], default 0.97
            Part of the earlier sample that is subtracted.
        advanced: bool, default False
            Whether results come one sample earlier; the first sample then only weakens the second.
    """
    def __init__(self, *, sample_rate: int = 22050, coeff: float = 0.97, advanced: bool = False) -> None: ...
    @property
    def advanced(self) -> bool: ...
    @property
    def coeff(self) -> float: ...
    @property
    def sample_rate(self) -> int: ...
class Quantize(Node):
    """
    Limits values to a range and counts them in 2^bits - 1 equal steps.
    
    Input:  rows of any shape
    Output: rows of the same shape: whole numbers from 0, at `min` and below, to 2^bits - 1, at `max` and
            above
    Latency: none
    
    Source: VGGish's postprocessor (tensorflow/models, research/audioset/vggish) casts to uint8, which rounds
            down; ports of it to PyTorch round to the nearest
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> fa.Quantize(min=-2, max=2, bits=8)(np.array([[-3, 0, 1, 2]], dtype=np.float32)).tolist()
        [[0.0, 127.0, 191.0, 255.0]]
    
    Options:
        min: float in [-1e+12, 1e+12], default -2.0
            Value that becomes 0.
        max: float in [-1e+12, 1e+12], default 2.0
            Value that becomes 2^bits - 1.
        bits: int in [1, 16] bits, default 8
            Number of bits in each result.
        rounding: str, one of 'down', 'nearest', default 'down'
            Whether to round down or to the nearest whole number, where ties go to the even one.
    """
    def __init__(self, *, min: float = -2.0, max: float = 2.0, bits: int = 8, rounding: str = 'down') -> None: ...
    @property
    def bits(self) -> int: ...
    @property
    def max(self) -> float: ...
    @property
    def min(self) -> float: ...
    @property
    def rounding(self) -> str: ...
class Resample(Node):
    """
    Resamples to another rate, with a low-pass below the lower of both Nyquist frequencies.
    
    Input:  samples [n_samples]   at `input_rate`
    Output: samples [ceil(n_samples * output_rate / input_rate)]  at `output_rate`, aligned with the
            input: output k stands at time k / output_rate
    Latency: half the filter's length; `latency_s` gives it
    Source: Smith & Gossett, "A flexible sampling-rate conversion method", ICASSP 1984; tests
            compare this node with soxr 1.0
    
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
            Pass band and stop band: fast has 80 % and -55 dB, high has 90 % and -100 dB, best has 95 % and -120 dB.
    """
    def __init__(self, *, input_rate: int = 44100, output_rate: int = 16000, quality: str = 'high') -> None: ...
    @property
    def input_rate(self) -> int: ...
    @property
    def output_rate(self) -> int: ...
    @property
    def quality(self) -> str: ...
class RMS(Node):
    """
    Measures the level of each frame of samples as their root mean square.
    
    Input:  samples [n_samples]   full scale +-1, at `sample_rate`
    Output: rows    [n_frames, 1] one every `hop_length` samples; frames lie as in MelSpectrogram
    Latency: half a frame if centred, otherwise one frame
    
    Source: librosa 0.11 `feature.rms` (same defaults)
    
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
            What is taken before and after the signal if centred: zeros, or its mirror image.
    """
    def __init__(self, *, sample_rate: int = 22050, frame_length: int = 2048, hop_length: int = 512, center: bool = True, pad_mode: str = 'constant') -> None: ...
    @property
    def center(self) -> bool: ...
    @property
    def frame_length(self) -> int: ...
    @property
    def hop_length(self) -> int: ...
    @property
    def pad_mode(self) -> str: ...
    @property
    def sample_rate(self) -> int: ...
class Standardize(Node):
    """
    Subtracts a known mean and divides by a known standard deviation.
    
    Input:  rows of any shape
    Output: rows of the same shape: (x - mean) / std
    Latency: none
    
    `mean` and `std` are those of a model's training data: one number, or one for each place along the
    last axis. To use those of the data itself, take Normalize.
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> fa.Standardize(mean=[1.0], std=[2.0])(np.array([[1.0, 5.0]], dtype=np.float32)).tolist()
        [[0.0, 2.0]]
    
    Options:
        mean: float | list[float] in [-1e+12, 1e+12]
            Mean to subtract first.
        std: float | list[float] in [1e-12, 1e+12]
            Standard deviation to divide by.
    """
    def __init__(self, mean: float | list[float], std: float | list[float]) -> None: ...
    @property
    def mean(self) -> list[float]: ...
    @property
    def std(self) -> list[float]: ...
class MinMaxScale(Node):
    """
    Scales values so that a known range becomes [0, 1].
    
    Input:  rows of any shape
    Output: rows of the same shape: (x - min) / (max - min)
    Latency: none
    
    `min` and `max` are those of a model's training data: one number, or one for each place along the
    last axis. To use those of the data itself, take Normalize.
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> fa.MinMaxScale(min=[-80.0], max=[0.0])(np.array([[-80.0, -20.0]], dtype=np.float32)).tolist()
        [[0.0, 0.75]]
    
    Options:
        min: float | list[float] in [-1e+12, 1e+12]
            Value that becomes 0.
        max: float | list[float] in [-1e+12, 1e+12]
            Value that becomes 1.
        clip: bool, default False
            Whether values beyond the range become 0 or 1.
    """
    def __init__(self, min: float | list[float], max: float | list[float], *, clip: bool = False) -> None: ...
    @property
    def clip(self) -> bool: ...
    @property
    def max(self) -> list[float]: ...
    @property
    def min(self) -> list[float]: ...
class L2Normalize(Node):
    """
    Scales each row to unit length, so that embeddings can be compared.
    
    Input:  rows of any shape
    Output: rows of the same shape, divided by max(norm, eps), where norm is taken over all values of a row
    Latency: none
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> fa.L2Normalize()(np.array([[1.0, -1, 1, 1], [0, 0, 0, 0]], dtype=np.float32)).tolist()
        [[0.5, -0.5, 0.5, 0.5], [0.0, 0.0, 0.0, 0.0]]
    
    Options:
        eps: float in [1e-30, 1e+12], default 1e-12
            Smallest divisor that is used.
    """
    def __init__(self, *, eps: float = 1e-12) -> None: ...
    @property
    def eps(self) -> float: ...
class Sigmoid(Node):
    """
    Turns logits into scores from 0 to 1, each by itself: for labels that may be true together.
    
    Input:  rows of any shape; names of labels stay
    Output: rows of the same shape: 1 / (1 + exp(-x))
    Latency: none
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> print(fa.Sigmoid()(np.array([[0, 2, -1000]], dtype=np.float32)).round(3))
        [[0.5   0.881 0.   ]]
    """
    def __init__(self) -> None: ...
class Similarity(Node):
    """
    Compares each row with each vector of a bank: cosines score labels that no network was trained on.
    
    Input:  embeddings [n_rows, d]
    Output: cosines [n_rows, n_labels], from -1 to 1; 0 where the row or the vector is all zeros
    Latency: none
    
    `bank` holds one vector of d numbers after another, in the order of `labels`, as a NumPy array's
    .ravel().tolist() gives them. Vectors needn't be of unit length. It holds at most 2**17 numbers, so that
    they fit into a card; a larger bank belongs in an OnnxModel.
    
    Source: Favory, Drossos, Virtanen & Serra, Learning contextual tag embeddings for cross-modal alignment of
            audio and tags, ICASSP 2021
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> node = fa.Similarity(bank=[2, 0, 0, -3], labels=["rain", "wind"])
        >>> print(node(np.array([[3, 4]], dtype=np.float32)))
        [[ 0.6 -0.8]]
    
    Options:
        bank: float | list[float] in [-1e+12, 1e+12]
            Vectors, one after another.
        labels: list[str]
            Name of each vector, in order.
    """
    def __init__(self, bank: float | list[float], labels: list[str]) -> None: ...
    @property
    def bank(self) -> list[float]: ...
    @property
    def labels(self) -> list[str]: ...
class Softmax(Node):
    """
    Turns logits into scores that sum to 1: for labels of which exactly one is true.
    
    Input:  rows [..., n]; names of labels stay
    Output: rows of the same shape: exp(x) divided by the sum of exp(x) along the last axis
    Latency: none
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> print(fa.Softmax()(np.array([[0, 2, 1000], [1, 1, 0]], dtype=np.float32)).round(3))
        [[0.    0.    1.   ]
         [0.422 0.422 0.155]]
    """
    def __init__(self) -> None: ...
class SpectralCentroid(Node):
    """
    Computes the mean frequency of a spectrum, weighted by magnitude.
    
    Input:  rows [n_bins]   magnitude, as Spectrogram(power=1) gives it; values below 0 count as 0
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
    def __init__(self) -> None: ...
class SpectralBandwidth(Node):
    """
    Measures how far a spectrum spreads around its centroid.
    
    Input:  rows [n_bins]   magnitude, as Spectrogram(power=1) gives it; values below 0 count as 0
    Output: rows [1]        (sum of magnitude * |frequency - centroid| ** p) ** (1 / p), which is in Hz if
            `norm`; 0 for silence
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
    """
    def __init__(self, *, p: float = 2.0, norm: bool = True) -> None: ...
    @property
    def norm(self) -> bool: ...
    @property
    def p(self) -> float: ...
class SpectralContrast(Node):
    """
    Measures how far the peaks of a spectrum rise above its valleys, in octave bands.
    
    Input:  rows [n_bins]       magnitude, as Spectrogram(power=1) gives it
    Output: rows [n_bands + 1]  dB, or magnitude if `linear`: the mean of the largest `quantile` of each
            band's bins, minus the mean of the smallest. The first band lies below `f_min`, each further one
            is an octave wide, and the last one goes on to the highest bin
    Latency: none
    Source: Jiang et al., Music type classification by spectral contrast feature, ICME 2002; librosa 0.11
            `feature.spectral_contrast`. In dB, librosa lifts peaks and valleys to at most 80 dB below the
            clip's largest peak, or valley. A stream doesn't know these, so nothing is lifted here: numbers
            differ where a clip has nearly silent bands. To get librosa's, take rows of part="peak" and
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
            Number of octave bands above f_min.
        quantile: float in [1e-04, 0.9999], default 0.02
            Share of a band's bins that makes its peak, and its valley; it is at least one bin.
        linear: bool, default False
            Whether magnitudes are subtracted; otherwise 10 log10 of them, raised to at least 1e-10.
        part: str, one of 'contrast', 'peak', 'valley', default 'contrast'
            What comes out: the difference, or one of its parts.
    """
    def __init__(self, *, f_min: float = 200.0, n_bands: int = 6, quantile: float = 0.02, linear: bool = False, part: str = 'contrast') -> None: ...
    @property
    def f_min(self) -> float: ...
    @property
    def linear(self) -> bool: ...
    @property
    def n_bands(self) -> int: ...
    @property
    def part(self) -> str: ...
    @property
    def quantile(self) -> float: ...
class SpectralFlatness(Node):
    """
    Divides the geometric by the arithmetic mean of a spectrum: 1 for white noise, near 0 for a tone.
    
    Input:  rows [n_bins]   magnitude, as Spectrogram(power=1) gives it; this node raises it to `power`
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
            Lower bound of magnitude ** power.
        power: float in [1, 10], default 2.0
            Exponent of the magnitude: 1 for magnitude, 2 for power.
    """
    def __init__(self, *, amin: float = 1e-10, power: float = 2.0) -> None: ...
    @property
    def amin(self) -> float: ...
    @property
    def power(self) -> float: ...
class SpectralFlux(Node):
    """
    Measures how much louder the bands became since `lag` rows before: large where a sound begins.
    
    Input:  rows [n_bands]  of any unit: librosa takes dB, and the papers take magnitudes
    Output: rows [1]        mean or sum over the bands of max(0, S[t] - S[t - lag]), in the input's unit, where
            S[t] is row t, or the root of the sum of their squares ("l2"); the first `lag` rows are 0. Unless
            `rectify`, S[t] - S[t - lag] counts where it is negative, too, by its magnitude
    Latency: none
    
    librosa's `center=True` moves its result n_fft // (2 * hop_length) rows later; this node doesn't. Essentia's
    `Flux` takes magnitudes: it is aggregate="l2" without `rectify` by default, aggregate="sum" with norm="L1";
    its first row is compared with silence.
    
    Source: Masri, PhD thesis, University of Bristol, 1996; Dixon, DAFx 2006, section 2.2 (sums magnitudes);
            Boeck and Widmer, DAFx 2013, for `max_size`; librosa 0.11 `onset.onset_strength(center=False)` (same
            defaults)
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> fa.SpectralFlux()(np.array([[0, 0], [3, 1], [1, 2]], dtype=np.float32)).tolist()
        [[0.0], [2.0], [0.5]]
    
    Options:
        lag: int in [1, 4095] rows, default 1
            How far back the row lies that each row is compared with.
        max_size: int in [1, 255] bands, default 1
            Each band is compared with the largest of this many bands around it in the earlier row, so that vibrato isn't taken for onsets; 1 takes the band alone.
        aggregate: str, one of 'mean', 'sum', 'l2', default 'mean'
            Whether the mean over the bands comes out, their sum, or their Euclidean norm.
        rectify: bool, default True
            Whether only rises count, and falls don't.
    """
    def __init__(self, *, lag: int = 1, max_size: int = 1, aggregate: str = 'mean', rectify: bool = True) -> None: ...
    @property
    def aggregate(self) -> str: ...
    @property
    def lag(self) -> int: ...
    @property
    def max_size(self) -> int: ...
    @property
    def rectify(self) -> bool: ...
class SpectralRolloff(Node):
    """
    Finds the frequency below which a given part of a spectrum's magnitude lies.
    
    Input:  rows [n_bins]   magnitude, as Spectrogram(power=1) gives it; values below 0 count as 0
    Output: rows [1]        Hz: the frequency of the first bin at which the running sum reaches
            `roll_percent` of the whole; 0 for silence
    Latency: none
    Source: librosa 0.11 `feature.spectral_rolloff`, which sums in float32 if its input is float32, and may
            therefore choose a neighbouring bin; this node sums in float64
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> tone = np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000).astype(np.float32)
        >>> spectrum = fa.Spectrogram(sample_rate=16_000, n_fft=512, hop_length=256, power=1)
        >>> (spectrum >> fa.SpectralRolloff())(tone)[30].tolist()
        [1031.25]
    
    Options:
        roll_percent: float in [1e-04, 0.9999], default 0.85
            Share of the whole, as a fraction of 1.
    """
    def __init__(self, *, roll_percent: float = 0.85) -> None: ...
    @property
    def roll_percent(self) -> float: ...
class Spectrogram(Node):
    """
    Computes the short-time spectrum of a mono signal.
    
    Input:  samples [n_samples]         full scale +-1, at `sample_rate`
    Output: frames  [n_frames, n_bins]  magnitude ** power of n_bins = n_fft // 2 + 1 bins, or
            [n_frames, n_bins, 2], real and imaginary parts, if power is None; one row every
            `hop_length` samples
    Latency: half a frame if centred, otherwise one frame
    Source: librosa 0.11 `stft` (same defaults); torchaudio 2.8 `Spectrogram`
    
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
            Shape of the window, periodic unless its name says symmetric.
        window_beta: float in [0, 100], default 12.0
            Shape of a kaiser window; no other window uses it.
        window_at: str, one of 'middle', 'start', default 'middle'
            Where a window shorter than n_fft lies. middle: in the frame's middle, and samples around it have no weight; start: at the frame's start, and frames are win_length long with zeros after.
        center: bool, default True
            Whether frame t is centred on sample t * hop_length; otherwise it begins there.
        pad_mode: str, one of 'constant', 'reflect', 'kaldi', default 'constant'
            What is taken before and after the signal if centred. constant: zeros; reflect: its mirror image; kaldi: its mirror image with the edges repeated, where frame t is centred on (t + 1/2) * hop_length, as Kaldi does without snip_edges.
        remove_dc: bool, default False
            Whether to subtract each frame's mean.
        preemphasis: float in [0, 1], default 0.0
            Then subtracts preemphasis * x[i - 1] from each x[i] of the frame, before the window.
        sample_scale: float in [1e-06, 1e+06], default 1.0
            Factor that samples are multiplied by; 32768 suits front ends that read 16-bit integers.
        power: float | None in [0.01, 10], default 2.0
            Exponent of the magnitude: 1 for magnitude, 2 for power; None for complex.
    """
    def __init__(self, *, sample_rate: int = 22050, n_fft: int = 2048, win_length: int | None = None, hop_length: int = 512, window: str = 'hann', window_beta: float = 12.0, window_at: str = 'middle', center: bool = True, pad_mode: str = 'constant', remove_dc: bool = False, preemphasis: float = 0.0, sample_scale: float = 1.0, power: float | None = 2.0) -> None: ...
    @property
    def center(self) -> bool: ...
    @property
    def hop_length(self) -> int: ...
    @property
    def n_fft(self) -> int: ...
    @property
    def pad_mode(self) -> str: ...
    @property
    def power(self) -> float | None: ...
    @property
    def preemphasis(self) -> float: ...
    @property
    def remove_dc(self) -> bool: ...
    @property
    def sample_rate(self) -> int: ...
    @property
    def sample_scale(self) -> float: ...
    @property
    def win_length(self) -> int | None: ...
    @property
    def window(self) -> str: ...
    @property
    def window_at(self) -> str: ...
    @property
    def window_beta(self) -> float: ...
class StackChannels(Node):
    """
    Repeats rows along a new channel axis, for networks trained on colour images.
    
    Input:  rows of any shape
    Output: rows with one more axis, the last or the first, along which all values are the same
    Latency: none
    
    OnnxModel brings axes into the model's order: leave channels last here, and take layout="nctf" for a model
    that wants them first.
    
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
    """
    def __init__(self, *, channels: int = 3, axis: str = 'last') -> None: ...
    @property
    def axis(self) -> str: ...
    @property
    def channels(self) -> int: ...
class Statistics(Node):
    """
    Computes the mean, deviation, extremes and percentiles of each element over a clip or a window.
    
    Input:  rows [n_rows, ...]
    Output: one row [1, n_kinds, ...] at the end of the clip, none for an empty clip; or one row per window,
            [n_windows, n_kinds, ...]
    Latency: the whole clip, or window - 1 rows
    
    Over a clip, percentiles keep all rows until the end, so that memory grows with the clip; the other kinds
    keep none. Windows begin at row 0 and every `hop` rows. Rows left over at the end are dropped, but a clip
    shorter than a window yields one row, computed from the rows that there are.
    
    Source: the standard deviation is that of the whole population; percentiles interpolate linearly between
            two values, as NumPy's `percentile` does
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> rows = np.array([[1, 10], [2, 20], [3, 60]], dtype=np.float32)
        >>> fa.Statistics(kinds=["mean", "max", "p50"])(rows).tolist()
        [[[2.0, 30.0], [3.0, 60.0], [2.0, 20.0]]]
    
    Options:
        kinds: list[str], default ['mean', 'std']
            Any of mean, std, min, max, and percentiles such as p25 or p97.5; they come out in this order.
        window: int | None in [1, 1e+06] rows, default None
            Number of rows in a window; None for the whole clip.
        hop: int | None in [1, 1e+06] rows, default None
            Step between windows; None means the same as window, so that windows don't overlap.
    """
    def __init__(self, *, kinds: list[str] = ['mean', 'std'], window: int | None = None, hop: int | None = None) -> None: ...
    @property
    def hop(self) -> int | None: ...
    @property
    def kinds(self) -> list[str]: ...
    @property
    def window(self) -> int | None: ...
class Tags(Node):
    """
    Gives scores their names: a pipeline that ends here returns `fastaudio.tags.Tags`.
    
    Input:  scores [n_windows, n_labels]
    Output: the same rows, with names along their last axis
    Latency: none
    
    Options:
        labels: list[str]
            Name of each score, in order.
    """
    def __init__(self, labels: list[str]) -> None: ...
    @property
    def labels(self) -> list[str]: ...
class Unroll(Node):
    """
    Lays out the rows within patches, such as a network's scores for each frame, as rows in time.
    
    Input:  patches [n_patches, n_rows, ...]: row j of patch k happens j / rate_hz after the patch begins
    Output: rows [n, ...], row n of which begins at n / rate_hz; names of labels stay
    Latency: that of the patches, and up to a row more where their steps aren't whole numbers of rows; for "mean"
            and "hamming" also that of the `context`
    
    Patches begin on the grid of rows, at the nearest row: a step that isn't a whole number of rows (36,164 samples
    of 256 each, say) is counted as a fraction, so that rounding never adds up, and no row is more than half a row
    from where it was. By default rows share the span of a patch evenly: 589 in 10 s come at 58.9 Hz. Rows
    that reach over one another (windows of 2 s, one per second) do so again. Give
    `rate_hz` if rows reach less far or farther; those that begin after their patch has ended are left out.
    
    Where patches overlap, "trim" takes each row from the patch in which it lies farther from the edge, "mean"
    the mean of all, and "hamming" their mean with the weights of a Hamming window over the patch, as pyannote.audio
    does. Of a last patch that `Patches` or `Each` has padded, rows that begin after the end of what these cut are
    left out.
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> patches = np.array([[[1], [2], [3], [4]], [[5], [6], [7], [8]]], dtype=np.float32)
        >>> fa.Unroll()(patches)[:, 0].tolist()
        [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]
        >>> fa.Unroll().output_specs(fa.StreamSpec(rate_hz=0.5, shape=[4, 1]))[""].rate_hz  # 2 s each
        2.0
    
    Options:
        rate_hz: float | None in [1e-06, 768000] Hz, default None
            Rate of the rows; None spreads those after `context` evenly over the span of a patch.
        overlap: str, one of 'trim', 'mean', 'hamming', default 'trim'
            Which of several patches give a row: one, or all by their mean, weighted or not.
        context: int in [0, 1e+06] rows, default 0
            Rows at the front of a patch that lie before its beginning, as those do that a network makes of the `context` of Patches.
    """
    def __init__(self, *, rate_hz: float | None = None, overlap: str = 'trim', context: int = 0) -> None: ...
    @property
    def context(self) -> int: ...
    @property
    def overlap(self) -> str: ...
    @property
    def rate_hz(self) -> float | None: ...
class ZeroCrossingRate(Node):
    """
    Measures the share of a frame's samples whose sign differs from that of the sample before.
    
    Input:  samples [n_samples]   full scale +-1, at `sample_rate`
    Output: rows    [n_frames, 1] from 0 to 1, one every `hop_length` samples; frames lie as in MelSpectrogram
    Latency: half a frame if centred, otherwise one frame
    
    If centred, the signal's first sample is repeated before it and its last sample after it. The first sample
    of a frame never counts, because it has none before it.
    
    Source: librosa 0.11 `feature.zero_crossing_rate` (same defaults)
    
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
            Samples whose magnitude isn't larger count as 0, which is positive.
    """
    def __init__(self, *, sample_rate: int = 22050, frame_length: int = 2048, hop_length: int = 512, center: bool = True, threshold: float = 1e-10) -> None: ...
    @property
    def center(self) -> bool: ...
    @property
    def frame_length(self) -> int: ...
    @property
    def hop_length(self) -> int: ...
    @property
    def sample_rate(self) -> int: ...
    @property
    def threshold(self) -> float: ...
class Sequential(Node):
    """
    Nodes in a row, each one's output the next one's input; `a >> b` makes one.
    
    Raises:
        ValueError: where two neighbours' rates, shapes or units don't fit.
    """
    @staticmethod
    def child_arguments() -> dict[str, str]:
        """The constructor's arguments that hold children, each with its form."""
    def __getitem__(self, index: typing.SupportsInt | typing.SupportsIndex) -> Node: ...
    def __init__(self, nodes: list[Node] | tuple[Node, ...]) -> None: ...
    def __len__(self) -> int: ...
    @property
    def nodes(self) -> list[Node]:
        """The nodes in order."""
class Parallel(Node):
    """
    Named branches over one input, which is computed once; `a >> {"name": b}` makes one.
    
    Raises:
        ValueError: where a branch doesn't fit the input.
    """
    @staticmethod
    def child_arguments() -> dict[str, str]:
        """The constructor's arguments that hold children, each with its form."""
    def __init__(self, branches: dict[str, Node]) -> None: ...
    @property
    def branches(self) -> dict[str, Node]:
        """The branches by name."""
class Each(Node):
    """
    A node run over each clip of its input as a whole signal, from its first sample to its padded end.
    
    Input:  what `inner` takes, such as samples
    Output: rows [n_clips, length, ...]: all rows that `inner` gives for a clip, or the first `length` of them
    Latency: clip_length - 1 input rows
    
    Clip k holds input rows k * hop - context to k * hop + clip_length - 1, as Patches cuts them. A signal too
    short for one clip always gives one: padded if `last` is "pad", else its rows are repeated. Time stamps are
    those of the `clip_length` rows.
    
    Models that cut the signal first and pad each window separately see other values in the outermost frames of a
    window than frames computed over the whole signal have. Each computes theirs. `inner` is one node, or several
    in a row, and has one output. A stream is opened for each clip, so push takes memory, and frames in the overlap
    of two clips are computed twice.
    
    Example:
        >>> import numpy as np
        >>> import fastaudio as fa
        >>> mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=96)
        >>> front = fa.Each(mel >> fa.Log(), clip_length=16_000, hop=8_000)
        >>> front(np.zeros(32_000, dtype=np.float32)).shape
        (3, 63, 96)
    
    Options:
        clip_length: int in [1, 1e+06] rows
            Input rows of a clip, such as samples.
        hop: int | None in [1, 1e+06] rows, default None
            Input rows from one clip to the next; None for clip_length, without overlap.
        last: str, one of 'drop', 'pad', 'repeat', default 'drop'
            Input rows left at the end: dropped, padded with pad_value, or repeated to fill a clip.
        pad_value: float in [-1e+30, 1e+30], default 0.0
            Value of padded input rows.
        context: int in [0, 1e+06] rows, default 0
            Earlier input rows at the front of a clip; pad_value before the first.
        length: int | None in [1, 1e+06] rows, default None
            Rows kept from each clip, the first ones; None for all.
    """
    @staticmethod
    def child_arguments() -> dict[str, str]:
        """The constructor's arguments that hold children, each with its form."""
    def __init__(self, inner: Node, clip_length: int, *, hop: int | None = None, last: str = 'drop', pad_value: float = 0.0, context: int = 0, length: int | None = None) -> None: ...
    @property
    def clip_length(self) -> int: ...
    @property
    def context(self) -> int: ...
    @property
    def hop(self) -> int | None: ...
    @property
    def inner(self) -> Node:
        """The node run over each clip."""
    @property
    def last(self) -> str: ...
    @property
    def length(self) -> int | None: ...
    @property
    def pad_value(self) -> float: ...
class Concat(Node):
    """
    Rows of several branches over one input joined into one vector, aligned in time.
    
    Input:  what every branch takes
    Output: rows [n_rows, d_1 + d_2 + ...] at the rate of one branch: each branch's row in turn; a row with several
            axes is read as a vector
    Latency: as long as the slowest branch takes; with "average" up to one step between rows longer
    
    Row k of a branch at r Hz begins at k / r seconds. Beside a row that begins at t stands each branch's last row
    that began at t or before. This is computed in whole numbers, so it is exact over a stream of any length. At
    the end, rows that lack any branch's row are dropped; to keep them, let that branch pad its last patch. Rows
    keep the time stamps of the branch whose rate they have. Labels are dropped; the unit stays if all branches
    have the same. The branches' rates have to meet again within 65536 rows, and branches that give one row per
    clip can only be joined with each other.
    
    Source: Hung and Lerch, "Feature-informed embedding space regularization for audio classification", 2022,
            arXiv:2206.04850. They repeat VGGish's rows (1 s) ten times beside OpenL3's (0.1 s), and repeat or
            average both to the rate of a network
    
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
            repeat: take a branch's last row that began by then, so a slower branch's rows are repeated; average: take the mean of a faster branch's rows that begin within the row's step.
    """
    @staticmethod
    def child_arguments() -> dict[str, str]:
        """The constructor's arguments that hold children, each with its form."""
    def __init__(self, *branches: Node, rate_of: int | None = None, align: str = 'repeat') -> None: ...
    @property
    def align(self) -> str: ...
    @property
    def branches(self) -> list[Node]:
        """The branches in order."""
    @property
    def rate_of(self) -> int | None: ...
class Film(Node):
    """
    Rows of one branch scaled and shifted by another's: gamma * content + beta.
    
    Input:  what both branches take
    Output: rows [n_rows, ...] of the content's shape and rate
    Latency: as long as the slower branch takes; with "average" up to one step between rows longer
    
    `condition` has two outputs, named "gamma" and "beta", each with the content's shape. In the paper both are
    linear layers of the condition: write `v >> {"gamma": f, "beta": h}` with any two nodes, or take one OnnxModel
    whose outputs have these names. Weights stay in their ONNX files, and v is computed once.
    
    Beside a content row that begins at t stands the condition's last row that began at t or before; at the end,
    content rows that lack one are dropped. The rates have to meet again within 65536 rows.
    
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
            repeat: take the condition's last row that began by then; average: if the condition is faster, take the mean of its rows that begin within the content row's step.
    """
    @staticmethod
    def child_arguments() -> dict[str, str]:
        """The constructor's arguments that hold children, each with its form."""
    def __init__(self, content: Node, condition: Node, *, align: str = 'repeat') -> None: ...
    @property
    def align(self) -> str: ...
    @property
    def condition(self) -> Node:
        """The branch that gives 'gamma' and 'beta'."""
    @property
    def content(self) -> Node:
        """The branch that is scaled and shifted."""
class OnnxModel(Node):
    """
    Runs a network with ONNX Runtime.
    
    Input:  rows of the shape that the model takes, without its batch axis (patches, for example)
    Output: for each name in `outputs`, one row for each input row: the model's output without its batch axis, or
            as a whole if it has none. With `clip_rows`, one row per clip, or, from an output whose first axis
            is as long as the clip, a row for each input row, at their rate
    Latency: the same as its input's; computing time isn't counted. With `clip_rows`, the whole clip
    
    Rows are float32. If the model's input or an output has another type (float16, float64, bool, integers), they are
    converted. Integers are the nearest ones. Rows whose unit is 'samples' are sound: +-1 is then the full scale of
    int8, int16, int32 and of uint8 around 128, and what is beyond is clipped; the same holds for an output whose unit in
    `units` is 'samples'. Any other number that the type can't hold is an error, and so is a number that isn't finite
    in an output of another type; float32 outputs come as they are, and `Tags` says whether all were finite.
    
    With `state` the network is recurrent: the next run's input is what a run leaves in those outputs, and each
    stream starts from zeros. Rows then run one by one, in order, whatever `batch` and `threads` are.
    
    `outputs` may name any tensor of the graph, not only its outputs; `fastaudio models net.onnx --tensors` lists them.
    
    Weights may lie in files beside the network, as exporters write them (net.onnx.data). A card states each one's hash
    in `external`; without `sha256` and `external`, the files that the network names are read from its folder. The node
    then holds the hashes of what it read, and whatever reads the files again (saving, packing, pickling, exporting)
    refuses those that were changed meanwhile.
    
    Source: ONNX Runtime 1.25 or later, C interface
    
    Options:
        path: str | os.PathLike[str]
            The .onnx file.
        outputs: list[str], default []
            Names of the tensors to give out; empty for the network's first output.
        units: list[str], default []
            Unit of each output, such as 'probability'.
        layout: str, default ''
            Axes of the model's input, such as 'n1tf' or 'nft': n is the batch, t the first axis of a row (time), f its second (bands), c its third, and 1 an axis of one. '' means n and the row's axes in order, or only these if the model has one axis and the row too.
        state: dict[str, str], default {}
            Recurrent inputs, each with the output whose values it takes after a run; both have one type and shape.
        inputs: dict[str, float | list[typing.Any]], default {}
            Further inputs with what each always is: a number, or lists of numbers. They take the model's types, and are refused if those can't hold them.
        clip_rows: int in [0, 268435456] rows, default 0
            Most rows of a clip that is one run, at its end; 0 makes each row a run. The time axis comes in front of a row's, and the model leaves it open.
        batch: int in [1, 4096] rows, default 1
            Most rows per run, if the model leaves it open; a run never waits until it is full. Above 1 a few made-up rows are run first, and a model that gives them other numbers together than alone is refused.
        threads: int in [1, 1024], default 1
            Runs at the same time, each on one thread: a whole file takes less time, one row doesn't. The numbers don't depend on it.
        providers: list[str | tuple[str, dict[str, str]]], default []
            Execution providers in order, such as 'CPUExecutionProvider', or each with its options: ('CUDAExecutionProvider', {'device_id': '0'}). Those that aren't active are refused.
        sha256: str, default ''
            Expected hash of the file, in hex; '' to accept any, and to hold that of the file that was read.
        external: dict[str, str], default {}
            Files with weights beside the network, by the names that it has for them, each with its hash in hex.
    """
    def __getitem__(self, output: str) -> OnnxModel:
        """
        Returns the same network with one output, which may be any tensor of its graph.
        
        Raises:
            ModelError: the network has no such output.
        """
    def __init__(self, path: str | os.PathLike[str], *, outputs: list[str] = [], units: list[str] = [], layout: str = '', state: dict[str, str] = {}, inputs: dict[str, float | list[typing.Any]] = {}, clip_rows: int = 0, batch: int = 1, threads: int = 1, providers: list[str | tuple[str, dict[str, str]]] = [], sha256: str = '', external: dict[str, str] = {}) -> None: ...
    @property
    def available_outputs(self) -> list[str]:
        """Names of all outputs that the network has; `outputs` takes those of its inner tensors as well."""
    @property
    def batch(self) -> int: ...
    @property
    def clip_rows(self) -> int: ...
    @property
    def external(self) -> dict[str, str]: ...
    @property
    def inputs(self) -> dict[str, typing.Any]: ...
    @property
    def layout(self) -> str: ...
    @property
    def outputs(self) -> list[str]: ...
    @property
    def path(self) -> str: ...
    @property
    def providers(self) -> list[str | tuple[str, dict[str, str]]]: ...
    @property
    def sha256(self) -> str: ...
    @property
    def state(self) -> dict[str, str]: ...
    @property
    def threads(self) -> int: ...
    @property
    def units(self) -> list[str]: ...
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
        Goes back to the beginning, like a stream newly opened for the same input; also after flush, or an
        error.
        
        Raises:
            StateError: from two threads at once.
        """
    @property
    def too_loud(self) -> bool:
        """Whether samples came far beyond the full scale of +-1, as those of integers do."""
class Interruptible:
    """
    A context in which this thread's calls end with Cancelled once `cancel` is cancelled, and with TimedOut
    after `timeout_s` seconds.
    
    Raises:
        ValueError: a time that isn't above 0.
    """
    def __enter__(self) -> Interruptible: ...
    def __exit__(self, kind: typing.Any = None, error: typing.Any = None, traceback: typing.Any = None) -> None: ...
    def __init__(self, cancel: Cancel | None = None, timeout_s: typing.SupportsFloat | typing.SupportsIndex | None = None) -> None: ...
class Pool:
    """
    Threads that run live streams, each stream in its turn.
    
    With `batch` above 1, rows of several streams that the same network takes are run together: no row
    waits longer than `batch_wait_s` for others. Thread-safe.
    
    Raises:
        TypeError, ValueError: an option of a wrong type, or outside its range.
    """
    def __init__(self, workers: int = 1, *, batch: int = 1, batch_wait_s: float = 0.0) -> None: ...
    def __len__(self) -> int: ...
    def close(self) -> None:
        """Closes all streams and ends the threads, each after the part that it runs."""
    def pause(self) -> None:
        """Stops running streams until `resume`."""
    def resume(self) -> None:
        """Goes on after `pause`."""
    @property
    def batch(self) -> int:
        """The most rows of several streams that a network takes in one run; 1 runs each row alone, and so does a network that gives rows other numbers together than alone."""
    @property
    def batch_wait_s(self) -> float:
        """The longest that a row waits for others."""
    @property
    def workers(self) -> int:
        """The largest number of threads."""
class LiveOptions:
    """
    Options of a live stream, which `Pipeline.live` and `Pipeline.listen` take as keywords.
    
    Options:
        overflow: str, one of 'block', 'drop_oldest', 'raise', default 'block'
            What happens when sound comes faster than it is run: 'block' makes `push` wait, 'drop_oldest' drops the oldest sound and reports the gap, 'raise' refuses the block.
        buffer_s: float in [0.01, 3600] s, default 5.0
            How much sound may wait to be run.
        provisional_s: float | None in [0, 3600] s, default None
            Give a first result after this much sound too, marked `provisional`: it is what the pipeline gives for a clip of that length. Each gap is followed by another one. None or 0 for none.
        start_sample: int in [0, 1e+15] samples, default 0
            Number of the first sample, where time stamps continue those of an earlier stream.
        max_results: int in [1, 1e+09] results, default 1024
            How many results may wait to be taken. Beyond that the oldest are dropped and counted; with overflow 'block' the sound waits instead, and the results of one turn are kept as well.
        push_timeout_s: float | None in [0, 1e+06] s, default 30.0
            With overflow 'block': how long `push` waits while `max_results` wait and nobody takes any, before it raises Overrun. None or 0 to wait for ever.
    """
    __hash__: typing.ClassVar[None] = None  # type: ignore[assignment]
    def __eq__(self, other: typing.Any) -> bool: ...
    def __init__(self, *, overflow: str = 'block', buffer_s: float = 5.0, provisional_s: float | None = None, start_sample: int = 0, max_results: int = 1024, push_timeout_s: float | None = 30.0) -> None: ...
    def __repr__(self) -> str: ...
    @property
    def buffer_s(self) -> float:
        """How much sound may wait to be run."""
    @property
    def max_results(self) -> int:
        """How many results may wait to be taken. Beyond that the oldest are dropped and counted; with overflow 'block' the sound waits instead, and the results of one turn are kept as well."""
    @property
    def overflow(self) -> str:
        """What happens when sound comes faster than it is run: 'block' makes `push` wait, 'drop_oldest' drops the oldest sound and reports the gap, 'raise' refuses the block."""
    @property
    def provisional_s(self) -> float | None:
        """Give a first result after this much sound too, marked `provisional`: it is what the pipeline gives for a clip of that length. Each gap is followed by another one. None or 0 for none."""
    @property
    def push_timeout_s(self) -> float | None:
        """With overflow 'block': how long `push` waits while `max_results` wait and nobody takes any, before it raises Overrun. None or 0 to wait for ever."""
    @property
    def start_sample(self) -> int:
        """Number of the first sample, where time stamps continue those of an earlier stream."""
class LiveStats:
    """What a live stream has done so far; samples are counted per channel."""
    __hash__: typing.ClassVar[None] = None  # type: ignore[assignment]
    def __eq__(self, other: typing.Any) -> bool: ...
    def __repr__(self) -> str: ...
    @property
    def bad_values(self) -> int:
        """Values that weren't finite and were run as silence."""
    @property
    def busy_s(self) -> float:
        """Seconds that running it took."""
    @property
    def captured(self) -> int:
        """Samples that came in, or were lost on the way: delivered + dropped + waiting."""
    @property
    def delivered(self) -> int:
        """Samples that were run."""
    @property
    def device_overflows(self) -> int:
        """How often the device lost sound before handing it over."""
    @property
    def dropped(self) -> int:
        """Samples lost in gaps: they came faster than they ran, or the source was interrupted."""
    @property
    def gaps(self) -> int:
        """How often samples were dropped."""
    @property
    def interruptions(self) -> int:
        """How often the source was lost and had to be found again."""
    @property
    def latency_max_s(self) -> float:
        """The longest such time."""
    @property
    def latency_p50_s(self) -> float:
        """Median time from the arrival of the last sample that a result needs until the result can be taken; it adds to the pipeline's own `latency_s`."""
    @property
    def latency_p99_s(self) -> float:
        """The time of this kind that 99 % of the results don't exceed."""
    @property
    def parts(self) -> list[tuple[str, float]]:
        """Seconds that each node took, as pairs of its summary and a time."""
    @property
    def real_time_factor(self) -> float:
        """Seconds of work per second of sound; the stream falls behind above 1."""
    @property
    def results_dropped(self) -> int:
        """Rows that were dropped because nobody took them in time."""
    @property
    def results_waiting(self) -> int:
        """Results that nobody has taken yet."""
    @property
    def sound_s(self) -> float:
        """Seconds of sound that were run."""
    @property
    def waiting(self) -> int:
        """Samples in the buffer."""
class LiveResult:
    """Rows of one output that came out of a live stream together."""
    @property
    def base_s(self) -> float:
        """Time of row 0."""
    @property
    def first_row(self) -> int:
        """Number of the first row, counted from `base_s`."""
    @property
    def n_lost(self) -> int:
        """Samples lost just before the first row; 0 if provisional."""
    @property
    def network(self) -> int:
        """Number of the network that gave them."""
    @property
    def output(self) -> int:
        """Index among that network's outputs."""
    @property
    def provisional(self) -> bool:
        """Whether they come from a shortened first clip, which ends at `until_s`."""
    @property
    def rows(self) -> numpy.typing.NDArray[numpy.float32]:
        """The rows, [n_rows, n_values]."""
    @property
    def until_s(self) -> float:
        """End of the sound that was run."""
class LiveStream:
    """One run of a node over sound as it comes; `fastaudio.live.LiveStream` is what users see of it."""
    def __init__(self, pool: Pool, node: Node, input: StreamSpec, options: LiveOptions) -> None: ...
    def close(self, timeout_s: typing.SupportsFloat | typing.SupportsIndex) -> None:
        """Ends at once; waits `timeout_s` at most for the part that runs now."""
    def finish(self) -> None:
        """Ends the sound: what was taken is run, then the results end."""
    def interrupt(self) -> None:
        """
        What was taken is run and flushed; what comes next follows a gap as long as the time until then.
        Call it while nothing is pushed or captured.
        """
    def push(self, samples: numpy.typing.NDArray[numpy.float32] | numpy.typing.NDArray[numpy.int16]) -> None:
        """
        Takes samples from any thread.
        
        Raises:
            TypeError, ValueError: a wrong dtype, shape or value; nothing is taken then.
            Overrun: no room, where that is the policy, or nobody takes the results.
            StateError: after finish, close or an error.
        """
    def read(self, position: typing.SupportsInt | typing.SupportsIndex) -> tuple[numpy.typing.NDArray[numpy.float32], int, int]:
        """
        Returns what was captured from `position` on, up to the next interruption: samples [n, channels],
        how many before them are lost, and the position that they end at.
        """
    def stats(self) -> LiveStats:
        """Returns counts and times so far."""
    def swap(self, node: Node, network: typing.SupportsInt | typing.SupportsIndex) -> None:
        """
        From the next patch on, `node` gives the results, as network number `network`.
        
        Raises:
            ValueError: it doesn't begin with the same parts.
        """
    def take(self, timeout_s: typing.SupportsFloat | typing.SupportsIndex) -> LiveResult | None:
        """
        Waits for a result; None after `timeout_s`, or if there will be no more.
        
        Raises:
            FastaudioError: what ended the stream, once all before it is taken.
        """
    def take_peak(self) -> float:
        """Returns the largest magnitude captured since the last call."""
    @property
    def capture_callback(self) -> int:
        """Address of a callback for PortAudio, which takes float32; it never takes the GIL."""
    @property
    def capture_data(self) -> int:
        """Address of the callback's data; valid as long as this object."""
    @property
    def ended(self) -> bool:
        """Whether no result will come any more."""
    @property
    def position(self) -> int:
        """Number of the next sample: `start_sample` and those captured."""
def build_node(cls: type, options: dict[str, typing.Any]) -> Node:
    """Makes a node of options that belong to trained weights: it gives no warning of what can't be chosen."""
def check_interrupt() -> None:
    """
    Raises what ends this thread's work, if it was asked to end: see `Interruptible`. Loops in Python call
    it.
    
    Raises:
        Cancelled, TimedOut: it has to end.
    """
def did_you_mean(got: str, known: collections.abc.Sequence[str]) -> str:
    """Returns "; did you mean 'NAME'?" for the end of a message, or '' if no known name is near."""
def isa() -> str:
    """
    Returns the instruction set of the kernels in use: baseline, avx2, avx512, or neon.
    
    Raises:
        ValueError: FASTAUDIO_ISA names one that this processor can't run.
    """
def names_beside(path: str, content: bytes) -> list[str]:
    """
    Returns the names of the files with weights that a network refers to; `path` is for messages.
    
    Raises:
        ModelError: it isn't a network, or a name leads out of its folder.
    """
def network_tensors(path: str, sha256: str = '', external: collections.abc.Mapping[str, str] = {}) -> list[tuple[str, str, str, list[int | None]]]:
    """
    Returns each tensor of a network: 'input', 'output' or 'inner', its name, type, and shape with None for an open axis.
    
    Raises:
        ModelError: the file can't be read, or isn't a network that runs here.
    """
def onnxruntime_info() -> dict[str, typing.Any]:
    """
    Returns the version, path and active providers of ONNX Runtime, and opens it if need be.
    
    Raises:
        ModelError: it isn't installed or doesn't fit.
    """
def samples_remedy(value: typing.Any) -> str:
    """Returns "; use CODE" for the end of a message if CODE makes samples of what is no array, or ''."""
def scale_warning(name: str) -> str:
    """Returns what to warn of when the sound called `name` is too loud."""
def set_model_reader(read: collections.abc.Callable[[str, str, str, int | None], tuple[bytes, str]]) -> None:
    """Sets the function that returns the bytes of a model's file and its sha256, given its path, the sha256 that it has to have or '', the name of a file with weights beside it or '', and for that how many bytes at its front are needed; None for all."""
def set_onnxruntime_library(path: str) -> None:
    """Says where ONNX Runtime's library lies; this has no effect once it is open."""
def with_silence(node: Node, input: StreamSpec, silence_db: typing.SupportsFloat | typing.SupportsIndex | None, *, swappable: bool = False) -> Node:
    """
    The node with a mark at the end of each row of scores, 1 for a silent window; events skip silent windows
    and end in a summary row. A window is silent whose loudest 100 ms are below `silence_db`; None marks none.
    `swappable` nodes begin alike, so that a live stream can go on with another one.
    """
def within_budget(call: collections.abc.Callable[[], typing.Any], *, table_bytes: typing.SupportsInt | typing.SupportsIndex | None, buffer_values: typing.SupportsInt | typing.SupportsIndex | None, run_values: typing.SupportsInt | typing.SupportsIndex | None, probe_values: typing.SupportsInt | typing.SupportsIndex | None, build_s: typing.SupportsFloat | typing.SupportsIndex | None) -> typing.Any:
    """
    Returns what `call` returns; what it makes in this thread is counted, see `fastaudio.Budget`.
    
    Raises:
        BudgetError: that is more than one of the limits; None is no limit.
    """
