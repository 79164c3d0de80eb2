#include "inference/onnx_walk.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <set>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "core/interrupt.hpp"
#include "core/options.hpp"

namespace fastaudio::onnx {

namespace {

/// Protobuf itself reads no deeper, and no longer files.
constexpr std::size_t kDeepest = 100;
constexpr std::size_t kLongest = std::numeric_limits<std::int32_t>::max();
constexpr std::size_t kMostNames = 1000;
constexpr std::uint64_t kFurthest = std::uint64_t{1} << 62;  ///< so that an offset and a length add up
constexpr std::size_t kInGraph = 3;  ///< messages that are open in a node of the graph itself

enum class Wire : std::uint32_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

/// The messages that lead to tensors or operators; all others are skipped.
enum class Message { model, graph, node, attribute, tensor, sparse_tensor, function, training, entry };

/// What a field is to the walk, beside messages, which it enters.
enum class Field { skip, message, weights, location, op_type, output, domain, function_domain, key, value };

struct Rule {
  Message in;
  std::uint32_t number;
  Field field;
  Message enter = Message::entry;  ///< for messages
};

/// From onnx.proto. A field that isn't here holds neither tensors nor operators.
constexpr std::array kRules{
    Rule{Message::model, 7, Field::message, Message::graph},
    Rule{Message::model, 20, Field::message, Message::training},
    Rule{Message::model, 25, Field::message, Message::function},
    Rule{Message::graph, 1, Field::message, Message::node},
    Rule{Message::graph, 5, Field::message, Message::tensor},
    Rule{Message::graph, 15, Field::message, Message::sparse_tensor},
    Rule{Message::node, 2, Field::output},
    Rule{Message::node, 4, Field::op_type},
    Rule{Message::node, 5, Field::message, Message::attribute},
    Rule{Message::node, 7, Field::domain},
    Rule{Message::attribute, 5, Field::message, Message::tensor},
    Rule{Message::attribute, 6, Field::message, Message::graph},
    Rule{Message::attribute, 10, Field::message, Message::tensor},
    Rule{Message::attribute, 11, Field::message, Message::graph},
    Rule{Message::attribute, 22, Field::message, Message::sparse_tensor},
    Rule{Message::attribute, 23, Field::message, Message::sparse_tensor},
    Rule{Message::tensor, 4, Field::weights},
    Rule{Message::tensor, 5, Field::weights},
    Rule{Message::tensor, 6, Field::weights},
    Rule{Message::tensor, 7, Field::weights},
    Rule{Message::tensor, 9, Field::weights},
    Rule{Message::tensor, 10, Field::weights},
    Rule{Message::tensor, 11, Field::weights},
    Rule{Message::tensor, 13, Field::message, Message::entry},
    Rule{Message::tensor, 14, Field::location},
    Rule{Message::sparse_tensor, 1, Field::message, Message::tensor},
    Rule{Message::sparse_tensor, 2, Field::message, Message::tensor},
    Rule{Message::function, 7, Field::message, Message::node},
    Rule{Message::function, 10, Field::function_domain},
    Rule{Message::function, 11, Field::message, Message::attribute},
    Rule{Message::training, 1, Field::message, Message::graph},
    Rule{Message::training, 2, Field::message, Message::graph},
    Rule{Message::entry, 1, Field::key},
    Rule{Message::entry, 2, Field::value},
};

constexpr std::size_t kMostFields = 32;

/// The place of each message's fields in kRules, or -1: a file may hold a thousand million fields.
constexpr auto kPlaces = [] {
  std::array<std::array<std::int8_t, kMostFields>, static_cast<std::size_t>(Message::entry) + 1> places{};
  for (auto& of_message : places) of_message.fill(-1);
  for (std::size_t i = 0; i < kRules.size(); ++i) {
    places[static_cast<std::size_t>(kRules[i].in)][kRules[i].number] = static_cast<std::int8_t>(i);
  }
  return places;
}();

const Rule* rule_of(Message in, std::uint32_t number) {
  if (number >= kMostFields) return nullptr;
  const int place = kPlaces[static_cast<std::size_t>(in)][number];
  return place < 0 ? nullptr : &kRules[static_cast<std::size_t>(place)];
}

/// Operators by which a run may take as long as its input says: loops, choices, and those that make tensors
/// of sizes that follow from values.
constexpr std::array<std::string_view, 22> kLooping{
    "Loop",    "Scan",   "If",     "BeamSearch", "GreedySearch",      "Sampling", "WhisperBeamSearch",
    "NonZero", "Range",  "Unique", "Compress",   "NonMaxSuppression", "Expand",   "SequenceMap",
    "Tile",    "Resize", "Pad",    "Upsample",   "ConstantOfShape",   "OneHot",   "Slice",
    "GatherND"};

/// Operators of ONNX Runtime that read files, or run code that isn't its own.
constexpr std::array<std::string_view, 5> kOutside{"EPContext", "PythonOp", "PythonOpGrad", "ATen",
                                                   "TritonOp"};

/// Domains whose operators ONNX Runtime brings; those of the network's own functions are added to them.
constexpr std::array<std::string_view, 8> kDomains{"",
                                                   "ai.onnx",
                                                   "ai.onnx.ml",
                                                   "ai.onnx.preview",
                                                   "ai.onnx.preview.training",
                                                   "ai.onnx.training",
                                                   "com.microsoft",
                                                   "com.microsoft.nchwc"};

template <std::size_t n>
bool among(const std::array<std::string_view, n>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string full_name(std::string_view domain, std::string_view name) {
  return std::string(domain) + (domain.empty() ? "" : ".") + std::string(name);
}

class Walk {
 public:
  Walk(const std::string& subject, std::string_view file) : subject_(subject), file_(file) {}

  Contents run() {
    open_.push_back({Message::model, file_.size()});
    while (!open_.empty()) {
      if (at_ == open_.back().end) {
        close();
      } else {
        read_field();
      }
    }
    for (const auto& [domain, name] : unknown_) {
      if (contents_.foreign_operator.empty() && !functions_.contains(domain)) {
        contents_.foreign_operator = full_name(domain, name);
      }
    }
    return std::move(contents_);
  }

 private:
  /// A message that the walk is in. What protobuf gives twice counts as it ends: the last one holds.
  struct Open {
    Message kind;
    std::size_t end;
    std::string_view name{};      ///< of an operator
    std::string_view domain{};    ///< of an operator or function
    std::string_view key{};       ///< of an entry
    std::string_view value{};     ///< of an entry
    bool outside = false;         ///< whether a tensor's values lie elsewhere
    std::string_view location{};  ///< and where
    std::uint64_t offset = 0;     ///< of that
    std::uint64_t length = 0;
  };

  [[noreturn]] void fail(const std::string& why) const {
    throw ModelError(subject_ + ": expected an ONNX model, got " + why + " at byte " + std::to_string(at_) +
                     "; the file is damaged, cut short, or of another kind");
  }

  std::uint64_t read_varint(std::size_t longest) {
    const std::size_t end = open_.back().end;
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < longest; ++i) {
      if (at_ == end) fail("a number cut short");
      const auto byte = static_cast<unsigned char>(file_[at_++]);
      value |= std::uint64_t{byte & 0x7FU} << (7 * i);
      if (byte < 0x80) return value;
    }
    fail("a number that is too long");
  }

  void skip(std::size_t n) {
    if (n > open_.back().end - at_) fail("a field longer than what it lies in");
    at_ += n;
  }

  std::string_view read_bytes() {
    const std::uint64_t n = read_varint(10);
    if (n > open_.back().end - at_) fail("a field longer than what it lies in");
    at_ += static_cast<std::size_t>(n);
    return file_.substr(at_ - static_cast<std::size_t>(n), static_cast<std::size_t>(n));
  }

  void read_field() {
    constexpr std::uint64_t kLook = 1 << 16;
    if (++n_fields_ % kLook == 0) check_interrupt();
    const auto tag = static_cast<std::uint32_t>(read_varint(5));  // protobuf drops what is above 32 bits
    const std::uint32_t number = tag >> 3;
    const auto wire = static_cast<Wire>(tag & 7);
    if (number == 0) fail("a field without a number");
    const Rule* rule = rule_of(open_.back().kind, number);
    // Protobuf takes a field of another wire type for an unknown one; no exporter writes that.
    const bool fits = rule == nullptr || rule->field == Field::weights ||
                      (rule->field == Field::location ? wire == Wire::varint : wire == Wire::bytes);
    if (!fits) fail("a field of another type");
    const std::size_t start = at_;
    switch (wire) {
      case Wire::varint: {
        const auto value = static_cast<std::uint32_t>(read_varint(10));  // all that an enum keeps
        if (rule != nullptr && rule->field == Field::location && value != 0) note_outside();
        break;
      }
      case Wire::fixed64:
        skip(8);
        break;
      case Wire::fixed32:
        skip(4);
        break;
      case Wire::bytes:
        if (rule != nullptr && rule->field == Field::message) return enter(rule->enter);
        read_text(rule, read_bytes());
        break;
      default:
        fail("a group, or a field of no known type");
    }
    if (rule != nullptr && rule->field == Field::weights) contents_.weight_bytes += at_ - start;
  }

  void enter(Message kind) {
    const std::uint64_t n = read_varint(10);
    if (n > open_.back().end - at_) fail("a message longer than what it lies in");
    if (open_.size() >= kDeepest) fail("more than " + std::to_string(kDeepest) + " messages in one another");
    if (kind == Message::entry) note_outside();
    if (kind == Message::function) function_depth_ = open_.size();
    if (kind == Message::sparse_tensor && function_depth_ > 0) contents_.sparse_in_function = true;
    open_.push_back({kind, at_ + static_cast<std::size_t>(n)});
  }

  /// Called in a tensor whose values lie outside.
  void note_outside() {
    const bool own = open_.size() == kInGraph && open_[1].kind == Message::graph;
    contents_.external = true;
    open_.back().outside = true;
    contents_.hidden_external = contents_.hidden_external || !own || open_[2].kind != Message::tensor;
  }

  void read_text(const Rule* rule, std::string_view text) {
    if (rule == nullptr) return;
    Open& open = open_.back();
    if (rule->field == Field::op_type) open.name = text;
    if (rule->field == Field::domain || rule->field == Field::function_domain) open.domain = text;
    if (rule->field == Field::output) add_tensor(text);
    if (rule->field == Field::key) open.key = text;
    if (rule->field == Field::value) open.value = text;
  }

  void close() {
    const Open& open = open_.back();
    if (open.kind == Message::node) close_node(open);
    if (open.kind == Message::function) {
      insert(functions_, open.domain);
      function_depth_ = 0;
    }
    if (open.kind == Message::entry) close_entry(open);
    if (open.kind == Message::tensor && open.outside) close_outside(open);
    open_.pop_back();
  }

  void close_entry(const Open& entry) {
    Open& tensor = open_[open_.size() - 2];
    if (entry.key == "location") {
      tensor.location = entry.value;
      extend(entry.value, 0);  // each place that is named, whichever holds
    }
    if (entry.key == "offset") tensor.offset = number_in(entry.value);
    if (entry.key == "length") tensor.length = number_in(entry.value);
  }

  std::uint64_t number_in(std::string_view text) const {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size() || number > kFurthest) {
      fail("an offset or a length of weights that is no number");
    }
    return number;
  }

