/// Makes analysis windows.
#pragma once

#include <string_view>
#include <vector>

namespace fastaudio::dsp {

/// Modified Bessel function of the first kind, order 0, by its series; libc++ has no std::cyl_bessel_i.
double bessel_i0(double x);

/// Returns `n_fft` values: a window of `win_length` values, with zeros on both sides or, if `at_start`, only
/// after it. Names are hann, hamming (0.54 / 0.46), blackman, povey (hann ** 0.85), kaiser (with `beta`) and
/// rectangular. Windows are periodic, or symmetric if the name ends in "_symmetric".
std::vector<float> make_window(std::string_view name, int win_length, int n_fft, bool at_start = false,
                               double beta = 12);

}  // namespace fastaudio::dsp
