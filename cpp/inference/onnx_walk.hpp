/// Reads what a network's file says about itself, before anything else does.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace fastaudio::onnx {

/// What a network refers to, and what that means for loading and running it.
struct Contents {
  bool external = false;  ///< whether some tensor's values lie outside
  /// Whether one of these isn't an initializer of the graph itself, or names no place.
  bool hidden_external = false;
  /// Where those lie, as the network puts it, each with the byte that the furthest of them ends before; a
  /// tensor that names no place has none here.
  std::map<std::string, std::uint64_t> locations;
  /// Locations of which some tensor doesn't say where it ends.
  std::set<std::string> open_ended;
  /// The first operator that reads files or runs code of others, or that no ONNX Runtime brings, as
  /// "domain.Name"; empty if there is none.
  std::string foreign_operator;
  /// Whether a function holds a sparse tensor: ONNX Runtime (1.32) reads freed memory while it loads some.
  bool sparse_in_function = false;
  bool loops = false;                ///< whether its input may decide how long a run takes
  std::uint64_t weight_bytes = 0;    ///< bytes of all tensors' values inside the file
  std::vector<std::string> tensors;  ///< the first 2**20 that the graph's own nodes give
};

/// Walks the protobuf message of an ONNX file: all graphs, those within attributes, functions, and training.
/// It takes time in proportion to the file's length, and memory for what it returns only. Any order and
/// spelling that protobuf reads is read as protobuf does. Throws ModelError, whose text begins with
/// `subject`, if the file isn't an ONNX model: malformed, nested too deep, too long, or in another format
/// that ONNX Runtime would take.
Contents walk(const std::string& subject, std::string_view file);

}  // namespace fastaudio::onnx
