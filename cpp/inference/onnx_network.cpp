#include "inference/onnx_network.hpp"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "core/options.hpp"
#include "inference/onnx_walk.hpp"

namespace fastaudio::onnx {

namespace {

/// Whether a name means a file in the network's folder, or in one within it, on every system.
bool stays_inside(std::string_view name) {
  // ONNX Runtime takes some names with these signs for addresses in memory.
  if (name.empty() || name.find_first_of("\\:*?\"<>|") != std::string_view::npos) return false;
  if (name.find('\0') != std::string_view::npos || name.find("_ORT_MEM_") != std::string_view::npos)
    return false;
  while (!name.empty()) {
    const std::size_t end = std::min(name.find('/'), name.size());
    const std::string_view part = name.substr(0, end);
    if (part.empty() || part == "." || part == "..") return false;
    if (end + 1 == name.size()) return false;  // it ends in a slash
    name.remove_prefix(std::min(end + 1, name.size()));
  }
  return true;
}

std::string varint(std::size_t value) {
  std::string bytes;
  for (; value > 0x7F; value >>= 7) bytes += static_cast<char>((value & 0x7F) | 0x80);
  return bytes + static_cast<char>(value);
}

/// A field of bytes, or of a message.
std::string field(std::uint32_t number, const std::string& content) {
  return varint(number << 3 | 2) + varint(content.size()) + content;
}

void check_beside(const std::string& subject, const Contents& contents, const Beside& beside) {
  for (const auto& [name, content] : beside) {
    if (!contents.locations.contains(name)) {
      throw ModelError(subject + ": expected weights in " + format(name) +
                       ", as 'external' says, got none there; " + "leave it out of 'external'");
    }
  }
  for (const auto& [name, end] : contents.locations) {
    const auto found = beside.find(name);
    if (found == beside.end()) {
      throw ModelError(subject + ": expected the hash of each file with weights, got none of " +
                       format(name) + "; add it to external={" + format(name) + ": its sha256}");
    }
    if (found->second.size() < end) {
      throw ModelError(subject + ": expected " + std::to_string(end) + " bytes in " + format(name) +
                       ", got " + std::to_string(found->second.size()) +
                       "; the file is cut short, or another network's");
    }
  }
}

}  // namespace

std::map<std::string, std::optional<std::uint64_t>> files_beside(const std::string& subject,
                                                                 std::string_view file) {
  std::map<std::string, std::optional<std::uint64_t>> files;
  const Contents contents = walk(subject, file);
  if (contents.external && contents.locations.empty()) {
    throw ModelError(subject +
                     ": expected a file's name for weights outside the network, got none; export it anew");
  }
  if (contents.hidden_external) {
    throw ModelError(subject +
                     ": expected weights outside for the graph's own initializers only, got some of a " +
                     "subgraph or an attribute; make it one file: onnx.save(onnx.load(path), another path)");
  }
  for (const auto& [name, end] : contents.locations) {
    if (!stays_inside(name)) {
      throw ModelError(
          subject + ": expected weights in a file in the network's folder, got " + format(name) +
          "; save it anew with onnx.save(..., save_as_external_data=True, location='net.onnx.data')");
    }
    files[name] = contents.open_ended.contains(name) ? std::nullopt : std::optional(end);
  }
  return files;
}

std::shared_ptr<const Network> read_network(std::string subject, std::string file, Beside beside,
                                            Providers providers) {
  Contents contents = walk(subject, file);
  check_beside(subject, contents, beside);
  if (!contents.foreign_operator.empty()) {
    throw ModelError(subject +
                     ": expected operators that ONNX Runtime itself brings and that read no files, " +
                     "got " + format(contents.foreign_operator) + "; export it without");
  }
  if (contents.sparse_in_function) {
    throw ModelError(
        subject +
        ": expected no sparse tensor in a function, got one, with which ONNX Runtime may crash; write "
        "the network again: import onnx; "
        "onnx.save(onnx.inliner.inline_local_functions(onnx.load(OLD)), NEW)");
  }
  return std::make_shared<const Network>(Network{std::move(subject), std::move(file), std::move(beside),
                                                 std::move(providers), contents.loops,
                                                 std::move(contents.tensors)});
}

std::string added_outputs(const std::vector<std::string>& names) {
  constexpr std::uint32_t kName = 1, kOutput = 12, kGraph = 7;
  std::string outputs;
  for (const std::string& name : names) outputs += field(kOutput, field(kName, name));
  return outputs.empty() ? outputs : field(kGraph, outputs);
}

}  // namespace fastaudio::onnx
