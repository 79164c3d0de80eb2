/// The options of a live stream, declared once: checks, the Python class and its help derive from them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/options.hpp"

namespace fastaudio::live {

struct LiveOptions {
  std::string overflow = "block";
  double buffer_s = 5;
  std::optional<double> provisional_s;
  std::int64_t start_sample = 0;
  std::int64_t max_results = 1024;
  std::optional<double> push_timeout_s = 30;

  static auto fields() {
    return std::tuple{
        Field{"overflow", &LiveOptions::overflow, Choices{"block drop_oldest raise"},
              "What happens when sound comes faster than it is run: 'block' makes `push` wait, 'drop_oldest' "
              "drops the oldest sound and reports the gap, 'raise' refuses the block."},
        Field{"buffer_s", &LiveOptions::buffer_s, Range{0.01, 3600}, "s",
              "How much sound may wait to be run."},
        Field{"provisional_s", &LiveOptions::provisional_s, Range{0, 3600}, "s",
              "Give a first result after this much sound too, marked `provisional`: it is what the pipeline "
              "gives for a clip of that length. Each gap is followed by another one. None or 0 for none."},
        Field{"start_sample", &LiveOptions::start_sample, Range{0, 1e15}, "samples",
              "Number of the first sample, where time stamps continue those of an earlier stream."},
        Field{"max_results", &LiveOptions::max_results, Range{1, 1e9}, "results",
              "How many results may wait to be taken. Beyond that the oldest are dropped and counted; with "
              "overflow 'block' the sound waits instead, and the results of one turn are kept as well."},
        Field{"push_timeout_s", &LiveOptions::push_timeout_s, Range{0, 1e6}, "s",
              "With overflow 'block': how long `push` waits while `max_results` wait and nobody takes any, "
              "before it raises Overrun. None or 0 to wait for ever."}};
  }
};

}  // namespace fastaudio::live
