#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "dsp/mel_filterbank.hpp"
#include "dsp/window.hpp"
#include "helpers.hpp"

using namespace fastaudio;
using namespace fastaudio::test;
using doctest::Approx;

TEST_CASE("window: periodic ones continue at their length") {
  const auto hann = dsp::make_window("hann", 8, 8);
  const double quarter = 0.5 - 0.5 * std::cos(std::numbers::pi / 4);
  const double want[] = {0, quarter, 0.5, 1 - quarter, 1, 1 - quarter, 0.5, quarter};
  for (std::size_t i = 0; i < 8; ++i) CHECK(hann[i] == Approx(want[i]).epsilon(1e-7));
  CHECK(dsp::make_window("hamming", 8, 8)[0] == Approx(0.08));
  CHECK(dsp::make_window("hamming", 8, 8)[4] == 1.0f);
  CHECK(dsp::make_window("blackman", 8, 8)[4] == 1.0f);
  CHECK(dsp::make_window("rectangular", 3, 3) == Floats{1, 1, 1});
}

TEST_CASE("window: symmetric ones read the same backwards") {
  for (const char* name : {"hann_symmetric", "hamming_symmetric", "blackman_symmetric"}) {
    for (const int n : {1, 2, 7, 8, 401}) {
      CAPTURE(name);
      CAPTURE(n);
      const auto window = dsp::make_window(name, n, n);
      const std::size_t last = window.size() - 1;
      for (std::size_t i = 0; i <= last; ++i) CHECK(window[i] == Approx(window[last - i]).epsilon(1e-6));
    }
  }
}

TEST_CASE("window: a short one lies in the middle of zeros") {
  CHECK(dsp::make_window("rectangular", 2, 6) == Floats{0, 0, 1, 1, 0, 0});
  CHECK(dsp::make_window("rectangular", 3, 6) == Floats{0, 1, 1, 1, 0, 0});
  CHECK(dsp::make_window("hann", 1, 1).size() == 1);
}

TEST_CASE("mel scale: known points") {
  CHECK(dsp::hz_to_mel(1000, "slaney") == Approx(15));
  CHECK(dsp::hz_to_mel(6400, "slaney") == Approx(42));  // ln(6.4) / 27 a step
  CHECK(dsp::hz_to_mel(200, "slaney") == Approx(3));
  CHECK(dsp::hz_to_mel(1000, "htk") == Approx(999.9855).epsilon(1e-7));
  CHECK(dsp::hz_to_mel(0, "htk") == 0);
}

TEST_CASE("mel scale: there and back") {
  for (const char* scale : {"slaney", "htk"}) {
    for (double hz = 0; hz < 24000; hz += 37.3) {
      CAPTURE(scale);
      CHECK(dsp::mel_to_hz(dsp::hz_to_mel(hz, scale), scale) == Approx(hz).epsilon(1e-10));
    }
  }
}

TEST_CASE("filterbank: weights equal the triangles' definition") {
  for (const char* scale : {"slaney", "htk"}) {
    for (const std::string norm : {"none", "slaney"}) {
      constexpr int kBands = 40;
      constexpr int kFft = 512;
      const auto bank = dsp::make_mel_filterbank({16000, kFft, kBands, 60, 7600, scale, norm, false});
      REQUIRE(bank.first.size() == kBands);
      REQUIRE(bank.offset.size() == kBands + 1);
      const double low = dsp::hz_to_mel(60, scale);
      const double high = dsp::hz_to_mel(7600, scale);
      const auto edge = [&](int i) { return dsp::mel_to_hz(low + (high - low) * i / (kBands + 1), scale); };
      for (int b = 0; b < kBands; ++b) {
        const auto at = static_cast<std::size_t>(b);
        for (int k = 0; k <= kFft / 2; ++k) {
          const double f = k * 16000.0 / kFft;
          const double rise = (f - edge(b)) / (edge(b + 1) - edge(b));
          const double fall = (edge(b + 2) - f) / (edge(b + 2) - edge(b + 1));
          const double gain = norm == "slaney" ? 2 / (edge(b + 2) - edge(b)) : 1;
          const double want = gain * std::max(0.0, std::min(rise, fall));
          const int column = k - bank.first[at];
          const bool inside = column >= 0 && column < bank.offset[at + 1] - bank.offset[at];
          const float got = inside ? bank.weights[static_cast<std::size_t>(bank.offset[at] + column)] : 0.0f;
          REQUIRE(got == Approx(want).epsilon(1e-6));
        }
      }
    }
  }
}

TEST_CASE("filterbank: bands stay within the spectrum") {
  for (const int n_fft : {2, 64, 401, 2048}) {
    for (const int n_mels : {1, 40, 128, 500}) {
      const auto bank = dsp::make_mel_filterbank({22050, n_fft, n_mels, 0, 11025, "slaney", "slaney", false});
      for (std::size_t b = 0; b < bank.first.size(); ++b) {
        const int n = bank.offset[b + 1] - bank.offset[b];
        REQUIRE(n >= 0);
        REQUIRE(bank.first[b] >= 0);
        REQUIRE(bank.first[b] + n <= n_fft / 2 + 1);
      }
      REQUIRE(bank.offset.back() == static_cast<int>(bank.weights.size()));
    }
  }
}

TEST_CASE("filterbank: bands too narrow for a bin are told") {
  const auto fine = dsp::make_mel_filterbank({16000, 2048, 40, 0, 8000, "slaney", "slaney", false});
  CHECK(fine.empty_bands().empty());
  const auto coarse = dsp::make_mel_filterbank({16000, 128, 128, 0, 8000, "htk", "slaney", false});
  const auto empty = coarse.empty_bands();
  CHECK_FALSE(empty.empty());
  for (const int b : empty) {
    const auto at = static_cast<std::size_t>(b);
    CHECK(coarse.offset[at] == coarse.offset[at + 1]);
  }
}
