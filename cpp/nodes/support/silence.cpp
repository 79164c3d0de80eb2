#include "nodes/support/silence.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/compose/parallel.hpp"
#include "core/compose/sequential.hpp"
#include "core/levels.hpp"
#include "core/options.hpp"
#include "core/rows/row_block.hpp"
#include "nodes/events.hpp"

namespace fastaudio {

namespace {

class LevelStream final : public Stream, public LevelSource {
 public:
  explicit LevelStream(const StreamSpec& input)
      : row_size_(input.row_size()), levels_(std::make_shared<Levels>(input.rate_hz)) {}

  const std::shared_ptr<Levels>& levels() const override { return levels_; }

 private:
  void do_push(const float* rows, std::size_t n_rows, Sink& sink) override {
    levels_->add(rows, n_rows, row_size_);
    sink.write(0, rows, n_rows);
  }

  void do_flush(Sink&) override { levels_->end(); }

  std::size_t row_size_;
  std::shared_ptr<Levels> levels_;
};

/// Passes sound on and keeps its level.
class SoundLevel final : public Node {
 public:
  explicit SoundLevel(const StreamSpec& input) : input_(input) {}

  std::optional<StreamSpec> input() const override { return input_; }
  std::string repr() const override { return "Level()"; }
  const char* type() const override { return "Level"; }
  std::vector<Output> outputs(const StreamSpec& input) const override { return {{"", input}}; }
  std::unique_ptr<Stream> open(const StreamSpec& input) const override {
    return std::make_unique<LevelStream>(input);
  }
  std::optional<Locality> locality() const override { return Locality{.divisible = false}; }

 private:
  StreamSpec input_;
};

/// What becomes of the rows of silent windows.
enum class Silent { marked, muted };

class SilencingStream final : public Stream, public LevelReader {
 public:
  SilencingStream(const StreamSpec& input, double silence_db, Silent how)
      : spec_(input),
        span_s_(std::min(input.span_s, input.latency_s)),
        quiet_(std::pow(10, silence_db / 10)),
        how_(how),
        n_scores_(input.row_size()),
        block_(n_scores_ + (how == Silent::marked ? 1 : 0)) {}

  void read(const std::shared_ptr<Levels>& levels, double base_s) override {
    levels_ = levels;
    base_s_ = base_s;
    // Where the latency isn't known, the levels grow as they have to.
    const double span_s = spec_.span_s + (std::isfinite(spec_.latency_s) ? spec_.latency_s : 0);
    reader_ = spec_.once() || !levels ? nullptr : levels->add_reader(span_s);
    if (reader_) reader_->from = sample_of(0, 0);
  }

 private:
  std::int64_t sample_of(std::int64_t row, double later_s) const {
    const double time_s = base_s_ + static_cast<double>(row) / spec_.rate_hz + later_s;
    return std::llround(time_s * levels_->rate_hz());
  }

  bool silent() {
    if (!levels_) return false;
    if (spec_.once()) return levels_->loudest() < quiet_;
    const double loudest = levels_->loudest(sample_of(row_, 0), sample_of(row_, span_s_));
    reader_->from = sample_of(++row_, 0);
    pace_.did(static_cast<std::size_t>(sample_of(row_, span_s_) - reader_->from) / 32);  // sums that it read
    return loudest < quiet_;
  }

  void do_push(const float* rows, std::size_t n_rows, Sink& sink) override {
    for (; n_rows > 0; --n_rows, rows += n_scores_) {
      const bool is_silent = silent();
      float* row = block_.next(sink);
      if (how_ == Silent::marked) {
        *std::copy_n(rows, n_scores_, row) = is_silent ? 1.0f : 0.0f;
      } else if (is_silent) {
        std::fill_n(row, n_scores_, -std::numeric_limits<float>::infinity());
      } else {
        std::copy_n(rows, n_scores_, row);
      }
    }
    block_.write(sink);
  }

  StreamSpec spec_;
  double span_s_;  ///< of a window, as far as it is heard when its row comes out
  double quiet_;   ///< as a mean square
  Silent how_;
  std::size_t n_scores_;
  RowBlock block_;
  Pace pace_;
  std::shared_ptr<Levels> levels_;
  std::shared_ptr<Levels::Reader> reader_;
  double base_s_ = 0;
  std::int64_t row_ = 0;
};

class Gate final : public Node {
 public:
  Gate(double silence_db, Silent how) : silence_db_(silence_db), how_(how) {}

  std::string repr() const override {
    return std::string(how_ == Silent::marked ? "MarkSilence(" : "MuteSilence(") + format(silence_db_) + ")";
  }

  const char* type() const override { return how_ == Silent::marked ? "MarkSilence" : "MuteSilence"; }

  std::vector<Output> outputs(const StreamSpec& input) const override {
    StreamSpec spec = input;
    if (how_ == Silent::marked) ++spec.shape[0];  // labels stay, one fewer than values
    return {{"", spec}};
  }

  std::unique_ptr<Stream> open(const StreamSpec& input) const override {
    return std::make_unique<SilencingStream>(input, silence_db_, how_);
  }

  std::optional<Locality> locality() const override { return Locality{.divisible = false}; }

 private:
  double silence_db_;
  Silent how_;
};

/// Rewrites what gives a network's results.
NodePtr rewritten(const NodePtr& node, const StreamSpec& input, std::optional<double> silence_db) {
  if (dynamic_cast<const Sequential*>(node.get()) != nullptr) {
    std::vector<NodePtr> parts = node->parts();
    StreamSpec spec = input;
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) spec = parts[i]->outputs(spec).front().spec;
    const NodePtr last = rewritten(parts.back(), spec, silence_db);
    if (last == parts.back()) return node;
    parts.back() = last;
    return std::make_shared<Sequential>(parts);
  }
  if (dynamic_cast<const Parallel*>(node.get()) != nullptr) {
    std::vector<NodePtr> branches;
    bool changed = false;
    for (const Child& branch : node->children()) {
      branches.push_back(rewritten(branch.node, input, silence_db));
      changed = changed || branches.back() != branch.node;
    }
    return changed ? node->with_children(std::move(branches)) : node;
  }
  if (const auto* events = dynamic_cast<const Events*>(node.get())) {
    Events::Options options = events->options();
    options.summary = true;
    const NodePtr summing = std::make_shared<Events>(std::move(options));
    if (!silence_db) return summing;
    const NodePtr gate = std::make_shared<Gate>(*silence_db, Silent::muted);
    return std::make_shared<Sequential>(std::vector{gate, summing});
  }
  const std::vector<Output> outputs = node->outputs(input);
  const bool scores = outputs.size() == 1 && outputs[0].spec.kind == StreamSpec::Kind::scores &&
                      outputs[0].spec.shape.size() == 1;
  if (!scores || !silence_db) return node;
  const NodePtr gate = std::make_shared<Gate>(*silence_db, Silent::marked);
  return std::make_shared<Sequential>(std::vector{node, gate});
}

}  // namespace

NodePtr with_silence(const NodePtr& node, const StreamSpec& input, std::optional<double> silence_db,
                     bool swappable) {
  const NodePtr network = rewritten(node, input, silence_db);
  if (!swappable && (network == node || !silence_db)) return network;
  return std::make_shared<Sequential>(std::vector<NodePtr>{std::make_shared<SoundLevel>(input), network});
}

}  // namespace fastaudio