  void close_outside(const Open& tensor) {
    if (tensor.location.empty()) {
      contents_.hidden_external = true;
    } else {
      extend(tensor.location, tensor.offset + tensor.length);
      if (tensor.length == 0) contents_.open_ended.emplace(tensor.location);
    }
  }

  void extend(std::string_view location, std::uint64_t end) {
    const auto place = contents_.locations.find(std::string(location));
    if (place != contents_.locations.end()) {
      place->second = std::max(place->second, end);
      return;
    }
    check_name(location, contents_.locations.size());
    contents_.locations.emplace(location, end);
  }

  void add_tensor(std::string_view name) {
    constexpr std::size_t kMostTensors = std::size_t{1} << 20;
    const bool own = open_.size() == kInGraph && open_[1].kind == Message::graph;
    if (own && !name.empty() && contents_.tensors.size() < kMostTensors) contents_.tensors.emplace_back(name);
  }

  void close_node(const Open& node) {
    if (among(kLooping, node.name)) contents_.loops = true;
    if (among(kOutside, node.name) && contents_.foreign_operator.empty()) {
      contents_.foreign_operator = full_name(node.domain, node.name);
    }
    if (among(kDomains, node.domain) || unknown_domains_.contains(std::string(node.domain))) return;
    insert(unknown_domains_, node.domain);
    unknown_.emplace_back(node.domain, node.name);
  }

