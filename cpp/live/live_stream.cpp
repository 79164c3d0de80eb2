#include "live/live_stream.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace fastaudio::live {

namespace {

/// How long to wait for a source that hasn't begun, and beyond the time at which a block is due.
constexpr double kUnknown_s = 0.05;
constexpr double kSlack_s = 0.0005;

}  // namespace

/// Gives rows their times and puts them into the queue of results.
class LiveStream::TimestampSink final : public Sink {
 public:
  explicit TimestampSink(LiveStream& stream) : TimestampSink(stream, stream.rows_out_, false) {}
  /// `rows_out` counts the rows so far, by output.
  TimestampSink(LiveStream& stream, std::vector<std::int64_t>& rows_out, bool provisional)
      : stream_(stream), rows_out_(rows_out), provisional_(provisional) {}

  void write(std::size_t output, const float* rows, std::size_t n_rows) override {
    if (n_rows == 0) return;
    const std::int64_t first_row = rows_out_[output];
    rows_out_[output] += static_cast<std::int64_t>(n_rows);
    stream_.put({.output = output, .first_row = first_row, .n_rows = n_rows, .provisional = provisional_},
                rows);
  }

 private:
  LiveStream& stream_;
  std::vector<std::int64_t>& rows_out_;
  bool provisional_;
};

LiveStream::LiveStream(NodePtr node, const StreamSpec& input, const LiveOptions& options, bool hold)
    : input_(input),
      intake_(input, options),
      keeps_results_(options.overflow == "block"),
      push_timeout_s_(options.push_timeout_s),
      results_(static_cast<std::size_t>(options.max_results),
               keeps_results_ ? Results::WhenFull::keep : Results::WhenFull::drop_oldest),
      chain_(std::move(node), input, hold),
      turn_samples_(
          static_cast<std::size_t>(std::max(intake_.quarter(), intake_.frames_of(Intake::kTurn_s))) *
          ring().channels()),
      provisional_s_(options.provisional_s.value_or(0)),
      n_provisional_(static_cast<std::size_t>(intake_.frames_of(provisional_s_))),
      next_turn_(options.start_sample),
      stretch_start_(options.start_sample) {
  rows_out_.assign(chain_.outputs().size(), 0);
  lost_.assign(chain_.outputs().size(), 0);
  provisional_.reserve(n_provisional_ * ring().channels());
  plan();
}

// The other threads' side.

void LiveStream::finish() {
  intake_.finish();
  wake();
}

void LiveStream::interrupt() {
  intake_.interrupt();
  wake();
}

void LiveStream::close() {
  intake_.close();
  results_.close();
  cancel_.cancel();
  wake();
}

void LiveStream::swap(NodePtr node, int network) {
  chain_.check_swap(*node);
  {
    const std::lock_guard lock(swap_mutex_);
    next_node_ = std::move(node);
    next_network_ = network;
    swapping_.store(true, std::memory_order_release);
  }
  wake();
}

LiveStats LiveStream::stats() const {
  LiveStats stats;
  intake_.count(stats);
  stats.results_waiting = static_cast<std::int64_t>(results_.size());
  stats.results_dropped = results_.n_dropped();
  stats.busy_s = 1e-9 * static_cast<double>(busy_ns_.load(std::memory_order_relaxed));
  stats.latency_p50_s = latencies_.quantile_s(0.5);
  stats.latency_p99_s = latencies_.quantile_s(0.99);
  stats.latency_max_s = latencies_.max_s();
  stats.parts = chain_.times();
  return stats;
}

// The pool's side.

bool LiveStream::ready() const {
  if (done() || closing()) return false;
  // Results that nobody takes hold up the writer, since they let the buffer fill up.
  if (keeps_results_ && results_.full()) return false;
  return ring().end() >= next_turn_.load(std::memory_order_acquire) || intake_.finished() ||
         intake_.interrupted() || swapping_.load(std::memory_order_acquire);
}

double LiveStream::ready_in_s() const {
  const auto expected_ns =
      intake_.arrivals().expected(next_turn_.load(std::memory_order_acquire), input_.rate_hz);
  if (!expected_ns) return kUnknown_s;
  const double left_s = 1e-9 * static_cast<double>(*expected_ns - now_ns());
  return left_s > 0 ? left_s + kSlack_s : std::min(-left_s / 4, kUnknown_s);
}

/// Counts the time that `work` takes; an error in it ends the stream.
template <class Work>
void LiveStream::run_timed(Work&& work) {
  const std::int64_t start = now_ns();
  const Interruptible scope({.cancel = &cancel_});
  try {
    if (!done()) work();
  } catch (...) {
    end(std::current_exception());
  }
  busy_ns_.fetch_add(now_ns() - start, std::memory_order_relaxed);
}

void LiveStream::service() {
  run_timed([&] { run(); });
}

void LiveStream::end(std::exception_ptr error) {
  intake_.stop();  // before anybody can see the end
  results_.end(std::move(error));
}

