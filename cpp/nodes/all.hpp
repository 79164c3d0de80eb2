/// The list of all nodes; there is no other.
#pragma once

#include <tuple>
#include <type_traits>

#include "nodes/chroma.hpp"
#include "nodes/delta.hpp"
#include "nodes/energy_patch.hpp"
#include "nodes/events.hpp"
#include "nodes/harmonic_spectrogram.hpp"
#include "nodes/linear_softmax_pooling.hpp"
#include "nodes/log.hpp"
#include "nodes/mean_max.hpp"
#include "nodes/mel_spectrogram.hpp"
#include "nodes/mfcc.hpp"
#include "nodes/mono.hpp"
#include "nodes/normalize.hpp"
#include "nodes/patches.hpp"
#include "nodes/pca_whiten.hpp"
#include "nodes/pcen.hpp"
#include "nodes/quantize.hpp"
#include "nodes/resample.hpp"
#include "nodes/rms.hpp"
#include "nodes/scale.hpp"
#include "nodes/similarity.hpp"
#include "nodes/spectral_centroid.hpp"
#include "nodes/spectral_contrast.hpp"
#include "nodes/spectral_flatness.hpp"
#include "nodes/spectral_rolloff.hpp"
#include "nodes/spectrogram.hpp"
#include "nodes/stack_channels.hpp"
#include "nodes/statistics.hpp"
#include "nodes/tags.hpp"
#include "nodes/zero_crossing_rate.hpp"

namespace fastaudio {

// clang-format off: each node has its line
using AllNodes = std::tuple<
    std::type_identity<Mono>,
    std::type_identity<Resample>,
    std::type_identity<Spectrogram>,
    std::type_identity<MelSpectrogram>,
    std::type_identity<HarmonicSpectrogram>,
    std::type_identity<Chroma>,
    std::type_identity<Delta>,
    std::type_identity<EnergyPatch>,
    std::type_identity<L2Normalize>,
    std::type_identity<LinearSoftmaxPooling>,
    std::type_identity<Log>,
    std::type_identity<MFCC>,
    std::type_identity<Max>,
    std::type_identity<Mean>,
    std::type_identity<MinMaxScale>,
    std::type_identity<Normalize>,
    std::type_identity<PCAWhiten>,
    std::type_identity<PCEN>,
    std::type_identity<Patches>,
    std::type_identity<Quantize>,
    std::type_identity<RMS>,
    std::type_identity<SpectralBandwidth>,
    std::type_identity<SpectralCentroid>,
    std::type_identity<SpectralContrast>,
    std::type_identity<SpectralFlatness>,
    std::type_identity<SpectralRolloff>,
    std::type_identity<StackChannels>,
    std::type_identity<Standardize>,
    std::type_identity<Statistics>,
    std::type_identity<TopDb>,
    std::type_identity<ZeroCrossingRate>,
    std::type_identity<Similarity>,
    std::type_identity<Tags>,
    std::type_identity<Events>
>;
// clang-format on

}  // namespace fastaudio
