/// The one list of nodes, by name.
#pragma once

#include <tuple>
#include <type_traits>

namespace fastaudio {

// clang-format off: one a line, so that a new one is a line
using AllNodes = std::tuple<
    std::type_identity<class Mono>,
    std::type_identity<class Resample>,
    std::type_identity<class Spectrogram>,
    std::type_identity<class MelSpectrogram>,
    std::type_identity<class HarmonicSpectrogram>,
    std::type_identity<class Chroma>,
    std::type_identity<class Delta>,
    std::type_identity<class EnergyPatch>,
    std::type_identity<class L2Normalize>,
    std::type_identity<class LinearSoftmaxPooling>,
    std::type_identity<class Log>,
    std::type_identity<class MFCC>,
    std::type_identity<class Max>,
    std::type_identity<class Mean>,
    std::type_identity<class MinMaxScale>,
    std::type_identity<class Normalize>,
    std::type_identity<class PCAWhiten>,
    std::type_identity<class PCEN>,
    std::type_identity<class Patches>,
    std::type_identity<class Quantize>,
    std::type_identity<class RMS>,
    std::type_identity<class SpectralBandwidth>,
    std::type_identity<class SpectralCentroid>,
    std::type_identity<class SpectralContrast>,
    std::type_identity<class SpectralFlatness>,
    std::type_identity<class SpectralRolloff>,
    std::type_identity<class StackChannels>,
    std::type_identity<class Standardize>,
    std::type_identity<class Statistics>,
    std::type_identity<class TopDb>,
    std::type_identity<class ZeroCrossingRate>,
    std::type_identity<class Similarity>,
    std::type_identity<class Tags>,
    std::type_identity<class Events>
>;
// clang-format on

}  // namespace fastaudio
