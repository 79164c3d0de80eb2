/// Options are declared once, as a tuple of Fields; checks, repr and bindings follow from it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/budget.hpp"
#include "core/error.hpp"
#include "core/node.hpp"

namespace fastaudio {

/// The smallest and the largest value allowed.
struct Range {
  double min;
  double max;
};

/// Names allowed, separated by spaces.
struct Choices {
  std::string_view names;
};

/// How an option is passed. `shown` is a keyword that repr states even if it has its default.
enum class Place { keyword, shown, positional };

template <class Options, class T>
struct Field {
  const char* name;
  T Options::* member;
  std::optional<Range> range;
  Choices choices;
  const char* unit;
  const char* doc;
  Place place;

  constexpr Field(const char* n, T Options::* m, Range r, const char* u, const char* d,
                  Place p = Place::keyword)
      : name(n), member(m), range(r), choices{}, unit(u), doc(d), place(p) {}
  constexpr Field(const char* n, T Options::* m, Choices c, const char* d)
      : name(n), member(m), range(), choices(c), unit(""), doc(d), place(Place::keyword) {}
  constexpr Field(const char* n, T Options::* m, const char* d, Place p = Place::keyword)
      : name(n), member(m), range(), choices{}, unit(""), doc(d), place(p) {}
};

/// A value as Python spells it, exact to the last bit.
std::string format(bool value);
std::string format(int value);
std::string format(std::int64_t value);
std::string format(double value);
std::string format(const std::string& value);
std::string format(const std::vector<std::string>& value);
std::string format(const std::vector<double>& value);
std::string format(const std::map<std::string, std::string>& value);
template <class T>
std::string format(const std::optional<T>& value) {
  return value ? format(*value) : "None";
}

/// "[1, 65536] samples"; "one of 'hann', 'hamming'".
std::string format(const Range& range, std::string_view unit);
std::string format(const Choices& choices);

bool contains(const Choices& choices, std::string_view name);

namespace detail {

/// Sets when rows of this locality come out.
void state_latency(std::vector<Output>& outputs, const Locality& near, const StreamSpec& input);

[[noreturn]] void throw_outside(const char* node, const char* field, const std::string& expected,
                                const std::string& got);

template <class FieldType, class T>
void check_value(const char* node, const FieldType& field, const T& value) {
  if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) {
    if (!field.range) return;
    const auto v = static_cast<double>(value);
    if (v >= field.range->min && v <= field.range->max) return;  // false for NaN
    throw_outside(node, field.name, "in " + format(*field.range, field.unit), format(value));
  } else if constexpr (std::is_same_v<T, std::vector<double>>) {
    for (const double item : value) check_value(node, field, item);
  } else if constexpr (std::is_same_v<T, std::string>) {
    if (field.choices.names.empty() || contains(field.choices, value)) return;
    throw_outside(node, field.name, "as " + format(field.choices), format(value));
  }
}

}  // namespace detail

/// Calls f(field) for each field of Options, in order.
template <class Options, class F>
void for_each_field(F&& f) {
  std::apply([&](const auto&... field) { (f(field), ...); }, Options::fields());
}

/// Throws ValueError for the first option outside its range or choices.
template <class Options>
void check_options(const char* node, const Options& options) {
  for_each_field<Options>([&](const auto& field) {
    const auto& value = options.*field.member;
    if constexpr (requires { value.has_value(); }) {
      if (value) detail::check_value(node, field, *value);
    } else {
      detail::check_value(node, field, value);
    }
  });
}

/// "MelSpectrogram(sample_rate=16000, n_fft=512)": the positional and shown options, and those that differ
/// from their default.
template <class Options>
std::string format_options(const char* node, const Options& options) {
  std::string text;
  const Options defaults;
  for_each_field<Options>([&](const auto& field) {
    const auto& value = options.*field.member;
    if (field.place == Place::keyword && value == defaults.*field.member) return;
    if (!text.empty()) text += ", ";
    if (field.place != Place::positional) text += std::string(field.name) + "=";
    text += format(value);
  });
  return std::string(node) + "(" + text + ")";
}

/// For nodes without options.
struct NoOptions {
  static constexpr auto fields() { return std::tuple<>{}; }
};

/// Holds a node's options. `Derived` has `name` and `Options`, and a static `check(options)` if some options
/// rule out others.
template <class Derived>
class Optioned {
 public:
  /// Throws ValueError for options outside their range, or that contradict each other.
  template <class Self = Derived>
  explicit Optioned(typename Self::Options options = {}) : held_(std::make_unique<Held>(std::move(options))) {
    check_options(Derived::name, held_->options);
    if constexpr (requires { Derived::check(held_->options); }) Derived::check(held_->options);
  }

  const auto& options() const { return held_->options; }

 private:
  struct Held;  // holds a type of Derived's, which isn't complete where this class is
  std::unique_ptr<const Held> held_;
};

template <class Derived>
struct Optioned<Derived>::Held {
  explicit Held(typename Derived::Options o) : options(std::move(o)) {}
  typename Derived::Options options;
};

/// Base of every node but composites. It makes its outputs in `describe`; their latency follows from its
/// locality, if it has one.
template <class Derived>
class NodeOf : public Node, public Optioned<Derived> {
 public:
  template <class Self = Derived>
  explicit NodeOf(typename Self::Options options = {}) : Optioned<Derived>(std::move(options)) {}

  std::string repr() const override { return format_options(Derived::name, this->options()); }
  const char* type() const final { return Derived::name; }
  bool has_channels() const final {
    return requires(typename Derived::Options options) { options.channels; };
  }

  /// Outputs for `input`; throws ValueError if it doesn't fit. A node with a locality leaves their latency to
  /// `outputs`; any other node sets it here.
  virtual std::vector<Output> describe(const StreamSpec& input) const = 0;

  std::vector<Output> outputs(const StreamSpec& input) const final {
    const Budget::Building building(!requires { Derived::untimed; });
    auto outputs = describe(input);
    check_build();
    for (const Output& output : outputs) require_countable(Derived::name, output.spec);
    if (const auto near = locality()) detail::state_latency(outputs, *near, input);
    return outputs;
  }
};

}  // namespace fastaudio
