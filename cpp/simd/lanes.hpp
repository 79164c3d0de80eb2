/// `Lanes` is a float vector of fixed width; each lane holds one frame.
///
/// This header belongs to kernel sources, which are compiled once per instruction set inside
/// `namespace FASTAUDIO_ISA`. It uses no standard container: an inline function shared with
/// ordinary sources could be linked in its AVX-512 form and crash on an older processor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#if defined(__FMA__) || defined(__AVX512F__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#ifndef FASTAUDIO_ISA
#error "compile kernel sources through CMake, which names the instruction set"
#endif

/// An array of lanes that a function is given stays in registers only if the function is inlined.
#if defined(__GNUC__) || defined(__clang__)
#define FASTAUDIO_INLINE [[gnu::always_inline]] inline
#else
#define FASTAUDIO_INLINE __forceinline
#endif

/// Before a loop that hands values from one turn to the next: four turns in one needn't move them.
#if defined(__clang__)
#define FASTAUDIO_UNROLL_4 _Pragma("clang loop unroll_count(4)")
#elif defined(__GNUC__)
#define FASTAUDIO_UNROLL_4 _Pragma("GCC unroll 4")
#else
#define FASTAUDIO_UNROLL_4
#endif

namespace fastaudio::simd::FASTAUDIO_ISA {

#if defined(__AVX512F__)
inline constexpr int kLanes = 16;
inline constexpr int kRegisters = 32;
#elif defined(__AVX2__)
inline constexpr int kLanes = 8;
inline constexpr int kRegisters = 16;
#else
inline constexpr int kLanes = 4;
#if defined(__aarch64__)
inline constexpr int kRegisters = 32;
#else
inline constexpr int kRegisters = 16;
#endif
#endif

#if defined(__GNUC__) || defined(__clang__)

#if defined(__FMA__) || defined(__AVX512F__) || defined(__aarch64__)
#define FASTAUDIO_FUSED 1
#endif

typedef float Lanes __attribute__((vector_size(kLanes * 4)));
typedef std::int32_t IntLanes __attribute__((vector_size(kLanes * 4)));

inline Lanes splat(float x) { return x - Lanes{}; }
inline IntLanes splat(std::int32_t x) { return x - IntLanes{}; }
inline Lanes max(Lanes a, Lanes b) { return a > b ? a : b; }
inline Lanes to_float(IntLanes a) { return __builtin_convertvector(a, Lanes); }

#else  // MSVC vectorises plain loops

template <class T>
struct Array {
  T v[kLanes];
  T& operator[](int i) { return v[i]; }
  T operator[](int i) const { return v[i]; }
};
using Lanes = Array<float>;
using IntLanes = Array<std::int32_t>;

template <class T, class F>
inline Array<T> each(F f) {
  Array<T> r;
  for (int i = 0; i < kLanes; ++i) r.v[i] = f(i);
  return r;
}
inline Lanes splat(float x) {
  return each<float>([=](int) { return x; });
}
inline IntLanes splat(std::int32_t x) {
  return each<std::int32_t>([=](int) { return x; });
}
#define FASTAUDIO_OPERATOR(T, op)                                     \
  inline Array<T> operator op(const Array<T>& a, const Array<T>& b) { \
    return each<T>([&](int i) { return T(a.v[i] op b.v[i]); });       \
  }
FASTAUDIO_OPERATOR(float, +)
FASTAUDIO_OPERATOR(float, -)
FASTAUDIO_OPERATOR(float, *)
FASTAUDIO_OPERATOR(std::int32_t, +)
FASTAUDIO_OPERATOR(std::int32_t, -)
FASTAUDIO_OPERATOR(std::int32_t, >>)
FASTAUDIO_OPERATOR(std::int32_t, <<)
#undef FASTAUDIO_OPERATOR
inline Lanes& operator+=(Lanes& a, const Lanes& b) { return a = a + b; }
inline Lanes max(const Lanes& a, const Lanes& b) {
  return each<float>([&](int i) { return a.v[i] > b.v[i] ? a.v[i] : b.v[i]; });
}
inline Lanes to_float(const IntLanes& a) {
  return each<float>([&](int i) { return float(a.v[i]); });
}

#endif

/// Returns a * b + c, rounded once where the instruction set can. Lanes and single floats give the same bits.
inline float fma(float a, float b, float c) {
#if defined(FASTAUDIO_FUSED)
  return __builtin_fmaf(a, b, c);
#else
  return a * b + c;
#endif
}
inline Lanes fma(Lanes a, Lanes b, Lanes c) {
#if !defined(FASTAUDIO_FUSED)
  return a * b + c;
#elif defined(__AVX512F__)
  return Lanes(_mm512_fmadd_ps(__m512(a), __m512(b), __m512(c)));
#elif defined(__FMA__)
  return Lanes(_mm256_fmadd_ps(__m256(a), __m256(b), __m256(c)));
#else
  return Lanes(vfmaq_f32(float32x4_t(c), float32x4_t(a), float32x4_t(b)));
#endif
}
/// Returns c - a * b in the same way.
inline float fnma(float a, float b, float c) {
#if defined(FASTAUDIO_FUSED)
  return __builtin_fmaf(-a, b, c);
#else
  return c - a * b;
#endif
}
inline Lanes fnma(Lanes a, Lanes b, Lanes c) {
#if !defined(FASTAUDIO_FUSED)
  return c - a * b;
#elif defined(__AVX512F__)
  return Lanes(_mm512_fnmadd_ps(__m512(a), __m512(b), __m512(c)));
#elif defined(__FMA__)
  return Lanes(_mm256_fnmadd_ps(__m256(a), __m256(b), __m256(c)));
#else
  return Lanes(vfmsq_f32(float32x4_t(c), float32x4_t(a), float32x4_t(b)));
#endif
}

/// Loads from any alignment.
inline Lanes load(const float* p) {
  Lanes r;
  std::memcpy(&r, p, sizeof r);
  return r;
}
inline void store(float* p, Lanes a) { std::memcpy(p, &a, sizeof a); }

inline IntLanes bits(Lanes a) {
  IntLanes r;
  std::memcpy(&r, &a, sizeof r);
  return r;
}
inline Lanes from_bits(IntLanes a) {
  Lanes r;
  std::memcpy(&r, &a, sizeof r);
  return r;
}

/// Four floats, for sums along one frame.
#if defined(__GNUC__) || defined(__clang__)
typedef float Four __attribute__((vector_size(16)));
#else
struct Four {
  float v[4];
  float operator[](int i) const { return v[i]; }
};
#endif
inline Four load_four(const float* p) {
  Four r;
  std::memcpy(&r, p, sizeof r);
  return r;
}
/// Loads the first `n` < 4 values; the others are 0.
inline Four load_four_first(const float* p, int n) {
#if defined(FASTAUDIO_FUSED) && defined(__AVX2__)
  static constexpr std::int32_t kFirst[8] = {-1, -1, -1, -1};
  return Four(_mm_maskload_ps(p, _mm_loadu_si128(reinterpret_cast<const __m128i*>(kFirst + 4 - n))));
#else
  float v[4] = {};
  for (int i = 0; i < n; ++i) v[i] = p[i];
  return load_four(v);
#endif
}
/// Returns a * b + c like `fma`.
inline Four fma_four(Four a, Four b, Four c) {
#if defined(FASTAUDIO_FUSED) && defined(__FMA__)
  return Four(_mm_fmadd_ps(__m128(a), __m128(b), __m128(c)));
#elif defined(FASTAUDIO_FUSED) && defined(__aarch64__)
  return Four(vfmaq_f32(float32x4_t(c), float32x4_t(a), float32x4_t(b)));
#elif defined(__GNUC__) || defined(__clang__)
  return a * b + c;
#else
  for (int i = 0; i < 4; ++i) c.v[i] = fma(a.v[i], b.v[i], c.v[i]);
  return c;
#endif
}

/// Keeps a value that was loaded in a register: compilers would read it from memory once per use.
inline void keep([[maybe_unused]] Lanes& a) {
#if !defined(__GNUC__) && !defined(__clang__)
#elif defined(__x86_64__)
  asm("" : "+v"(a));
#elif defined(__aarch64__)
  asm("" : "+w"(a));
#endif
}

/// Returns the sum of all lanes, added in a fixed order.
inline float sum(Lanes a) {
  float v[kLanes];
  std::memcpy(v, &a, sizeof v);
  for (int half = kLanes / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) v[i] += v[i + half];
  }
  return v[0];
}

