/// What a card from a stranger may cost: its tables, buffers and first runs are counted as a whole, each
/// before it is made.
#pragma once

#include <cstddef>
#include <limits>
#include <memory>
#include <vector>

#include "core/error.hpp"

namespace fastaudio {

/// A card asks for more than its reader allows.
struct BudgetError : ModelError {
  using ModelError::ModelError;
};

/// A scope in which this thread's tables and buffers are counted; one within another counts for both.
class Budget {
 public:
  static constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

  struct Limits {
    std::size_t table_bytes = kNoLimit;    ///< of all nodes' tables that exist at one time
    std::size_t buffer_values = kNoLimit;  ///< of 4 bytes, that opened streams hold at one time
    std::size_t run_values = kNoLimit;     ///< that a network takes in one run
    double probe_values = std::numeric_limits<double>::infinity();  ///< that the first clip of an Each reads
    double build_s = std::numeric_limits<double>::infinity();       ///< of this thread's processor time
  };

  explicit Budget(const Limits& limits);
  ~Budget();
  Budget(const Budget&) = delete;
  Budget& operator=(const Budget&) = delete;

  /// The thread's innermost scope, or null.
  static Budget* current() noexcept;

  /// Names what is being made, for the error.
  class At {
   public:
    explicit At(const char* node) noexcept;
    ~At();
    At(const At&) = delete;
    At& operator=(const At&) = delete;

   private:
    Budget* budget_;
    const char* before_ = nullptr;
  };

  /// Counts the processor time of its scope, and only that: a network may take as long as it likes.
  class Building {
   public:
    explicit Building(bool counted = true) noexcept;
    ~Building();
    Building(const Building&) = delete;
    Building& operator=(const Building&) = delete;

   private:
    Budget* budget_;
  };

  /// Each throws BudgetError, and counts nothing, where that would be too much.
  void check_table(std::size_t n_bytes) const;
  void check_buffer(std::size_t n_bytes) const;
  void add_table(std::size_t n_bytes);
  void add_buffer(std::size_t n_bytes);
  void check_run(double n_values) const;
  void check_probe(double n_values) const;
  void check_time() const;

  void remove_table(std::size_t n_bytes) noexcept;
  void remove_buffer(std::size_t n_bytes) noexcept;

 private:
  [[noreturn]] void refuse(const char* limit, const std::string& allowed, const std::string& got) const;

  Limits limits_;
  Budget* outer_;
  const char* at_ = nullptr;
  std::size_t table_bytes_ = 0;
  std::size_t buffer_bytes_ = 0;
  int building_ = 0;      ///< scopes of Building within one another
  double spent_s_ = 0;    ///< in those that have ended
  double started_s_ = 0;  ///< processor time at which the one that goes on began
};

/// Loops that build tables, and first runs, call this about once per thousand values: it ends them when they
/// are interrupted, or have used up their budget of time.
void check_build();

/// Whether memory belongs to a node, and stays, or to an opened stream.
enum class Kept { table, buffer };

/// Counts memory before it is taken.
template <class T, Kept kept>
struct CountedAllocator {
  using value_type = T;
  template <class U>
  struct rebind {
    using other = CountedAllocator<U, kept>;
  };

  CountedAllocator() = default;
  template <class U>
  CountedAllocator(const CountedAllocator<U, kept>&) noexcept {}

  T* allocate(std::size_t n) {
    count(n * sizeof(T));
    return std::allocator<T>().allocate(n);
  }
  void deallocate(T* p, std::size_t n) noexcept {
    uncount(n * sizeof(T));
    std::allocator<T>().deallocate(p, n);
  }
  static void count(std::size_t n_bytes) {
    Budget* budget = Budget::current();
    if (budget == nullptr) return;
    kept == Kept::table ? budget->add_table(n_bytes) : budget->add_buffer(n_bytes);
  }
  static void uncount(std::size_t n_bytes) noexcept {
    Budget* budget = Budget::current();
    if (budget == nullptr) return;
    kept == Kept::table ? budget->remove_table(n_bytes) : budget->remove_buffer(n_bytes);
  }
  friend bool operator==(const CountedAllocator&, const CountedAllocator&) { return true; }
};

/// Memory whose size follows from options: of a node, and of a stream.
template <class T>
using Table = std::vector<T, CountedAllocator<T, Kept::table>>;
template <class T>
using Buffer = std::vector<T, CountedAllocator<T, Kept::buffer>>;

}  // namespace fastaudio
