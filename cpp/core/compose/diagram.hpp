/// A pipeline drawn as text, a line a node.
#pragma once

#include "core/node.hpp"

namespace fastaudio {

/// Each node with the rows that leave it; the last line ends with the latency.
///
///     MelSpectrogram(n_mels=96)  -> [62.5 Hz, 96] power
///     Tags(50 labels)            -> [0.334 Hz, 50] probability, latency 3.01 s
std::string diagram(const Node& node, const StreamSpec& input);

}  // namespace fastaudio
