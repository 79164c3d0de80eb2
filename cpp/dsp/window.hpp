/// Analysis windows.
#pragma once

#include <string_view>
#include <vector>

namespace fastaudio::dsp {

/// `win_length` values of a window by name: hann, hamming (0.54 / 0.46), blackman, rectangular,
/// each periodic, or symmetric with the suffix "_symmetric"; centred in `n_fft`, zeros around.
std::vector<float> make_window(std::string_view name, int win_length, int n_fft);

}  // namespace fastaudio::dsp
