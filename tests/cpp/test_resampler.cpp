#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "dsp/resampler.hpp"
#include "helpers.hpp"
#include "nodes/resample.hpp"

using namespace fastaudio;
using namespace fastaudio::test;

namespace {

struct Rates {
  int input;
  int output;
};

/// Exact ratios, irreducible ones that interpolate between phases, both directions, and equal rates.
constexpr Rates kRates[] = {{44100, 16000}, {48000, 16000}, {16000, 48000},  {22050, 44100}, {11127, 16000},
                            {44100, 11127}, {96000, 8000},  {192000, 11025}, {16000, 16000}, {16000, 44100},
                            {41603, 16000}, {44100, 22050}, {24000, 16000},  {96000, 16000}};
constexpr const char* kQualities[] = {"fast", "high", "best"};

Floats resampled(const Rates& rates, const Floats& x, const std::string& quality = "high",
                 const std::vector<std::size_t>& pieces = {}) {
  const auto node = std::make_shared<Resample>(Resample::Options{rates.input, rates.output, quality});
  return run(*node, StreamSpec::samples(rates.input), x, pieces);
}

Floats tone(double frequency_hz, int rate, std::size_t n) {
  Floats x(n);
  for (std::size_t i = 0; i < n; ++i) {
    x[i] = static_cast<float>(std::sin(2 * std::numbers::pi * frequency_hz * static_cast<double>(i) / rate));
  }
  return x;
}

/// Leaves out both ends, where the filter sees silence.
double middle_difference(const Floats& a, const Floats& b) {
  const auto middle = [](const Floats& x) {
    const auto quarter = static_cast<std::ptrdiff_t>(x.size() / 4);
    return Floats(x.begin() + quarter, x.end() - quarter);
  };
  return largest_difference(middle(a), middle(b));
}

/// Pass-band ripple as promised by the stop band, with room for rounding to float.
double tolerance(const std::string& quality) { return quality == "fast" ? 2e-3 : 3e-5; }

}  // namespace

TEST_CASE("resampler: any chunking gives the same samples bit for bit") {
  Random random(20);
  for (const Rates& rates : kRates) {
    for (const std::size_t n : {1u, 2u, 500u, 20000u, 50000u}) {
      CAPTURE(rates.input);
      CAPTURE(rates.output);
      CAPTURE(n);
      const Floats x = random.samples(n);
      const Floats whole = resampled(rates, x);
      for (const int largest : {3, 441, 20000}) {
        CHECK(same_bits(resampled(rates, x, "high", random.pieces(n, largest)), whole));
      }
    }
  }
}

TEST_CASE("resampler: as many samples as the duration asks for") {
  for (const Rates& rates : kRates) {
    for (const std::size_t n : {0u, 1u, 2u, 3u, 159u, 160u, 161u, 44099u, 44101u}) {
      CAPTURE(rates.input);
      CAPTURE(rates.output);
      CAPTURE(n);
      const auto in = static_cast<std::size_t>(rates.input);
      const std::size_t want = (n * static_cast<std::size_t>(rates.output) + in - 1) / in;
      CHECK(resampled(rates, Floats(n, 0.5f)).size() == want);
    }
  }
}

TEST_CASE("resampler: a constant stays constant") {
  for (const Rates& rates : kRates) {
    for (const char* quality : kQualities) {
      CAPTURE(rates.input);
      CAPTURE(rates.output);
      CAPTURE(quality);
      const Floats y = resampled(rates, Floats(40000, 0.75f), quality);
      // -120 dB, what the stop band of `best` leaves; hundreds of taps are rounded to float.
      CHECK(middle_difference(y, Floats(y.size(), 0.75f)) < 2e-6);
    }
  }
}

TEST_CASE("resampler: a tone in the pass band keeps its height and time") {
  for (const Rates& rates : kRates) {
    for (const char* quality : kQualities) {
      for (const double share : {0.1, 0.5, 0.75}) {
        CAPTURE(rates.input);
        CAPTURE(rates.output);
        CAPTURE(quality);
        CAPTURE(share);
        const double frequency_hz = share * std::min(rates.input, rates.output) / 2;
        const Floats y = resampled(rates, tone(frequency_hz, rates.input, 30000), quality);
        CHECK(middle_difference(y, tone(frequency_hz, rates.output, y.size())) < tolerance(quality));
      }
    }
  }
}

