#include "nodes/resample.hpp"

#include <algorithm>
#include <cstring>
#include <optional>

#include "core/rows/pace.hpp"
#include "nodes/support/require.hpp"
#include "nodes/support/row_stream.hpp"

namespace fastaudio {

namespace {

inline void run(const dsp::HalvePlan& plan, const float* in, std::size_t n, float* out) {
  dsp::kernels().halve(plan, in, n, out);
}
inline void run(const dsp::LowPassPlan& plan, const float* in, std::size_t n, float* out) {
  dsp::kernels().low_pass(plan, in, n, out);
}

/// Runs a stream through a filter that looks as far ahead as back.
template <class Plan>
class Stage {
 public:
  /// The first output is centred `lead` samples before the first sample, in the silence that comes before it.
  explicit Stage(const Plan& plan, std::size_t lead = 0)
      : plan_(plan),
        window_(static_cast<std::size_t>(2 * plan.reach() + 1 + plan.ahead())),
        seam_(3 * window_ + lead),
        output_(kBlock) {
    held_ = static_cast<std::size_t>(plan.reach()) + lead;
  }

  template <class Emit>
  void push(const float* samples, std::size_t n, Emit&& emit) {
    // An output that needs samples of this call and of the one before is made from a copy of them; all others
    // are made from the caller's array.
    const std::size_t copied = std::min(n, 2 * window_);
    std::memcpy(seam_.data() + held_, samples, copied * sizeof(float));
    std::size_t done = filter(seam_.data(), held_ + copied, emit);
    if (copied < n) {
      done -= held_;  // at least a window of the samples was copied, so none held is still wanted
      done += filter(samples + done, n - done, emit);
      held_ = n - done;
      std::memcpy(seam_.data(), samples + done, held_ * sizeof(float));
    } else {
      held_ += copied - done;
      std::memmove(seam_.data(), seam_.data() + done, held_ * sizeof(float));
    }
  }

 private:
  static constexpr std::size_t kBlock = 4096;  // small enough that the next step finds it in the first cache

  /// Emits all outputs of `n` samples; returns how many samples no later output needs.
  template <class Emit>
  std::size_t filter(const float* samples, std::size_t n, Emit&& emit) {
    const auto up = static_cast<std::size_t>(plan_.up);
    const auto down = static_cast<std::size_t>(plan_.down);
    std::size_t done = 0;
    while (done + window_ <= n) {
      const std::size_t count = std::min((n - done - window_) / down + 1, output_.size() / up);
      run(plan_, samples + done, count, output_.data());
      emit(output_.data(), up * count);
      done += down * count;
    }
    return done;
  }

  const Plan& plan_;
  std::size_t window_;
  dsp::AlignedFloats seam_;  ///< samples that later outputs need, and room for the next call's first ones
  dsp::AlignedFloats output_;
  std::size_t held_;
};

class ResampleStream final : public Stream {
 public:
  explicit ResampleStream(std::shared_ptr<const Resample> node)
      : node_(std::move(node)),
        halvers_(node_->table().halvings().begin(), node_->table().halvings().end()),
        low_pass_plan_(node_->table().low_pass()),
        plan_(node_->table().plan()),
        capacity_(kBlock +
                  static_cast<std::size_t>(plan_.taps + plan_.group_taps + plan_.down + cycles_down())),
        input_(capacity_ + static_cast<std::size_t>(plan_.group_taps), 0.0f),
        output_(kBlock) {
    // Silence before the first sample, so that output 0 stands at time 0.
    const int reach = node_->table().reach();
    if (low_pass_plan_.up == 0) {
      held_ = static_cast<std::size_t>(reach);
      return;
    }
    // The low-pass rings before the first sample already.
    const int lead = (reach + low_pass_plan_.up - 1) / low_pass_plan_.up;
    low_pass_.emplace(low_pass_plan_, static_cast<std::size_t>(lead));
    position_.index = low_pass_plan_.up * lead - reach;
  }

 private:
  static constexpr std::size_t kBlock = 8192;

  void do_push(const float* samples, std::size_t n, Sink& sink) override {
    n_in_ += static_cast<std::int64_t>(n);
    feed(0, samples, n, sink);
    convert(Until::nothing_is_left, sink);
  }

  void do_flush(Sink& sink) override {
    constexpr std::size_t kSilence = 256;
    constexpr float silence[kSilence] = {};
    for (left_ = node_->table().outputs_of(n_in_) - n_out_; left_ > 0;) {
      feed(0, silence, kSilence, sink);
      convert(Until::nothing_is_left, sink);
    }
  }

