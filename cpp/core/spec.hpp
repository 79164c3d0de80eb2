/// What flows between two nodes: rows of one shape at one rate.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace fastaudio {

/// Rates are rows per second of signal time; shape [] is a sample, [96] a frame, [187, 96] a patch.
struct StreamSpec {
  /// What a row is. Only scores and events have labels, and only a spectrum has a bin_hz.
  enum class Kind {
    rows,      ///< features, embeddings, patches: numbers without names
    samples,   ///< sound; int16 is taken as well as float32
    spectrum,  ///< value k of the last axis belongs to the frequency k * bin_hz
    scores,    ///< value k of the last axis belongs to labels[k]
    events,    ///< what Events gives; the labels are those of its scores
  };

  double rate_hz = 0;               ///< 0: one row at the end of the stream
  std::vector<std::int64_t> shape;  ///< of one row
  std::string unit;                 ///< such as "samples", "power", "log10", "probability"
  std::vector<std::string> labels;  ///< names along the last axis
  double span_s = 0;                ///< row k covers [k / rate_hz, k / rate_hz + span_s)
  double bin_hz = 0;                ///< distance between the values of a spectrum
  double latency_s = 0;             ///< row k comes out at the latest once k / rate_hz + latency_s seconds of
                                    ///< input are there; infinite: at the end
  Kind kind = Kind::rows;
  /// How far each row within a patch reaches over the beginning of the next one, the last cut first.
  std::vector<double> overlaps_s{};

  /// The same for the rows themselves.
  double overlap_s() const {
    const double step_s = rate_hz > 0 ? 1 / rate_hz : span_s;
    return span_s - step_s > 1e-6 * step_s ? span_s - step_s : 0;
  }

  /// Whether one row comes at the end of the stream.
  bool once() const { return rate_hz == 0; }

  std::size_t row_size() const {
    std::size_t size = 1;
    for (const std::int64_t n : shape) size *= static_cast<std::size_t>(n);
    return size;
  }

  static StreamSpec samples(double rate_hz) {
    const double step_s = rate_hz > 0 ? 1 / rate_hz : 0;
    return {rate_hz, {}, "samples", {}, step_s, 0, step_s, Kind::samples};
  }

  /// Sets the names of the values along the last axis.
  void set_labels(std::vector<std::string> names) {
    labels = std::move(names);
    kind = Kind::scores;
  }

  /// Drops the names and frequencies of the last axis, because another axis is last now.
  void clear_axis() {
    labels.clear();
    bin_hz = 0;
    if (kind != Kind::samples) kind = Kind::rows;
  }
};

/// One of a node's outputs; the name is empty when there is only one and it needs none.
struct Output {
  std::string name;
  StreamSpec spec;
};

/// The kind's name in Python.
const char* name_of(StreamSpec::Kind kind);

/// Throws ValueError unless the rate is finite and not negative, and a row has from 1 to 2**28 values.
void check_spec(const StreamSpec& spec);

/// Throws ValueError, in a node's name, if rows come so seldom that their times can't be counted: below 1e-12
/// Hz.
void require_countable(const char* node, const StreamSpec& spec);

/// "[62.5 Hz, 96]", "[16000 Hz]", "[once, 50]".
std::string to_string(const StreamSpec& spec);

/// Whether two rates are the same but for rounding.
bool same_rate(double a_hz, double b_hz);

}  // namespace fastaudio