TEST_CASE("resampler: nothing above the new Nyquist frequency folds back") {
  for (const Rates& rates : kRates) {
    if (rates.output >= rates.input) continue;
    for (const char* quality : kQualities) {
      for (const double share : {1.02, 1.3}) {
        CAPTURE(rates.input);
        CAPTURE(rates.output);
        CAPTURE(quality);
        CAPTURE(share);
        const double frequency_hz = std::min(share * rates.output, 0.99 * rates.input) / 2;
        const Floats y = resampled(rates, tone(frequency_hz, rates.input, 40000), quality);
        CHECK(middle_difference(y, Floats(y.size(), 0.0f)) < tolerance(quality));
      }
    }
  }
}

TEST_CASE("resampler: an output comes out within the latency told") {
  for (const Rates& rates : kRates) {
    for (const char* quality : kQualities) {
      CAPTURE(rates.input);
      CAPTURE(rates.output);
      CAPTURE(quality);
      const auto node = std::make_shared<Resample>(Resample::Options{rates.input, rates.output, quality});
      const StreamSpec input = StreamSpec::samples(rates.input);
      const double latency_s = node->outputs(input).front().spec.latency_s;
      Collector collected(*node, input);
      const auto stream = node->open(input);
      const Floats x = Random(22).samples(3000);
      double worst_s = 0;
      for (std::size_t i = 0; i < x.size(); ++i) {
        const std::size_t k = collected.outputs.front().size();
        stream->push(&x[i], 1, collected);
        if (collected.outputs.front().size() == k) continue;
        const double now_s = static_cast<double>(i + 1) / rates.input;
        worst_s = std::max(worst_s, now_s - static_cast<double>(k) / rates.output);
      }
      CHECK(worst_s <= latency_s + 1e-9);
      // No more is told than whole samples ask for, of those that the halvings leave.
      const double step = std::max(1.0, static_cast<double>(rates.input) / rates.output);
      CHECK(worst_s > latency_s - step / rates.input);
    }
  }
}

TEST_CASE("resampler: the kernels have room for the longest filters") {
  // Just below the ratio from which the rate is halved first, and at it.
  for (const Rates& rates : {Rates{39999, 16000}, {40000, 16000}, {47999, 19200}, {48000, 19200}}) {
    for (const char* quality : kQualities) {
      CAPTURE(rates.input);
      CAPTURE(quality);
      const dsp::ResamplerTable table(rates.input, rates.output, quality);
      CHECK(table.low_pass().n_side <= dsp::LowPassPlan::kMaxSide);
      for (const auto& plan : table.halvings()) CHECK(plan.n_side <= dsp::HalvePlan::kMaxSide);
    }
  }
}

TEST_CASE("resampler: sound that is lost in rounding has the same signs of zero for any chunking") {
  Floats x = Random(23).samples(3000);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] *= i % 50 == 0 ? 1e-42f : 0.0f;
  for (const Rates& rates : {Rates{100, 150}, {16000, 44100}, {44100, 16000}, {11127, 16000}}) {
    for (const char* quality : kQualities) {
      CAPTURE(rates.input);
      CAPTURE(quality);
      const std::vector<std::size_t> one_by_one(x.size(), 1);
      CHECK(same_bits(resampled(rates, x, quality), resampled(rates, x, quality, one_by_one)));
    }
  }
}

TEST_CASE("resampler: equal rates change nothing") {
  const Floats x = Random(21).samples(1234);
  CHECK(same_bits(resampled({16000, 16000}, x), x));
}

TEST_CASE("resampler: another input rate is refused") {
  const auto node = std::make_shared<Resample>(Resample::Options{44100, 16000, "high"});
  CHECK(message_of<ValueError>([&] { node->open(StreamSpec::samples(48000)); }) ==
        "Resample: expected samples [44100 Hz], got samples [48000 Hz]; resample first");
}
