/// What a live stream reports about itself.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/options.hpp"

namespace fastaudio::live {

/// Seconds that each part of a network took, by the part's summary.
using PartTimes = std::vector<std::pair<std::string, double>>;

/// Counts and times so far; samples are counted per channel.
struct LiveStats {
  std::int64_t captured = 0;
  std::int64_t delivered = 0;
  std::int64_t dropped = 0;
  std::int64_t waiting = 0;
  std::int64_t gaps = 0;
  std::int64_t bad_values = 0;
  std::int64_t device_overflows = 0;
  std::int64_t interruptions = 0;
  std::int64_t results_waiting = 0;
  std::int64_t results_dropped = 0;
  double sound_s = 0;
  double busy_s = 0;
  double latency_p50_s = 0;
  double latency_p99_s = 0;
  double latency_max_s = 0;
  PartTimes parts;

  double real_time_factor() const { return sound_s > 0 ? busy_s / sound_s : 0; }

  static auto fields() {
    return std::tuple{
        Field{"captured", &LiveStats::captured,
              "Samples that came in, or were lost on the way: delivered + dropped + waiting."},
        Field{"delivered", &LiveStats::delivered, "Samples that were run."},
        Field{"dropped", &LiveStats::dropped,
              "Samples lost in gaps: they came faster than they ran, or the source was interrupted."},
        Field{"waiting", &LiveStats::waiting, "Samples in the buffer."},
        Field{"gaps", &LiveStats::gaps, "How often samples were dropped."},
        Field{"bad_values", &LiveStats::bad_values, "Values that weren't finite and were run as silence."},
        Field{"device_overflows", &LiveStats::device_overflows,
              "How often the device lost sound before handing it over."},
        Field{"interruptions", &LiveStats::interruptions,
              "How often the source was lost and had to be found again."},
        Field{"results_waiting", &LiveStats::results_waiting, "Results that nobody has taken yet."},
        Field{"results_dropped", &LiveStats::results_dropped,
              "Rows that were dropped because nobody took them in time."},
        Field{"sound_s", &LiveStats::sound_s, "Seconds of sound that were run."},
        Field{"busy_s", &LiveStats::busy_s, "Seconds that running it took."},
        Field{"latency_p50_s", &LiveStats::latency_p50_s,
              "Median time from the arrival of the last sample that a result needs until the result can be "
              "taken; it adds to the pipeline's own `latency_s`."},
        Field{"latency_p99_s", &LiveStats::latency_p99_s,
              "The time of this kind that 99 % of the results don't exceed."},
        Field{"latency_max_s", &LiveStats::latency_max_s, "The longest such time."},
        Field{"parts", &LiveStats::parts,
              "Seconds that each node took, as pairs of its summary and a time."}};
  }
};

}  // namespace fastaudio::live
