/// Float arrays that begin on a 64-byte boundary, as the kernels' scratch and tables need it.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace fastaudio::dsp {

template <class T>
struct AlignedAllocator {
  using value_type = T;
  static constexpr std::align_val_t kBoundary{64};

  AlignedAllocator() = default;
  template <class U>
  AlignedAllocator(const AlignedAllocator<U>&) {}

  T* allocate(std::size_t n) { return static_cast<T*>(::operator new(n * sizeof(T), kBoundary)); }
  void deallocate(T* p, std::size_t) { ::operator delete(p, kBoundary); }
  friend bool operator==(const AlignedAllocator&, const AlignedAllocator&) { return true; }
};

using AlignedFloats = std::vector<float, AlignedAllocator<float>>;

}  // namespace fastaudio::dsp
