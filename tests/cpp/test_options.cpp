#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>
#include <utility>

#include "helpers.hpp"
#include "nodes/all.hpp"
#include "nodes/list.hpp"

using namespace fastaudio;
using namespace fastaudio::test;

namespace {

template <class T>
struct Unwrapped {
  using type = T;
};
template <class T>
struct Unwrapped<std::optional<T>> {
  using type = T;
};

template <class F>
void for_each_node(F&& f) {
  std::apply([&](auto... node) { (f(node), ...); }, AllNodes{});
}

/// The message of a node made with `value` as one of its options.
template <class T, class FieldType, class Value>
std::string refusal(const FieldType& field, const Value& value) {
  typename T::Options options;
  options.*field.member = value;
  return message_of<ValueError>([&] { T node(options); });
}

using Mel = MelSpectrogram::Options;

/// Values just outside a range, of the option's own type.
template <class Value>
std::vector<Value> outside(const Range& range) {
  if constexpr (std::is_integral_v<Value>) {
    return {static_cast<Value>(range.min - 1), static_cast<Value>(range.max + 1)};
  } else {
    return {std::nextafter(range.min, -INFINITY), std::nextafter(range.max, INFINITY), NAN, INFINITY};
  }
}

/// A list of numbers as an option, longer than a diagram is wide.
struct OfNumbers final : NodeOf<OfNumbers> {
  static constexpr const char* name = "OfNumbers";
  struct Options {
    std::vector<double> values;
    static constexpr auto fields() {
      return std::tuple{Field{"values", &Options::values, Range{0, 1}, "", "Numbers.", Place::positional}};
    }
  };
  using NodeOf::NodeOf;
  std::vector<Output> describe(const StreamSpec& input) const override { return {{"", input}}; }
  std::unique_ptr<Stream> open(const StreamSpec&) const override { return nullptr; }
};

}  // namespace

TEST_CASE("options: one outside its range is told in full") {
  CHECK(message_of<ValueError>([] { MelSpectrogram node(Mel{{.hop_length = -3}}); }) ==
        "MelSpectrogram: expected hop_length in [1, 65536] samples, got -3");
  CHECK(message_of<ValueError>([] { MelSpectrogram node(Mel{{.window_at = "end"}}); }) ==
        "MelSpectrogram: expected window_at as one of 'middle', 'start', got 'end'");
  CHECK(message_of<ValueError>([] { Log node({.floor = 0}); }) ==
        "Log: expected floor in [1e-37, 1e+30], got 0.0");
  CHECK(message_of<ValueError>([] { Log node({.scale = NAN}); }) ==
        "Log: expected scale in [1e-30, 1e+30], got nan");
  CHECK(message_of<ValueError>([] { Mono node({.channels = 0}); }) ==
        "Mono: expected channels in [1, 1024], got 0");
  CHECK(message_of<ValueError>([] { check_options("N", OfNumbers::Options{{0.5, 1.5}}); }) ==
        "N: expected values in [0, 1], got 1.5");
}

TEST_CASE("options: one that contradicts another is told") {
  CHECK(message_of<ValueError>([] { MelSpectrogram node(Mel{{.n_fft = 400, .win_length = 401}}); }) ==
        "MelSpectrogram: expected win_length in [1, 400] samples (n_fft), got 401");
  CHECK(message_of<ValueError>([] { MelSpectrogram node(Mel{{.sample_rate = 16000}, 128, 0, 8000.5}); }) ==
        "MelSpectrogram: expected f_max in [0, 8000] Hz (sample_rate / 2), got 8000.5");
  CHECK(message_of<ValueError>([] { MelSpectrogram node(Mel{{}, 128, 500, 500.0}); }) ==
        "MelSpectrogram: expected f_min below f_max = 500.0 Hz, got 500.0");
  CHECK(message_of<ValueError>([] { MelSpectrogram node(Mel{{.n_fft = 128}, 66}); }) ==
        "MelSpectrogram: expected n_mels in [1, 65] bands (n_fft / 2 + 1), got 66");
  CHECK(message_of<ValueError>([] { Mono node({.channels = 2, .channel = 2}); }) ==
        "Mono: expected channel below 2, got 2");
  CHECK(message_of<ValueError>([] { Tags node({{"a", "b", "a"}}); }) ==
        "Tags: expected different labels, got 'a' twice");
}

