/// Rows of several rates brought to one of them: which rows of each input belong to which row that comes out.
#pragma once

#include <optional>

#include "core/node.hpp"

namespace fastaudio {

/// The rows of one input to be aligned; the name is for messages.
struct AlignedRows {
  std::string name;
  StreamSpec spec;
};

/// Finds which rows of each input belong to a row of the output. Row k begins at k / rate_hz seconds, in
/// every input and in the output. To an output row that begins at t belongs each input's last row that began
/// at t or before. If `average` is set, a faster input gives all its rows that begin within the output row's
/// step, for their mean. All of it is computed in whole numbers, so nothing drifts.
class Alignment {
 public:
  /// Rows come out at the rate of input `rate_of`, or of the fastest input (the first, if several are).
  /// Throws ValueError in `node`'s name if the ratio of two rates isn't one of whole numbers, or if only some
  /// inputs have a rate.
  Alignment(const std::string& node, const std::vector<AlignedRows>& inputs, std::optional<int> rate_of,
            bool average);

  struct RowRange {
    std::int64_t first;
    std::int64_t end;
  };
  /// The rows of an input that belong to row `i`; never empty.
  RowRange rows(std::size_t input, std::int64_t i) const;

  std::size_t rate_of() const { return rate_of_; }

  /// The longest time from a row's start until all rows that belong to it are there.
  double latency_s(const std::vector<AlignedRows>& inputs) const;

  struct Extent {
    Locality locality;
    double widest;  ///< the most inputs of the composite that one row depends on
  };
  /// What a row depends on, given the localities of the inputs; none if their rates don't meet.
  static std::optional<Extent> extent(const std::vector<Locality>& inputs, std::optional<int> rate_of,
                                      bool average);

 private:
  /// An input has `p` rows in the time in which `q` come out; they have no common factor.
  struct Ratio {
    std::int64_t p;
    std::int64_t q;
  };
  Alignment(std::vector<Ratio> ratios, std::size_t rate_of, bool average)
      : ratios_(std::move(ratios)), rate_of_(rate_of), average_(average) {}

  static std::optional<Ratio> ratio_of(double a_hz, double b_hz);
  bool averaged(const Ratio& ratio) const { return average_ && ratio.p > ratio.q; }

  std::vector<Ratio> ratios_;
  std::size_t rate_of_ = 0;
  bool average_;
};

}  // namespace fastaudio
