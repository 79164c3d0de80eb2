#pragma once

#include "core/options.hpp"

namespace fastaudio {

class Events final : public NodeOf<Events> {
 public:
  static constexpr const char* name = "Events";
  static constexpr const char* doc =
      R"(Turns scores into events per label: a pipeline that ends here returns `fastaudio.events.Events`.

Input:  scores [n_windows, n_labels] with names, as Tags gives
Output: one row for each event, [n_events, 6]: the index of its label; its first window, split into two
        values as high * 65536 + low, so that float32 holds it; how many windows it has, exact to 2**24,
        or 0 in a row that `onsets` adds; the highest and the mean score over these windows. The row that
        `summary` adds at the end has the label of the highest score of all as thresholds see it, this
        label's onset, how many windows had NaN or infinity, -1, the score (-inf without windows that are
        heard), and how many windows were heard, or -1 if there was none at all. `fastaudio.events.decode`
        reads these rows. `rate_hz` and `span_s` stay those of the windows
Latency: a row comes out once scores have stayed below `offset` for `min_off_s` after the event's last
        window, or at the end of the signal. A row that `onsets` adds comes out with the window that
        completes `min_on_s`; a dip bridged before that delays it by up to `min_off_s`. A median adds half
        of `smoothing_s`

An event begins with a window at or above `onset` and goes on until its label's scores have stayed below
`offset` for `min_off_s`; shorter dips are bridged: with `bridge` "offset" by a score at or above `offset`,
with "onset" only by one at or above `onset`. It lasts from the start of its first window, which is
at or above `onset`, to the end of its last window at or above `offset`. Events shorter than `min_on_s` are
dropped after that. If windows overlap, two events may overlap too, by less than a span.

Options in seconds are rounded once to a whole number of windows, by `rate_hz`: a window counts for
1 / rate_hz, whatever its span. Thresholds apply to smoothed scores and are compared in float32, as NumPy
does. The highest and the mean score are taken before smoothing and include bridged dips. Smoothing by "mean"
takes the mean of the last windows, or of as many as there are near the start; events begin and end later by
it. "median" takes the median of an odd number of windows, as many before as after, or of as many as there
are near the ends (of two in the middle, the lower): events begin and end on time, and those shorter than half
of `smoothing_s` disappear.
Rows that come out with the same window are ordered by first window, then by label.

Scores are from 0 to 1. A window whose score is NaN or infinite is below every threshold and counts as 0; a
pipeline gives silent windows the score -inf.

Other programs' rules: pyannote.audio's are `bridge="onset"`, with > where this node has >=; silero-vad's
segments are onset=0.5, offset=0.35, min_on_s=0.25, min_off_s=0.16 with 32 ms windows, before the 30 ms that
it adds at both ends.

Source: Canny, IEEE PAMI 8(6), 1986, introduced two thresholds; Dinkel and Yu, ICASSP 2020, and Cances,
        Guyot and Pellegrini, WASPAA 2019, apply them to sound events. The rules above are specific to
        this node

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
    std::string smoothing = "mean";
    std::string bridge = "offset";
    bool summary = false;
    static constexpr auto fields() {
      constexpr Range scores{0, 1};
      constexpr Range below{-1, 1};
      constexpr Range seconds{0, 86400};
      return std::tuple{
          Field{"onset", &Options::onset, scores, "",
                "An event begins at or above this score; give one for all labels, or one for each."},
          Field{"offset", &Options::offset, below, "",
                "An event ends below this score, which is at most onset; if empty, it equals onset."},
          Field{"min_on_s", &Options::min_on_s, seconds, "s", "Shorter events are dropped."},
          Field{"min_off_s", &Options::min_off_s, seconds, "s", "Shorter dips are bridged."},
          Field{"smoothing_s", &Options::smoothing_s, seconds, "s",
                "Thresholds see the mean or median of the scores over this time; 0 turns smoothing off. Each "
                "window costs one addition for every window in that time."},
          Field{"cool_down_s", &Options::cool_down_s, seconds, "s",
                "For this time after the end of an event that came out, no other of its label begins."},
          Field{"onsets", &Options::onsets, "Whether an extra row says at once that an event has begun."},
          Field{
              "smoothing", &Options::smoothing, Choices{"mean median"},
              "What is taken over smoothing_s: the mean of the last scores, or the median of those around."},
          Field{"bridge", &Options::bridge, Choices{"offset onset"},
                "The threshold that a score has to reach again to bridge a dip."},
          Field{"summary", &Options::summary, "Whether a last row tells the highest score of all."}};
    }
  };

  using NodeOf::NodeOf;
  static void check(const Options& options);
  std::vector<Output> describe(const StreamSpec& input) const override;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
};

}  // namespace fastaudio