  void insert(std::set<std::string>& names, std::string_view name) const {
    check_name(name, names.size());
    names.emplace(name);
  }

  void check_name(std::string_view name, std::size_t n_names) const {
    constexpr std::size_t kLongestName = 4096;
    if (name.size() > kLongestName || n_names >= kMostNames) {
      fail("more than " + std::to_string(kMostNames) + " domains or files, or longer names");
    }
  }

  const std::string& subject_;
  std::string_view file_;
  std::size_t at_ = 0;
  std::uint64_t n_fields_ = 0;
  std::size_t function_depth_ = 0;  ///< 0: in no function; functions hold no others
  std::vector<Open> open_;
  std::set<std::string> functions_;                           ///< domains of the network's own functions
  std::set<std::string> unknown_domains_;                     ///< of its operators
  std::vector<std::pair<std::string, std::string>> unknown_;  ///< each with its first operator
  Contents contents_;
};

}  // namespace

Contents walk(const std::string& subject, std::string_view file) {
  if (file.size() > kLongest) {
    throw ModelError(subject + ": expected a file below 2 GiB, got " + std::to_string(file.size()) +
                     " bytes; export it with smaller weights");
  }
  // ONNX Runtime's own format begins so, which may also be read as protobuf.
  if (file.size() >= 8 && file.substr(4, 4) == "ORTM") {
    throw ModelError(subject +
                     ": expected an ONNX model, got ONNX Runtime's own format; give the .onnx file "
                     "that it was made from");
  }
  return Walk(subject, file).run();
}

}  // namespace fastaudio::onnx
