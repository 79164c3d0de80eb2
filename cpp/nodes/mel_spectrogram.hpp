#pragma once

#include "core/options.hpp"
#include "dsp/kernels.hpp"
#include "dsp/mel_filterbank.hpp"
#include "dsp/real_fft.hpp"

namespace fastaudio {

class MelSpectrogram final : public NodeOf<MelSpectrogram> {
 public:
  static constexpr const char* name = "MelSpectrogram";
  static constexpr const char* doc = R"(Mel-spectrogram of a mono signal.

Input:  samples [n_samples]         full scale +-1, at `sample_rate`
Output: frames  [n_frames, n_mels]  power (magnitude ** power), one row every `hop_length`
        samples; n_frames = 1 + n_samples // hop_length if centred (n_samples - 1 for an odd n_fft), else
        1 + (n_samples - n_fft) // hop_length, and at least one for any sound at all
Latency: n_fft / sample_rate
Source: Slaney, Auditory Toolbox, Interval TR 1998-010; librosa 0.11 `feature.melspectrogram`,
        whose defaults these are

Example:
    >>> import numpy as np
    >>> import fastaudio as fa
    >>> mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=96)
    >>> mel(np.zeros(16_000, dtype=np.float32)).shape
    (63, 96)
)";
  struct Options {
    int sample_rate = 22050;
    int n_fft = 2048;
    std::optional<int> win_length;
    int hop_length = 512;
    std::string window = "hann";
    int n_mels = 128;
    double f_min = 0;
    std::optional<double> f_max;
    double power = 2;
    std::string norm = "slaney";
    std::string mel_scale = "slaney";
    bool center = true;
    std::string pad_mode = "constant";
    static constexpr auto fields() {
      return std::tuple{
          Field{"sample_rate", &Options::sample_rate, Range{100, 768000}, "Hz", "Rate of the input."},
          Field{"n_fft", &Options::n_fft, Range{2, 65536}, "samples", "Length of the transform."},
          Field{"win_length", &Options::win_length, Range{1, 65536}, "samples",
                "Length of the window, centred in n_fft; None for n_fft."},
          Field{"hop_length", &Options::hop_length, Range{1, 65536}, "samples", "Step between frames."},
          Field{"window", &Options::window,
                Choices{"hann hamming blackman rectangular hann_symmetric hamming_symmetric "
                        "blackman_symmetric"},
                "Window, periodic unless its name says symmetric."},
          Field{"n_mels", &Options::n_mels, Range{1, 4096}, "bands", "Number of filters."},
          Field{"f_min", &Options::f_min, Range{0, 384000}, "Hz", "Lower edge of the first filter."},
          Field{"f_max", &Options::f_max, Range{0, 384000}, "Hz",
                "Upper edge of the last filter; None for sample_rate / 2."},
          Field{"power", &Options::power, Range{0.01, 10}, "",
                "Exponent of the magnitude: 1 for magnitude, 2 for power."},
          Field{"norm", &Options::norm, Choices{"slaney none"},
                "slaney: each filter has unit area in Hz; none: unit height."},
          Field{"mel_scale", &Options::mel_scale, Choices{"slaney htk"}, "Formula of the mel scale."},
          Field{"center", &Options::center, "Whether frame t is centred on sample t * hop_length."},
          Field{"pad_mode", &Options::pad_mode, Choices{"constant reflect"},
                "What stands before and after the signal if centred: zeros, or its mirror image."}};
    }
  };

  explicit MelSpectrogram(Options options);
  const Options& options() const { return options_; }
  const dsp::MelPlan& plan() const { return plan_; }
  /// Bands too narrow to hold a single bin: always zero.
  std::vector<int> empty_bands() const { return filterbank_.empty_bands(); }
  std::optional<StreamSpec> input() const override { return StreamSpec::samples(options_.sample_rate); }
  std::vector<Output> outputs(const StreamSpec& input) const override;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;

 private:
  Options options_;
  dsp::RealFft fft_;
  std::vector<float> window_;
  dsp::SparseFilterbank filterbank_;
  dsp::MelPlan plan_;  ///< points into the tables above
};

}  // namespace fastaudio
