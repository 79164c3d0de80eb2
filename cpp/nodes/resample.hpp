#pragma once

#include "core/options.hpp"
#include "dsp/resampler.hpp"

namespace fastaudio {

class Resample final : public NodeOf<Resample> {
 public:
  static constexpr const char* name = "Resample";
  static constexpr const char* doc =
      R"(Resamples to another rate, with a low-pass below the lower of both Nyquist frequencies.

Input:  samples [n_samples]   at `input_rate`
Output: samples [ceil(n_samples * output_rate / input_rate)]  at `output_rate`, aligned with the
        input: output k stands at time k / output_rate
Latency: half the filter's length; `latency_s` gives it
Source: Smith & Gossett, "A flexible sampling-rate conversion method", ICASSP 1984; tests
        compare this node with soxr 1.0

Example:
    >>> import numpy as np
    >>> import fastaudio as fa
    >>> resample = fa.Resample(input_rate=44_100, output_rate=16_000)
    >>> resample(np.zeros(44_100, dtype=np.int16)).shape
    (16000,)
)";
  struct Options {
    int input_rate = 44100;
    int output_rate = 16000;
    std::string quality = "high";
    static constexpr auto fields() {
      return std::tuple{Field{"input_rate", &Options::input_rate, Range{100, 768000}, "Hz",
                              "Rate of the input.", Place::shown},
                        Field{"output_rate", &Options::output_rate, Range{100, 768000}, "Hz",
                              "Rate of the output.", Place::shown},
                        Field{"quality", &Options::quality, Choices{"fast high best"},
                              "Pass band and stop band: fast has 80 % and -55 dB, high has 90 % and -100 dB, "
                              "best has 95 % and -120 dB."}};
    }
  };

  explicit Resample(Options options);
  const dsp::ResamplerTable& table() const { return table_; }
  std::optional<StreamSpec> input() const override { return StreamSpec::samples(options().input_rate); }
  std::vector<Output> describe(const StreamSpec& input) const override;
  std::unique_ptr<Stream> open(const StreamSpec& input) const override;
  std::optional<Locality> locality() const override;

 private:
  dsp::ResamplerTable table_;
};

}  // namespace fastaudio
