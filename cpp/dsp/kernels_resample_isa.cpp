// This file is compiled once per instruction set, see lanes.hpp.
#include "dsp/kernels_resample.hpp"
#include "simd/lanes.hpp"

namespace fastaudio::dsp::FASTAUDIO_ISA {

using namespace simd::FASTAUDIO_ISA;

namespace {

/// Each output is added up in this many sums, so that additions needn't wait for each other. It must not
/// depend on how many cycles are taken at once, because the bits would then depend on it too.
constexpr int kSums = kLanes == 16 ? 2 : 1;

constexpr int kCycles = ResamplePlan::kCycles;
constexpr int kTiles = 2;  ///< of kCycles each, for which a group's taps stay in the first cache

/// Computes one group for `cycles` cycles at once, each `down` samples further: one load of taps serves all.
template <int cycles>
inline void resample_group(const ResamplePlan& plan, int group, const float* x, float* out,
                           std::ptrdiff_t out_step) {
  constexpr int kVectors = ResamplePlan::kGroup / kLanes;
  Lanes total[kSums][cycles][kVectors];
  for (auto& sum : total) {
    for (auto& cycle : sum) {
      for (auto& lanes : cycle) lanes = splat(0.0f);
    }
  }
  const float* taps = plan.groups + std::ptrdiff_t(group) * plan.group_taps * ResamplePlan::kGroup;
  const auto add = [&](int sum, int t) {
    Lanes tap[kVectors];
    for (int v = 0; v < kVectors; ++v) tap[v] = load(taps + t * ResamplePlan::kGroup + v * kLanes);
    for (int c = 0; c < cycles; ++c) {
      const Lanes sample = splat(x[c * plan.down + t]);
      for (int v = 0; v < kVectors; ++v) total[sum][c][v] += tap[v] * sample;
    }
  };
  int t = 0;
  for (; t + kSums <= plan.group_taps; t += kSums) {
    for (int sum = 0; sum < kSums; ++sum) add(sum, t + sum);
  }
  for (int sum = 0; t < plan.group_taps; ++t, ++sum) add(sum, t);
  for (int c = 0; c < cycles; ++c) {
    for (int v = 0; v < kVectors; ++v) {
      Lanes output = total[0][c][v];
      for (int sum = 1; sum < kSums; ++sum) output += total[sum][c][v];
      // Taps of no weight multiply whatever lies behind the window: only the sign of a zero could tell.
      output += splat(0.0f);
      store(out + c * out_step + v * kLanes, output);
    }
  }
}

inline std::int64_t least(std::int64_t a, std::int64_t b) { return a < b ? a : b; }

inline void resample_cycles(const ResamplePlan& plan, int group, int cycles, const float* x, float* out,
                            std::ptrdiff_t out_step) {
  static_assert(kCycles == 6);
  switch (cycles) {
    case 1:
      return resample_group<1>(plan, group, x, out, out_step);
    case 2:
      return resample_group<2>(plan, group, x, out, out_step);
    case 3:
      return resample_group<3>(plan, group, x, out, out_step);
    case 4:
      return resample_group<4>(plan, group, x, out, out_step);
    case 5:
      return resample_group<5>(plan, group, x, out, out_step);
    default:
      return resample_group<6>(plan, group, x, out, out_step);
  }
}

/// Computes those of the next `ready` outputs that belong to one group.
inline void resample_ready(const ResamplePlan& plan, int group, const ResamplePosition& position,
                           const float* in, std::int64_t ready, float* out) {
  constexpr int kGroup = ResamplePlan::kGroup;
  const std::int64_t in_cycle = std::int64_t{group} * kGroup;
  const std::int64_t used = least(kGroup, plan.up - in_cycle);
  const float* x = in + (position.index + plan.start[in_cycle]);
  std::int64_t first = in_cycle - position.phase;  // below 0 where a part of the group was made before
  if (first + used <= 0) {
    first += plan.up;
    x += plan.down;
  }
  if (first >= ready) return;
  const auto n_cycles = static_cast<int>((ready - first + plan.up - 1) / plan.up);
  const int n_tiles = (n_cycles + kCycles - 1) / kCycles;
  for (int tile = 0; tile < n_tiles; ++tile) {
    const int cycles = n_cycles * (tile + 1) / n_tiles - n_cycles * tile / n_tiles;
    if (first >= 0 && used == kGroup && first + (cycles - 1) * plan.up + kGroup <= ready) {
      resample_cycles(plan, group, cycles, x, out + first, plan.up);
    } else {  // lanes without an output of their own would overwrite others
      float rows[kCycles * kGroup];
      resample_cycles(plan, group, cycles, x, rows, kGroup);
      for (int c = 0; c < cycles; ++c) {
        const std::int64_t at = first + c * plan.up;
        const std::int64_t begin = at < 0 ? 0 : at;
        const std::int64_t end = least(at + used, ready);
        std::memcpy(out + begin, rows + c * kGroup + (begin - at),
                    static_cast<std::size_t>(end - begin) * sizeof(float));
      }
    }
    first += cycles * plan.up;
    x += cycles * plan.down;
  }
}

std::size_t resample_exact(const ResamplePlan& plan, ResamplePosition& position, const float* in,
                           std::int64_t n_in, float* out, std::size_t capacity) {
  // A group's taps are read once for several tiles: all groups' don't fit into the first cache.
  const std::int64_t most = kTiles * kCycles * plan.up;
  std::size_t n = 0;
  for (;;) {
    // Output m of a cycle starts at sample m * down / up, rounded down, also where m is of a later cycle.
    const std::int64_t starts = n_in - position.index - plan.taps + 1;
    if (starts <= 0) return n;
    const std::int64_t there = (starts * plan.up + plan.down - 1) / plan.down - position.phase;
    const std::int64_t ready = least(least(there, most), static_cast<std::int64_t>(capacity - n));
    if (ready <= 0) return n;
    for (int g = 0; g < plan.n_groups; ++g) resample_ready(plan, g, position, in, ready, out + n);
    n += static_cast<std::size_t>(ready);
    position.phase += ready;
    position.index += position.phase / plan.up * plan.down;
    position.phase %= plan.up;
  }
}

/// Returns the sum of the lanes of each of kLanes vectors.
inline Lanes sums(Lanes* vectors) {
  transpose(vectors);
  for (int half = kLanes / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) vectors[i] += vectors[i + half];
  }
  return vectors[0];
}

std::size_t resample_interpolated(const ResamplePlan& plan, ResamplePosition& position, const float* in,
                                  std::int64_t n_in, float* out, std::size_t capacity) {
  const std::int64_t whole = plan.down / plan.up;
  const std::int64_t part = plan.down % plan.up;
  const double rows_per_phase = static_cast<double>(plan.phases) / static_cast<double>(plan.up);
  std::int64_t index = position.index;
  std::int64_t phase = position.phase;
  std::size_t n = 0;
  while (n < capacity) {
    // Where outputs lie is found first, without branches, so that the products needn't wait for it.
    const int left = capacity - n < std::size_t{kLanes} ? static_cast<int>(capacity - n) : kLanes;
    const float* samples[kLanes];
    const float* rows[kLanes];
    float fractions[kLanes];
    int count = 0;
    for (; count < left && index + plan.taps <= n_in; ++count) {
      const double row = static_cast<double>(phase) * rows_per_phase;
      const auto lower = static_cast<int>(row);
      samples[count] = in + index;
      rows[count] = plan.table + std::ptrdiff_t{lower} * plan.taps;
      fractions[count] = static_cast<float>(row - lower);
      phase += part - plan.up;
      const std::int64_t stays = phase >> 63;  // -1 while the phase needn't wrap
      phase += plan.up & stays;
      index += whole + 1 + stays;
    }
    Lanes products[kLanes];
    for (int k = 0; k < count; ++k) {
      const float* x = samples[k];
      const float* taps = rows[k];
      Lanes some = load(x);
      keep(some);
      Lanes a = load(taps) * some;
      Lanes b = load(taps + plan.taps) * some;
      for (int i = kLanes; i < plan.taps; i += kLanes) {
        some = load(x + i);
        keep(some);
        a = fma(load(taps + i), some, a);
        b = fma(load(taps + plan.taps + i), some, b);
      }
      products[k] = fma(splat(fractions[k]), b - a, a);
    }
    if (count == kLanes) {
      store(out + n, sums(products));
    } else {
      for (int k = count; k < kLanes; ++k) products[k] = splat(0.0f);
      const Lanes row = sums(products);
      std::memcpy(out + n, &row, static_cast<std::size_t>(count) * sizeof(float));
    }
    n += static_cast<std::size_t>(count);
    if (count < left) break;
  }
  position = {index, phase};
  return n;
}

/// Computes `vectors` vectors of outputs at once.
template <int vectors>
inline void halve_block(const HalvePlan& plan, const float* odd, const float* middle, float* out) {
  Lanes total[vectors];
  for (int v = 0; v < vectors; ++v) total[v] = load(middle + v * kLanes) * splat(0.5f);
  const float* left = odd + plan.n_side - 1;
  const float* right = odd + plan.n_side;
  for (int j = 0; j < plan.n_side; ++j) {
    const Lanes side = splat(plan.side_taps[j]);
    for (int v = 0; v < vectors; ++v) {
      total[v] += (load(left - j + v * kLanes) + load(right + j + v * kLanes)) * side;
    }
  }
  for (int v = 0; v < vectors; ++v) store(out + v * kLanes, total[v]);
}

}  // namespace

