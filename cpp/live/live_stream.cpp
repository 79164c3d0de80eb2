#include "live/live_stream.hpp"

#include <algorithm>
#include <cmath>

#include "core/options.hpp"

namespace fastaudio::live {

namespace {

/// What is run at a time at least, where that much has come: no more often than a row needs, no more than
/// other streams can wait for.
constexpr double kTurn_s = 0.25;

/// How long to wait for a source that gives no sign of when it goes on, and for one that is due now.
constexpr double kUnknown_s = 0.05;
constexpr double kSlack_s = 0.0005;

StreamSpec checked(const StreamSpec& input, const LiveOptions& options) {
  check_spec(input);
  if (input.rate_hz <= 0) throw ValueError("live: expected sound with a rate, got " + to_string(input));
  const auto within = [](const char* name, double value, const Range& range, const char* unit,
                         const std::string& got) {
    if (value >= range.min && value <= range.max) return;
    throw ValueError(std::string("live: expected ") + name + " in " + format(range, unit) + ", got " + got);
  };
  const auto seconds = [&](const char* name, double value, const Range& range) {
    within(name, value, range, "s", format(value));
  };
  const auto count = [&](const char* name, std::int64_t value, const Range& range, const char* unit) {
    within(name, static_cast<double>(value), range, unit, std::to_string(value));
  };
  within("sample_rate", input.rate_hz, {1e-3, 1e9}, "Hz", format(input.rate_hz));
  seconds("buffer_s", options.buffer_s, {0.01, 3600});
  seconds("provisional_s", options.provisional_s, {0, 3600});
  count("max_results", options.max_results, {1, 1e9}, "results");
  count("start_sample", options.start_frame, {0, 1e15}, "samples");
  return input;
}

}  // namespace

class LiveStream::Stamp final : public Sink {
 public:
  explicit Stamp(LiveStream& stream) : Stamp(stream, stream.rows_out_, false) {}
  /// `rows_out`: what came out so far, by output.
  Stamp(LiveStream& stream, std::vector<std::int64_t>& rows_out, bool provisional)
      : stream_(stream), rows_out_(rows_out), provisional_(provisional) {}

  void write(std::size_t output, const float* rows, std::size_t n_rows) override {
    if (n_rows == 0) return;
    const std::int64_t first_row = rows_out_[output];
    rows_out_[output] += static_cast<std::int64_t>(n_rows);
    stream_.accept({.output = output, .first_row = first_row, .n_rows = n_rows, .provisional = provisional_},
                   rows);
  }

