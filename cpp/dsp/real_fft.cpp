#include "dsp/real_fft.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>
#include <numeric>

namespace fastaudio::dsp {

namespace {

using ComplexVector = std::vector<std::complex<double>>;

int smallest_factor(int n) {
  for (int radix = 2; radix <= n / radix; ++radix) {
    if (n % radix == 0) return radix;
  }
  return n;
}

int largest_prime(int n) {
  int largest = 1;
  while (n > 1) {
    largest = smallest_factor(n);
    n /= largest;
  }
  return largest;
}

/// A radix of at most 5 comes last if there is one, because it shares its pass with the real split.
std::vector<int> factorise(int n) {
  std::vector<int> factors;
  for (; n % 4 == 0; n /= 4) factors.push_back(4);
  while (n > 1) {
    factors.push_back(smallest_factor(n));
    n /= factors.back();
  }
  std::stable_partition(factors.begin(), factors.end(), [](int radix) { return radix > 5; });
  return factors;
}

/// Returns the least size from `n` up that has no prime factor but 2, 3 and 5.
int smooth_size(int n) {
  while (largest_prime(n) > 5) ++n;
  return n;
}

/// Such a radix is computed by the definition of the transform.
bool lacks_butterfly(int radix) { return radix > 5; }

/// Returns exp(-2 pi i k / n).
std::complex<double> root(std::int64_t k, std::int64_t n) {
  const double angle = -2 * std::numbers::pi * static_cast<double>(k % n) / static_cast<double>(n);
  return {std::cos(angle), std::sin(angle)};
}

void append(Table<float>& table, std::complex<double> value) {
  table.push_back(static_cast<float>(value.real()));
  table.push_back(static_cast<float>(value.imag()));
}

/// Computes a discrete Fourier transform for the tables, where rounding matters and speed doesn't.
ComplexVector transform(const ComplexVector& x) {
  const std::size_t n = x.size();
  if (n == 1) return x;
  const auto radix = static_cast<std::size_t>(smallest_factor(static_cast<int>(n)));
  const std::size_t part = n / radix;
  ComplexVector result(n);
  for (std::size_t q = 0; q < radix; ++q) {
    if (n > 4096) check_build();
    ComplexVector decimated(part);
    for (std::size_t j = 0; j < part; ++j) decimated[j] = x[j * radix + q];
    decimated = transform(decimated);
    for (std::size_t k = 0; k < n; ++k) {
      result[k] += decimated[k % part] * root(static_cast<std::int64_t>(q * k), static_cast<std::int64_t>(n));
    }
  }
  return result;
}

/// Returns exp(-pi i k^2 / n).
std::complex<double> chirp(std::int64_t k, std::int64_t n) { return root(k * k % (2 * n), 2 * n); }

}  // namespace

FftTables::FftTables(int size) : size_(size), order_(static_cast<std::size_t>(size)) {
  int length = size;
  for (const int radix : factorise(size)) {
    Stage stage{radix, length, {}, {}};
    const int part = length / radix;
    if (part > 1) {
      for (int p = 1; p < radix; ++p) {
        check_build();
        std::vector<std::complex<double>> row;
        for (int j = 0; j < part; ++j) row.push_back(root(std::int64_t{j} * p, length));
        for (const auto& value : row) stage.twiddle.push_back(static_cast<float>(value.real()));
        for (const auto& value : row) stage.twiddle.push_back(static_cast<float>(value.imag()));
      }
    }
    if (lacks_butterfly(radix)) {
      for (int k = 0; k < radix; ++k) append(stage.root, root(k, radix));
    }
    stages_.push_back(std::move(stage));
    length = part;
  }
  for (int k = 0; k < size; ++k) {
    int rest = k;
    int place = 0;
    for (const Stage& stage : stages_) {
      place += rest % stage.radix * (stage.length / stage.radix);
      rest /= stage.radix;
    }
    order_[static_cast<std::size_t>(k)] = place;
  }
}

FftPlan FftTables::plan() const {
  FftPlan plan;
  plan.size = size_;
  plan.n_stages = static_cast<int>(stages_.size());
  plan.order = order_.data();
  for (std::size_t s = 0; s < stages_.size(); ++s) {
    const Stage& stage = stages_[s];
    plan.radix[s] = stage.radix;
    plan.length[s] = stage.length;
    plan.twiddle[s] = stage.twiddle.empty() ? nullptr : stage.twiddle.data();
    plan.root[s] = stage.root.empty() ? nullptr : stage.root.data();
    if (lacks_butterfly(stage.radix)) plan.largest_radix = std::max(plan.largest_radix, stage.radix);
  }
  return plan;
}

RealFft::RealFft(int n_fft)
    : n_fft_(n_fft),
      points_(n_fft % 2 != 0 ? n_fft : n_fft / 2),
      chirped_(largest_prime(points_) > FftTables::kLargestPrime),
      stages_(chirped_ ? smooth_size(2 * points_ - 1) : points_) {
  for (int k = 0; k <= n_fft / 4; ++k) append(split_, root(k, n_fft));
  if (!chirped_) return;
  order_.resize(static_cast<std::size_t>(points_));
  std::iota(order_.begin(), order_.end(), 0);
  const auto size = static_cast<std::size_t>(stages_.plan().size);
  ComplexVector kernel(size);
  for (int k = 0; k < points_; ++k) {
    const auto value = chirp(k, points_);
    append(chirp_, value);
    const std::size_t at = static_cast<std::size_t>(k);
    kernel[at] = std::conj(value);
    if (k > 0) kernel[size - at] = std::conj(value);
  }
  for (const auto& value : transform(kernel)) append(chirp_spectrum_, value / static_cast<double>(size));
}

RealFftPlan RealFft::plan() const {
  RealFftPlan plan;
  plan.n_fft = n_fft_;
  plan.n_bins = n_fft_ / 2 + 1;
  plan.points = points_;
  plan.fft = stages_.plan();
  plan.order = chirped_ ? order_.data() : plan.fft.order;
  plan.split = split_.data();
  if (chirped_) {
    plan.chirp = chirp_.data();
    plan.chirp_spectrum = chirp_spectrum_.data();
  }
  return plan;
}

}  // namespace fastaudio::dsp
