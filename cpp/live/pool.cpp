#include "live/pool.hpp"

#include <algorithm>
#include <map>
#include <system_error>
#include <utility>

#include "core/turn.hpp"

namespace fastaudio::live {

namespace {

constexpr double kLongestSleep_s = 0.5;
constexpr double kShortestSleep_s = 0.002;
constexpr std::int64_t kLongestIdle_ns = 10'000'000'000;

}  // namespace

/// What the workers share. The mutex guards all of it but the options, which never change.
struct Pool::Shared {
  explicit Shared(const PoolOptions& the_options) : options(the_options) {}

  using Streams = std::vector<std::shared_ptr<LiveStream>>;

  /// Claimed streams whose rows wait for one node. While a worker runs a batch, those that come wait for
  /// the next one.
  struct Group {
    Group(const NodePtr& node, const StreamSpec& spec, int capacity) : batch(node, spec, capacity) {}
    Batch batch;
    Streams waiting;
    std::int64_t since_ns = 0;  ///< when the first one came
    bool running = false;
  };

  /// Node and row shape: a batch has rows of one shape, and a node may take several.
  using GroupKey = std::pair<const Node*, std::vector<std::int64_t>>;

  using Lock = std::unique_lock<std::mutex>;

  /// Drops closed streams, and groups that were empty for long.
  void clean();
  bool idle() const { return paused || (streams.empty() && groups.empty()); }
  void release(LiveStream& stream);

  /// Claims the next stream that is ready, or returns null and lowers `sleep_s` to when one is due.
  std::shared_ptr<LiveStream> next_stream(double& sleep_s);
  bool run_group(Lock& lock, double& sleep_s);
  void drop_closed(Group& group);
  bool due(const Group& group, double& sleep_s) const;
  void join_group(std::shared_ptr<LiveStream> stream);

  const PoolOptions options;
  mutable std::mutex mutex;
  std::condition_variable wake;
  std::condition_variable released;  ///< a worker has released a stream
  Streams streams;
  std::map<GroupKey, Group> groups;
  std::size_t first = 0;  ///< index of the stream to look at first
  bool paused = false;
  bool closing = false;
  Cancel cancel;  ///< what workers run for several streams at once
};

Pool::Pool(const PoolOptions& options) : options_(options), shared_(std::make_shared<Shared>(options)) {
  check_options("Pool", options);
  // Reserves now, so that emplace_back can't fail after it has started a thread.
  workers_->reserve(static_cast<std::size_t>(options.workers));
}

Pool::~Pool() {
  if (guard_.forked()) {
    static_cast<void>(workers_.release());  // the threads stayed in the parent, so there is nothing to join
    return;
  }
  close();
}

void Pool::add(const std::shared_ptr<LiveStream>& stream) {
  if (guard_.forked()) {
    throw StateError("Pool: expected a pool made in this process, got one from before a fork; make another");
  }
  const std::lock_guard lock(shared_->mutex);
  if (shared_->closing) throw StateError("Pool: expected an open pool, got a closed one; make another");
  const std::weak_ptr<Shared> shared = shared_;
  stream->on_ready([shared] {
    const auto alive = shared.lock();
    if (!alive) return;
    {
      const std::lock_guard between(alive->mutex);
    }  // now a worker either waits for `wake`, or hasn't looked yet
    alive->wake.notify_one();
  });
  shared_->streams.push_back(stream);
  const std::size_t wanted = std::min(shared_->streams.size(), static_cast<std::size_t>(options_.workers));
  while (workers_->size() < wanted) {
    try {
      workers_->emplace_back([shared = shared_] { work(*shared); });
    } catch (const std::system_error&) {
      if (!workers_->empty()) break;  // fewer workers do the same work, only later
      shared_->streams.pop_back();
      throw StateError("Pool: expected a thread to be started, got none; close other programs");
    }
  }
  shared_->wake.notify_all();  // capture() doesn't notify, so wake all workers once
}

void Pool::remove(const std::shared_ptr<LiveStream>& stream, double timeout_s) {
  if (guard_.forked()) return;
  stream->close();
  Shared::Lock lock(shared_->mutex);
  for (auto& [key, group] : shared_->groups) shared_->drop_closed(group);
  const auto until = std::chrono::steady_clock::now() + duration(timeout_s);
  while (stream->claimed()) {
    const auto left = until - std::chrono::steady_clock::now();
    if (left <= left.zero()) break;
    const std::chrono::nanoseconds look(Interruptible::kLook);
    if (shared_->released.wait_for(lock, std::min(look, left), [&] { return !stream->claimed(); })) break;
    lock.unlock();  // what ends this may wait for Python's lock, whose holder may wait for ours
    check_interrupt();
    lock.lock();
  }
  std::erase(shared_->streams, stream);
}

void Pool::pause() {
  if (guard_.forked()) return;
  const std::lock_guard lock(shared_->mutex);
  shared_->paused = true;
}

void Pool::resume() {
  if (guard_.forked()) return;
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->paused = false;
  }
  shared_->wake.notify_all();
}

