#include "nodes/energy_patch.hpp"

#include <algorithm>

#include "core/budget.hpp"
#include "core/rows/pace.hpp"
#include "core/rows/row_ring.hpp"
#include "dsp/reduce.hpp"
#include "nodes/support/require.hpp"

namespace fastaudio {

namespace {

/// Sums over the last `length` values. Each takes at most `length` additions; a running sum, which subtracts
/// too, would drift. Values come in blocks of `length`: a window is the end of the block before and the
/// beginning of this one.
class WindowSum {
 public:
  explicit WindowSum(std::size_t length) : rests_(length + 1) {}

  /// The sum of this value and the `length` - 1 before it. Meaningless until that many have come.
  double next(double value) {
    begun_ += value;
    const double sum = rests_[at_ + 1] + begun_;
    rests_[at_++] = value;
    if (at_ + 1 == rests_.size()) {
      for (; at_ > 0; --at_) rests_[at_ - 1] += rests_[at_];
      begun_ = 0;
    }
    return sum;
  }

 private:
  Buffer<double>
      rests_;  ///< first values of this block, then sums from each value of the block before to its end
  double begun_ = 0;
  std::size_t at_ = 0;
};

class EnergyPatchStream final : public Stream {
 public:
  EnergyPatchStream(std::shared_ptr<const EnergyPatch> node, std::size_t row_size)
      : node_(std::move(node)),
        length_(node_->options().length),
        row_size_(row_size),
        energy_(static_cast<std::size_t>(length_)),
        ring_(2 * static_cast<std::size_t>(length_), row_size),
        patch_(static_cast<std::size_t>(length_) * row_size) {}

 private:
  void do_push(const float* rows, std::size_t n_rows, Sink&) override {
    for (; n_rows > 0; --n_rows, rows += row_size_) {
      if (ring_.end() == best_ + 2 * length_) copy_rows(best_, length_);  // its first row is overwritten next
      ring_.push(rows);
      pace_.did(row_size_);
      const double energy = energy_.next(dsp::sum(rows, row_size_));
      const std::int64_t first = ring_.end() - length_;
      if (first < 0 || first % node_->options().hop != 0) continue;
      if (first > 0 && !(energy > best_energy_)) continue;
      best_ = first;
      best_energy_ = energy;
    }
  }

  void do_flush(Sink& sink) override {
    const std::int64_t n = ring_.end();
    if (n == 0) return;
    if (n < length_) {
      fill_up();
    } else if (n <= best_ + 2 * length_) {
      copy_rows(best_, length_);
    }
    sink.write(0, patch_.data(), 1);
  }

  void copy_rows(std::int64_t first, std::int64_t n) {
    float* to = patch_.data();
    for (std::int64_t t = first; t < first + n; ++t) to = std::copy_n(ring_.at(t), row_size_, to);
  }

  void fill_up() {
    copy_rows(0, ring_.end());
    const std::size_t have = static_cast<std::size_t>(ring_.end()) * row_size_;
    const bool repeat = node_->options().last == "repeat";
    const auto value = static_cast<float>(node_->options().pad_value);
    for (std::size_t i = have; i < patch_.size(); ++i) patch_[i] = repeat ? patch_[i - have] : value;
  }

  std::shared_ptr<const EnergyPatch> node_;
  std::int64_t length_;
  std::size_t row_size_;
  WindowSum energy_;
  Pace pace_;
  RowRing ring_;           ///< holds twice the rows of a patch, so that each patch is copied at most once
  Buffer<float> patch_;    ///< the best one, once its rows leave the ring
  std::int64_t best_ = 0;  ///< its first row
  double best_energy_ = 0;
};

}  // namespace

std::vector<Output> EnergyPatch::describe(const StreamSpec& input) const {
  if (input.shape.empty()) {
    throw ValueError("EnergyPatch: expected rows of a spectrogram, got samples " + to_string(input) +
                     "; compose with MelSpectrogram");
  }
  require_memory(name, static_cast<std::size_t>(options().length), input, "length");
  StreamSpec spec = input;
  spec.shape.insert(spec.shape.begin(), options().length);
  spec.rate_hz = 0;
  spec.span_s = 0;
  return {{"", spec}};
}

std::unique_ptr<Stream> EnergyPatch::open(const StreamSpec& input) const {
  outputs(input);
  return std::make_unique<EnergyPatchStream>(keep(this), input.row_size());
}

}  // namespace fastaudio
