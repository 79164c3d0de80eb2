#include "core/levels.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace fastaudio {

namespace {

constexpr std::size_t kCell = 32;              // samples; the steps of most networks are multiples of it
constexpr double kBlock_s = 0.1;               // a short sound in a long window stays one
constexpr std::size_t kLargestPush = 1 << 17;  // samples that are taken at once without more memory
constexpr double kUnknown = std::numeric_limits<double>::infinity();

}  // namespace

Levels::Levels(double rate_hz)
    : rate_hz_(rate_hz),
      per_block_(std::max<std::int64_t>(1, std::llround(kBlock_s * rate_hz / kCell))),
      ring_(kLargestPush / kCell) {}

std::shared_ptr<Levels::Reader> Levels::add_reader(double span_s) {
  auto reader = std::make_shared<Reader>();
  readers_.push_back(reader);
  const auto n_cells = static_cast<std::size_t>(std::min(span_s * rate_hz_ / kCell, 1e7));
  if (n_cells_ == 0) ring_.resize(std::max(ring_.size(), n_cells + 1 + kLargestPush / kCell));
  return reader;
}

void Levels::add(const float* rows, std::size_t n_rows, std::size_t row_size) {
  for (std::size_t i = 0; i < n_rows;) {
    const std::size_t n = std::min(n_rows - i, kCell - n_open_);
    if (row_size == 1 && n == kCell) {
      for (std::size_t j = 0; j < kCell; ++j) {
        sums_[j % 4] += static_cast<double>(rows[i + j]) * static_cast<double>(rows[i + j]);
      }
    } else {
      for (std::size_t j = 0; j < n; ++j) {
        double square = 0;
        for (std::size_t c = 0; c < row_size; ++c) {
          const auto x = static_cast<double>(rows[(i + j) * row_size + c]);
          square += x * x;
        }
        sums_[(n_open_ + j) % 4] += square / static_cast<double>(row_size);
      }
    }
    i += n;
    n_open_ += n;
    if (n_open_ == kCell) close_cell();
    pace_.did(n * row_size);
  }
}

void Levels::close_cell() {
  const double sum = (sums_[0] + sums_[1]) + (sums_[2] + sums_[3]);
  std::fill(std::begin(sums_), std::end(sums_), 0.0);
  n_open_ = 0;
  keep(static_cast<float>(sum));
  block_ += sum;
  if (n_cells_ % per_block_ != 0) return;
  most_ = std::max(most_, block_ / n_samples_in(n_cells_ - per_block_, n_cells_));
  block_ = 0;
}

void Levels::keep(float sum) {
  const auto capacity = static_cast<std::int64_t>(ring_.size());
  if (n_cells_ - begin_ == capacity) {
    std::int64_t from = n_cells_ - capacity / 2;  // a reader that comes later needs the last stretch
    std::erase_if(readers_, [](const auto& reader) { return reader.expired(); });
    for (const auto& held : readers_) {
      if (const auto reader = held.lock()) from = std::min(from, reader->from / static_cast<int>(kCell));
    }
    begin_ = std::max(begin_, from);
  }
  if (n_cells_ - begin_ == capacity) {  // a network is far behind the sound
    Buffer<float> larger(2 * ring_.size());
    for (std::int64_t cell = begin_; cell < n_cells_; ++cell) {
      larger[static_cast<std::size_t>(cell) % larger.size()] = at(cell);
    }
    ring_.swap(larger);
  }
  ring_[static_cast<std::size_t>(n_cells_++) % ring_.size()] = sum;
}

void Levels::end() {
  n_samples_ = n_cells_ * static_cast<std::int64_t>(kCell) + static_cast<std::int64_t>(n_open_);
  if (n_open_ > 0) close_cell();
}

double Levels::n_samples_in(std::int64_t first, std::int64_t last) const {
  constexpr auto kSamples = static_cast<std::int64_t>(kCell);
  const std::int64_t end = n_samples_ < 0 ? last * kSamples : std::min(last * kSamples, n_samples_);
  return static_cast<double>(end - first * kSamples);
}

double Levels::loudest(std::int64_t start, std::int64_t end) const {
  constexpr auto kSamples = static_cast<std::int64_t>(kCell);
  std::int64_t last = end / kSamples;  // the first cell after the stretch
  if (n_samples_ >= 0 && end >= n_samples_) last = n_cells_;
  last = std::min(last, n_cells_);
  if (start / kSamples + 1 < begin_) return kUnknown;  // a cell is what rounding may cost
  const std::int64_t first = std::max(begin_, std::min(start / kSamples, last - 1));
  if (last <= first || (n_samples_ >= 0 && start >= n_samples_)) return 0;
  const std::int64_t n = std::min(per_block_, last - first);
  double most = 0;
  for (std::int64_t cell = first; cell < last; cell += n) {
    const std::int64_t from = std::min(cell, last - n);
    double sum = 0;
    for (std::int64_t i = from; i < from + n; ++i) sum += static_cast<double>(at(i));
    most = std::max(most, sum / n_samples_in(from, from + n));
  }
  return most;
}

double Levels::loudest() const {
  const std::int64_t n_rest = n_cells_ % per_block_;
  return n_rest == 0 ? most_ : std::max(most_, block_ / n_samples_in(n_cells_ - n_rest, n_cells_));
}

void give_levels(const std::shared_ptr<Levels>& levels, double base_s, Stream& stream) {
  if (!levels) return;
  if (auto* reader = dynamic_cast<LevelReader*>(&stream)) reader->read(levels, base_s);
}

std::shared_ptr<Levels> levels_after(const std::shared_ptr<Levels>& before, const Stream& stream) {
  const auto* source = dynamic_cast<const LevelSource*>(&stream);
  return source != nullptr ? source->levels() : before;
}

}  // namespace fastaudio
