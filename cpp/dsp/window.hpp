/// Analysis windows.
#pragma once

#include <string_view>
#include <vector>

namespace fastaudio::dsp {

/// `win_length` values of a window by name: hann, hamming (0.54 / 0.46), blackman, povey (hann ** 0.85),
/// kaiser (of `beta`), rectangular, each periodic, or symmetric with the suffix "_symmetric"; in the
/// middle of `n_fft` zeros, or at their start.
std::vector<float> make_window(std::string_view name, int win_length, int n_fft, bool at_start = false,
                               double beta = 12);

}  // namespace fastaudio::dsp
