#include "nodes/support/spectral.hpp"

#include "core/rows/framer.hpp"
#include "dsp/aligned.hpp"
#include "dsp/window.hpp"
#include "nodes/support/require.hpp"

namespace fastaudio {

namespace {

const FrameOptions& checked(const char* node, const FrameOptions& o) {
  if (o.win_length && *o.win_length > o.n_fft) {
    detail::throw_outside(node, "win_length", "in " + format(Range{1, double(o.n_fft)}, "samples (n_fft)"),
                          format(*o.win_length));
  }
  return o;
}

bool starts(const FrameOptions& o) { return o.window_at == "start"; }

int frame_length(const FrameOptions& o) { return starts(o) ? o.win_length.value_or(o.n_fft) : o.n_fft; }

Table<float> window_of(const FrameOptions& o) {
  const auto shape =
      dsp::make_window(o.window, o.win_length.value_or(o.n_fft), o.n_fft, starts(o), o.window_beta);
  Table<float> window(shape.begin(), shape.end());
  const double share = o.n_fft % 2 == 0 ? 0.5 : 1;  // see FramePlan
  for (float& value : window) value = static_cast<float>(value * o.sample_scale * share);
  return window;
}

Framer::Options framing(const FrameOptions& o, int batch) {
  const int length = frame_length(o);
  Framer::Options framing{length, o.hop_length, 0, 0, Framer::Edge::zeros, batch};
  if (!o.center) return framing;
  framing.pad_left = framing.pad_right = length / 2;
  if (o.pad_mode == "reflect") framing.edge = Framer::Edge::reflect;
  if (o.pad_mode == "kaldi") {
    framing.edge = Framer::Edge::repeat;
    framing.pad_left -= o.hop_length / 2;
    framing.pad_right = length - length / 2 - o.hop_length % 2;
  }
  return framing;
}

class SpectrumStream final : public Stream {
 public:
  SpectrumStream(std::shared_ptr<const Node> owner, const dsp::SpectrumPlan& plan,
                 const dsp::FilterPlan& filter, const FrameOptions& options)
      : owner_(std::move(owner)),
        plan_(plan),
        filter_(filter),
        kernels_(dsp::kernels()),
        hop_(options.hop_length),
        framer_(framing(options, kernels_.lanes)),
        scratch_(dsp::spectrum_scratch(plan_, filter_, kernels_.lanes)),
        rows_(static_cast<std::size_t>((filter_.n_bands > 0 ? filter_.n_bands : plan_.n_values()) *
                                       kernels_.lanes)) {}

 private:
  void do_push(const float* samples, std::size_t n, Sink& sink) override {
    framer_.push(samples, n, [&](const float* first, int count) { frames(first, count, sink); });
  }

  void do_flush(Sink& sink) override {
    framer_.flush([&](const float* first, int count) { frames(first, count, sink); });
  }

  void frames(const float* first, int count, Sink& sink) {
    const auto n_rows = static_cast<std::size_t>(count);
    float* placed = sink.extend(0, n_rows);
    float* rows = placed != nullptr ? placed : rows_.data();
    kernels_.spectrum(plan_, filter_, first, hop_, count, scratch_.data(), rows);
    if (placed == nullptr) sink.write(0, rows, n_rows);
  }

  std::shared_ptr<const Node> owner_;
  const dsp::SpectrumPlan& plan_;
  dsp::FilterPlan filter_;
  const dsp::Kernels& kernels_;
  int hop_;
  Framer framer_;
  dsp::AlignedFloats scratch_;
  dsp::AlignedFloats rows_;
};

}  // namespace

SpectralFront::SpectralFront(const char* node, const FrameOptions& options, double power, bool is_complex)
    : node_(node), options_(checked(node, options)), fft_(options_.n_fft), window_(window_of(options_)) {
  plan_.fft = fft_.plan();
  plan_.frame.frame_length = frame_length(options_);
  plan_.frame.window = window_.data();
  plan_.frame.remove_dc = options_.remove_dc;
  plan_.frame.preemphasis = static_cast<float>(options_.preemphasis);
  plan_.is_complex = is_complex;
  plan_.power = static_cast<float>(power);
}

StreamSpec SpectralFront::spec(const StreamSpec& input, std::vector<std::int64_t> shape) const {
  require_samples(node_, input, options_.sample_rate);
  StreamSpec spec;
  spec.rate_hz = static_cast<double>(options_.sample_rate) / options_.hop_length;
  spec.shape = std::move(shape);
  spec.unit = plan_.is_complex ? "complex" : unit_of_power(static_cast<double>(plan_.power));
  spec.span_s = 1 / spec.rate_hz;
  return spec;
}

Locality SpectralFront::locality() const { return Framer::locality(framing(options_, 1)); }

std::unique_ptr<Stream> SpectralFront::open(std::shared_ptr<const Node> owner,
                                            const dsp::FilterPlan& filter) const {
  return std::make_unique<SpectrumStream>(std::move(owner), plan_, filter, options_);
}

std::string unit_of_power(double power) {
  if (power == 2) return "power";
  return power == 1 ? "magnitude" : "magnitude ** " + format(power);
}

}  // namespace fastaudio
