#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "dsp/harmonic_filterbank.hpp"
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
  for (const char* name :
       {"hann_symmetric", "hamming_symmetric", "blackman_symmetric", "povey_symmetric", "kaiser_symmetric"}) {
    for (const int n : {1, 2, 7, 8, 401}) {
      CAPTURE(name);
      CAPTURE(n);
      const auto window = dsp::make_window(name, n, n);
      const std::size_t last = window.size() - 1;
      for (std::size_t i = 0; i <= last; ++i) CHECK(window[i] == Approx(window[last - i]).epsilon(1e-6));
    }
  }
}

TEST_CASE("window: povey and kaiser have their formulas' values") {
  const auto povey = dsp::make_window("povey_symmetric", 5, 5);
  const double quarter = std::pow(0.5, 0.85);
  const double want[] = {0, quarter, 1, quarter, 0};
  for (std::size_t i = 0; i < 5; ++i) CHECK(povey[i] == Approx(want[i]).epsilon(1e-7));
  // I0(0) / I0(beta), and I0(beta sqrt(3) / 2) / I0(beta), from tables of the modified Bessel function.
  const auto kaiser = dsp::make_window("kaiser_symmetric", 5, 5, false, 4);
  CHECK(kaiser[0] == Approx(1 / 11.30192195).epsilon(1e-7));
  CHECK(kaiser[1] == Approx(7.158996537 / 11.30192195).epsilon(1e-7));
  CHECK(kaiser[2] == 1.0f);
  CHECK(dsp::make_window("kaiser", 4, 4, false, 0) == Floats{1, 1, 1, 1});
}

TEST_CASE("window: a short one lies in the middle of zeros, or at their start") {
  CHECK(dsp::make_window("rectangular", 3, 6, true) == Floats{1, 1, 1, 0, 0, 0});
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
  constexpr int kBands = 40;
  constexpr int kFft = 512;
  for (const std::string scale : {"slaney", "htk"}) {
    for (const std::string norm : {"none", "slaney", "unit_sum"}) {
      for (const bool linear_in_mel : {false, true}) {
        CAPTURE(scale);
        CAPTURE(norm);
        CAPTURE(linear_in_mel);
        const auto bank =
            dsp::make_mel_filterbank({16000, kFft, kBands, 60, 7600, scale, norm, linear_in_mel});
        REQUIRE(bank.first.size() == kBands);
        REQUIRE(bank.offset.size() == kBands + 1);
        const double low = dsp::hz_to_mel(60, scale);
        const double high = dsp::hz_to_mel(7600, scale);
        const auto mel = [&](int i) { return low + (high - low) * i / (kBands + 1); };
        const auto hz = [&](int i) { return dsp::mel_to_hz(mel(i), scale); };
        const auto corner = [&](int i) { return linear_in_mel ? mel(i) : hz(i); };
        for (int b = 0; b < kBands; ++b) {
          std::vector<double> want;
          double total = 0;
          for (int k = 0; k <= kFft / 2; ++k) {
            const double f = k * 16000.0 / kFft;
            const double x = linear_in_mel ? dsp::hz_to_mel(f, scale) : f;
            const double rise = (x - corner(b)) / (corner(b + 1) - corner(b));
            const double fall = (corner(b + 2) - x) / (corner(b + 2) - corner(b + 1));
            want.push_back(std::max(0.0, std::min(rise, fall)));
            total += want.back();
          }
          const double gain = norm == "slaney" ? 2 / (hz(b + 2) - hz(b)) : norm == "none" ? 1 : 1 / total;
          const auto at = static_cast<std::size_t>(b);
          for (int k = 0; k <= kFft / 2; ++k) {
            const int column = k - bank.first[at];
            const bool inside = column >= 0 && column < bank.offset[at + 1] - bank.offset[at];
            const auto place = static_cast<std::size_t>(bank.offset[at] + column);
            const float got = inside ? bank.weights[place] : 0.0f;
            const double weight = want[static_cast<std::size_t>(k)];
            REQUIRE(got == Approx(weight > 0 ? gain * weight : 0).epsilon(1e-6));
          }
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

TEST_CASE(
    "filterbank: harmonic bands that an octave makes equal share a sum, which each would have by itself") {
  const std::vector<double> same{1}, apart{1, 1 + 1e-12, 1, 1 + 2e-12, 1, 1 + 3e-12};
  const auto bank = dsp::make_harmonic_filterbank({16000, 512, 6, 2, same});
  const auto alone = dsp::make_harmonic_filterbank({16000, 512, 6, 2, apart});
  CHECK(bank.sum_of.size() == 768);
  CHECK(bank.first.size() == 456);
  CHECK(alone.first.size() == 768);
  CHECK(bank.empty_bands() == alone.empty_bands());
  for (std::size_t b = 0; b < 768; ++b) {
    const auto i = static_cast<std::size_t>(bank.sum_of[b]);
    REQUIRE(bank.first[i] == alone.first[b]);
    REQUIRE(bank.offset[i + 1] - bank.offset[i] == alone.offset[b + 1] - alone.offset[b]);
    for (int k = 0; k < bank.offset[i + 1] - bank.offset[i]; ++k) {
      REQUIRE(bank.weights[static_cast<std::size_t>(bank.offset[i] + k)] ==
              Approx(alone.weights[static_cast<std::size_t>(alone.offset[b] + k)]).epsilon(1e-6).scale(1));
    }
  }
}
