#pragma once

#include "core/options.hpp"

namespace fastaudio {

class PCEN final : public NodeOf<PCEN> {
 public:
  static constexpr const char* name = "PCEN";
  static constexpr const char* doc =
      R"(Divides each band by its own recent level, then compresses it (per-channel energy normalisation).

Input:  rows [n_rows, ...] of power or magnitude; values below 0 count as 0
Output: rows [n_rows, ...], or [n_rows, n_rates, ...] for several time constants:
        (E / (eps + M) ** gain + bias) ** power - bias ** power, where M follows the band E:
        M(t) = M(t - 1) + b (E(t) - M(t - 1)), b = (sqrt(1 + 4 T^2) - 1) / (2 T^2), and T is the time
        constant in rows. If power is 0, it is ln(1 + E / (eps + M) ** gain)
Latency: none

librosa's examples first multiply samples within +-1 by 2 ** 31: `eps` and `bias` are meant for that level.

Source: Wang, Getreuer, Hughes, Lyon and Saurous, ICASSP 2017; Lostanlen et al., IEEE Signal Processing
        Letters 26(1), 2019; librosa 0.11 `pcen` (same defaults); Ick and McFee, ICASSP 2021, for several
        rates

Example:
    >>> import numpy as np
    >>> import fastaudio as fa
    >>> mel = fa.MelSpectrogram(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=40)
    >>> (mel >> fa.PCEN(time_constants_s=[0.06, 0.4]))(np.zeros(16_000, dtype=np.float32)).shape
    (63, 2, 40)
)";
  struct Options {
    double gain = 0.98;
    double bias = 2;
    double power = 0.5;
    double eps = 1e-6;
    std::vector<double> time_constants_s = {0.4};
    std::string initial = "one";
    static constexpr auto fields() {
      return std::tuple{
          Field{"gain", &Options::gain, Range{0, 2}, "",
                "How much of the level is divided out; 1 divides out all of it."},
          Field{"bias", &Options::bias, Range{0, 1e6}, "", "This is added before the compression."},
          Field{"power", &Options::power, Range{0, 1}, "",
                "Exponent of the compression; 0 takes a logarithm instead."},
          Field{"eps", &Options::eps, Range{1e-12, 1e6}, "",
                "This is added to the level, so that silence stays silent."},
          Field{"time_constants_s", &Options::time_constants_s, Range{1e-4, 1e4}, "s",
                "How slowly the level follows the energy; give one number or several."},
          Field{"initial", &Options::initial, Choices{"one first"},
                "Value of M before the first row. one: 1, as in librosa; first: the first row."}};
    }
  };

  using NodeOf::NodeOf;
  static void check(const Options& options);
  std::vector<Output> describe(const StreamSpec& input) const override;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
};

}  // namespace fastaudio
