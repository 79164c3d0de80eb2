#include "live/intake.hpp"

#include <cmath>

namespace fastaudio::live {

namespace {

/// Throws ValueError, before anything is allocated, if so many seconds of this sound need too much memory.
void require_memory(const StreamSpec& input, const char* what, double seconds, double most_s) {
  if (seconds <= most_s) return;
  const double floor_s =
      std::max(std::floor(most_s * 1e3) / 1e3, 0.0);  // in the message, so that following it works
  throw ValueError(std::string("live: expected ") + what + " of at most " + format(floor_s) +
                   " s, which take 1 GiB, for " + std::to_string(input.row_size()) + " channels at " +
                   format(input.rate_hz) + " Hz, got " + format(seconds) +
                   "; choose less, or fewer channels");
}

void check_memory(const StreamSpec& input, const LiveOptions& options) {
  constexpr double kMost = 1 << 30;
  const double frame_bytes = static_cast<double>(input.row_size()) * sizeof(float);
  const double most_s = (kMost / frame_bytes - 2) / input.rate_hz;  // less what is rounded up
  require_memory(input, "turns", Intake::kTurn_s, most_s);
  require_memory(input, "buffer_s", options.buffer_s, most_s / 1.25);  // a turn is a quarter of it
  require_memory(input, "provisional_s", options.provisional_s.value_or(0), most_s);
}

double checked_rate(const StreamSpec& input, const LiveOptions& options) {
  check_spec(input);
  if (input.rate_hz <= 0) throw ValueError("live: expected sound with a rate, got " + to_string(input));
  constexpr Range rates{1e-3, 1e9};
  if (input.rate_hz < rates.min || input.rate_hz > rates.max) {
    throw ValueError("live: expected sample_rate in " + format(rates, "Hz") + ", got " +
                     format(input.rate_hz));
  }
  check_options("live", options);
  check_memory(input, options);
  return input.rate_hz;
}

}  // namespace

Intake::Intake(const StreamSpec& input, const LiveOptions& options)
    : rate_hz_(checked_rate(input, options)),
      start_(options.start_sample),
      waits_(options.overflow == "block"),
      raises_(options.overflow == "raise"),
      ring_(static_cast<std::size_t>(frames_of(options.buffer_s)) + 1, input.row_size(), start_),
      position_(start_) {}

std::int64_t Intake::frames_of(double seconds) const {
  constexpr double kMost = 4e18;  // what isn't due in this age of the world, but can be added to
  return static_cast<std::int64_t>(std::min(std::ceil(seconds * rate_hz_ - 1e-6), kMost));
}

// The source's side.

void Intake::capture(const float* samples, std::size_t n, bool overflowed) noexcept {
  if (overflowed) n_overflows_.fetch_add(1, std::memory_order_relaxed);
  take(samples, n);
}

void Intake::interrupt() {
  n_interruptions_.fetch_add(1, std::memory_order_relaxed);
  interrupted_at_.store(ring_.end(), std::memory_order_release);
  resuming_.store(true, std::memory_order_release);
}

/// Skips what was lost if the next block, of `n` samples, is the first since an interruption.
void Intake::resume(std::size_t n) noexcept {
  if (!resuming()) return;
  resuming_.store(false, std::memory_order_relaxed);
  const auto last_ns = arrivals_.last();
  if (!last_ns) return;  // no sound came before it
  const std::int64_t now = now_ns();
  const auto passed = static_cast<std::int64_t>(1e-9 * static_cast<double>(now - *last_ns) * rate_hz_);
  const std::int64_t n_lost = passed - static_cast<std::int64_t>(n);
  if (n_lost <= 0) return;
  arrivals_.note(ring_.end() + n_lost, now);
  ring_.skip(n_lost);
}

void Intake::check_open() const {
  const bool finish = finished();
  if (!finish && !stopped() && !closed()) return;
  throw StateError(std::string("live: expected no sound after ") +
                   (closed() ? "close"
                    : finish ? "finish"
                             : "an error") +
                   ", got some; open a new stream");
}

std::size_t Intake::room() const {
  const std::int64_t waiting = ring_.n_written() - n_done_.load(std::memory_order_acquire);
  const auto capacity = static_cast<std::int64_t>(ring_.capacity());
  return static_cast<std::size_t>(std::max<std::int64_t>(capacity - waiting, 0));
}

void Intake::require_room(std::size_t n) const {
  if (n <= room()) return;
  throw Overrun("live: expected room for " + std::to_string(n) + " samples, got " + std::to_string(room()) +
                "; push no faster than they are run, or choose another overflow policy");
}

void Intake::finish() {
  std::int64_t open = kOpen;
  finish_at_.compare_exchange_strong(open, ring_.end(), std::memory_order_acq_rel);
}

void Intake::stop() {
  stopped_.store(true, std::memory_order_release);
  room_made_.notify_all();
}

void Intake::close() {
  closed_.store(true, std::memory_order_release);
  room_made_.notify_all();
}

// The worker's side.

bool Intake::read(std::size_t n, float* to) {
  const std::int64_t from = position_.load(std::memory_order_relaxed);
  if (ring_.read(from, n, to) > 0) return false;
  position_.store(from + static_cast<std::int64_t>(n), std::memory_order_release);
  n_done_.fetch_add(static_cast<std::int64_t>(n), std::memory_order_release);
  room_made_.notify_all();
  return true;
}

void Intake::require_no_gap() const {
  const std::int64_t n_lost = overwritten(ring_.next(position()));  // what the source skipped never came
  if (!raises_ || n_lost <= 0) return;
  throw Overrun("live: expected results to be computed as fast as sound comes, got " +
                std::to_string(n_lost) +
                " samples too many; choose a larger buffer_s or another overflow policy");
}

std::int64_t Intake::skip_gap(std::int64_t end) {
  const std::int64_t from = position_.load(std::memory_order_relaxed);
  const CaptureRing::Piece piece = ring_.next(from);
  const std::int64_t more = overwritten(piece) > 0 ? quarter() : 0;
  const std::int64_t next = std::max(from, std::min({piece.begin + more, piece.end, end}));
  n_done_.store(std::max(next, piece.begin) - piece.skipped - start_, std::memory_order_release);
  const std::lock_guard lock(gaps_mutex_);
  ++n_gaps_;
  n_dropped_ += next - from;
  position_.store(next, std::memory_order_release);
  return next - from;
}

void Intake::count(LiveStats& stats) const {
  const bool ended = stopped() || closed();  // read first: what ran until then isn't lost
  std::unique_lock lock(gaps_mutex_);
  stats.dropped = n_dropped_;
  stats.gaps = n_gaps_;
  const std::int64_t read = position();
  lock.unlock();
  const std::int64_t end = std::max(ring_.end(), read);
  stats.captured = end - start_;
  stats.delivered = read - start_ - stats.dropped;
  stats.waiting = end - read;
  if (ended) {  // nobody will run what still waits
    stats.dropped += stats.waiting;
    stats.waiting = 0;
  }
  stats.bad_values = n_bad_.load(std::memory_order_relaxed);
  stats.interruptions = n_interruptions_.load(std::memory_order_relaxed);
  stats.device_overflows = n_overflows_.load(std::memory_order_relaxed);
  stats.sound_s = time_of(stats.delivered);
}

}  // namespace fastaudio::live
