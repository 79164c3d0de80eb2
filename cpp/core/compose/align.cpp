#include "core/compose/align.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <numeric>
#include <utility>

#include "core/checked.hpp"

namespace fastaudio {

namespace {

/// Rows after which all inputs have to begin one at the same time; longer cycles are refused.
constexpr std::int64_t kLongestCycle = 65536;

std::int64_t divide_up(std::int64_t a, std::int64_t b) { return a >= 0 ? (a + b - 1) / b : -(-a / b); }

/// Writes seven digits, because in fewer two rates that don't fit often look the same.
std::string rate_text(double rate_hz) {
  char text[40];
  std::snprintf(text, sizeof text, "%.7g Hz", rate_hz);
  return text;
}

}  // namespace

/// Expands a / b as a continued fraction until it is exact to float64's rounding.
std::optional<Alignment::Ratio> Alignment::ratio_of(double a_hz, double b_hz) {
  constexpr double kRounding = 1e-12;
  const double x = a_hz / b_hz;
  double rest = x;
  std::int64_t p = 1, q = 0, p_before = 0, q_before = 1;
  while (rest <= static_cast<double>(kLongestCycle)) {
    const auto whole = static_cast<std::int64_t>(rest);
    p_before = std::exchange(p, whole * p + p_before);
    q_before = std::exchange(q, whole * q + q_before);
    if (p > kLongestCycle || q > kLongestCycle) break;
    if (std::abs(static_cast<double>(p) - x * static_cast<double>(q)) <= kRounding * static_cast<double>(p)) {
      return Ratio{p, q};
    }
    rest = 1 / (rest - static_cast<double>(whole));
  }
  return std::nullopt;
}

Alignment::Alignment(const std::string& node, const std::vector<AlignedRows>& inputs,
                     std::optional<int> rate_of, bool average)
    : average_(average) {
  for (const AlignedRows& input : inputs) {
    const bool once = input.spec.rate_hz == 0;
    if (input.spec.kind == StreamSpec::Kind::events) {
      throw ValueError(node + ": expected rows at a steady rate, got events from " + input.name +
                       "; find events behind it");
    }
    if (once != (inputs.front().spec.rate_hz == 0)) {
      const AlignedRows& other = once ? input : inputs.front();
      throw ValueError(node + ": expected rows over time from all branches, got one row per clip from " +
                       other.name + "; pool windows with Statistics, or pool every branch");
    }
  }
  if (rate_of) {
    rate_of_ = static_cast<std::size_t>(*rate_of);
  } else {
    for (std::size_t s = 1; s < inputs.size(); ++s) {
      const double rate_hz = inputs[s].spec.rate_hz, fastest_hz = inputs[rate_of_].spec.rate_hz;
      if (rate_hz > fastest_hz && !same_rate(rate_hz, fastest_hz)) rate_of_ = s;
    }
  }
  const AlignedRows& to = inputs[rate_of_];
  std::int64_t cycle = 1;
  for (const AlignedRows& input : inputs) {
    const bool once = input.spec.rate_hz == 0;
    const auto ratio = once ? Ratio{1, 1} : ratio_of(input.spec.rate_hz, to.spec.rate_hz);
    if (ratio) cycle = std::lcm(cycle, ratio->q);
    if (!ratio || cycle > kLongestCycle) {
      throw ValueError(node + ": expected rates in a ratio of whole numbers up to " +
                       std::to_string(kLongestCycle) + ", got " + rate_text(to.spec.rate_hz) + " from " +
                       to.name + " and " + rate_text(input.spec.rate_hz) + " from " + input.name +
                       "; choose other hops, or Resample in one of them");
    }
    ratios_.push_back(*ratio);
  }
}

Alignment::RowRange Alignment::rows(std::size_t input, std::int64_t i) const {
  const Ratio& ratio = ratios_[input];
  if (averaged(ratio)) return {divide_up(i * ratio.p, ratio.q), divide_up((i + 1) * ratio.p, ratio.q)};
  const std::int64_t last = i * ratio.p / ratio.q;
  return {last, last + 1};
}

double Alignment::latency_s(const std::vector<AlignedRows>& inputs) const {
  double most_s = 0;
  for (std::size_t s = 0; s < inputs.size(); ++s) {
    const StreamSpec& spec = inputs[s].spec;
    const Ratio& ratio = ratios_[s];
    // Rows of the input from the start of the row that comes out to the last one in its mean, at most.
    const double later =
        averaged(ratio) ? static_cast<double>(ratio.p - 1) / static_cast<double>(ratio.q) : 0;
    most_s = std::max(most_s, spec.latency_s + (later > 0 ? later / spec.rate_hz : 0));
  }
  return most_s;
}

std::optional<Alignment::Extent> Alignment::extent(const std::vector<Locality>& inputs,
                                                   std::optional<int> rate_of, bool average) {
  constexpr std::int64_t kMost = std::int64_t{1} << 30;  // so that what follows can be counted
  const auto counts = [](std::int64_t n) { return -kMost <= n && n <= kMost; };
  for (const Locality& near : inputs) {
    if (!counts(near.n_in) || !counts(near.n_out) || !counts(near.before) || !counts(near.after)) {
      return std::nullopt;
    }
  }
  std::size_t to = 0;
  if (rate_of) {
    to = static_cast<std::size_t>(*rate_of);
  } else {
    for (std::size_t s = 1; s < inputs.size(); ++s) {
      if (inputs[s].n_in * inputs[to].n_out < inputs[to].n_in * inputs[s].n_out) to = s;
    }
  }
  std::vector<Ratio> ratios;
  std::int64_t cycle = 1;
  bool divisible = true;
  for (const Locality& near : inputs) {
    const std::int64_t p = inputs[to].n_in * near.n_out, q = inputs[to].n_out * near.n_in;
    const std::int64_t common = std::gcd(p, q);
    const Ratio ratio{p / common, q / common};
    if (!counts(ratio.p) || !counts(ratio.q)) return std::nullopt;
    const Checked rows = lcm(Checked(cycle), Checked(ratio.q) * (near.n_out / std::gcd(near.n_out, ratio.p)));
    if (!rows.ok() || rows.value() > kLongestCycle) return std::nullopt;
    cycle = rows.value();
    divisible = divisible && near.divisible;
    ratios.push_back(ratio);
  }
  const Alignment alignment(std::move(ratios), to, average);
  Extent extent{.locality = {.n_in = cycle * inputs[to].n_in / inputs[to].n_out,
                             .n_out = cycle,
                             .before = INT64_MIN,
                             .after = INT64_MIN,
                             .divisible = divisible},
                .widest = 0};
  for (std::int64_t i = 0; i < cycle; ++i) {
    double before = -HUGE_VAL, after = -HUGE_VAL;
    for (std::size_t s = 0; s < inputs.size(); ++s) {
      const Locality& near = inputs[s];
      const auto [p, q] = alignment.ratios_[s];
      const auto [first, end] = alignment.rows(s, i);
      // How far after row i the input's rows begin, counted in 1 / (q * n_out) of the composite's inputs.
      const std::int64_t unit = q * near.n_out;
      const std::int64_t begins = (first * q - i * p) * near.n_in;
      const std::int64_t ends = ((end - 1) * q - i * p) * near.n_in;
      extent.locality.before = std::max(extent.locality.before, near.before + divide_up(-begins, unit));
      extent.locality.after = std::max(extent.locality.after, near.after + divide_up(ends, unit));
      const auto exact = [&](std::int64_t n) { return static_cast<double>(n) / static_cast<double>(unit); };
      before = std::max(before, static_cast<double>(near.before) - exact(begins));
      after = std::max(after, static_cast<double>(near.after) + exact(ends));
    }
    extent.widest = std::max(extent.widest, before + after);
  }
  return extent;
}

}  // namespace fastaudio