void halve(const HalvePlan& plan, const float* in, std::size_t n, float* out) {
  constexpr int kBlock = 512;
  constexpr int kRoom = kBlock + 2 * HalvePlan::kMaxSide + kLanes;
  float odd[kRoom];      // samples at distance 1, 3, ... from a middle
  float middles[kRoom];  // the others
  for (std::size_t start = 0; start < n; start += kBlock) {
    const int count = static_cast<int>(n - start < kBlock ? n - start : kBlock);
    const float* x = in + 2 * start;
    const int n_odd = count + 2 * plan.n_side - 1;
    int i = 0;
    for (; i + kLanes < n_odd; i += kLanes) {  // there is no sample behind the last odd one
      const Lanes a = load(x + 2 * i);
      const Lanes b = load(x + 2 * i + kLanes);
      store(odd + i, evens(a, b));
      store(middles + i, odds(a, b));
    }
    for (; i < n_odd - 1; ++i) {
      odd[i] = x[2 * i];
      middles[i] = x[2 * i + 1];
    }
    odd[i] = x[2 * i];
    const float* middle = middles + plan.n_side - 1;
    float* y = out + start;
    for (i = 0; i + 4 * kLanes <= count; i += 4 * kLanes) halve_block<4>(plan, odd + i, middle + i, y + i);
    for (; i + kLanes <= count; i += kLanes) halve_block<1>(plan, odd + i, middle + i, y + i);
    if (i == count) continue;
    for (int k = n_odd; k < i + kLanes + 2 * plan.n_side - 1; ++k) odd[k] = middles[k - 1] = 0.0f;
    float rest[kLanes];
    halve_block<1>(plan, odd + i, middle + i, rest);
    std::memcpy(y + i, rest, static_cast<std::size_t>(count - i) * sizeof(float));
  }
}

std::size_t resample(const ResamplePlan& plan, ResamplePosition& position, const float* in, std::int64_t n_in,
                     float* out, std::size_t capacity) {
  return plan.phases == 0 ? resample_exact(plan, position, in, n_in, out, capacity)
                          : resample_interpolated(plan, position, in, n_in, out, capacity);
}

}  // namespace fastaudio::dsp::FASTAUDIO_ISA
