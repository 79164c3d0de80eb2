#include <doctest/doctest.h>

#include <cstdint>

#include "dsp/aligned.hpp"
#include "dsp/kernels.hpp"
#include "helpers.hpp"

using namespace fastaudio;
using namespace fastaudio::test;

TEST_CASE("product: it is the matrix product, and a row's bits don't depend on the rows beside it") {
  Random random(31);
  for (const int n_in : {1, 2, 7, 128}) {
    for (const int n_out : {1, 4, 13, 20, 24, 33, 40, 48, 49, 100}) {
      CAPTURE(n_in);
      CAPTURE(n_out);
      const auto rows_in = static_cast<std::size_t>(n_in);
      const auto rows_out = static_cast<std::size_t>(n_out);
      const auto stride = static_cast<std::size_t>(dsp::MatrixPlan::padded(n_out));
      dsp::AlignedFloats weights(rows_in * stride, 0.0f);
      for (std::size_t m = 0; m < rows_in; ++m) {
        const Floats row = random.samples(rows_out);
        std::copy(row.begin(), row.end(), weights.begin() + static_cast<std::ptrdiff_t>(m * stride));
      }
      const dsp::MatrixPlan plan{n_in, n_out, weights.data()};
      constexpr std::size_t kRows = 11;
      const Floats x = random.samples(kRows * rows_in);
      Floats want(kRows * rows_out);
      for (std::size_t r = 0; r < kRows; ++r) {
        for (std::size_t k = 0; k < rows_out; ++k) {
          double total = 0;
          for (std::size_t m = 0; m < rows_in; ++m) {
            total += static_cast<double>(x[r * rows_in + m]) * static_cast<double>(weights[m * stride + k]);
          }
          want[r * rows_out + k] = static_cast<float>(total);
        }
      }
      Floats got(kRows * rows_out + 1, -7.0f);
      dsp::kernels().multiply(plan, x.data(), kRows, got.data());
      CHECK(got.back() == -7.0f);
      got.pop_back();
      CHECK(largest_difference(got, want) < 1e-5);
      Floats one(rows_out);
      for (std::size_t r = 0; r < kRows; ++r) {
        dsp::kernels().multiply(plan, x.data() + r * rows_in, 1, one.data());
        const auto begin = got.begin() + static_cast<std::ptrdiff_t>(r * rows_out);
        CHECK(same_bits(one, Floats(begin, begin + n_out)));
      }
    }
  }
}

TEST_CASE(
    "low-pass: it is the sum that its plan states, and an output's bits don't depend on those beside it") {
  Random random(32);
  struct Ratio {
    int up, down;
  };
  for (const auto& [up, down] : {Ratio{1, 1}, {2, 1}, {1, 2}, {2, 3}}) {
    for (const int n_side : {0, 2, 18, 76, 77, 411}) {
      const auto side = static_cast<std::size_t>(n_side);
      const auto step = static_cast<std::size_t>(down);
      const auto outputs = static_cast<std::size_t>(up);
      const Floats taps = random.samples(side * outputs);
      const dsp::LowPassPlan plan{up, n_side, 0.25f, taps.data(), down};
      for (const std::size_t n : {1u, 3u, 8u, 65u, 1023u, 1025u, 3000u}) {
        CAPTURE(up);
        CAPTURE(down);
        CAPTURE(n_side);
        CAPTURE(n);
        const Floats x =
            random.samples(step * (n - 1) + 2 * side + 1 + static_cast<std::size_t>(plan.ahead()));
        const std::size_t n_out = n * outputs;
        Floats want(n_out);
        for (std::size_t i = 0; i < n_out; ++i) {
          const bool is_between = i % outputs != 0;
          const std::size_t at = i / outputs * step + (is_between ? step / 2 : 0) + side;
          double sum = is_between ? 0 : 0.25 * static_cast<double>(x[at]);
          for (std::size_t j = 0; j < side; ++j) {
            const std::size_t left = at - j - (is_between ? 0 : 1);
            const std::size_t right = at + 1 + j;
            sum += static_cast<double>(taps[j * outputs + i % outputs]) *
                   (static_cast<double>(x[left]) + static_cast<double>(x[right]));
          }
          want[i] = static_cast<float>(sum);
        }
        Floats got(n_out + 1, -7.0f);
        dsp::kernels().low_pass(plan, x.data(), n, got.data());
        CHECK(got.back() == -7.0f);
        got.pop_back();
        CHECK(largest_difference(got, want) < 1e-4);
        Floats one(outputs);
        for (std::size_t i = 0; i < n; i += 7) {
          dsp::kernels().low_pass(plan, x.data() + step * i, 1, one.data());
          for (std::size_t p = 0; p < outputs; ++p) CHECK(one[p] == got[i * outputs + p]);
        }
      }
    }
  }
}
