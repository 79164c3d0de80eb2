/// What all nodes from samples to spectra share: options, tables and the stream.
#pragma once

#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "core/budget.hpp"
#include "core/options.hpp"
#include "dsp/kernels.hpp"
#include "dsp/real_fft.hpp"

namespace fastaudio {

struct FrameOptions {
  int sample_rate = 22050;
  int n_fft = 2048;
  std::optional<int> win_length;
  int hop_length = 512;
  std::string window = "hann";
  double window_beta = 12;
  std::string window_at = "middle";
  bool center = true;
  std::string pad_mode = "constant";
  bool remove_dc = false;
  double preemphasis = 0;
  double sample_scale = 1;
};

/// The fields of FrameOptions, to be joined with a node's own.
template <class Options>
constexpr auto frame_fields() {
  return std::tuple{
      Field<Options, int>{"sample_rate", &FrameOptions::sample_rate, Range{100, 768000}, "Hz",
                          "Rate of the input."},
      Field<Options, int>{"n_fft", &FrameOptions::n_fft, Range{2, 65536}, "samples",
                          "Length of the transform."},
      Field<Options, std::optional<int>>{"win_length", &FrameOptions::win_length, Range{1, 65536}, "samples",
                                         "Length of the window; None for n_fft."},
      Field<Options, int>{"hop_length", &FrameOptions::hop_length, Range{1, 65536}, "samples",
                          "Step between frames."},
      Field<Options, std::string>{"window", &FrameOptions::window,
                                  Choices{"hann hamming blackman povey kaiser rectangular hann_symmetric "
                                          "hamming_symmetric blackman_symmetric povey_symmetric "
                                          "kaiser_symmetric"},
                                  "Shape of the window, periodic unless its name says symmetric."},
      Field<Options, double>{"window_beta", &FrameOptions::window_beta, Range{0, 100}, "",
                             "Shape of a kaiser window; no other window uses it."},
      Field<Options, std::string>{
          "window_at", &FrameOptions::window_at, Choices{"middle start"},
          "Where a window shorter than n_fft lies. middle: in the frame's middle, and samples around it have "
          "no weight; start: at the frame's start, and frames are win_length long with zeros after."},
      Field<Options, bool>{"center", &FrameOptions::center,
                           "Whether frame t is centred on sample t * hop_length; otherwise it begins there."},
      Field<Options, std::string>{
          "pad_mode", &FrameOptions::pad_mode, Choices{"constant reflect kaldi"},
          "What is taken before and after the signal if centred. constant: zeros; reflect: its mirror image; "
          "kaldi: its mirror image with the edges repeated, where frame t is centred on (t + 1/2) * "
          "hop_length, as Kaldi does without snip_edges."},
      Field<Options, bool>{"remove_dc", &FrameOptions::remove_dc, "Whether to subtract each frame's mean."},
      Field<Options, double>{
          "preemphasis", &FrameOptions::preemphasis, Range{0, 1}, "",
          "Then subtracts preemphasis * x[i - 1] from each x[i] of the frame, before the window."},
      Field<Options, double>{
          "sample_scale", &FrameOptions::sample_scale, Range{1e-6, 1e6}, "",
          "Factor that samples are multiplied by; 32768 suits front ends that read 16-bit integers."}};
}

/// The tables from samples to spectra, which never change. The node that owns them outlives every stream.
class SpectralFront {
 public:
  /// Throws ValueError, in the node's name, for options that contradict each other.
  SpectralFront(const char* node, const FrameOptions& options, double power, bool is_complex = false);

  const dsp::SpectrumPlan& plan() const { return plan_; }
  double bin_hz() const { return options_.sample_rate / static_cast<double>(options_.n_fft); }

  /// Rows of `shape` at the rate of frames, checked against the input.
  StreamSpec spec(const StreamSpec& input, std::vector<std::int64_t> shape) const;

  Locality locality() const;

  /// `filter` belongs to `owner`, which this belongs to too.
  std::unique_ptr<Stream> open(std::shared_ptr<const Node> owner, const dsp::FilterPlan& filter) const;

 private:
  const char* node_;
  FrameOptions options_;
  dsp::RealFft fft_;
  Table<float> window_;
  dsp::SpectrumPlan plan_;  ///< points into the tables above
};

/// "power", "magnitude", "magnitude ** 0.5".
std::string unit_of_power(double power);

}  // namespace fastaudio