void LiveStream::run() {
  if (swapping_.load(std::memory_order_acquire)) run_swap();
  const std::int64_t from = intake_.position();
  const std::int64_t sound_end = intake_.end();
  const CaptureRing::Piece piece = ring().next(from);
  if (piece.begin > from && sound_end > from) return skip_gap(sound_end);
  const std::int64_t interrupted_at = intake_.interrupted_at();
  // The interruption may lie behind, if what came before it was lost.
  const std::int64_t there =
      std::max<std::int64_t>(std::min({piece.end, sound_end, interrupted_at}) - from, 0);
  const std::int64_t turn =
      std::max(next_turn_.load(std::memory_order_relaxed) - from, intake_.frames_of(Intake::kTurn_s));
  const auto n = static_cast<std::size_t>(std::min(there, turn));
  if (n > 0) {
    if (!intake_.read(n, turn_samples_.data())) return skip_gap(sound_end);
    run_samples(turn_samples_.data(), n);
  }
  if (intake_.position() >= interrupted_at) end_stretch();
  if (intake_.position() == sound_end) {
    TimestampSink sink(*this);
    if (!between_stretches_) chain_.flush(sink);
    end();
  }
  plan();
}

/// Opening the new network takes long, so the lock isn't held meanwhile and another `swap` needn't wait.
void LiveStream::run_swap() {
  std::unique_lock lock(swap_mutex_);
  NodePtr node = std::move(next_node_);
  const int network = next_network_;
  swapping_.store(false, std::memory_order_release);
  lock.unlock();
  TimestampSink sink(*this);
  base_s_ = chain_.swap(std::move(node), sink);
  network_ = network;
  rows_out_.assign(chain_.outputs().size(), 0);
  const std::size_t n_outputs = chain_.outputs().size();
  // Nobody knows which of other outputs told a loss already: what one did tell isn't told again.
  if (lost_.size() != n_outputs) lost_.assign(n_outputs, *std::min_element(lost_.begin(), lost_.end()));
}

void LiveStream::run_samples(const float* samples, std::size_t n) {
  between_stretches_ = false;
  TimestampSink sink(*this);
  if (!provisional_done_ && n_provisional_ > 0) {
    const std::size_t channels = ring().channels();
    const std::size_t missing = n_provisional_ - provisional_.size() / channels;
    provisional_.insert(provisional_.end(), samples, samples + std::min(n, missing) * channels);
    if (n >= missing) run_provisional();
  }
  chain_.push(samples, n, sink);
}

/// Runs the stretch so far as a clip, on a separate stream.
void LiveStream::run_provisional() {
  provisional_done_ = true;
  std::vector<std::int64_t> rows_out(rows_out_.size());
  TimestampSink sink(*this, rows_out, true);
  const auto stream = chain_.node()->open(input_);
  stream->push(provisional_.data(), n_provisional_, sink);
  stream->flush(sink);
}

/// Flushes the stretch; another begins with the next sample.
void LiveStream::end_stretch() {
  intake_.pass_interruption();
  if (between_stretches_ || intake_.position() == stretch_start_) return;
  TimestampSink sink(*this);
  chain_.flush(sink);
  chain_.restart();
  rows_out_.assign(chain_.outputs().size(), 0);
  base_s_ = 0;
  provisional_.clear();
  provisional_done_ = false;
  between_stretches_ = true;
  stretch_start_ = intake_.position();
}

/// Samples were skipped, or overwritten before they were read: ends the stretch and begins another behind
/// them.
void LiveStream::skip_gap(std::int64_t sound_end) {
  intake_.require_no_gap();
  end_stretch();
  const std::int64_t n_lost = intake_.skip_gap(sound_end);  // only now, for flushing may have taken long
  for (std::int64_t& lost : lost_) lost += n_lost;
  stretch_start_ = intake_.position();
  plan();
}

/// Sets how much sound makes the next turn worthwhile: what completes a row, or a quarter of the buffer.
void LiveStream::plan() {
  const std::int64_t from = intake_.position();
  const std::int64_t most = intake_.quarter();
  double due_s = chain_.next_due_s();
  if (n_provisional_ > 0 && !provisional_done_) due_s = std::min(due_s, provisional_s_);
  std::int64_t missing = std::min(most, intake_.frames_of(Intake::kTurn_s));
  if (std::isfinite(due_s)) missing = std::min(most, stretch_start_ + intake_.frames_of(due_s) - from);
  next_turn_.store(from + std::max<std::int64_t>(missing, 1), std::memory_order_release);
}

void LiveStream::pass_on(std::size_t output, const float* rows, std::size_t n_rows) {
  run_timed([&] {
    TimestampSink sink(*this);
    chain_.pass_on(output, rows, n_rows, sink);
  });
}

void LiveStream::end_batch(std::int64_t time_ns) {
  run_timed([&] {
    TimestampSink sink(*this);
    chain_.end_batch(time_ns, sink);
    plan();
  });
  busy_ns_.fetch_add(time_ns, std::memory_order_relaxed);
}

void LiveStream::put(Result result, const float* rows) {
  const StreamSpec& spec = chain_.outputs()[result.output].spec;
  const std::int64_t read = intake_.position();
  result.network = network_;
  result.values.assign(rows, rows + result.n_rows * spec.row_size());
  result.base_s = intake_.time_of(stretch_start_) + (result.provisional ? 0 : base_s_);
  if (!result.provisional) result.n_lost = std::exchange(lost_[result.output], 0);
  std::int64_t needed = read;  // end of the sound that the last row depends on
  if (result.provisional) {
    needed = stretch_start_ + static_cast<std::int64_t>(n_provisional_);
  } else if (steady(spec)) {
    const auto row = static_cast<double>(result.first_row) + static_cast<double>(result.n_rows) - 1;
    needed =
        std::min(read, stretch_start_ + intake_.frames_of(base_s_ + row / spec.rate_hz + spec.latency_s));
  }
  result.until_s = intake_.time_of(result.provisional ? needed : read);
  latencies_.add(now_ns() - intake_.arrivals().time_of(needed));
  results_.put(std::move(result));
}

}  // namespace fastaudio::live
