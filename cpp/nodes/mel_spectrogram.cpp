#include "nodes/mel_spectrogram.hpp"

#include "core/framer.hpp"
#include "dsp/aligned.hpp"
#include "dsp/window.hpp"
#include "nodes/require.hpp"

namespace fastaudio {

namespace {

double upper_edge(const MelSpectrogram::Options& o) { return o.f_max.value_or(o.sample_rate / 2.0); }

MelSpectrogram::Options checked(MelSpectrogram::Options o) {
  constexpr const char* name = MelSpectrogram::name;
  check_options(name, o);
  if (o.win_length && *o.win_length > o.n_fft) {
    detail::throw_outside(name, "win_length", "in " + format(Range{1, double(o.n_fft)}, "samples (n_fft)"),
                          format(*o.win_length));
  }
  const double nyquist = o.sample_rate / 2.0;
  const double top = upper_edge(o);
  if (top > nyquist) {
    detail::throw_outside(name, "f_max", "in " + format(Range{0, nyquist}, "Hz (sample_rate / 2)"),
                          format(top));
  }
  if (o.f_min >= top) {
    detail::throw_outside(name, "f_min", "below f_max = " + format(top) + " Hz", format(o.f_min));
  }
  return o;
}

class MelStream final : public Stream {
 public:
  explicit MelStream(std::shared_ptr<const MelSpectrogram> node)
      : node_(std::move(node)),
        plan_(node_->plan()),
        kernels_(dsp::kernels()),
        hop_(node_->options().hop_length),
        framer_({plan_.n_fft, hop_, node_->options().center ? plan_.n_fft / 2 : 0,
                 node_->options().pad_mode == "reflect", kernels_.lanes}),
        scratch_(plan_.scratch_floats(kernels_.lanes)),
        rows_(static_cast<std::size_t>(plan_.n_bands * kernels_.lanes)) {}

 private:
  void do_push(const float* samples, std::size_t n, Sink& sink) override {
    framer_.push(samples, n, [&](const float* first, int count) { frames(first, count, sink); });
  }

  void do_flush(Sink& sink) override {
    framer_.flush([&](const float* first, int count) { frames(first, count, sink); });
  }

  void frames(const float* first, int count, Sink& sink) {
    kernels_.mel(plan_, first, hop_, count, scratch_.data(), rows_.data());
    sink.write(0, rows_.data(), static_cast<std::size_t>(count));
  }

  std::shared_ptr<const MelSpectrogram> node_;
  const dsp::MelPlan& plan_;
  const dsp::Kernels& kernels_;
  int hop_;
  Framer framer_;
  dsp::AlignedFloats scratch_;
  dsp::AlignedFloats rows_;
};

}  // namespace

MelSpectrogram::MelSpectrogram(Options options)
    : options_(checked(std::move(options))),
      fft_(options_.n_fft),
      window_(
          dsp::make_window(options_.window, options_.win_length.value_or(options_.n_fft), options_.n_fft)),
      filterbank_(dsp::make_mel_filterbank(options_.sample_rate, options_.n_fft, options_.n_mels,
                                           options_.f_min, upper_edge(options_), options_.mel_scale,
                                           options_.norm == "slaney")) {
  fft_.describe(plan_);
  plan_.power = static_cast<float>(options_.power);
  plan_.window = window_.data();
  plan_.n_bands = options_.n_mels;
  plan_.first = filterbank_.first.data();
  plan_.offset = filterbank_.offset.data();
  plan_.weights = filterbank_.weights.data();
}

std::vector<Output> MelSpectrogram::outputs(const StreamSpec& input) const {
  require_samples(name, input, options_.sample_rate);
  StreamSpec spec;
  spec.rate_hz = static_cast<double>(options_.sample_rate) / options_.hop_length;
  spec.shape = {options_.n_mels};
  spec.unit = options_.power == 2   ? "power"
              : options_.power == 1 ? "magnitude"
                                    : "magnitude ** " + format(options_.power);
  spec.span_s = 1 / spec.rate_hz;
  spec.latency_s = input.latency_s + static_cast<double>(options_.n_fft) / options_.sample_rate;
  return {{"", spec}};
}

std::unique_ptr<Stream> MelSpectrogram::open(const StreamSpec& input) const {
  outputs(input);
  return std::make_unique<MelStream>(keep(this));
}

}  // namespace fastaudio
