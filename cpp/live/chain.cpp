#include "live/chain.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/compose/sequential.hpp"
#include "core/extent.hpp"
#include "core/levels.hpp"
#include "live/clock.hpp"

namespace fastaudio::live {

namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

/// Whether a part may run rows of several streams at once: each has to get the numbers that it gets alone.
bool takes_batches(const Node& node, const StreamSpec& spec) {
  constexpr int kRows = 3;
  if (!node.batches()) return false;
  try {
    node.batched(kRows)->outputs(spec);
    return true;
  } catch (const ModelError&) {
    return false;
  }
}

}  // namespace

bool steady(const StreamSpec& spec) {
  return spec.rate_hz > 0 && std::isfinite(spec.latency_s) && spec.kind != StreamSpec::Kind::events;
}

class Chain::PartTimer {
 public:
  PartTimer(Chain& chain, Part* part) : chain_(chain), before_(chain.running_) {
    chain_.charge();
    chain_.running_ = part;
  }
  ~PartTimer() {
    chain_.charge();
    chain_.running_ = before_;
  }
  PartTimer(const PartTimer&) = delete;
  PartTimer& operator=(const PartTimer&) = delete;

 private:
  Chain& chain_;
  Part* before_;
};

void Chain::charge() {
  const std::int64_t now = now_ns();
  if (running_ != nullptr) running_->time_ns.fetch_add(now - last_ns_, std::memory_order_relaxed);
  last_ns_ = now;
}

Chain::Chain(NodePtr node, const StreamSpec& input, bool hold)
    : node_(std::move(node)), input_(input), hold_(hold) {
  open_parts(node_->parts(), 0, 0);
}

void Chain::open_parts(const std::vector<NodePtr>& nodes, std::size_t first, double base_s) {
  // All specs come first, so that a refusal changes nothing.
  std::vector<std::unique_ptr<Part>> opened;
  const std::vector<Output> outputs = Sequential(nodes).outputs(input_);
  StreamSpec spec = first == 0 ? input_ : parts_[first]->input;
  for (std::size_t i = first; i < nodes.size(); ++i) {
    opened.push_back(std::make_unique<Part>(*this, i, nodes[i], spec, base_s));
    spec = nodes[i]->outputs(spec).front().spec;
  }
  std::size_t holder = 0;
  for (; holder < nodes.size(); ++holder) {
    const Part& part = holder < first ? *parts_[holder] : *opened[holder - first];
    if (hold_ && takes_batches(*part.node, part.input)) break;
  }
  const std::lock_guard lock(mutex_);
  parts_.resize(first);
  std::move(opened.begin(), opened.end(), std::back_inserter(parts_));
  share_upstream(first);
  outputs_ = outputs;
  rows_out_.assign(outputs_.size(), 0);
  holder_ = holder;
}

void Chain::share_upstream(std::size_t first) {
  std::shared_ptr<Levels> levels;
  std::shared_ptr<const Extent> extent;
  double levels_base_s = 0, extent_base_s = 0;  // when their sources begin
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    Stream& stream = *parts_[i]->stream;
    const double base_s = parts_[i]->base_s;
    if (i >= first) {
      give_levels(levels, base_s - levels_base_s, stream);
      give_extent(extent, base_s - extent_base_s, stream);
    }
    auto new_levels = levels_after(levels, stream);
    auto new_extent = extent_after(extent, stream);
    if (new_levels != levels) levels_base_s = base_s;
    if (new_extent != extent) extent_base_s = base_s;
    levels = std::move(new_levels);
    extent = std::move(new_extent);
  }
}

void Chain::NextPart::write(std::size_t output, const float* rows, std::size_t n_rows) {
  if (i_ < chain_.parts_.size()) {
    chain_.feed(i_, rows, n_rows);
    return;
  }
  const PartTimer outside(chain_, nullptr);
  chain_.rows_out_[output] += static_cast<std::int64_t>(n_rows);
  chain_.sink_->write(output, rows, n_rows);
}

void Chain::feed(std::size_t i, const float* rows, std::size_t n_rows) {
  Part& part = *parts_[i];
  part.n_rows += static_cast<std::int64_t>(n_rows);
  if (i == holder_) {
    held_.insert(held_.end(), rows, rows + n_rows * part.input.row_size());
    n_held_ += n_rows;
    return;
  }
  const PartTimer timer(*this, &part);
  part.stream->push(rows, n_rows, part.next);
}

