/// What this processor can run, asked once.
#pragma once

namespace fastaudio::simd {

/// AVX2 and FMA, enabled by the operating system too.
bool cpu_has_avx2();

/// AVX-512 F, DQ, BW and VL, enabled by the operating system too.
bool cpu_has_avx512();

}  // namespace fastaudio::simd
