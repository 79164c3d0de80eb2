#include "core/budget.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "core/interrupt.hpp"
#include "core/options.hpp"
#include "core/platform.hpp"

namespace fastaudio {

namespace {

thread_local Budget* innermost_budget = nullptr;

/// "64 MiB"
std::string mebibytes(double n_bytes) {
  const double tenths = std::max(1.0, n_bytes / (1 << 20) * 10);
  const auto whole = static_cast<std::int64_t>(std::min(tenths, 1e15));
  return std::to_string(whole / 10) + (whole % 10 == 0 ? "" : "." + std::to_string(whole % 10)) + " MiB";
}

/// "16.7 million values", rounded up so that it never looks like the limit it exceeds.
std::string values(double n) {
  if (n < 1e6) return std::to_string(static_cast<std::int64_t>(n)) + " values";
  const auto tenths = static_cast<std::int64_t>(std::min(n / 1e5, 1e15));
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " million values";
}

/// What is left of a count, which memory from before the scope may not make negative.
std::size_t less(std::size_t count, std::size_t n) { return count - std::min(count, n); }

}  // namespace

Budget::Budget(const Limits& limits) : limits_(limits), outer_(innermost_budget) { innermost_budget = this; }

Budget::~Budget() { innermost_budget = outer_; }

Budget* Budget::current() noexcept { return innermost_budget; }

Budget::At::At(const char* node) noexcept : budget_(innermost_budget) {
  if (budget_ != nullptr) before_ = std::exchange(budget_->at_, node);
}

Budget::At::~At() {
  if (budget_ != nullptr) budget_->at_ = before_;
}

Budget::Building::Building(bool counted) noexcept : budget_(counted ? innermost_budget : nullptr) {
  for (Budget* each = budget_; each != nullptr; each = each->outer_) {
    if (each->building_++ == 0) each->started_s_ = platform::thread_seconds();
  }
}

Budget::Building::~Building() {
  for (Budget* each = budget_; each != nullptr; each = each->outer_) {
    if (--each->building_ == 0) each->spent_s_ += platform::thread_seconds() - each->started_s_;
  }
}

void Budget::refuse(const char* limit, const std::string& allowed, const std::string& got) const {
  throw BudgetError("pipeline: expected a card that needs at most " + allowed + ", got one that needs " +
                    got +
                    (innermost_budget->at_ == nullptr ? "" : std::string(" at ") + innermost_budget->at_) +
                    "; if you trust it, load it with budget=fastaudio.Budget(" + limit + "=None)");
}

void Budget::check_table(std::size_t n_bytes) const {
  if (outer_ != nullptr) outer_->check_table(n_bytes);
  if (n_bytes > less(limits_.table_bytes, table_bytes_)) {
    const auto limit = static_cast<double>(limits_.table_bytes);
    const double total = static_cast<double>(table_bytes_) + static_cast<double>(n_bytes);
    refuse("table_bytes", mebibytes(limit) + " of tables", mebibytes(total) + " or more");
  }
}

void Budget::check_buffer(std::size_t n_bytes) const {
  if (outer_ != nullptr) outer_->check_buffer(n_bytes);
  const double limit = static_cast<double>(limits_.buffer_values);
  const double total = static_cast<double>(buffer_bytes_) + static_cast<double>(n_bytes);
  if (total > limit * sizeof(float)) {
    refuse("buffer_values", values(limit) + " in the buffers of its streams",
           values(total / sizeof(float)) + " or more");
  }
}

void Budget::add_table(std::size_t n_bytes) {
  check_table(n_bytes);  // all of them, before one counts it
  for (Budget* each = this; each != nullptr; each = each->outer_) each->table_bytes_ += n_bytes;
}

void Budget::add_buffer(std::size_t n_bytes) {
  check_buffer(n_bytes);
  for (Budget* each = this; each != nullptr; each = each->outer_) each->buffer_bytes_ += n_bytes;
}

void Budget::remove_table(std::size_t n_bytes) noexcept {
  if (outer_ != nullptr) outer_->remove_table(n_bytes);
  table_bytes_ = less(table_bytes_, n_bytes);
}

void Budget::remove_buffer(std::size_t n_bytes) noexcept {
  if (outer_ != nullptr) outer_->remove_buffer(n_bytes);
  buffer_bytes_ = less(buffer_bytes_, n_bytes);
}

void Budget::check_run(double n_values) const {
  if (outer_ != nullptr) outer_->check_run(n_values);
  const auto limit = static_cast<double>(limits_.run_values);
  if (n_values > limit) refuse("run_values", values(limit) + " in one run of a network", values(n_values));
}

void Budget::check_probe(double n_values) const {
  if (outer_ != nullptr) outer_->check_probe(n_values);
  if (n_values <= limits_.probe_values) return;
  refuse("probe_values", values(limits_.probe_values) + " read for the first clip of an Each",
         values(n_values));
}

void Budget::check_time() const {
  if (outer_ != nullptr) outer_->check_time();
  if (building_ == 0) return;
  const double spent_s = spent_s_ + platform::thread_seconds() - started_s_;
  if (spent_s <= limits_.build_s) return;
  refuse("build_s", format(limits_.build_s) + " s to build tables and run first clips", "more");
}

void check_build() {
  check_interrupt();
  if (innermost_budget != nullptr) innermost_budget->check_time();
}

}  // namespace fastaudio
