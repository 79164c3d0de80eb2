/// Whole numbers that say so when they have become too large to count with.
#pragma once

#include <cstdint>
#include <numeric>

namespace fastaudio {

/// Arithmetic on it never overflows: results beyond 2**61, and all that follow from them, are not `ok`.
class Checked {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor): formulas mix it with plain numbers
  constexpr Checked(std::int64_t value) : value_(value), ok_(-kMost <= value && value <= kMost) {
    if (!ok_) value_ = 1;  // a divisor, too
  }

  constexpr bool ok() const { return ok_; }
  /// The number; 1 if it isn't ok.
  constexpr std::int64_t value() const { return value_; }

  friend constexpr Checked operator+(Checked a, Checked b) { return made(a, b, a.value_ + b.value_); }
  friend constexpr Checked operator-(Checked a, Checked b) { return made(a, b, a.value_ - b.value_); }
  friend constexpr Checked operator*(Checked a, Checked b) {
    const bool fits = b.value_ == 0 || size(a.value_) <= kMost / size(b.value_);
    return made(a, b, fits ? a.value_ * b.value_ : kMost + 1);
  }
  /// Towards zero, as of plain numbers; by 0 isn't ok.
  friend constexpr Checked operator/(Checked a, Checked b) {
    return made(a, b, b.value_ == 0 ? kMost + 1 : a.value_ / b.value_);
  }
  friend constexpr Checked lcm(Checked a, Checked b) {
    const std::int64_t common = std::gcd(a.value_, b.value_);
    return common == 0 ? made(a, b, 0) : a / common * b;
  }
  friend constexpr Checked max(Checked a, Checked b) {
    return made(a, b, a.value_ < b.value_ ? b.value_ : a.value_);
  }

 private:
  static constexpr std::int64_t kMost = std::int64_t{1} << 61;  // the sum of two fits into 63 bits

  static constexpr std::int64_t size(std::int64_t value) { return value < 0 ? -value : value; }
  static constexpr Checked made(Checked a, Checked b, std::int64_t value) {
    Checked result(value);
    if (a.ok_ && b.ok_) return result;
    result.ok_ = false;
    result.value_ = 1;
    return result;
  }

  std::int64_t value_;
  bool ok_;
};

}  // namespace fastaudio
