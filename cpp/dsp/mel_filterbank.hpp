/// Makes triangular filters on a mel scale, as sparse rows.
#pragma once

#include <string_view>

#include "dsp/sparse_filterbank.hpp"

namespace fastaudio::dsp {

/// HTK's scale is 2595 log10(1 + f / 700). Slaney's is linear up to 1 kHz (3 f / 200), then
/// 15 + 27 ln(f / 1000) / ln 6.4.
double hz_to_mel(double hz, std::string_view mel_scale);
double mel_to_hz(double mel, std::string_view mel_scale);

struct MelFilters {
  double sample_rate;
  int n_fft;
  int n_mels;
  double f_min;
  double f_max;
  std::string_view mel_scale;  ///< slaney, htk
  std::string_view norm;       ///< slaney (unit area in Hz), unit_sum (weights sum to 1), none
  bool linear_in_mel;          ///< sides of the triangles are straight lines over mel, not over Hz
};

/// Source: Slaney, Auditory Toolbox, Interval TR 1998-010; librosa 0.11 `filters.mel`. Triangles over mel
/// follow Kaldi's `MelBanks` and TensorFlow's `linear_to_mel_weight_matrix`.
SparseFilterbank make_mel_filterbank(const MelFilters& filters);

}  // namespace fastaudio::dsp
