#pragma once

#include "core/options.hpp"

namespace fastaudio {

class Gate final : public NodeOf<Gate> {
 public:
  static constexpr const char* name = "Gate";
  static constexpr const char* doc =
      R"(Sets what is quieter than a level to a value, as a noise gate does. Times stay.

Input:  rows of any shape, or samples
Output: rows of the same shape: those of quiet windows are `value`, all others unchanged; if `mark`, rows [1]
        instead: 1 where the gate is open, 0 where it is closed
Latency: `window_s`, less one row

The gate opens with a window whose level is at or above `threshold_db`, and stays open until levels
have been below threshold_db - hysteresis_db for longer than `hold_s`. A window is as many rows as fit into
`window_s`, at least one: the gate opens and closes for all of them. The level is the mean square of all values
in dB relative to 1, which is dBFS for samples; for rows of power or in dB it is their mean power.

A clip's last window may be shorter. No row is dropped, since then times would be lost. To leave the scores
of a network alone but know which of its windows were silent, see `silence_db` of `Pipeline`.

Example:
    >>> import numpy as np
    >>> import fastaudio as fa
    >>> rows = np.array([[0.5, 0.5], [0.01, 0.0], [0.1, 0.1]], dtype=np.float32)
    >>> fa.Gate(threshold_db=-30)(rows).tolist()
    [[0.5, 0.5], [0.0, 0.0], [0.10000000149011612, 0.10000000149011612]]
)";
  struct Options {
    double threshold_db = -60;
    double hysteresis_db = 0;
    double hold_s = 0;
    double window_s = 0.01;
    double value = 0;
    bool mark = false;
    static constexpr auto fields() {
      return std::tuple{
          Field{"threshold_db", &Options::threshold_db, Range{-300, 300}, "dB",
                "The gate opens at this level.", Place::shown},
          Field{"hysteresis_db", &Options::hysteresis_db, Range{0, 300}, "dB",
                "An open gate closes this much below threshold_db."},
          Field{"hold_s", &Options::hold_s, Range{0, 86400}, "s",
                "An open gate stays open for this time after the last window that is loud enough."},
          Field{"window_s", &Options::window_s, Range{0, 60}, "s", "Time over which a level is taken."},
          Field{"value", &Options::value, Range{-1e30, 1e30}, "", "What values of quiet rows become."},
          Field{"mark", &Options::mark,
                "Whether 1 and 0 come out, for open and closed, instead of the rows."}};
    }
  };

  using NodeOf::NodeOf;
  std::vector<Output> describe(const StreamSpec& input) const override;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
};

}  // namespace fastaudio