/// Returns lanes of two vectors: lane i is lane pick(i) of `a`, or, from kLanes on, of `b`.
template <class Pick>
inline Lanes shuffle(Lanes a, Lanes b, Pick) {
#if (defined(__GNUC__) && __GNUC__ >= 12) || defined(__clang__)
  return []<std::size_t... i>(Lanes x, Lanes y, std::index_sequence<i...>) {
    return __builtin_shufflevector(x, y, Pick{}(int(i))...);
  }(a, b, std::make_index_sequence<kLanes>{});
#else
  Lanes r = a;
  for (int i = 0; i < kLanes; ++i) r[i] = Pick{}(i) < kLanes ? a[Pick{}(i)] : b[Pick{}(i)-kLanes];
  return r;
#endif
}
inline Lanes reversed(Lanes a) {
  return shuffle(a, a, [](int i) { return kLanes - 1 - i; });
}
/// Return every second one of the values of `a` and `b`, beginning with the first, or the second.
template <int first>
inline Lanes every_second(Lanes a, Lanes b) {
  if constexpr (kLanes != 8) {
    return shuffle(a, b, [](int i) { return 2 * i + first; });
  } else {  // within halves, then pairs: AVX2 moves across its halves slowly
    const Lanes halves =
        shuffle(a, b, [](int i) { return i / 4 * 4 + i % 2 * 2 + first + i % 4 / 2 * kLanes; });
    return shuffle(halves, halves, [](int i) { return i % 2 + (i / 2 % 2 * 2 + i / 4) * 2; });
  }
}
inline Lanes evens(Lanes a, Lanes b) { return every_second<0>(a, b); }
inline Lanes odds(Lanes a, Lanes b) { return every_second<1>(a, b); }

