#include "inference/onnx_together.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <thread>

#include "core/interrupt.hpp"
#include "core/turn.hpp"
#include "inference/onnx_edge.hpp"
#include "inference/onnx_job.hpp"
#include "inference/onnx_model.hpp"

namespace fastaudio::onnx {

namespace {

constexpr std::size_t kMostRows = 3;

/// Keeps the rows of each output.
class Kept final : public Sink {
 public:
  explicit Kept(const OnnxModel::Plan& plan) : rows(plan.row_shapes.size()) {
    for (const Shape& shape : plan.row_shapes) sizes_.push_back(n_values(shape));
  }
  void write(std::size_t output, const float* values, std::size_t n_rows) override {
    rows[output].insert(rows[output].end(), values, values + n_rows * sizes_[output]);
  }
  std::vector<std::vector<float>> rows;

 private:
  std::vector<std::size_t> sizes_;
};

bool has_fractions(int type) { return type == kFloat || type == kFloat16 || type == kDouble; }

/// Rows of noise of unlike loudness, one of them above 0 for networks that take no other numbers; whole
/// numbers are 0 or 1, which every type and table holds.
std::vector<float> noise(std::size_t n_rows, std::size_t row_size, bool fractions) {
  std::vector<float> rows(n_rows * row_size);
  std::uint64_t state = 0x9E3779B97F4A7C15u;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    const float unit = static_cast<float>(state >> 40) * 0x1p-24f;
    const std::size_t row = i / row_size;
    const float whole = unit < (row == 1 ? 0.1f : 0.5f) ? 1.0f : 0.0f;
    const float signed_unit = (2 * unit - 1) * (row == 0 ? 0.9f : 0.05f);
    rows[i] = !fractions ? whole : row == 2 ? 0.01f + 0.5f * unit : signed_unit;
  }
  return rows;
}

/// How far two rows may be apart, as part of the first one's largest number: rounding depends on the number
/// of rows, and inside a network it may tip a number of 8 or 16 bits.
double tolerance_of(const OnnxModel& model, const std::string& output) {
  const int type = find(model.session().outputs(), output)->element_type;
  return type == kFloat16 || model.data_input().element_type == kFloat16 ? 1e-2 : 3e-3;
}

double largest(const float* values, std::size_t n) {
  double most = 0;
  for (std::size_t i = 0; i < n; ++i) {
    if (std::isfinite(values[i])) most = std::max(most, std::abs(static_cast<double>(values[i])));
  }
  return most;
}

double distance(float a, float b) {
  if (a == b || (std::isnan(a) && std::isnan(b))) return 0;
  const double apart = std::abs(static_cast<double>(a) - static_cast<double>(b));
  return std::isnan(apart) ? std::numeric_limits<double>::infinity() : apart;
}

/// Returns the largest difference between rows, 0 if all are within `tolerance`.
double apart(const std::vector<float>& alone, const std::vector<float>& together, std::size_t n_rows,
             double tolerance) {
  constexpr double kQuiet = 0.01;  // a row's numbers may all be near 0 by chance
  if (alone.size() != together.size()) return std::numeric_limits<double>::infinity();
  const std::size_t size = alone.size() / n_rows;
  const double all = largest(alone.data(), alone.size());
  double most = 0;
  for (std::size_t row = 0; row < n_rows; ++row) {
    const std::size_t first = row * size;
    const double limit = tolerance * std::max(largest(alone.data() + first, size), kQuiet * all);
    for (std::size_t i = first; i < first + size; ++i) {
      const double d = distance(alone[i], together[i]);
      if (d > limit) most = std::max(most, d);
    }
  }
  return most;
}

}  // namespace

std::unique_lock<std::mutex> MixedRows::wait() {
  constexpr std::chrono::milliseconds kLook{1};
  std::unique_lock lock(mutex_, std::defer_lock);
  while (!lock.try_lock()) {
    std::this_thread::sleep_for(kLook);
    check_interrupt();
  }
  return lock;
}

Mixed find_mixed(const OnnxModel& model, OnnxModel::Plan plan) {
  if (!plan.layout.fixed_batch) plan.layout.batch = kMostRows;
  const std::size_t n_rows = std::min(plan.layout.batch, kMostRows);
  const std::size_t size = plan.layout.row_size();
  const auto rows = noise(n_rows, size, has_fractions(model.data_input().element_type));
  const TurnsAtOnce now;  // with a lock held, and maybe Python's too, a wait would stop everyone
  OnnxJob job(model, plan);
  Kept alone(plan), together(plan);
  try {
    for (std::size_t i = 0; i < n_rows; ++i) {
      job.fill(rows.data() + i * size, 1);
      job.run();
      job.write(alone);
    }
  } catch (const ModelError&) {
    return {};  // it takes other rows than these, which tell nothing
  }
  const auto names = model.output_names();
  try {
    job.fill(rows.data(), n_rows);
    job.run();
    job.write(together);
  } catch (const ModelError&) {
    return {names.front(), std::numeric_limits<double>::infinity()};
  }
  for (std::size_t o = 0; o < names.size(); ++o) {
    const double d = apart(alone.rows[o], together.rows[o], n_rows, tolerance_of(model, names[o]));
    if (d > 0) return {names[o], d};
  }
  return {};
}

}  // namespace fastaudio::onnx
