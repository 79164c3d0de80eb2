/// Readies a network for running: results say which windows were silent, and events how close they came.
#pragma once

#include <optional>

#include "core/node.hpp"

namespace fastaudio {

/// The same node, but
/// - each row of scores has one value more at its end: 1 if its window was silent, else 0;
/// - Events takes the scores of silent windows as -inf, which is below any threshold, and gives a summary.
///
/// A window is silent if the loudest 100 ms of the node's input in it (all of it, if it is shorter) are below
/// `silence_db`, the mean square in dB relative to 1. Without `silence_db`, no window is. Rows, rates and
/// latencies stay what they are. `swappable` networks begin alike, with what keeps the level, whether they
/// need it or not: then a live stream can go on with one that does.
NodePtr with_silence(const NodePtr& node, const StreamSpec& input, std::optional<double> silence_db,
                     bool swappable = false);

}  // namespace fastaudio
