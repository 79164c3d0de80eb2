#include <doctest/doctest.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "helpers.hpp"
#include "inference/onnx_walk.hpp"

using namespace fastaudio;
using namespace fastaudio::test;

namespace {

std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value > 0x7F; value >>= 7) bytes += static_cast<char>((value & 0x7F) | 0x80);
  return bytes + static_cast<char>(value);
}

/// A field of bytes, or of a message.
std::string field(std::uint32_t number, const std::string& content) {
  return varint(number << 3 | 2) + varint(content.size()) + content;
}

std::string number(std::uint32_t field, std::uint64_t value) { return varint(field << 3) + varint(value); }

std::string graph(const std::string& content) { return field(7, content); }
std::string op(const std::string& name, const std::string& domain = "") {
  return field(1, field(4, name) + field(7, domain));
}
std::string external(const std::string& file) {
  return field(13, field(1, "location") + field(2, file)) + field(13, field(1, "offset") + field(2, "8"));
}

onnx::Contents walk(const std::string& file) { return onnx::walk("net", file); }

}  // namespace

TEST_CASE("walk: a network tells its weights, its loops, and the files it refers to") {
  const std::string weights = field(5, field(9, std::string(1000, 'w')) + field(8, "a"));
  const onnx::Contents plain = walk(number(1, 8) + graph(op("Add") + weights));
  CHECK_FALSE(plain.external);
  CHECK_FALSE(plain.loops);
  CHECK(plain.foreign_operator.empty());
  CHECK(plain.weight_bytes >= 1000);
  CHECK(plain.weight_bytes < 1010);
  const onnx::Contents two = walk(graph(field(5, external("b.bin")) + field(5, external("a.bin"))) +
                                  graph(field(15, field(2, external("b.bin")))));
  CHECK(two.external);
  CHECK(two.locations == std::map<std::string, std::uint64_t>{{"a.bin", 8}, {"b.bin", 8}});
  CHECK(two.hidden_external);  // that of the sparse tensor isn't the graph's own
  CHECK_FALSE(walk(graph(field(5, external("a.bin")))).hidden_external);
  CHECK(walk(graph(field(1, field(5, field(5, external("a.bin")))))).hidden_external);
}

TEST_CASE("walk: it names what the graph's own nodes give, and not those of inner graphs") {
  const auto node = [](const std::string& outputs) { return field(1, outputs + field(4, "Add")); };
  const std::string inner = field(1, field(2, "c") + field(5, field(6, node(field(2, "d")))));
  const std::string file = graph(node(field(2, "a") + field(2, "/b/x")) + inner) + graph(node(field(2, "")));
  CHECK(walk(file).tensors == std::vector<std::string>{"a", "/b/x", "c"});
}

TEST_CASE("walk: loops are found wherever they are") {
  const std::string inner = field(5, field(6, op("Scan")));
  CHECK(walk(graph(op("Loop"))).loops);
  CHECK(walk(graph(field(1, field(4, "If") + inner))).loops);
  CHECK(walk(field(25, field(7, field(4, "Loop")))).loops);
  CHECK_FALSE(walk(graph(op("LSTM"))).loops);
}

TEST_CASE("walk: operators are the runtime's own or the network's functions") {
  CHECK(walk(graph(op("Gelu", "com.microsoft") + op("Scaler", "ai.onnx.ml"))).foreign_operator.empty());
  CHECK(walk(graph(op("Open", "my.ops"))).foreign_operator == "my.ops.Open");
  CHECK(walk(graph(op("Open", "my.ops")) + field(25, field(1, "Open") + field(10, "my.ops")))
            .foreign_operator == "");
  CHECK(walk(graph(op("EPContext", "com.microsoft"))).foreign_operator == "com.microsoft.EPContext");
}

TEST_CASE("walk: every cut of a network is refused or read, and never read past its end") {
  const std::string whole =
      number(1, 8) + graph(op("Add") + field(5, field(9, std::string(40, 'w')) + external("a.bin")));
  for (std::size_t n = 0; n < whole.size(); ++n) {
    const std::string cut(whole.data(), n);  // on its own, so that a sanitizer sees its end
    try {
      walk(cut);
    } catch (const ModelError& error) {
      CHECK(std::string(error.what()).starts_with("net: expected an ONNX model, got "));
    }
  }
  CHECK(walk(whole).external);
}

TEST_CASE("walk: depth is limited, and a hundred thousand fields take no time") {
  std::string nested;
  for (int i = 0; i < 60; ++i) nested = field(1, field(5, field(6, nested)));
  CHECK(message_of<ModelError>([&] { walk(graph(nested)); }).find("more than 100 messages") !=
        std::string::npos);
  std::string many;
  for (int i = 0; i < 100'000; ++i) many += field(1, "");
  CHECK_FALSE(walk(graph(many)).external);
}
