#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>

#include "dsp/kernels.hpp"
#include "helpers.hpp"

using namespace fastaudio;
using namespace fastaudio::test;

TEST_CASE("samples: downmix is the mean of the channels") {
  Random random(11);
  for (int channels = 1; channels <= 9; ++channels) {
    for (const std::size_t n : {0u, 1u, 2u, 17u, 64u, 101u}) {
      CAPTURE(channels);
      CAPTURE(n);
      const auto width = static_cast<std::size_t>(channels);
      const Floats x = random.samples(n * width);
      Floats want(n);
      for (std::size_t i = 0; i < n; ++i) {
        double total = 0;
        for (std::size_t c = 0; c < width; ++c) total += x[i * width + c];
        want[i] = static_cast<float>(total / channels);
      }
      Floats got(n + 1, -7.0f);
      dsp::kernels().downmix(x.data(), n, channels, got.data());
      CHECK(got.back() == -7.0f);
      got.pop_back();
      CHECK(largest_difference(got, want) < 3e-7);
    }
  }
}

TEST_CASE("samples: every int16 is an exact share of full scale") {
  std::vector<std::int16_t> in;
  Floats want;
  for (int value = -32768; value <= 32767; ++value) {
    in.push_back(static_cast<std::int16_t>(value));
    want.push_back(static_cast<float>(value / 32768.0));
  }
  want.push_back(-7.0f);  // as many are written as were asked for
  Floats out(want.size(), -7.0f);
  dsp::kernels().from_int16(in.data(), in.size(), out.data());
  CHECK(same_bits(out, want));
}

TEST_CASE("samples: the first bad one is found wherever it is") {
  constexpr float kInfinite = std::numeric_limits<float>::infinity();
  const float bad[] = {std::nanf(""),
                       -std::nanf(""),
                       kInfinite,
                       -kInfinite,
                       std::nextafter(dsp::kLargestSample, kInfinite),
                       -2 * dsp::kLargestSample};
  for (const std::size_t n : {1u, 2u, 15u, 64u, 1023u, 1024u, 1025u, 3001u}) {
    CAPTURE(n);
    Floats x = Random(14).samples(n);
    x[n / 2] = dsp::kLargestSample;
    x[n / 3] = -dsp::kLargestSample;
    CHECK(dsp::kernels().find_bad(x.data(), n) == n);
    for (const std::size_t at : {std::size_t{0}, n / 2, n - 1}) {
      for (const float value : bad) {
        Floats spoilt = x;
        spoilt.back() = value;  // a later one doesn't hide it
        spoilt[at] = value;
        CHECK(dsp::kernels().find_bad(spoilt.data(), n) == at);
      }
    }
  }
  CHECK(dsp::kernels().find_bad(nullptr, 0) == 0);
}
