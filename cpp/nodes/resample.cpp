#include "nodes/resample.hpp"

#include <algorithm>
#include <cstring>

#include "nodes/require.hpp"

namespace fastaudio {

namespace {

Resample::Options checked(Resample::Options options) {
  check_options(Resample::name, options);
  return options;
}

class ResampleStream final : public Stream {
 public:
  explicit ResampleStream(std::shared_ptr<const Resample> node)
      : node_(std::move(node)),
        plan_(node_->table().plan()),
        capacity_(kBlock + static_cast<std::size_t>(plan_.taps + plan_.group_taps) + cycles()),
        input_(capacity_ + static_cast<std::size_t>(plan_.group_taps), 0.0f),
        output_(kBlock) {
    // Silence before the first sample, so that output 0 stands at time 0.
    held_ = static_cast<std::size_t>(node_->table().reach());
  }

 private:
  static constexpr std::size_t kBlock = 16384;

  void do_push(const float* samples, std::size_t n, Sink& sink) override {
    n_in_ += static_cast<std::int64_t>(n);
    while (n > 0) {
      const std::size_t taken = std::min(n, capacity_ - held_);
      std::memcpy(input_.data() + held_, samples, taken * sizeof(float));
      held_ += taken;
      samples += taken;
      n -= taken;
      convert(sink);
    }
  }

  void do_flush(Sink& sink) override {
    const std::int64_t due = (n_in_ * plan_.up + plan_.down - 1) / plan_.down;
    const std::vector<float> silence(capacity_ / 2, 0.0f);
    for (left_ = due - n_out_; left_ > 0;) {
      const std::size_t taken = std::min(silence.size(), capacity_ - held_);
      std::memcpy(input_.data() + held_, silence.data(), taken * sizeof(float));
      held_ += taken;
      convert(sink);
    }
  }

  /// Input samples of the cycles that the kernel takes at once, if they are short enough to wait for.
  std::size_t cycles() const {
    return static_cast<std::size_t>(std::min<std::int64_t>(8 * plan_.down, kBlock));
  }

  void convert(Sink& sink) {
    for (;;) {
      std::size_t n = dsp::kernels().resample(
          plan_, position_, input_.data(), static_cast<std::int64_t>(held_), output_.data(), output_.size());
      if (n == 0) break;
      if (left_ >= 0) {
        n = std::min(n, static_cast<std::size_t>(left_));
        left_ -= static_cast<std::int64_t>(n);
      }
      n_out_ += static_cast<std::int64_t>(n);
      if (n > 0) sink.write(0, output_.data(), n);
      if (left_ == 0) return;
    }
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
  const dsp::ResamplePlan& plan_;
  std::size_t capacity_;
  dsp::AlignedFloats input_;  ///< samples not used up yet, and values beyond that kernels may read
  dsp::AlignedFloats output_;
  std::size_t held_ = 0;
  dsp::ResamplePosition position_;
  std::int64_t n_in_ = 0;
  std::int64_t n_out_ = 0;
  std::int64_t left_ = -1;  ///< outputs still due, once the end is known
};

/// Equal rates: nothing to do.
class PassStream final : public Stream {
  void do_push(const float* samples, std::size_t n, Sink& sink) override { sink.write(0, samples, n); }
};

}  // namespace

Resample::Resample(Options options)
    : options_(checked(std::move(options))),
      table_(options_.input_rate, options_.output_rate, options_.quality) {}

std::vector<Output> Resample::outputs(const StreamSpec& input) const {
  require_samples(name, input, options_.input_rate);
  StreamSpec spec = StreamSpec::samples(options_.output_rate);
  spec.latency_s = input.latency_s;
  if (options_.input_rate != options_.output_rate) {
    spec.latency_s += static_cast<double>(table_.plan().taps) / options_.input_rate;
  }
  return {{"", spec}};
}

std::unique_ptr<Stream> Resample::open(const StreamSpec& input) const {
  outputs(input);
  if (options_.input_rate == options_.output_rate) return std::make_unique<PassStream>();
  return std::make_unique<ResampleStream>(keep(this));
}

}  // namespace fastaudio
