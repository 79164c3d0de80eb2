/// How loud the sound of a stream was, for nodes further down that ask by time.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/budget.hpp"
#include "core/node.hpp"
#include "core/rows/pace.hpp"

namespace fastaudio {

/// Remembers the level of a signal's last stretches, in cells of 32 samples. One thread at a time uses it.
class Levels {
 public:
  /// What one reader still needs; the levels before it are forgotten.
  struct Reader {
    std::int64_t from = 0;  ///< first sample
  };

  explicit Levels(double rate_hz);

  double rate_hz() const { return rate_hz_; }

  /// A reader that needs levels for as long as it lives, those of `span_s` seconds at a time.
  std::shared_ptr<Reader> add_reader(double span_s);

  /// Takes the mean square of each sample, over its channels.
  void add(const float* rows, std::size_t n_rows, std::size_t row_size);
  void end();

  /// The mean square of the loudest 100 ms of samples [start, end), or of all of them if they are fewer.
  /// Cells belong to the stretch that they end in. 0 after the signal's end, and
  /// infinite if a part was forgotten, which may have been loud.
  double loudest(std::int64_t start, std::int64_t end) const;

  /// The same for the whole signal.
  double loudest() const;

 private:
  void close_cell();
  void keep(float sum);
  double n_samples_in(std::int64_t first, std::int64_t last) const;  ///< of cells
  float at(std::int64_t cell) const { return ring_[static_cast<std::size_t>(cell) % ring_.size()]; }

  double rate_hz_;
  std::int64_t per_block_;  ///< cells in 100 ms
  std::vector<std::weak_ptr<Reader>> readers_;
  Pace pace_;
  Buffer<float> ring_;           ///< sums of squares, by number of cell
  std::int64_t begin_ = 0;       ///< first cell that is kept
  std::int64_t n_cells_ = 0;     ///< cells that are complete
  std::int64_t n_samples_ = -1;  ///< of the whole signal, once it has ended
  double sums_[4] = {};          ///< of the cell that isn't
  std::size_t n_open_ = 0;       ///< samples in it
  double block_ = 0;             ///< sum of the 100 ms that go on
  double most_ = 0;              ///< mean square of the loudest 100 ms before them
};

/// A stream whose input's levels are known.
class LevelSource {
 public:
  virtual ~LevelSource() = default;
  virtual const std::shared_ptr<Levels>& levels() const = 0;
};

/// A stream that asks for the levels of a source before it, or holds streams that do.
class LevelReader {
 public:
  virtual ~LevelReader() = default;

  /// Row 0 of the stream's input happens `base_s` seconds after the levels' first sample.
  virtual void read(const std::shared_ptr<Levels>& levels, double base_s) = 0;
};

/// Gives `levels`, if there are any, to a stream that reads some.
void give_levels(const std::shared_ptr<Levels>& levels, double base_s, Stream& stream);

/// The levels that a stream is the source of; else `before`.
std::shared_ptr<Levels> levels_after(const std::shared_ptr<Levels>& before, const Stream& stream);

}  // namespace fastaudio
