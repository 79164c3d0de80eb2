/// Float arrays that begin on a 64-byte boundary, as the kernels' scratch and tables need it.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

#include "core/budget.hpp"

namespace fastaudio::dsp {

template <class T, Kept kept = Kept::buffer>
struct AlignedAllocator {
  using value_type = T;
  template <class U>
  struct rebind {
    using other = AlignedAllocator<U, kept>;
  };
  static constexpr std::align_val_t kBoundary{64};

  AlignedAllocator() = default;
  template <class U>
  AlignedAllocator(const AlignedAllocator<U, kept>&) {}

  T* allocate(std::size_t n) {
    CountedAllocator<T, kept>::count(n * sizeof(T));
    return static_cast<T*>(::operator new(n * sizeof(T), kBoundary));
  }
  void deallocate(T* p, std::size_t n) noexcept {
    CountedAllocator<T, kept>::uncount(n * sizeof(T));
    ::operator delete(p, kBoundary);
  }
  friend bool operator==(const AlignedAllocator&, const AlignedAllocator&) { return true; }
};

using AlignedFloats = std::vector<float, AlignedAllocator<float>>;
using AlignedTable = std::vector<float, AlignedAllocator<float, Kept::table>>;

}  // namespace fastaudio::dsp
