#pragma once

#include "dsp/mel_filterbank.hpp"
#include "nodes/support/spectral.hpp"

namespace fastaudio {

class MelSpectrogram final : public NodeOf<MelSpectrogram> {
 public:
  static constexpr const char* name = "MelSpectrogram";
  static constexpr const char* doc = R"(Computes the mel-spectrogram of a mono signal.

Input:  samples [n_samples]         full scale +-1, at `sample_rate`
Output: frames  [n_frames, n_mels]  power (magnitude ** power), one row every `hop_length` samples;
        n_frames = 1 + n_samples // hop_length if centred (with n_samples - 1 if n_fft is odd), otherwise
        1 + (n_samples - n_fft) // hop_length, and at least one unless the sound is empty
Latency: half a frame if centred, otherwise one frame
Source: Slaney, Auditory Toolbox, Interval TR 1998-010; librosa 0.11 `feature.melspectrogram` (same
        defaults)

Example:
    >>> import numpy as np
    >>> import fastaudio as fa
    >>> mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=96)
    >>> mel(np.zeros(16_000, dtype=np.float32)).shape
    (63, 96)
)";
  struct Options : FrameOptions {
    int n_mels = 128;
    double f_min = 0;
    std::optional<double> f_max;
    double power = 2;
    std::string norm = "slaney";
    std::string mel_scale = "slaney";
    std::string triangles = "hz";
    static constexpr auto fields() {
      return std::tuple_cat(
          frame_fields<Options>(),
          std::tuple{
              Field{"n_mels", &Options::n_mels, Range{1, 4096}, "bands", "Number of filters."},
              Field{"f_min", &Options::f_min, Range{0, 384000}, "Hz", "Lower edge of the first filter."},
              Field{"f_max", &Options::f_max, Range{0, 384000}, "Hz",
                    "Upper edge of the last filter; None for sample_rate / 2."},
              Field{"power", &Options::power, Range{0.01, 10}, "",
                    "Exponent of the magnitude: 1 for magnitude, 2 for power."},
              Field{"norm", &Options::norm, Choices{"slaney unit_sum none"},
                    "slaney: each filter has unit area in Hz; unit_sum: its weights sum to 1; none: unit "
                    "height."},
              Field{"mel_scale", &Options::mel_scale, Choices{"slaney htk"}, "Formula of the mel scale."},
              Field{"triangles", &Options::triangles, Choices{"hz mel"},
                    "Whether the filters' sides are straight lines over Hz (librosa) or over mel (HTK, "
                    "Kaldi, TensorFlow)."}});
    }
  };

  explicit MelSpectrogram(Options options);
  static void check(const Options& options);
  const dsp::SpectrumPlan& plan() const { return front_.plan(); }
  dsp::FilterPlan filter() const { return filterbank_.plan(); }
  /// Bands too narrow to hold a single bin: always zero.
  std::vector<int> empty_bands() const { return filterbank_.empty_bands(); }
  std::optional<StreamSpec> input() const override { return StreamSpec::samples(options().sample_rate); }
  std::vector<Output> describe(const StreamSpec& input) const override;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
  std::optional<Locality> locality() const override { return front_.locality(); }

 private:
  SpectralFront front_;
  dsp::SparseFilterbank filterbank_;
};

}  // namespace fastaudio
