#include "core/compose/each.hpp"

#include <algorithm>

#include "core/budget.hpp"
#include "core/compose/effort.hpp"
#include "core/extent.hpp"
#include "core/interrupt.hpp"

namespace fastaudio {

namespace {

/// Counts the rows of a clip and keeps the first ones.
class FirstRows final : public Sink {
 public:
  FirstRows(float* to, std::size_t room, std::size_t row_size) : to_(to), room_(room), row_size_(row_size) {}
  void write(std::size_t, const float* rows, std::size_t n_rows) override {
    const std::size_t fits = n < room_ ? std::min(n_rows, room_ - n) : 0;
    to_ = std::copy_n(rows, fits * row_size_, to_);
    n += n_rows;
  }
  std::size_t n = 0;

 private:
  float* to_;
  std::size_t room_;
  std::size_t row_size_;
};

class EachStream final : public Stream, public ExtentSource {
 public:
  EachStream(NodePtr inner, const Cutter::Options& cut, const StreamSpec& input, std::size_t n_rows,
             std::size_t kept)
      : inner_(std::move(inner)),
        input_(input),
        cutter_(cut, input.row_size()),
        clip_rows_(cut.rows()),
        n_rows_(n_rows),
        kept_(kept),
        row_size_(inner_->outputs(input).front().spec.row_size()),
        rows_(kept * row_size_),
        extent_(std::make_shared<Extent>(input.rate_hz)) {}

  std::shared_ptr<const Extent> extent() const override { return extent_; }

 private:
  void do_push(const float* rows, std::size_t n_rows, Sink& sink) override {
    extent_->n_rows += static_cast<std::int64_t>(n_rows);
    cutter_.push(rows, n_rows, [&](const float* clip) { run_clip(clip, sink); });
  }

  void do_flush(Sink& sink) override {
    extent_->ended = true;
    cutter_.flush([&](const float* clip) { run_clip(clip, sink); });
  }

  void run_clip(const float* clip, Sink& sink) {
    check_interrupt();
    FirstRows first(rows_.data(), kept_, row_size_);
    const auto stream = inner_->open(input_);
    stream->push(clip, clip_rows_, first);
    stream->flush(first);
    if (first.n != n_rows_) {
      throw ValueError("Each: expected " + std::to_string(n_rows_) + " rows of each clip, got " +
                       std::to_string(first.n) +
                       "; take a node that gives the same number of rows for every clip");
    }
    sink.write(0, rows_.data(), 1);
  }

  NodePtr inner_;
  StreamSpec input_;
  Cutter cutter_;
  std::size_t clip_rows_;
  std::size_t n_rows_;
  std::size_t kept_;
  std::size_t row_size_;
  Buffer<float> rows_;
  std::shared_ptr<Extent> extent_;
};

}  // namespace

Each::Each(NodePtr inner, Options o) : CompositeOf(std::vector{std::move(inner)}, o) { check_input(); }

std::string Each::summary() const { return "Each(" + short_name(*inner()) + ")"; }

Cutter::Options Each::cut() const {
  return {.length = options().clip_length,
          .hop = options().hop.value_or(options().clip_length),
          .context = options().context,
          .last = options().last,
          .pad_value = options().pad_value};
}

NodePtr Each::with_hop(int n_rows) const {
  Options changed = options();
  changed.hop = n_rows;
  return std::make_shared<Each>(inner(), std::move(changed));
}

std::size_t Each::rows_of(const StreamSpec& input) const {
  const std::pair key(input.rate_hz, input.shape);
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = found_.find(key); found != found_.end()) return found->second;
  }
  const std::size_t n_rows = count_rows(input);  // without the lock: it may take long, and be interrupted
  constexpr std::size_t kMostKept = 64;          // specs may come from strangers' files
  const std::lock_guard lock(mutex_);
  if (found_.size() >= kMostKept) found_.clear();
  return found_[key] = n_rows;
}

std::size_t Each::count_rows(const StreamSpec& input) const {
  constexpr std::size_t kPiece = 1024;
  const Budget::Building building;
  if (const Budget* budget = Budget::current()) {
    budget->check_probe(values_read(*inner(), input, static_cast<double>(cut().rows())));
  }
  const Buffer<float> silence(std::min(kPiece, cut().rows()) * input.row_size());
  FirstRows count(nullptr, 0, 0);
  const auto stream = inner()->open(input);
  for (std::size_t left = cut().rows(); left > 0;) {
    const std::size_t n = std::min(left, kPiece);
    check_build();
    stream->push(silence.data(), n, count);
    left -= n;
  }
  stream->flush(count);
  return count.n;
}

std::vector<Output> Each::outputs(const StreamSpec& input) const {
  const StreamSpec clip = Cutter::spec(cut(), input);
  check_spec(clip);
  require_countable(name, clip);
  const auto outputs = inner()->outputs(input);
  if (outputs.size() != 1) {
    throw ValueError("Each: expected a node with one output, got " + std::to_string(outputs.size()) +
                     "; give each branch an Each");
  }
  const auto n_rows = static_cast<std::int64_t>(rows_of(input));
  const std::int64_t least = options().length.value_or(1);
  if (n_rows < least) {
    throw ValueError("Each: expected at least " + std::to_string(least) + " rows of a clip of " +
                     std::to_string(cut().rows()) + ", got " + std::to_string(n_rows) +
                     "; cut longer clips or choose a smaller length");
  }
  StreamSpec spec = outputs.front().spec;
  spec.overlaps_s.insert(spec.overlaps_s.begin(), spec.overlap_s());
  spec.shape.insert(spec.shape.begin(), options().length.value_or(static_cast<int>(n_rows)));
  spec.rate_hz = clip.rate_hz;
  spec.span_s = clip.span_s;
  spec.latency_s = clip.latency_s;
  check_spec(spec);
  return {{"", spec}};
}

std::unique_ptr<Stream> Each::open(const StreamSpec& input) const {
  const auto kept = static_cast<std::size_t>(outputs(input).front().spec.shape[0]);
  return std::make_unique<EachStream>(inner(), cut(), input, rows_of(input), kept);
}

}  // namespace fastaudio
