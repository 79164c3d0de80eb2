#include "simd/cpu.hpp"

#if defined(_MSC_VER) && defined(_M_X64)
#include <immintrin.h>
#include <intrin.h>
#endif

namespace fastaudio::simd {

#if (defined(__GNUC__) || defined(__clang__)) && defined(__x86_64__)

bool cpu_has_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

bool cpu_has_avx512() {
  return cpu_has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
}

#elif defined(_MSC_VER) && defined(_M_X64)

namespace {

bool os_saves(unsigned long long state) {
  int info[4];
  __cpuid(info, 1);
  const bool has_xsave = (info[2] >> 27) & 1;
  return has_xsave && (_xgetbv(0) & state) == state;
}

int features_ebx() {
  int info[4];
  __cpuidex(info, 7, 0);
  return info[1];
}

}  // namespace

bool cpu_has_avx2() {
  int info[4];
  __cpuid(info, 1);
  const bool fma = (info[2] >> 12) & 1;
  return fma && ((features_ebx() >> 5) & 1) && os_saves(0x6);
}

bool cpu_has_avx512() {
  constexpr int kNeeded = (1 << 16) | (1 << 17) | (1 << 30) | int(1u << 31);  // F, DQ, BW, VL
  return cpu_has_avx2() && (features_ebx() & kNeeded) == kNeeded && os_saves(0xe6);
}

#else

bool cpu_has_avx2() { return false; }
bool cpu_has_avx512() { return false; }

#endif

}  // namespace fastaudio::simd
