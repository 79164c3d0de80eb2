#include "nodes/energy_patch.hpp"

#include <algorithm>

#include "dsp/reduce.hpp"
#include "nodes/support/require.hpp"

namespace fastaudio {

namespace {

/// Sums over the last `length` values, each from at most `length` additions: a running sum, which also
/// subtracts, would drift. Values come in blocks of `length`; a window is the rest of the block before and
/// the beginning of this one.
class WindowSum {
 public:
  explicit WindowSum(std::size_t length) : rests_(length + 1) {}

  /// The sum of this value and those up to `length` - 1 before it; of no meaning before as many came.
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
  std::vector<double> rests_;  ///< sums from a value of the block before to its end; then values of this one
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
        ring_(2 * static_cast<std::size_t>(length_) * row_size),
        patch_(ring_.size() / 2) {}

 private:
  void do_push(const float* rows, std::size_t n_rows, Sink&) override {
    for (; n_rows > 0; --n_rows, rows += row_size_) {
      if (n_ == best_ + 2 * length_) keep_best();  // the row overwrites its first one
      std::copy_n(rows, row_size_, &ring_[place(n_++)]);
      const double energy = energy_.next(dsp::sum(rows, row_size_));
      const std::int64_t first = n_ - length_;
      if (first < 0 || first % node_->options().hop != 0) continue;
      if (first > 0 && !(energy > best_energy_)) continue;
      best_ = first;
      best_energy_ = energy;
    }
  }

  void do_flush(Sink& sink) override {
    if (n_ == 0) return;
    if (n_ < length_) {
      fill_up();
    } else if (n_ <= best_ + 2 * length_) {
      keep_best();
    }
    sink.write(0, patch_.data(), 1);
  }

  std::size_t place(std::int64_t row) const {
    return static_cast<std::size_t>(row % (2 * length_)) * row_size_;
  }

  void keep_best() {
    const std::size_t at = place(best_);
    const std::size_t n = std::min(patch_.size(), ring_.size() - at);
    std::copy_n(&ring_[at], n, patch_.data());
    std::copy_n(ring_.data(), patch_.size() - n, patch_.data() + n);
  }

  void fill_up() {
    const std::size_t have = static_cast<std::size_t>(n_) * row_size_;
    std::copy_n(ring_.data(), have, patch_.data());
    const bool repeat = node_->options().last == "repeat";
    const auto value = static_cast<float>(node_->options().pad_value);
    for (std::size_t i = have; i < patch_.size(); ++i) patch_[i] = repeat ? patch_[i - have] : value;
  }

  std::shared_ptr<const EnergyPatch> node_;
  std::int64_t length_;
  std::size_t row_size_;
  WindowSum energy_;
  std::vector<float> ring_;   ///< the last rows, twice as many as a patch has: one copy a patch is enough
  std::vector<float> patch_;  ///< the best one, once its rows leave the ring
  std::int64_t n_ = 0;
  std::int64_t best_ = 0;  ///< its first row
  double best_energy_ = 0;
};

}  // namespace

EnergyPatch::EnergyPatch(Options options) : options_(std::move(options)) { check_options(name, options_); }

std::vector<Output> EnergyPatch::outputs(const StreamSpec& input) const {
  if (input.shape.empty()) {
    throw ValueError("EnergyPatch: expected rows of a spectrogram, got samples " + to_string(input) +
                     "; compose with MelSpectrogram");
  }
  require_memory(name, static_cast<std::size_t>(options_.length), input, "length");
  StreamSpec spec = input;
  spec.shape.insert(spec.shape.begin(), options_.length);
  spec.rate_hz = 0;
  spec.span_s = 0;
  return {{"", spec}};
}

std::unique_ptr<Stream> EnergyPatch::open(const StreamSpec& input) const {
  outputs(input);
  return std::make_unique<EnergyPatchStream>(keep(this), input.row_size());
}

}  // namespace fastaudio
