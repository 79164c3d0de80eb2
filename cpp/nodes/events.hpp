#pragma once

#include "core/options.hpp"

namespace fastaudio {

class Events final : public NodeOf<Events> {
 public:
  static constexpr const char* name = "Events";
  static constexpr const char* doc =
      R"(Scores as events, each label by itself: a pipeline that ends here returns `fastaudio.events.Events`.

Input:  scores [n_windows, n_labels] with names, as Tags gives
Output: a row for each event, [n_events, 6]: index of its label; its first window, as high * 65536 + low in
        two values, so that float32 holds it; how many windows it has, exact to 2**24, 0 in a row that
        `onsets` adds; highest and mean score over these. `fastaudio.events.decode` reads them.
        `rate_hz` and `span_s` stay those of the windows
Latency: a row comes out once scores have stayed below `offset` for `min_off_s` after the event's last
        window, or at the end of the signal. A row of `onsets` comes out with the window that completes
        `min_on_s`; a dip bridged before that delays it by up to `min_off_s`

An event begins with a window at or above `onset` and goes on until its label's scores have stayed below
`offset` for `min_off_s`; shorter dips are bridged. It covers its windows from the first, at or above
`onset`, to the last at or above `offset`: from the start of the one to the end of the other. Events
shorter than `min_on_s` are dropped then. Where windows overlap, two events may too, by less than a span.

Seconds become whole windows once, by `rate_hz`, to the nearest number: a window counts for 1 / rate_hz,
whatever its span. Thresholds apply to smoothed scores and are compared in float32, as NumPy does;
highest and mean are of the scores as they came, those within bridged dips included. Smoothing is the mean
of the last windows, of as many as there are near the start: an event begins and ends later by it. Rows
that come out with the same window are in order of first window, then label.

Source: Canny, IEEE PAMI 8(6), 1986, for two thresholds; on sound events, Dinkel and Yu, ICASSP 2020, and
        Cances, Guyot and Pellegrini, WASPAA 2019. The rules above are this node's own

Example:
    >>> import numpy as np
    >>> import fastaudio as fa
    >>> scores = fa.StreamSpec(rate_hz=1, shape=[2])
    >>> stream = (fa.Tags(["dog", "cat"]) >> fa.Events(onset=[0.5], offset=[0.25])).open(scores)
    >>> stream.push(np.array([[0, 0.5], [1, 0.25], [0, 0]], dtype=np.float32)).tolist()
    [[1.0, 0.0, 0.0, 2.0, 0.5, 0.375], [0.0, 0.0, 1.0, 1.0, 1.0, 1.0]]
)";
  struct Options {
    std::vector<double> onset = {0.5};
    std::vector<double> offset;
    std::vector<double> min_on_s = {0};
    std::vector<double> min_off_s = {0};
    double smoothing_s = 0;
    std::vector<double> cool_down_s = {0};
    bool onsets = false;
    static constexpr auto fields() {
      constexpr Range scores{-1e12, 1e12};
      constexpr Range seconds{0, 86400};
      return std::tuple{
          Field{"onset", &Options::onset, scores, "",
                "An event begins at or above this; one for all labels, or one for each."},
          Field{"offset", &Options::offset, scores, "",
                "It ends below this, onset or less; the same as onset if empty."},
          Field{"min_on_s", &Options::min_on_s, seconds, "s", "Shorter events are dropped."},
          Field{"min_off_s", &Options::min_off_s, seconds, "s", "Shorter dips are bridged."},
          Field{"smoothing_s", &Options::smoothing_s, seconds, "s",
                "Thresholds see the mean of the scores over this long; 0 for none. Each window costs as many "
                "additions as it has windows."},
          Field{"cool_down_s", &Options::cool_down_s, seconds, "s",
                "No event of a label begins for this long after the end of one that came out."},
          Field{"onsets", &Options::onsets, "Whether a row says at once that an event has begun."}};
    }
  };

  using NodeOf::NodeOf;
  static void check(const Options& options);
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;

 private:
  std::vector<Output> describe(const StreamSpec& input) const override;
};

}  // namespace fastaudio