  /// Takes samples through the halvers from `stage` on, then to the outputs.
  void feed(std::size_t stage, const float* samples, std::size_t n, Sink& sink) {
    if (stage < halvers_.size()) {
      halvers_[stage].push(samples, n, [&](const float* halved, std::size_t n_halved) {
        feed(stage + 1, halved, n_halved, sink);
      });
      return;
    }
    if (low_pass_) {
      low_pass_->push(samples, n, [&](const float* filtered, std::size_t n_filtered) {
        if (plan_.taps == 0) return write(filtered, n_filtered, sink);
        last(filtered, n_filtered, sink);
      });
      return;
    }
    last(samples, n, sink);
  }

  /// Takes samples to the last stage.
  void last(const float* samples, std::size_t n, Sink& sink) {
    while (n > 0) {
      const std::size_t taken = std::min(n, capacity_ - held_);
      std::memcpy(input_.data() + held_, samples, taken * sizeof(float));
      held_ += taken;
      samples += taken;
      n -= taken;
      if (held_ == capacity_) convert(Until::cycles_are_left, sink);
    }
  }

  /// Where a conversion stops: the kernel is fastest on several whole cycles at once.
  enum class Until { cycles_are_left, nothing_is_left };

  std::int64_t cycles_down() const { return plan_.phases == 0 ? dsp::ResamplePlan::kCycles * plan_.down : 0; }

  /// Outputs that the kernel may make now.
  std::size_t limit(Until until) const {
    if (until == Until::nothing_is_left || plan_.phases != 0) return output_.size();
    const std::int64_t used = position_.index + plan_.group_taps + plan_.down;  // a cycle may have begun
    const std::int64_t n_in = std::max<std::int64_t>(static_cast<std::int64_t>(held_) - used, 0);
    const auto several = static_cast<std::size_t>(dsp::ResamplePlan::kCycles * plan_.up);
    return std::min(output_.size() / several, static_cast<std::size_t>(n_in / cycles_down())) * several;
  }

  void convert(Until until, Sink& sink) {
    if (plan_.taps == 0) return;
    while (left_ != 0) {
      const std::size_t n = dsp::kernels().resample(
          plan_, position_, input_.data(), static_cast<std::int64_t>(held_), output_.data(), limit(until));
      if (n == 0) break;
      write(output_.data(), n, sink);
    }
    drop_used();
  }

  /// Passes on outputs, but no more than are due.
  void write(const float* outputs, std::size_t n, Sink& sink) {
    if (left_ >= 0) {
      n = std::min(n, static_cast<std::size_t>(left_));
      left_ -= static_cast<std::int64_t>(n);
    }
    n_out_ += static_cast<std::int64_t>(n);
    if (n > 0) sink.write(0, outputs, n);
    pace_.did(n * static_cast<std::size_t>(plan_.taps + 2 * low_pass_plan_.n_side));
  }

  /// Makes room for more input.
  void drop_used() {
    const std::int64_t first =
        position_.index +
        (plan_.phases == 0
             ? plan_.start[position_.phase / dsp::ResamplePlan::kGroup * dsp::ResamplePlan::kGroup]
             : 0);
    const std::size_t used = std::min(static_cast<std::size_t>(std::max<std::int64_t>(first, 0)), held_);
    std::memmove(input_.data(), input_.data() + used, (held_ - used) * sizeof(float));
    held_ -= used;
    position_.index -= static_cast<std::int64_t>(used);
  }

  std::shared_ptr<const Resample> node_;
  std::vector<Stage<dsp::HalvePlan>> halvers_;
  const dsp::LowPassPlan& low_pass_plan_;
  std::optional<Stage<dsp::LowPassPlan>> low_pass_;
  const dsp::ResamplePlan& plan_;
  std::size_t capacity_;
  dsp::AlignedFloats input_;  ///< samples not used up yet, then values that kernels may read but don't use
  dsp::AlignedFloats output_;
  std::size_t held_ = 0;
  dsp::ResamplePosition position_;
  Pace pace_;
  std::int64_t n_in_ = 0;
  std::int64_t n_out_ = 0;
  std::int64_t left_ = -1;  ///< outputs still due, once the end is known
};

}  // namespace

Resample::Resample(Options o)
    : NodeOf(std::move(o)), table_(options().input_rate, options().output_rate, options().quality) {}

std::vector<Output> Resample::describe(const StreamSpec& input) const {
  require_samples(name, input, options().input_rate);
  return {{"", StreamSpec::samples(options().output_rate)}};
}

std::unique_ptr<Stream> Resample::open(const StreamSpec& input) const {
  outputs(input);
  if (options().input_rate == options().output_rate) return std::make_unique<PassStream>();
  return std::make_unique<ResampleStream>(keep(this));
}

std::optional<Locality> Resample::locality() const {
  if (options().input_rate == options().output_rate) return Locality{};
  return Locality{table_.n_in(), table_.n_out(), table_.before(), table_.after()};
}

}  // namespace fastaudio