/// Transposes a square of `kLanes` vectors in place.
template <int lanes_per_row = kLanes>
FASTAUDIO_INLINE void transpose(Lanes* rows) {
#if (defined(__GNUC__) && __GNUC__ >= 12) || defined(__clang__)
  // Each round swaps off-diagonal blocks of `step` lanes: log2(kLanes) rounds of shuffles.
  const auto round = [&]<int step>() {
    const auto low = []<std::size_t... i>(Lanes a, Lanes b, std::index_sequence<i...>) {
      return __builtin_shufflevector(a, b, ((i & step) ? int(i) - step + kLanes : int(i))...);
    };
    const auto high = []<std::size_t... i>(Lanes a, Lanes b, std::index_sequence<i...>) {
      return __builtin_shufflevector(a, b, ((i & step) ? int(i) + kLanes : int(i) + step)...);
    };
    constexpr auto lanes = std::make_index_sequence<kLanes>{};
    for (int i = 0; i < kLanes; ++i) {
      if (i & step) continue;
      const Lanes a = rows[i];
      const Lanes b = rows[i + step];
      rows[i] = low(a, b, lanes);
      rows[i + step] = high(a, b, lanes);
    }
  };
  round.template operator()<1>();
  round.template operator()<2>();
  if constexpr (lanes_per_row > 4) round.template operator()<4>();
  if constexpr (lanes_per_row > 8) round.template operator()<8>();
#else
  float square[kLanes][kLanes];
  for (int i = 0; i < kLanes; ++i) {
    for (int j = 0; j < kLanes; ++j) square[j][i] = rows[i][j];
  }
  for (int i = 0; i < kLanes; ++i) rows[i] = load(square[i]);
#endif
}

}  // namespace fastaudio::simd::FASTAUDIO_ISA
