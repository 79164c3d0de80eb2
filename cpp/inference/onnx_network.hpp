/// A network's bytes, before ONNX Runtime has seen them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "inference/onnx_provider.hpp"

namespace fastaudio::onnx {

/// Contents of files beside a network that hold its weights, by their names in the network.
using Beside = std::map<std::string, std::string>;

/// What a session is made of; sessions with other outputs share it.
struct Network {
  std::string subject;  ///< messages begin so
  std::string file;
  Beside beside;
  Providers providers;
  bool loops = false;                ///< whether the time of past runs doesn't tell the next one's
  std::vector<std::string> tensors;  ///< what the graph's nodes give, its outputs among them
};

/// Checks what a file says about itself. `beside` must hold the files that it refers to, and no other. Throws
/// ModelError for what isn't a network, refers to other files, or needs operators that read files.
std::shared_ptr<const Network> read_network(std::string subject, std::string file, Beside beside,
                                            Providers providers);

/// Returns which files beside it a network refers to, each with the bytes at its front that hold its weights,
/// or nothing if the network doesn't say how many. Throws ModelError as `walk` does, and for names that lead
/// out of the network's folder.
std::map<std::string, std::optional<std::uint64_t>> files_beside(const std::string& subject,
                                                                 std::string_view file);

/// Returns a protobuf message that adds these outputs to a network if it is appended to its file.
std::string added_outputs(const std::vector<std::string>& names);

}  // namespace fastaudio::onnx
