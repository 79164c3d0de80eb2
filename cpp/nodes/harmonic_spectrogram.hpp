#pragma once

#include "dsp/harmonic_filterbank.hpp"
#include "nodes/support/spectral.hpp"

namespace fastaudio {

class HarmonicSpectrogram final : public NodeOf<HarmonicSpectrogram> {
 public:
  static constexpr const char* name = "HarmonicSpectrogram";
  static constexpr const char* doc =
      R"(Measures the spectrum at the harmonics of a scale of notes, with data-driven harmonic filters.

Channel h has one triangular filter for every note from C1 up in steps of 1 / semitone_scale semitones,
centred on harmonic h + 1 of that note. A filter centred on f Hz is (0.1079 f + 24.7) / q Hz wide; bins lie
at linspace(0, sample_rate / 2, n_fft // 2 + 1), even if n_fft is odd.

Input:  samples [n_samples]                      full scale +-1, at `sample_rate`
Output: frames  [n_frames, n_harmonic, n_levels] power, one row every `hop_length` samples; n_levels
        = semitone_scale * (round(note of sample_rate / (2 n_harmonic)) - 24), which is 128 with the
        defaults. A filter narrower than a bin stays zero.
Latency: half a frame if centred, otherwise one frame
Source: Won, Chun, Nieto, Serra, Data-driven harmonic filters for audio representation learning,
        ICASSP 2020, which gives the defaults; the authors' code of 2020 first has n_fft 513, later 512.
        Add Log(kind="dB") to get decibels

Example:
    >>> import numpy as np
    >>> import fastaudio as fa
    >>> harmonic = fa.HarmonicSpectrogram()
    >>> harmonic(np.zeros(16_000, dtype=np.float32)).shape
    (63, 6, 128)
)";
  struct Options : FrameOptions {
    int n_harmonic = 6;
    int semitone_scale = 2;
    std::vector<double> q{1.0};
    double power = 2;
    Options() {
      sample_rate = 16000;
      n_fft = 512;
      hop_length = 256;
      pad_mode = "reflect";
    }
    static constexpr auto fields() {
      return std::tuple_cat(frame_fields<Options>(),
                            std::tuple{Field{"n_harmonic", &Options::n_harmonic, Range{1, 64}, "channels",
                                             "Number of harmonics, including the note itself."},
                                       Field{"semitone_scale", &Options::semitone_scale, Range{1, 64},
                                             "bands", "Bands per semitone."},
                                       Field{"q", &Options::q, Range{1e-3, 1e3}, "",
                                             "Divides the filters' width; give one number, one per harmonic, "
                                             "or one per filter, harmonic by harmonic."},
                                       Field{"power", &Options::power, Range{0.01, 10}, "",
                                             "Exponent of the magnitude: 1 for magnitude, 2 for power."}});
    }
  };

  explicit HarmonicSpectrogram(Options options);
  static void check(const Options& options);
  /// Bands too narrow to hold a single bin, counted harmonic by harmonic: always zero.
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
