/// Rows of several rates on one of them: which rows of each belong to which row that comes out.
#pragma once

#include <optional>

#include "core/node.hpp"

namespace fastaudio {

/// One of the streams of rows that are aligned; the name is for messages.
struct Source {
  std::string name;
  StreamSpec spec;
};

/// Row k begins at k / rate_hz seconds, in each source and in what comes out. For a row that begins at t a
/// source gives the last row that began at t or before; a faster one may instead give the mean of those
/// that begin from t on, before the next row does. Whole numbers tell which: nothing drifts.
class Alignment {
 public:
  /// To the rate of one source, or of the fastest (the first, if several are).
  /// Throws ValueError in `node`'s name where rates have no common rhythm, or a source has none.
  Alignment(const std::string& node, const std::vector<Source>& sources, std::optional<int> rate_of,
            bool average);

  struct Rows {
    std::int64_t first;
    std::int64_t end;
  };
  /// Of a source, that belong to row `i`; never none.
  Rows rows(std::size_t source, std::int64_t i) const;

  std::size_t rate_of() const { return rate_of_; }

  /// From a row's start until all that belong to it are there, at most.
  double latency_s(const std::vector<Source>& sources) const;

  /// What a row depends on, through its sources.
  struct Reach {
    Locality locality;
    double most;  ///< inputs that one row depends on, of the row where that is most
  };
  /// None where `sources` have no common rhythm.
  static std::optional<Reach> reach(const std::vector<Locality>& sources, std::optional<int> rate_of,
                                    bool average);

 private:
  /// A source has `p` rows in the time of `q` that come out; no common factor.
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
