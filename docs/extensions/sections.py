"""How the names of the package are grouped on the site; what isn't listed here comes under others."""
# ruff: noqa: INP001  # api_pages imports it by its name

from __future__ import annotations

# The file of each page has a title, and names of `fastaudio`.
PIPELINES: dict[str, tuple[str, list[str]]] = {
    "pipelines": (
        "Pipelines",
        ["Pipeline", "PipelineStream", "models", "isolated", "Budget", "Limits", "Cancel", "show_versions"],
    ),
    "results": ("Results", ["Tags", "Events", "Event", "Frames"]),
    "live-sound": (
        "Live",
        [
            "LiveStream",
            "LiveStats",
            "Pool",
            "Microphone",
            "UrlSource",
            "PcmSource",
            "FileSource",
            "Source",
            "Device",
            "devices",
        ],
    ),
}
NODES: dict[str, tuple[str, list[str]]] = {
    "composing": (
        "Composing",
        ["Node", "Stream", "StreamSpec", "Sequential", "Parallel", "Concat", "Film", "Each"],
    ),
    "samples": (
        "From samples",
        [
            "Mono",
            "Resample",
            "Preemphasis",
            "Spectrogram",
            "MelSpectrogram",
            "HarmonicSpectrogram",
            "RMS",
            "Loudness",
            "ZeroCrossingRate",
        ],
    ),
    "spectra": (
        "From spectra",
        [
            "Chroma",
            "SpectralCentroid",
            "SpectralBandwidth",
            "SpectralRolloff",
            "SpectralFlatness",
            "SpectralContrast",
            "SpectralFlux",
        ],
    ),
    "rows": (
        "From rows",
        [
            "Log",
            "MFCC",
            "Delta",
            "PCEN",
            "Standardize",
            "MinMaxScale",
            "L2Normalize",
            "Normalize",
            "TopDb",
            "Gate",
            "Sigmoid",
            "Softmax",
            "Statistics",
            "Patches",
            "EnergyPatch",
            "StackChannels",
            "Mean",
            "Max",
            "LinearSoftmaxPooling",
            "Unroll",
        ],
    ),
    "networks": ("Networks and embeddings", ["OnnxModel", "PCAWhiten", "Quantize", "Similarity"]),
}

# Rooms of the package that are named in other ways, or that only the package itself uses.
NOT_PUBLIC = {
    "annotations",
    "cli",  # the pages of commands say what it does
    "composition",
    "decoding",
    "drawing",
    "graph",
    "kinds",
    "pipeline",
    "running",
}

# What is for others in rooms that have no `__all__`: without a line here, all that their modules define.
EXPORTED: dict[str, list[str]] = {
    "alerts": [
        "rules.Rule",
        "rules.Quiet",
        "rules.rules_of",
        "rules.RuleError",
        "watch.Watch",
        "watch.Alert",
    ],
    "isolation": ["limits.Limits", "wire.IsolationError"],
    "mqtt": ["broker.Broker", "broker.broker_of", "publisher.Publisher"],
    "reviewing": [
        "labels.LabelFile",
        "labels.Label",
        "labels.LabelError",
        "candidates.by_example",
        "candidates.by_uncertainty",
        "candidates.Candidate",
        "training.embedded",
        "training.Embedded",
    ],
    "scanning": ["scan.scan", "scan.Scanned", "networks.Chosen", "rescoring.rescan"],
    "searching": [
        "store.opened",
        "store.Store",
        "query.vector_of",
        "search.nearest",
        "search.best_of_label",
        "search.Hit",
    ],
    "summarizing": ["hours.summarize", "hours.Summary", "hours.Group", "picture.picture"],
    "tags": ["Tags", "Window"],
}