void Chain::push(const float* rows, std::size_t n_rows, Sink& sink) {
  sink_ = &sink;
  feed(0, rows, n_rows);
  settle_from(0);
}

void Chain::settle_from(std::size_t first) {
  for (std::size_t i = first; i < parts_.size(); ++i) {
    const PartTimer timer(*this, parts_[i].get());
    parts_[i]->stream->settle(parts_[i]->next);
  }
}

void Chain::flush(Sink& sink) {
  sink_ = &sink;
  flush_from(0);
}

void Chain::flush_from(std::size_t first) {
  for (std::size_t i = first; i < parts_.size(); ++i) {
    if (i == holder_) run_held();  // with what the parts before it have just flushed
    const PartTimer timer(*this, parts_[i].get());
    parts_[i]->stream->flush(parts_[i]->next);
  }
}

void Chain::run_held() {
  Part& part = *parts_[holder_];
  const PartTimer timer(*this, &part);
  part.stream->push(held_.data(), n_held_, part.next);
  part.stream->settle(part.next);
  held_.clear();
  n_held_ = 0;
}

void Chain::pass_on(std::size_t output, const float* rows, std::size_t n_rows, Sink& sink) {
  sink_ = &sink;
  parts_[holder_]->next.write(output, rows, n_rows);
}

void Chain::end_batch(std::int64_t time_ns, Sink& sink) {
  sink_ = &sink;
  settle_from(holder_ + 1);
  parts_[holder_]->time_ns.fetch_add(time_ns, std::memory_order_relaxed);
  held_.clear();
  n_held_ = 0;
}

void Chain::check_swap(const Node& node) const {
  node.outputs(input_);  // may take long, so without the lock
  const auto nodes = node.parts();
  const std::lock_guard lock(mutex_);
  std::size_t keep = 1;  // parts that have to be the same
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    if (parts_[i]->node->cuts_windows()) keep = i + 1;
  }
  for (std::size_t i = 0; i < keep; ++i) {
    const std::string want = parts_[i]->node->repr();
    const std::string got = i < nodes.size() ? nodes[i]->repr() : "nothing";
    if (want == got) continue;
    throw ValueError("swap: expected a network that begins with the same parts, up to its patches: " + want +
                     ", got " + got + "; open another stream for it");
  }
}

double Chain::swap(NodePtr node, Sink& sink) {
  sink_ = &sink;
  const auto nodes = node->parts();
  std::size_t first = 0;
  const std::size_t most = std::min(nodes.size(), parts_.size()) - 1;
  while (first < most && nodes[first]->repr() == parts_[first]->node->repr()) ++first;
  flush_from(first);
  const Part& old = *parts_[first];
  const double rate_hz = old.input.rate_hz;
  const double base_s = old.base_s + (rate_hz > 0 ? static_cast<double>(old.n_rows) / rate_hz : 0);
  open_parts(nodes, first, base_s);
  node_ = std::move(node);
  return base_s;
}

void Chain::restart() {
  for (const auto& part : parts_) {
    part->stream = part->node->open(part->input);
    part->n_rows = 0;
    part->base_s = 0;
  }
  share_upstream(0);
  rows_out_.assign(outputs_.size(), 0);
  held_.clear();
  n_held_ = 0;
}

double Chain::next_due_s() const {
  double due_s = kNever;
  const auto row_due_s = [](const StreamSpec& spec, double base_s, std::int64_t row) {
    return steady(spec) ? base_s + static_cast<double>(row) / spec.rate_hz + spec.latency_s : kNever;
  };
  bool all_steady = true;
  for (std::size_t o = 0; o < outputs_.size(); ++o) {
    const double row_s = row_due_s(outputs_[o].spec, parts_.back()->base_s, rows_out_[o]);
    all_steady &= row_s != kNever;
    due_s = std::min(due_s, row_s);
  }
  if (all_steady) return due_s;
  // Rows of the others, such as events, may come whenever a part before them takes one.
  for (std::size_t i = parts_.size(); i-- > 1;) {
    const double row_s = row_due_s(parts_[i]->input, parts_[i]->base_s, parts_[i]->n_rows);
    if (row_s != kNever) return std::min(due_s, row_s);
  }
  return kNever;
}

PartTimes Chain::times() const {
  const std::lock_guard lock(mutex_);
  PartTimes times;
  for (const auto& part : parts_) {
    times.emplace_back(part->node->summary(),
                       1e-9 * static_cast<double>(part->time_ns.load(std::memory_order_relaxed)));
  }
  return times;
}

}  // namespace fastaudio::live
