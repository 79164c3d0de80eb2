#include <doctest/doctest.h>

#include <cfloat>
#include <cmath>
#include <cstdlib>
#include <string>

#include "dsp/kernels.hpp"
#include "helpers.hpp"
#include "nodes/mel_spectrogram.hpp"
#include "spectra.hpp"

namespace fastaudio::dsp::FASTAUDIO_BASE_ISA {
extern const Kernels table;  // which every processor runs
}

using namespace fastaudio;
using namespace fastaudio::test;

namespace {

/// Positive floats over the whole range: every power of two, its neighbours, and some between.
Floats positive_floats() {
  Floats x{FLT_MIN, 1.0f, FLT_MAX, std::nextafter(1.0f, 0.0f), std::nextafter(1.0f, 2.0f)};
  Random random(10);
  for (int e = -126; e <= 127; ++e) {
    const float power = std::ldexp(1.0f, e);
    x.push_back(power);
    x.push_back(std::nextafter(power, FLT_MAX));
    x.push_back(std::max(FLT_MIN, std::nextafter(power, 0.0f)));
    x.push_back(power * 1.41421354f);  // on both sides of the square root of two,
    x.push_back(power * 1.41421366f);  // where the exponent is rounded up
    for (int i = 0; i < 60; ++i) x.push_back(power * (1.5f + 0.49f * random.sample()));
  }
  return x;
}

Floats log_of(const dsp::LogPlan& plan, const Floats& x) {
  Floats y(x.size());
  dsp::kernels().log(plan, x.data(), y.data(), x.size());
  return y;
}

Floats rows_of(const dsp::Kernels& kernels, const dsp::SpectrumPlan& plan, const dsp::FilterPlan& filter,
               const Floats& x, int hop, int n_rows) {
  Floats rows;
  for (int t = 0; t < n_rows; t += kernels.lanes) {
    const int count = std::min(kernels.lanes, n_rows - t);
    const Floats more = spectrum_rows(kernels, plan, filter, x.data() + t * hop, hop, count);
    rows.insert(rows.end(), more.begin(), more.end());
  }
  return rows;
}

}  // namespace

TEST_CASE("kernels: the environment chooses the instruction set") {
  const char* wanted = std::getenv("FASTAUDIO_ISA");
  if (wanted != nullptr && *wanted != '\0') CHECK(dsp::kernels().isa == std::string(wanted));
  CHECK(dsp::kernels().lanes >= dsp::FASTAUDIO_BASE_ISA::table.lanes);
}

TEST_CASE("kernels: log equals the standard library's over the whole range") {
  const Floats x = positive_floats();
  const Floats y = log_of({}, x);
  int wrong = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double want = std::log(double{x[i]});
    if (std::abs(y[i] - want) <= 2.5e-7 * std::abs(want)) continue;  // two ulps, next to 1 as well
    CAPTURE(x[i]);
    CHECK(y[i] == want);
    if (++wrong == 5) return;
  }
}

TEST_CASE("kernels: log takes scale and offset and floor and gain and bias") {
  const dsp::LogPlan plan{10000, 1, 1e-3f, 0.5f, -2};
  for (const float x : {0.0f, 1e-4f, 1.0f, 123.0f}) {
    const double want = 0.5 * std::log(1e4 * x + 1) - 2;
    CHECK(log_of(plan, {x}).front() == doctest::Approx(want).epsilon(1e-6));
  }
  const double floor = 0.5 * std::log(1e-3) - 2;
  CHECK(log_of(plan, {-5.0f}).front() == doctest::Approx(floor).epsilon(1e-6));
}

TEST_CASE("kernels: log is finite whatever comes in") {
  const dsp::LogPlan plan{1, 0, 1e-10f, 1, 0};
  for (const float x : {0.0f, -0.0f, -1.0f, FLT_MAX, -FLT_MAX, 1e-45f, INFINITY, -INFINITY, NAN}) {
    CAPTURE(x);
    CHECK(std::isfinite(log_of(plan, {x}).front()));
  }
}

TEST_CASE("kernels: log of a value doesn't depend on its place") {
  const auto longest = static_cast<std::size_t>(3 * dsp::kernels().lanes + 1);
  Floats x = positive_floats();
  x.resize(longest);
  const Floats all = log_of({}, x);
  for (std::size_t first = 0; first < longest; ++first) {
    for (std::size_t n = 0; first + n <= longest; ++n) {
      const auto from = static_cast<std::ptrdiff_t>(first);
      const auto to = static_cast<std::ptrdiff_t>(first + n);
      // Exactly `n` values are written, also in place.
      Floats part(x.begin() + from, x.begin() + to);
      part.push_back(-1.0f);
      dsp::kernels().log({}, part.data(), part.data(), n);
      Floats want(all.begin() + from, all.begin() + to);
      want.push_back(-1.0f);
      REQUIRE(same_bits(part, want));
    }
  }
}

TEST_CASE("kernels: power is an exponent of the magnitude") {
  const Floats x = Random(12).samples(512);
  const MelSpectrogram node({{.sample_rate = 16000, .n_fft = 512}, 20});
  const auto rows = [&](float power) {
    dsp::SpectrumPlan plan = node.plan();
    plan.power = power;
    return spectrum_rows(dsp::kernels(), plan, {}, x.data(), 512, 1);
  };
  const Floats square = rows(2);
  REQUIRE(square.size() == 257);
  for (const float power : {1.0f, 0.5f, 3.0f}) {
    const Floats raised = rows(power);
    for (std::size_t k = 0; k < square.size(); ++k) {
      const double want = std::pow(square[k], power / 2);
      CHECK(raised[k] == doctest::Approx(want).epsilon(1e-6));
    }
  }
}

TEST_CASE("kernels: every instruction set agrees with the baseline") {
  const dsp::Kernels& base = dsp::FASTAUDIO_BASE_ISA::table;
  const dsp::Kernels& chosen = dsp::kernels();
  for (const int n_fft : {400, 441, 512, 1103, 2048}) {
    CAPTURE(n_fft);
    const MelSpectrogram node({{.sample_rate = 16000, .n_fft = n_fft, .hop_length = 160}, 96});
    const Floats x = Random(13).samples(static_cast<std::size_t>(n_fft + 160 * 36));
    const Floats want = rows_of(base, node.plan(), node.filter(), x, 160, 37);
    const double largest = *std::max_element(want.begin(), want.end());
    const Floats got = rows_of(chosen, node.plan(), node.filter(), x, 160, 37);
    CHECK(largest_difference(got, want) < 3e-6 * largest);
  }
  const Floats x = positive_floats();
  Floats want(x.size());
  base.log({}, x.data(), want.data(), x.size());
  CHECK(largest_difference(log_of({}, x), want) < 1e-5);  // of values to 88: an ulp is 7.6e-6
}