std::size_t Pool::size() const {
  if (guard_.forked()) return 0;
  const std::lock_guard lock(shared_->mutex);
  return static_cast<std::size_t>(
      std::count_if(shared_->streams.begin(), shared_->streams.end(),
                    [](const auto& stream) { return !stream->done() && !stream->closing(); }));
}

void Pool::close() {
  if (guard_.forked()) return;
  Shared::Streams streams;
  std::vector<std::thread> workers;
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->closing = true;
    streams.swap(shared_->streams);
    workers.swap(*workers_);
  }
  for (const auto& stream : streams) stream->close();
  shared_->cancel.cancel();
  shared_->wake.notify_all();
  for (std::thread& worker : workers) worker.join();
  if (workers.empty()) return;
  // Nobody runs these any more. Release waiting streams so that remove() returns.
  const std::lock_guard lock(shared_->mutex);
  for (auto& [key, group] : shared_->groups) shared_->drop_closed(group);
  shared_->groups.clear();
}

// The workers' side. No exception may leave it.

void Pool::Shared::clean() {
  std::erase_if(streams, [](const auto& stream) {
    return (stream->done() || stream->closing()) && !stream->claimed();
  });
  if (groups.empty()) return;
  const std::int64_t now = now_ns();
  std::erase_if(groups, [now](const auto& entry) {
    const Group& group = entry.second;
    return !group.running && group.waiting.empty() && now - group.since_ns > kLongestIdle_ns;
  });
}

void Pool::Shared::release(LiveStream& stream) {
  stream.unclaim();
  released.notify_all();
}

std::shared_ptr<LiveStream> Pool::Shared::next_stream(double& sleep_s) {
  clean();
  for (std::size_t i = 0; i < streams.size(); ++i) {
    const std::size_t at = (first + i) % streams.size();
    LiveStream& stream = *streams[at];
    if (stream.claimed() || stream.done()) continue;
    if (!stream.ready()) {
      sleep_s = std::min(sleep_s, std::max(stream.ready_in_s(), kShortestSleep_s));
    } else if (stream.claim()) {
      first = at + 1;
      return streams[at];
    }
  }
  return nullptr;
}

void Pool::Shared::join_group(std::shared_ptr<LiveStream> stream) {
  const Chain& chain = stream->chain();
  try {
    const GroupKey key{chain.batched_part().get(), chain.held_spec().shape};
    Group& group =
        groups.try_emplace(key, chain.batched_part(), chain.held_spec(), options.batch).first->second;
    group.waiting.push_back(stream);
    if (group.waiting.size() == 1) group.since_ns = now_ns();
  } catch (...) {
    stream->end(std::current_exception());
    release(*stream);
  }
}

void Pool::Shared::drop_closed(Group& group) {
  std::erase_if(group.waiting, [this](const auto& stream) {
    if (!stream->closing()) return false;
    release(*stream);
    return true;
  });
}

/// Whether a group is full or has waited long enough; if not, lowers `sleep_s` to when it will have.
bool Pool::Shared::due(const Group& group, double& sleep_s) const {
  std::size_t n_rows = 0;
  for (const auto& stream : group.waiting) n_rows += stream->chain().n_held();
  if (n_rows >= static_cast<std::size_t>(options.batch)) return true;
  const double left_s = options.batch_wait_s - 1e-9 * static_cast<double>(now_ns() - group.since_ns);
  if (left_s > 0) sleep_s = std::min(sleep_s, left_s);
  return left_s <= 0;
}

/// Runs a batch that is due; returns false if there is none.
bool Pool::Shared::run_group(Lock& lock, double& sleep_s) {
  for (auto& [key, group] : groups) {
    if (group.running) continue;
    drop_closed(group);
    if (group.waiting.empty() || !due(group, sleep_s)) continue;
    const Streams streams = std::exchange(group.waiting, {});
    group.running = true;
    lock.unlock();
    {
      const Interruptible scope({.cancel = &cancel});
      group.batch.run(streams);
    }
    lock.lock();
    group.running = false;
    for (const auto& stream : streams) release(*stream);
    return true;
  }
  return false;
}

void Pool::work(Shared& shared) {
  const TurnsAtOnce live_sound_first;
  Shared::Lock lock(shared.mutex);
  while (!shared.closing) {
    double sleep_s = kLongestSleep_s;
    if (!shared.paused) {
      if (shared.run_group(lock, sleep_s)) continue;
      if (auto stream = shared.next_stream(sleep_s)) {
        lock.unlock();
        stream->service();
        lock.lock();
        if (stream->chain().n_held() > 0 && !stream->done()) {
          shared.join_group(std::move(stream));
        } else {
          shared.release(*stream);
        }
        continue;
      }
    }
    if (shared.idle()) {
      shared.wake.wait(lock);
    } else {
      shared.wake.wait_for(lock, duration(sleep_s));
    }
  }
}

}  // namespace fastaudio::live
