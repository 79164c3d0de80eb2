/// Says which instruction sets this processor can run.
#pragma once

namespace fastaudio::simd {

/// Returns whether there are AVX2 and FMA, and the operating system enables them.
bool cpu_has_avx2();

/// Returns whether there are AVX-512 F, DQ, BW and VL, and the operating system enables them.
bool cpu_has_avx512();

}  // namespace fastaudio::simd
