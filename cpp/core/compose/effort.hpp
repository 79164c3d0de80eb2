/// What a run of a node costs, estimated before it.
#pragma once

#include "core/node.hpp"

namespace fastaudio {

/// About how many values `node` and the nodes within it read for so many rows, each as often as it is read.
double values_read(const Node& node, const StreamSpec& input, double n_rows);

}  // namespace fastaudio
