/// A pipeline drawn as text, one line per node.
#pragma once

#include "core/node.hpp"

namespace fastaudio {

/// Shows each node with the rows that leave it; the last line ends with the latency. Branches are indented;
/// a node that runs over clips stays within the line of its composite.
///
///     MelSpectrogram(n_mels=96)  -> [62.5 Hz, 96] power
///     Tags(50 labels)            -> [0.334 Hz, 50] probability, latency 3.01 s
std::string diagram(const Node& node, const StreamSpec& input);

}  // namespace fastaudio
