#include "core/compose/each.hpp"

#include <algorithm>

namespace fastaudio {

namespace {

class Counter final : public Sink {
 public:
  void write(std::size_t, const float*, std::size_t n_rows) override { n += n_rows; }
  std::size_t n = 0;
};

/// Takes the first rows of a clip and counts all.
class First final : public Sink {
 public:
  First(float* to, std::size_t room, std::size_t row_size) : to_(to), room_(room), row_size_(row_size) {}
  void write(std::size_t, const float* rows, std::size_t n_rows) override {
    const std::size_t fits = n < room_ ? std::min(n_rows, room_ - n) : 0;
    std::copy_n(rows, fits * row_size_, to_);
    to_ += fits * row_size_;
    n += n_rows;
  }
  std::size_t n = 0;

 private:
  float* to_;
  std::size_t room_;
  std::size_t row_size_;
};

class EachStream final : public Stream {
 public:
  EachStream(std::shared_ptr<const Each> node, std::size_t clip_length, std::size_t kept)
      : node_(std::move(node)),
        clip_(*node_->clip()),
        length_(clip_length),
        n_rows_(node_->rows_of(clip_length)),
        kept_(kept),
        row_size_(node_->inner()->outputs(clip_).front().spec.row_size()),
        rows_(kept * row_size_) {}

 private:
  void do_push(const float* clips, std::size_t n_clips, Sink& sink) override {
    for (; n_clips > 0; --n_clips, clips += length_ * clip_.row_size()) {
      First first(rows_.data(), kept_, row_size_);
      const auto stream = node_->inner()->open(clip_);
      stream->push(clips, length_, first);
      stream->flush(first);
      if (first.n != n_rows_) {
        throw ValueError("Each: expected " + std::to_string(n_rows_) + " rows of each clip, got " +
                         std::to_string(first.n) + "; take a node that gives as many for any clip");
      }
      sink.write(0, rows_.data(), 1);
    }
  }

  std::shared_ptr<const Each> node_;
  StreamSpec clip_;
  std::size_t length_;
  std::size_t n_rows_;
  std::size_t kept_;
  std::size_t row_size_;
  std::vector<float> rows_;
};

}  // namespace

Each::Each(NodePtr inner, Options options) : inner_(std::move(inner)), options_(options) {
  check_options(name, options_);
  const auto input = inner_->input();
  if (!input) {
    throw ValueError("Each: expected a node that is made for an input of its own, got " + inner_->summary() +
                     "; begin with one such as MelSpectrogram");
  }
  const std::size_t n = inner_->outputs(*input).size();
  if (n != 1) {
    throw ValueError("Each: expected a node with one output, got " + std::to_string(n) +
                     "; give each branch an Each of its own");
  }
}

std::string Each::repr() const {
  std::string text = "Each(" + inner_->repr();
  if (options_.length) text += ", length=" + format(options_.length);
  return text + ")";
}

std::string Each::summary() const { return "Each(" + short_name(*inner_) + ")"; }

std::size_t Each::rows_of(std::size_t n) const {
  const std::lock_guard lock(mutex_);
  if (const auto found = found_.find(n); found != found_.end()) return found->second;
  const StreamSpec clip = *inner_->input();
  const std::vector<float> silence(n * clip.row_size());
  const auto stream = inner_->open(clip);
  Counter counter;
  stream->push(silence.data(), n, counter);
  stream->flush(counter);
  return found_[n] = counter.n;
}

std::vector<Output> Each::outputs(const StreamSpec& input) const {
  check_spec(input);
  const StreamSpec clip = *inner_->input();
  const bool fits = input.shape.size() == clip.shape.size() + 1 &&
                    std::equal(clip.shape.begin(), clip.shape.end(), input.shape.begin() + 1) &&
                    (input.unit.empty() || clip.unit.empty() || input.unit == clip.unit);
  if (!fits) {
    std::string shape = "[n";
    for (const std::int64_t n : clip.shape) shape += ", " + std::to_string(n);
    throw ValueError("Each: expected clips " + shape + "] of " + clip.unit + ", got rows " +
                     to_string(input) + " " + input.unit + "; cut them with Patches before");
  }
  const auto n_rows = static_cast<std::int64_t>(rows_of(static_cast<std::size_t>(input.shape[0])));
  const std::int64_t least = options_.length.value_or(1);
  if (n_rows < least) {
    throw ValueError("Each: expected at least " + std::to_string(least) + " rows of a clip of " +
                     std::to_string(input.shape[0]) + ", got " + std::to_string(n_rows) +
                     "; cut longer clips or choose a smaller length");
  }
  StreamSpec spec = inner_->outputs(clip).front().spec;
  spec.shape.insert(spec.shape.begin(), options_.length.value_or(static_cast<int>(n_rows)));
  spec.rate_hz = input.rate_hz;
  spec.span_s = input.span_s;
  spec.latency_s = input.latency_s;
  check_spec(spec);
  return {{"", spec}};
}

std::unique_ptr<Stream> Each::open(const StreamSpec& input) const {
  const auto kept = static_cast<std::size_t>(outputs(input).front().spec.shape[0]);
  return std::make_unique<EachStream>(keep(this), static_cast<std::size_t>(input.shape[0]), kept);
}

}  // namespace fastaudio