 private:
  LiveStream& stream_;
  std::vector<std::int64_t>& rows_out_;
  bool provisional_;
};

LiveStream::LiveStream(NodePtr node, const StreamSpec& input, const LiveOptions& options, bool hold)
    : input_(checked(input, options)),
      options_(options),
      ring_(static_cast<std::size_t>(frames_of(options.buffer_s)) + 1, input.row_size(), options.start_frame),
      results_(static_cast<std::size_t>(options.max_results),
               options.overflow == Overflow::block ? Results::Beyond::keep : Results::Beyond::drop_oldest),
      chain_(std::move(node), input, hold),
      frames_(static_cast<std::size_t>(std::max(quarter(), frames_of(kTurn_s))) * ring_.channels()),
      n_provisional_(static_cast<std::size_t>(frames_of(options.provisional_s))),
      read_(options.start_frame),
      need_(options.start_frame),
      stretch_(options.start_frame) {
  rows_out_.assign(chain_.outputs().size(), 0);
  opening_.reserve(n_provisional_ * ring_.channels());
  plan();
}

std::int64_t LiveStream::frames_of(double seconds) const {
  return static_cast<std::int64_t>(std::ceil(seconds * input_.rate_hz - 1e-6));
}

// The source's side.

void LiveStream::capture(const float* frames, std::size_t n, bool overflowed) noexcept {
  if (overflowed) n_overflows_.fetch_add(1, std::memory_order_relaxed);
  take(frames, n);
}

template <class Value>
void LiveStream::take(const Value* frames, std::size_t n) {
  arrivals_.note(ring_.end() + static_cast<std::int64_t>(n), now_ns());
  const std::size_t n_bad = ring_.write(frames, n);
  if (n_bad > 0) n_bad_.fetch_add(static_cast<std::int64_t>(n_bad), std::memory_order_relaxed);
}

void LiveStream::check_open() const {
  const bool finished = finishing();
  if (!finished && !done() && !closing()) return;
  throw StateError(std::string("live: expected no sound after ") +
                   (closing()  ? "close"
                    : finished ? "finish"
                               : "an error") +
                   ", got some; open a new stream");
}

std::size_t LiveStream::room() const {
  const std::int64_t waiting = ring_.end() - read_.load(std::memory_order_acquire);
  const auto capacity = static_cast<std::int64_t>(ring_.capacity());
  return static_cast<std::size_t>(std::max<std::int64_t>(capacity - waiting, 0));
}

/// Whether there is some.
bool LiveStream::wait_for_room(std::chrono::nanoseconds patience) {
  const std::int64_t start_ns = now_ns();
  std::unique_lock lock(room_mutex_);
  // The worker tells without the lock, so a wait may miss it: none is long.
  while (room() == 0) {
    if (now_ns() - start_ns > patience.count()) return false;
    room_there_.wait_for(lock, std::chrono::milliseconds(2));
    check_open();
  }
  return true;
}

template <class Value>
std::size_t LiveStream::push(const Value* frames, std::size_t n, std::chrono::nanoseconds patience) {
  const std::size_t n_all = n;
  const std::lock_guard lock(writers_);
  check_open();
  if (options_.overflow == Overflow::raise && n > room()) {
    throw Overrun("live: expected room for " + std::to_string(n) + " samples, got " + std::to_string(room()) +
                  "; push no faster than they are run, or choose another overflow policy");
  }
  while (n > 0) {
    std::size_t piece = n;
    if (options_.overflow == Overflow::block) {
      if (!wait_for_room(patience)) return n_all - n;
      piece = std::min(n, room());
    }
    take(frames, piece);
    frames += piece * ring_.channels();
    n -= piece;
    if (wake_ && ready()) wake_();
  }
  return n_all;
}

template std::size_t LiveStream::push(const float*, std::size_t, std::chrono::nanoseconds);
template std::size_t LiveStream::push(const std::int16_t*, std::size_t, std::chrono::nanoseconds);

void LiveStream::finish() {
  std::int64_t open = kOpen;  // only the first call counts
  finish_at_.compare_exchange_strong(open, ring_.end(), std::memory_order_acq_rel);
  if (wake_) wake_();
}

void LiveStream::close() {
  closing_.store(true, std::memory_order_release);
  results_.close();
  room_there_.notify_all();
  if (wake_) wake_();
}

void LiveStream::exchange(NodePtr node, int network) {
  chain_.check_exchange(*node);
  {
    const std::lock_guard lock(exchange_mutex_);
    next_node_ = std::move(node);
    next_network_ = network;
    exchanging_.store(true, std::memory_order_release);
  }
  if (wake_) wake_();
}

LiveStats LiveStream::stats() const {
  LiveStats stats;
  const bool ended = done() || closing();  // first: what was run until then isn't lost
  std::unique_lock lock(gaps_mutex_);
  stats.dropped = n_dropped_;
  stats.n_gaps = n_gaps_;
  const std::int64_t read = read_.load(std::memory_order_acquire);
  lock.unlock();
  const std::int64_t end = std::max(ring_.end(), read);
  stats.captured = end - options_.start_frame;
  stats.delivered = read - options_.start_frame - stats.dropped;
  stats.waiting = end - read;
  if (ended) {  // what nobody will run any more
    stats.dropped += stats.waiting;
    stats.waiting = 0;
  }
  stats.n_bad = n_bad_.load(std::memory_order_relaxed);
  stats.n_overflows = n_overflows_.load(std::memory_order_relaxed);
  stats.results_waiting = results_.size();
  stats.results_dropped = results_.n_dropped();
  stats.sound_s = time_of(stats.delivered);
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
  // Results that nobody takes hold up the writer, by way of a full buffer.
  if (options_.overflow == Overflow::block && results_.full()) return false;
  return ring_.end() >= need_.load(std::memory_order_acquire) || finishing() ||
         exchanging_.load(std::memory_order_acquire);
}

double LiveStream::ready_in_s() const {
  const auto expected_ns = arrivals_.expected(need_.load(std::memory_order_acquire), input_.rate_hz);
  if (!expected_ns) return kUnknown_s;
  const double left_s = 1e-9 * static_cast<double>(*expected_ns - now_ns());
  return left_s > 0 ? left_s + kSlack_s : std::min(-left_s / 4, kUnknown_s);
}

template <class Work>
void LiveStream::in_time(Work&& work) {
  const std::int64_t start = now_ns();
  try {
    if (!done()) work();
  } catch (...) {
    fail(std::current_exception());
  }
  busy_ns_.fetch_add(now_ns() - start, std::memory_order_relaxed);
}

void LiveStream::service() {
  in_time([&] { run(); });
}

void LiveStream::fail(std::exception_ptr error) {
  done_.store(true, std::memory_order_release);  // before anybody can see the end
  results_.end(std::move(error));
  room_there_.notify_all();
}

void LiveStream::run() {
  if (exchanging_.load(std::memory_order_acquire)) run_exchange();
  const std::int64_t read = read_.load(std::memory_order_relaxed);
  const std::int64_t last = std::max(finish_at_.load(std::memory_order_acquire), read);  // told late
  const std::int64_t end = std::min(ring_.end(), last);
  if (ring_.begin() > read && end > read) return skip_gap(last);
  const std::int64_t turn = std::max(need_.load(std::memory_order_relaxed) - read, frames_of(kTurn_s));
  const auto n = static_cast<std::size_t>(std::min(end - read, turn));
  if (n > 0) {
    if (ring_.read(read, n, frames_.data()) > 0) return skip_gap(last);
    read_.store(read + static_cast<std::int64_t>(n), std::memory_order_release);
    room_there_.notify_all();
    deliver(frames_.data(), n);
  }
  if (read_.load(std::memory_order_relaxed) == last) {
    Stamp stamp(*this);
    chain_.flush(stamp);
    fail(nullptr);
  }
  plan();
}

/// Takes long: whoever calls `exchange` meanwhile doesn't wait for it.
void LiveStream::run_exchange() {
  std::unique_lock lock(exchange_mutex_);
  NodePtr node = std::move(next_node_);
  const int network = next_network_;
  exchanging_.store(false, std::memory_order_release);
  lock.unlock();
  Stamp stamp(*this);
  base_s_ = chain_.exchange(std::move(node), stamp);
  network_ = network;
  rows_out_.assign(chain_.outputs().size(), 0);
}

void LiveStream::deliver(const float* frames, std::size_t n) {
  Stamp stamp(*this);
  if (!opened_ && n_provisional_ > 0) {
    const std::size_t channels = ring_.channels();
    const std::size_t missing = n_provisional_ - opening_.size() / channels;
    opening_.insert(opening_.end(), frames, frames + std::min(n, missing) * channels);
    if (n >= missing) run_provisional();
  }
  chain_.push(frames, n, stamp);
}

/// The stretch so far as a clip of its own, on a stream of its own.
void LiveStream::run_provisional() {
  opened_ = true;
  std::vector<std::int64_t> rows_out(rows_out_.size());
  Stamp stamp(*this, rows_out, true);
  const auto stream = chain_.node()->open(input_);
  stream->push(opening_.data(), n_provisional_, stamp);
  stream->flush(stamp);
}

/// Frames were overwritten before they were read. More than those are left out, so that the gap isn't
/// followed by another one at once.
void LiveStream::skip_gap(std::int64_t last) {
  const std::int64_t read = read_.load(std::memory_order_relaxed);
  if (options_.overflow == Overflow::raise) {
    throw Overrun("live: expected results to be computed as fast as sound comes, got " +
                  std::to_string(ring_.begin() - read) + " samples too many; choose a larger buffer_s or " +
                  "another overflow policy");
  }
  Stamp stamp(*this);
  chain_.flush(stamp);
  chain_.restart();
  const std::int64_t next = std::min({ring_.begin() + quarter(), ring_.end(), last});  // after what took long
  rows_out_.assign(chain_.outputs().size(), 0);
  base_s_ = 0;
  opening_.clear();
  opened_ = false;
  lost_ += next - read;
  stretch_ = next;
  {
    const std::lock_guard lock(gaps_mutex_);
    ++n_gaps_;
    n_dropped_ += next - read;
    read_.store(next, std::memory_order_release);
  }
  plan();
}

/// Says how much sound makes another turn worthwhile: what completes a row, or a quarter of the buffer.
void LiveStream::plan() {
  const std::int64_t read = read_.load(std::memory_order_relaxed);
  double due_s = chain_.next_due_s();
  if (n_provisional_ > 0 && !opened_) due_s = std::min(due_s, options_.provisional_s);
  std::int64_t missing = std::min(quarter(), frames_of(kTurn_s));
  if (std::isfinite(due_s)) missing = std::min(quarter(), stretch_ + frames_of(due_s) - read);
  need_.store(read + std::max<std::int64_t>(missing, 1), std::memory_order_release);
}

void LiveStream::resume(std::size_t output, const float* rows, std::size_t n_rows) {
  in_time([&] {
    Stamp stamp(*this);
    chain_.resume(output, rows, n_rows, stamp);
  });
}

void LiveStream::resumed(std::int64_t time_ns) {
  in_time([&] {
    Stamp stamp(*this);
    chain_.release(time_ns, stamp);
    plan();
  });
  busy_ns_.fetch_add(time_ns, std::memory_order_relaxed);
}

void LiveStream::accept(Result result, const float* rows) {
  const StreamSpec& spec = chain_.outputs()[result.output].spec;
  const std::int64_t read = read_.load(std::memory_order_relaxed);
  result.network = network_;
  result.values.assign(rows, rows + result.n_rows * spec.row_size());
  result.base_s = time_of(stretch_) + (result.provisional ? 0 : base_s_);
  result.n_lost = lost_;
  lost_ = 0;
  std::int64_t needed = read;  // end of the sound that the last row depends on
  if (result.provisional) {
    needed = stretch_ + static_cast<std::int64_t>(n_provisional_);
  } else if (steady(spec)) {
    const auto row = static_cast<double>(result.first_row) + static_cast<double>(result.n_rows) - 1;
    needed = std::min(read, stretch_ + frames_of(base_s_ + row / spec.rate_hz + spec.latency_s));
  }
  result.until_s = time_of(result.provisional ? needed : read);
  latencies_.add(now_ns() - arrivals_.time_of(needed));
  results_.put(std::move(result));
}

}  // namespace fastaudio::live