TEST_CASE("options: every option of every node just outside its range is refused") {
  int refused = 0;
  for_each_node([&]<class T>(std::type_identity<T>) {
    for_each_field<typename T::Options>([&](const auto& field) {
      using Member = std::remove_cvref_t<decltype(std::declval<typename T::Options>().*field.member)>;
      using Value = typename Unwrapped<Member>::type;
      const std::string subject = std::string(T::name) + ": expected " + field.name + " ";
      CAPTURE(subject);
      if constexpr (std::is_arithmetic_v<Value> && !std::is_same_v<Value, bool>) {
        REQUIRE(field.range.has_value());
        for (const Value value : outside<Value>(*field.range)) {
          CHECK(refusal<T>(field, value).starts_with(subject + "in ["));
          ++refused;
        }
      } else if constexpr (std::is_same_v<Value, std::vector<double>>) {
        REQUIRE(field.range.has_value());
        for (const double value : outside<double>(*field.range)) {
          CHECK(refusal<T>(field, Value{field.range->min, value}).starts_with(subject + "in ["));
          ++refused;
        }
      } else if constexpr (std::is_same_v<Value, std::string>) {
        if (field.choices.names.empty()) return;
        for (const char* value : {"", "no such", "hann hamming"}) {
          CHECK(refusal<T>(field, value).starts_with(subject + "as one of '"));
          ++refused;
        }
      }
    });
  });
  CHECK(refused > 50);
}

TEST_CASE("repr: says what isn't default and what always matters") {
  CHECK(Patches({}).repr() == "Patches(length=187)");
  CHECK(MelSpectrogram(Mel{}).repr() == "MelSpectrogram()");
  CHECK(MelSpectrogram(Mel{{.sample_rate = 16000, .win_length = 400, .center = false}, 128, 0, 7600.0})
            .repr() == "MelSpectrogram(sample_rate=16000, win_length=400, center=False, f_max=7600.0)");
  CHECK(Log({.kind = "log10", .scale = 1e4, .floor = 1e-12}).repr() ==
        "Log(kind='log10', scale=10000.0, floor=1e-12)");
  CHECK(Tags({{"guitar", "it's", "a\\b", "new\nline"}}).repr() ==
        R"(Tags(['guitar', 'it\'s', 'a\\b', 'new\x0aline']))");
  CHECK(Mean().repr() == "Mean()");
}

TEST_CASE("repr: a long one is cut for diagrams") {
  const MelSpectrogram node(Mel{{.sample_rate = 16000, .n_fft = 512, .hop_length = 256}, 96});
  CHECK(node.summary() == "MelSpectrogram(sample_rate=16000, ...)");
  CHECK(Tags({{"a", "b"}}).summary() == "Tags(2 labels)");
  CHECK(OfNumbers({std::vector<double>(20, 0.25)}).summary() == "OfNumbers(...)");
}

TEST_CASE("repr: doubles come back to the last bit") {
  std::mt19937_64 random(30);
  for (int i = 0; i < 20000; ++i) {
    const std::uint64_t bits = random();
    double value = 0;
    std::memcpy(&value, &bits, sizeof value);
    if (!std::isfinite(value)) continue;
    const std::string text = format(value);
    REQUIRE(std::strtod(text.c_str(), nullptr) == value);
    // What Python reads as a float, not as an int.
    REQUIRE(text.find_first_of(".e") != std::string::npos);
  }
  CHECK(format(0.1) == "0.1");
  CHECK(format(-0.0) == "-0.0");
  CHECK(format(16000.0) == "16000.0");
  CHECK(format(std::numeric_limits<double>::denorm_min()) == "5e-324");
  CHECK(format(std::vector<double>{0.4, -2, 1e-7}) == "[0.4, -2.0, 1e-07]");
  CHECK(format(std::optional<std::vector<double>>{}) == "None");
}
