/// What flows between two nodes: rows of one shape at one rate.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace fastaudio {

/// Rates are rows a second of signal time; shape [] is a sample, [96] a frame, [187, 96] a patch.
struct StreamSpec {
  double rate_hz = 0;               ///< 0: one row at the end of the stream
  std::vector<std::int64_t> shape;  ///< of one row
  std::string unit;                 ///< such as "samples", "power", "log10", "probability"
  std::vector<std::string> labels;  ///< of the last axis, if it has names
  double span_s = 0;                ///< row k covers [k / rate_hz, k / rate_hz + span_s)
  double bin_hz = 0;                ///< value k of a row is a spectrum's at k * bin_hz; 0: it isn't one
  double latency_s = 0;             ///< row k comes out at the latest once k / rate_hz + latency_s seconds of
                                    ///< input are there; infinite: at the end

  std::size_t row_size() const {
    std::size_t size = 1;
    for (const std::int64_t n : shape) size *= static_cast<std::size_t>(n);
    return size;
  }

  static StreamSpec samples(double rate_hz) {
    const double step_s = rate_hz > 0 ? 1 / rate_hz : 0;
    return {rate_hz, {}, "samples", {}, step_s, 0, step_s};
  }
};

/// One of a node's outputs; the name is empty when there is only one and it needs none.
struct Output {
  std::string name;
  StreamSpec spec;
};

/// Throws ValueError unless the rate is finite and not negative, and a row has from 1 to 2**28 values.
void check_spec(const StreamSpec& spec);

/// "[62.5 Hz, 96]", "[16000 Hz]", "[once, 50]".
std::string to_string(const StreamSpec& spec);

/// Whether two rates are the same but for rounding.
bool same_rate(double a_hz, double b_hz);

}  // namespace fastaudio
